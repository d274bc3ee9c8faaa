"""How others fare while slow clients and floods hold on to the edge: see README.md.

Usage: slow.py --binary target/dist/holdfast --data target [--quick]
Others are 8 connections of wrk that ask for 1 KB over plain HTTP/1.1; their p99 with 5,000 slow clients of each kind is set against
that without, taken just before. Then a client floods with HTTP/2 frames as fast as one thread can, and connects anew when it is cut; what that costs
is the processor time of the server for each second."""

import argparse
import contextlib
import os
import re
import resource
import select
import shutil
import socket
import ssl
import statistics
import struct
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


# Turns in which clients drip, a second.
TURNS = 50
# What each kind says at first.
FIRST = {
    "dripped header": b"GET /fixed HTTP/1.1\r\nHost: a\r\nX: ",
    "dripped body": b"POST /api/v1/identity/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n",
    "slow read": b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    "zero window": PREFACE[:24] + frame(4, 0, 0, b"\0\4\0\0\0\0") + frame(1, 5, 1, HPACK_GET),
}


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
    """Clients of one kind in one thread: plain sockets in an epoll, which cost next to nothing while they wait."""

    def __init__(self, kind: str, edge: SlowEdge, count: int):
        self.kind, self.count = kind, count
        self.port = edge.port if kind in ("no hello", "idle TLS") else edge.plain
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.cut: list[float] = []
        self.open: dict[int, tuple[socket.socket, float]] = {}
        self.events = select.epoll()
        self.ready, self.stop = threading.Event(), threading.Event()

    def connect(self) -> None:
        """One more client, as far as it goes."""
        client, begun = socket.socket(), time.monotonic()
        if self.kind == "slow read":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # It ends at once when it is closed here, so that no ports run out.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.connect(("127.0.0.1", self.port))
        if self.kind == "idle TLS":
            client = self.context.wrap_socket(client, server_hostname="localhost")
        client.setblocking(False)
        client.send(FIRST.get(self.kind, b""))
        # Who reads nothing is told of the end alone.
        readable = 0 if self.kind == "slow read" else select.EPOLLIN
        self.events.register(client, readable | select.EPOLLRDHUP)
        self.open[client.fileno()] = client, begun

    def look(self, wait: float) -> None:
        """Notes who was cut meanwhile."""
        for number, event in self.events.poll(wait):
            client, begun = self.open[number]
            if not event & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                try:
                    if client.recv(65536):
                        continue
                except (BlockingIOError, ssl.SSLWantReadError):
                    continue
                except OSError:
                    pass
            self.cut.append(time.monotonic() - begun)
            self.events.unregister(number)
            del self.open[number]
            client.close()

    def drip(self, clients: list[socket.socket]) -> None:
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(b"x")

    def run(self) -> None:
        for number in range(self.count):
            with contextlib.suppress(OSError):
                self.connect()
            if number % 100 == 99:
                self.look(0)
        self.ready.set()
        begun, dripping = time.monotonic(), [client for client, _ in self.open.values()]
        turn = 0
        while self.open and not self.stop.is_set() and time.monotonic() - begun < 70:
            if self.kind.startswith("dripped"):
                # A byte a second each, spread over the second as those of strangers are.
                self.look(max(0.0, begun + turn / TURNS - time.monotonic()))
                self.drip(dripping[turn % TURNS :: TURNS])
                turn += 1
            else:
                self.look(0.2)
        for client, _ in self.open.values():
            client.close()
        self.events.close()


def p99_ms(edge: SlowEdge, seconds: int) -> float:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{edge.plain}/fixed"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def settle(edge: SlowEdge, longest: float) -> None:
    """Until the server has little to do, and not for ever."""
    begun = time.monotonic()
    while time.monotonic() - begun < longest:
        before = measure.cpu_seconds(edge.process.pid)
        time.sleep(0.5)
        if measure.cpu_seconds(edge.process.pid) - before < 0.15:
            return


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
    count, seconds = (500, 3) if options.quick else (5000, 4)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    SlowEdge.binary = str(Path(options.binary).resolve())
    folder = Path(tempfile.mkdtemp(prefix="slow-", dir=options.data)).resolve()
    folder.chmod(0o755)
    port, service = behind(folder)
    edge = SlowEdge(folder, *certificate(folder), port)
    try:
        edge.start()
        p99_ms(edge, 1)
        print(f"| {count} clients | held | KiB each | p99 of others, ms | without them | × | cut after, s |\n|---|---|---|---|---|---|---|")
        for kind in ("no hello", "idle TLS", "dripped header", "dripped body", "slow read", "zero window"):
            alone = p99_ms(edge, seconds)
            slow, empty = Slow(kind, edge, count), measure.memory_mb(edge.process.pid)["pss"]
            thread = threading.Thread(target=slow.run)
            thread.start()
            slow.ready.wait()
            # They have come, and the system's buffers are full; but most are cut after 10 s.
            settle(edge, 20 if kind in ("slow read", "zero window") else 2)
            before = len(slow.open)
            each = (measure.memory_mb(edge.process.pid)["pss"] - empty) * 1024 / max(before, 1)
            beside = p99_ms(edge, seconds)
            held = f"{before} to {len(slow.open)}"
            if kind == "slow read":
                slow.stop.set()  # it is not told: its system still holds what it does not read
            thread.join()
            first, *_, last = statistics.quantiles(slow.cut, n=20) if len(slow.cut) > 1 else (0, 0)
            cut = f"{first:.0f} to {last:.0f}" if len(slow.cut) == count else f"{len(slow.cut)} of them seen"
            print(f"| {kind} | {held} | {each:.0f} | {beside:.2f} | {alone:.2f} | {beside / alone:.1f} | {cut} |", flush=True)
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
