"""Streams of completions against one server: `chat_load.py ADDRESS STREAMS TOKENS KEY MODEL SECONDS [HEADER…]`.
Prints JSON: first-token times and delays of tokens (from the provider's sending to the client's getting) in ms."""

import asyncio
import json
import re
import sys
import time

import uvloop

# Streams begin spread over this time, in seconds.
SPREAD = 2.0
STAMP = re.compile(rb'"content":\s*"(\d{19}) "')


async def stream(address, body, headers, figures) -> None:
    host, port = address.split(":")
    request = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, int(port))
    asked = time.time_ns()
    writer.write(request.encode() + body)
    first, rest = True, b""
    while data := await reader.read(65536):
        now = time.time_ns()
        rest += data
        end = 0
        for found in STAMP.finditer(rest):
            sent = int(found[1])
            if first:
                figures["first"].append((now - asked) / 1e6)
                first = False
            figures["delay"].append((now - sent) / 1e6)
            end = found.end()
        rest = rest[end:]
        if b"[DONE]" in rest:
            figures["whole"] += 1
            break
    writer.close()


async def worker(late, until, *arguments) -> None:
    await asyncio.sleep(late)  # a crowd that arrives at one instant measures its own queue
    while time.monotonic() < until:
        await stream(*arguments)


async def main() -> None:
    address, streams, tokens, key, model, seconds, *extra = sys.argv[1:]
    body = {"model": model, "stream": True, "max_tokens": int(tokens), "messages": [{"role": "user", "content": "Count."}]}
    headers = "".join(f"{header}\r\n" for header in [f"Authorization: Bearer {key}", *extra])
    figures: dict = {"first": [], "delay": [], "whole": 0}
    begun = time.monotonic()
    work = [
        worker(SPREAD * number / int(streams), begun + float(seconds), address, json.dumps(body).encode(), headers, figures)
        for number in range(int(streams))
    ]
    await asyncio.gather(*work)
    took = time.monotonic() - begun

    def at(values, share):
        values.sort()
        return round(values[min(len(values) - 1, int(len(values) * share))], 3) if values else None

    print(json.dumps({
        "seconds": took, "streams": figures["whole"], "chunks": len(figures["delay"]),
        "first_p50": at(figures["first"], 0.5), "first_p99": at(figures["first"], 0.99),
        "delay_p50": at(figures["delay"], 0.5), "delay_p99": at(figures["delay"], 0.99),
    }))


if __name__ == "__main__":
    uvloop.run(main())
