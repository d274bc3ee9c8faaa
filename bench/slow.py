"""How others fare while slow clients and floods hold on to the edge: see README.md.

Usage: slow.py --binary target/dist/holdfast --data target [--quick]
Others are 8 connections of wrk that ask for 1 KB over plain HTTP/1.1; their p99 with 5,000 slow clients of each kind is set against
that without. Then a client floods with HTTP/2 frames as fast as one thread can, and connects anew when it is cut; what that costs
is the processor time of the server for each second."""

import argparse
import asyncio
import os
import re
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import measure
from edge import Holdfast, behind, certificate
from servers import free_port

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4)
HPACK_GET = bytes.fromhex("828684") + b"\x41\x01a"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


FLOODS = {
    "PING": lambda _: frame(6, 0, 0, bytes(8)),
    "SETTINGS": lambda _: frame(4, 0, 0),
    "window": lambda _: frame(8, 0, 0, b"\0\0\0\1"),
    "empty DATA": lambda _: frame(0, 0, 1),
    "CONTINUATION": lambda number: frame(1, 0, 1, HPACK_GET) if number == 0 else frame(9, 0, 1),
    "rapid reset": lambda number: frame(1, 5, 2 * number + 1, HPACK_GET) + frame(3, 0, 2 * number + 1, b"\0\0\0\x08"),
}


async def closed(writer: asyncio.StreamWriter) -> None:
    """Until the server has closed the connection, which a client that reads nothing is not told."""
    client, established = writer.get_extra_info("socket"), 1
    while client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == established:
        await asyncio.sleep(0.5)


class SlowEdge(Holdfast):
    def command(self):
        whole = super().command()
        files = self.folder / "files"
        files.mkdir()
        (files / "big").write_bytes(bytes(16 << 20))
        with (self.folder / "routes.toml").open("a") as routes:
            routes.write(f"""
[[routes]]
id = "big"
match.path = {{ exact = "/big" }}
action = {{ kind = "files", folder = "{files}" }}
""")
        self.plain = free_port()
        return [*whole[:-5], f"127.0.0.1:{self.plain}", *whole[-4:]]

    def environment(self):
        gateway = "HOLDFAST__GATEWAY__"
        return super().environment() | {
            f"{gateway}MAX_CONNECTIONS": "15000",
            f"{gateway}MAX_CONNECTIONS_PER_ADDRESS": "15000",
        }


class Slow:
    """Clients of one kind, and for how long the first of them is let."""

    def __init__(self, kind: str, edge: SlowEdge, count: int):
        self.kind, self.edge, self.count = kind, edge, count
        self.cut: list[float] = []

    async def one(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secure = self.kind == "idle TLS"
        port = self.edge.port if self.kind in ("no hello", "idle TLS") else self.edge.plain
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, limit=1024, ssl=context if secure else None, server_hostname="localhost" if secure else None
        )
        begun = time.monotonic()
        ended = asyncio.ensure_future(reader.read(1) if self.kind != "slow read" else closed(writer))
        try:
            if self.kind == "dripped header":
                writer.write(b"GET /fixed HTTP/1.1\r\nHost: a\r\nX: ")
            elif self.kind == "dripped body":
                writer.write(b"POST /api/v1/identity/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            elif self.kind == "slow read":
                reader._transport.pause_reading()
                writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            elif self.kind == "zero window":
                writer.write(PREFACE[:24] + frame(4, 0, 0, b"\0\4\0\0\0\0") + frame(1, 5, 1, HPACK_GET[:-3] + b"\x41\x01a"))
            while not ended.done():
                if self.kind.startswith("dripped"):
                    writer.write(b"x")
                await asyncio.wait((ended,), timeout=1)
                if writer.transport.is_closing():
                    break
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self.cut.append(time.monotonic() - begun)
            ended.cancel()
            writer.transport.abort()

    async def all(self, ready: threading.Event) -> None:
        tasks = []
        for number in range(self.count):
            tasks.append(asyncio.ensure_future(self.one()))
            if number % 100 == 99:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        ready.set()
        await asyncio.wait(tasks, timeout=70)
        for task in tasks:
            task.cancel()

    def run(self, ready: threading.Event) -> None:
        asyncio.run(self.all(ready))


def p99_ms(edge: SlowEdge, seconds: int) -> float:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{edge.plain}/fixed"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def flood(edge: SlowEdge, kind: str, seconds: float) -> tuple[float, int]:
    """Processor time a second, and how often the client was cut."""
    before, begun, cuts = measure.cpu_seconds(edge.process.pid), time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        with socket.create_connection(("127.0.0.1", edge.plain)) as client:
            client.settimeout(1)
            try:
                client.sendall(PREFACE)
                for number in range(1_000_000):
                    client.sendall(b"".join(FLOODS[kind](64 * number + one) for one in range(64)))
                    if time.monotonic() - begun > seconds:
                        break
            except OSError:
                cuts += 1
    return (measure.cpu_seconds(edge.process.pid) - before) / (time.monotonic() - begun), cuts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/dist/holdfast")
    parser.add_argument("--data", default="target")
    parser.add_argument("--quick", action="store_true", help="500 slow clients, short rounds")
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin"
    count, seconds = (500, 3) if options.quick else (5000, 5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    SlowEdge.binary = str(Path(options.binary).resolve())
    folder = Path(tempfile.mkdtemp(prefix="slow-", dir=options.data)).resolve()
    folder.chmod(0o755)
    port, service = behind(folder)
    edge = SlowEdge(folder, *certificate(folder), port)
    try:
        edge.start()
        p99_ms(edge, 1)
        print(f"| {count} clients | p99 of others, ms | × without them | cut after, s |\n|---|---|---|---|")
        alone = sorted(p99_ms(edge, seconds) for _ in range(3))[1]
        print(f"| none | {alone:.2f} | | |", flush=True)
        for kind in ("no hello", "idle TLS", "dripped header", "dripped body", "slow read", "zero window"):
            slow, ready = Slow(kind, edge, count), threading.Event()
            thread = threading.Thread(target=slow.run, args=(ready,))
            thread.start()
            ready.wait()
            if kind == "slow read":
                time.sleep(15)  # until what the system's buffers hold has gone out
            beside = p99_ms(edge, seconds)
            thread.join()
            first, *_, last = statistics.quantiles(slow.cut, n=20)
            cut = f"{first:.0f} to {last:.0f}" if len(slow.cut) == count else f"only {len(slow.cut)} of them"
            if kind == "slow read":
                cut = "not seen by the client"  # its system still holds what it does not read
            print(f"| {kind} | {beside:.2f} | {beside / alone:.1f} | {cut} |", flush=True)
        print("\n| flood of | of a core | cut, times a second |\n|---|---|---|")
        for kind in FLOODS:
            cpu, cuts = flood(edge, kind, seconds)
            print(f"| {kind} | {cpu:.2f} | {cuts / seconds:.0f} |", flush=True)
        return 0
    finally:
        edge.stop()
        service.terminate()
        service.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
