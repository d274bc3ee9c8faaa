/** Server-sent events out of a fetched body, by the rules of the HTML standard (9.2.6, interpreting an event stream). */
export interface ServerEvent {
  /** The last id that was sent; empty when there was none. */
  id: string;
  name: string;
  data: string;
}

/** Takes text in any portions and gives the events that are complete. */
export class SseParser {
  #rest = "";
  #begun = false;
  #id = "";
  #name = "";
  #data: string[] = [];

  push(chunk: string): ServerEvent[] {
    let text = this.#rest + chunk;
    if (!this.#begun && text !== "") {
      this.#begun = true;
      text = text.replace(/^\uFEFF/, "");
    }
    const events: ServerEvent[] = [];
    // A CR at the very end may be half of a CR LF.
    const line = /([^\r\n]*)(\r\n|\n|\r(?!$))/y;
    let at = 0;
    for (let match = line.exec(text); match; match = line.exec(text)) {
      at = line.lastIndex;
      const event = this.#line(match[1] ?? "");
      if (event) events.push(event);
    }
    this.#rest = text.slice(at);
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): ServerEvent | null {
    const [name, data] = [this.#name, this.#data];
    [this.#name, this.#data] = ["", []];
    return data.length === 0 ? null : { id: this.#id, name: name || "message", data: data.join("\n") };
  }
}

/** The events of a body as they come. Leaving the loop cancels the body. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
