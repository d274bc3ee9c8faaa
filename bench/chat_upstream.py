"""A scripted provider of models: `chat_upstream.py PORT`. It streams as many tokens as `max_tokens` says, one each
`INTERVAL` seconds, the first one at once. Each token holds the time at which it was sent, in nanoseconds."""

import asyncio
import json
import os
import sys
import time

import uvloop

INTERVAL = float(os.environ.get("INTERVAL", "0.05"))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def token() -> bytes:
    text = f'data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{"content":"{time.time_ns()} "}},"finish_reason":null}}]}}\n\n'
    return framed(text.encode())


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(length))
            writer.write(HEAD + token())
            begun = time.monotonic()
            for number in range(1, body.get("max_tokens") or 1):
                if INTERVAL:
                    await asyncio.sleep(max(0, begun + number * INTERVAL - time.monotonic()))
                writer.write(token())
                await writer.drain()
            writer.write(framed(END) + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
