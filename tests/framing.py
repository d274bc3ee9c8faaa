"""Compares how Holdfast, nginx, HAProxy and hyper frame the same hostile bytes.

Usage: framing.py HOLDFAST [CASES] [SEED]
Each stands in front of an origin of its own that writes down the requests it gets. Every case is a connection with one or two
requests, mangled at random (lengths signed, doubled or in conflict, chunks of every spelling, folded and bare lines, NUL, hosts,
targets, methods, versions), with another request hidden in a body. It fails when
- Holdfast forwards something that can be read in two ways,
- Holdfast and another server that forward the same request differ in its method, target or body,
- Holdfast alone takes what nginx and HAProxy refuse (hyper is what Holdfast reads with, so it does not speak for it),
- a connection stays open after a refusal.
Wants nginx and HAProxy (Debian: nginx-light, haproxy) and, beside HOLDFAST, the example `hyper_proxy` of the gateway: hyper with
nothing before it. The seed makes a failure repeatable."""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

QUIET = 0.25  # seconds without a byte after which a server is taken to wait for more
AT_ONCE = 32
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class Ambiguous(Exception):
    """What no server should send on."""


class Origin:
    """Writes down the requests that one server forwards, case by case."""

    def __init__(self):
        self.seen: dict[str, list] = defaultdict(list)
        self.wrong: list[str] = []
        self.port = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, length = self.head(head)
                body = await self.chunks(reader) if length is None else await reader.readexactly(length)
                case = re.search(r"/f/(\d+)/", target)
                if case:
                    self.seen[case[1]].append((method, target[target.index("/f/") :], body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except Ambiguous as fault:
            self.wrong.append(f"{fault}: {head!r}")
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ValueError):
            pass  # the server in front gave up in the middle, as it may, or all is over
        finally:
            writer.close()

    @staticmethod
    def head(head: bytes) -> tuple[str, str, int | None]:
        lines = head[:-4].split(b"\r\n")
        if any(byte in head for byte in b"\0") or any(b"\n" in line or b"\r" in line for line in lines):
            raise Ambiguous("a control byte in a head")
        words = lines[0].split(b" ")
        if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise Ambiguous("a request line")
        lengths, codings, hosts = [], [], 0
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.match(name):
                raise Ambiguous("a field's name")
            value = value.strip(b" \t")
            if name.lower() == b"content-length":
                lengths.append(value)
            elif name.lower() == b"transfer-encoding":
                codings.append(value.lower())
            hosts += name.lower() == b"host"
        if hosts > 1 or len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
            raise Ambiguous("fields in conflict")
        if codings and codings != [b"chunked"] or lengths and not lengths[0].isdigit():
            raise Ambiguous("a body's length")
        length = None if codings else int(lengths[0]) if lengths else 0
        return words[0].decode("latin-1"), words[1].decode("latin-1"), length

    @staticmethod
    async def chunks(reader: asyncio.StreamReader) -> bytes:
        body = b""
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            body += await reader.readexactly(size)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return body
            if await reader.readexactly(2) != b"\r\n":
                raise Ambiguous("a chunk")


LENGTHS = ["{n}", "+{n}", "-{n}", "{n},{n}", "{n}, {n}", "0{n}", " {n}", "{n} ", "{n}\t", "0x{n}", "{n}.0", "{more}", "{less}", "",
           "99999999999999999999", "18446744073709551616", "{n};q=1", "\v{n}", "{n}\x00"]  # fmt: skip
CODINGS = ["chunked", "Chunked", " chunked", "chunked ", "\tchunked", "chunked,", ",chunked", "identity", "chunked, identity",
           "identity, chunked", "gzip, chunked", "xchunked", "chunked;q=1", "chunked, chunked", "\x0bchunked", "chunked\x00", ""]  # fmt: skip
CODING_NAMES = ["Transfer-Encoding", "transfer-encoding", "Transfer-Encoding ", " Transfer-Encoding", "Transfer_Encoding",
                "Transfer-Encoding\x00", "X: y\r\nTransfer-Encoding", "X: y\nTransfer-Encoding", "Transfer-\r\n Encoding"]  # fmt: skip
SIZES = ["{x}", "{X}", "0{x}", "+{x}", "-{x}", " {x}", "{x} ", "{x}\t", "0x{x}", "{x};a=b", "{x};a=\"\r\"", "{x};\n", "fffffffffffffffff{x}",
         "100000000{x}", "{more}", "{less}", "", "{x}\x00"]  # fmt: skip
ENDS = ["\n", "\r", "\r\r\n", "\n\r\n", "\r\n ", "\0\r\n"]
VERSIONS = ["HTTP/1.0", "HTTP/9.9", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1", "", "HTTP/2.0"]
METHODS = ["PUT", "get", "GE T", "G\x00T", "CONNECT", "OPTIONS", "HEAD", "P{}T", ""]
HOSTS = [[], ["Host: a.test", "Host: a.test"], ["Host: a.test", "Host: b.test"], ["Host:"], ["Host : a.test"],
         ["Host: a.test, b.test"], ["Host: a.test/f"], ["Host: a@b.test"], ["host: a.test:80"], ["Host: a.test:x"]]  # fmt: skip


class Mangler:
    """Makes cases out of a seed."""

    def __init__(self, seed: int):
        self.dice = random.Random(seed)

    def case(self, number: int) -> bytes:
        return b"".join(self.request(number, turn) for turn in range(self.dice.choice((1, 2))))

    def request(self, case: int, turn: int) -> bytes:
        dice = self.dice
        target = f"/f/{case}/{turn}"
        target = self.mostly(target, [f"http://a.test{target}", f"http://b.test{target}", f"{target}#x", f"{target} x", f"{target}\x00"])
        hidden = f"GET /f/{case}/9 HTTP/1.1\r\nHost: a.test\r\n\r\n".encode()
        body = dice.choice([b"", b"hello", b"0\r\n\r\n" + hidden, hidden, b"x" * dice.randrange(1, 40)])
        end = lambda: dice.choice(ENDS) if dice.random() < 0.01 else "\r\n"  # noqa: E731
        fields = self.mostly(["Host: a.test"], HOSTS) + [f"X-{turn}: 1"]
        chunked = dice.random() < 0.45
        if chunked:
            fields.append(f"{self.mostly('Transfer-Encoding', CODING_NAMES)}: {self.mostly('chunked', CODINGS)}")
        if not chunked or dice.random() < 0.15:
            for _ in range(2 if dice.random() < 0.1 else 1):
                fields.append(f"Content-Length: {self.number(self.mostly('{n}', LENGTHS), len(body))}")
        if dice.random() < 0.1:
            fields.append(dice.choice(["X: a\r\n folded", "X : y", ": y", "X\x00: y", "X: \x00", "nonsense", "X: a\rb", "Connection: close",
                                       "Expect: 100-continue", "Connection: Content-Length", "X-" + "y" * 70_000 + ": z"]))  # fmt: skip
        dice.shuffle(fields)
        line = f"{self.mostly('POST', METHODS)} {target} {self.mostly('HTTP/1.1', VERSIONS)}"
        head = self.mostly("", ["\r\n", "\n", " "]) + line + end() + "".join(field + end() for field in fields) + end()
        return head.encode("latin-1") + (self.chunks(body) if chunked else body)

    def chunks(self, body: bytes) -> bytes:
        out, dice = b"", self.dice
        while body:
            piece, body = body[: (size := dice.randrange(1, len(body) + 1))], body[size:]
            spelled = self.mostly("{x}", SIZES)
            spelled = spelled.format(x=f"{size:x}", X=f"{size:X}", more=f"{size + 3:x}", less=f"{max(size - 3, 0):x}")
            line = "\r\n" if dice.random() < 0.95 else dice.choice(["\n", "\r", "", "\r\n\r\n"])
            out += spelled.encode("latin-1") + line.encode() + piece + (b"\r\n" if dice.random() < 0.95 else dice.choice([b"\n", b"", b"xx"]))
        trailer = "" if dice.random() < 0.9 else dice.choice(["X: y\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", " x\r\n", "X: y\n"])
        return out + f"{self.mostly('0', ['00', '0;x', '0 ', '-0', '0x0', ''])}\r\n{trailer}\r\n".encode("latin-1")

    def mostly(self, sane, others: list):
        """Most of what is mangled is mangled in one place, or it would be refused for another."""
        return sane if self.dice.random() < 0.92 else self.dice.choice(others)

    def number(self, spelled: str, length: int) -> str:
        return spelled.format(n=length, more=length + 5, less=max(length - 5, 0))


async def send(port: int, case: bytes) -> tuple[bytes, bool]:
    """The answers, and whether the server closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        writer.write(case)
        while piece := await asyncio.wait_for(reader.read(65536), QUIET):
            got += piece
        return got, True
    except asyncio.TimeoutError:
        return got, False
    except ConnectionError:
        return got, True
    finally:
        writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command: list[str], folder: Path, env: dict | None = None) -> subprocess.Popen:
    log = open(folder / f"{Path(command[0]).name}.log", "wb")
    whole = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    return subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=folder, process_group=0)


def holdfast(binary: str, folder: Path, origin: int) -> tuple[int, subprocess.Popen]:
    port = free_port()
    (folder / "routes.toml").write_text(f"""
[[routes]]
id = "all"
match.path = {{ prefix = "/f" }}
action = {{ kind = "upstream", pool = "origin" }}
[pools.origin]
targets = [{{ url = "http://127.0.0.1:{origin}" }}]
""")
    env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")} | {
        "HOLDFAST__GATEWAY__ROUTING__FILE": str(folder / "routes.toml"),
        "HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS__PER_MINUTE": "4000000000",
        "HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS__BURST": "4000000000",
        "HOLDFAST_SETUP_EMAIL": "framing@example.test",
        "HOLDFAST_SETUP_PASSWORD": "plain harbour lantern 42",
    }
    listeners = ["--http", f"127.0.0.1:{port}", "--https", "127.0.0.1:0", "--ops", "127.0.0.1:0"]
    return port, start([binary, "serve", "--data", str(folder / "data"), *listeners], folder, env)


def nginx(folder: Path, origin: int) -> tuple[int, subprocess.Popen]:
    port, config = free_port(), folder / "nginx.conf"
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(f"""
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; daemon off;
events {{ worker_connections 1024; }}
http {{ access_log off; {paths}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1; }} }} }}
""")
    return port, start(["nginx", "-c", str(config), "-p", str(folder)], folder)


def haproxy(folder: Path, origin: int) -> tuple[int, subprocess.Popen]:
    port, config = free_port(), folder / "haproxy.cfg"
    config.write_text(f"""
global
  maxconn 1000
defaults
  mode http
  timeout client 10s
  timeout connect 5s
  timeout server 10s
frontend all
  bind 127.0.0.1:{port}
  default_backend origin
backend origin
  server one 127.0.0.1:{origin}
""")
    return port, start(["haproxy", "-db", "-f", str(config)], folder)


def hyper(binary: str, folder: Path, origin: int) -> tuple[int, subprocess.Popen]:
    port = free_port()
    proxy = str(Path(binary).parent / "examples" / "hyper_proxy")
    return port, start([proxy, f"127.0.0.1:{port}", f"127.0.0.1:{origin}"], folder)


def judge(case: str, sent: bytes, origins: dict[str, Origin], answer: tuple[bytes, bool]) -> list[str]:
    """What is wrong with how Holdfast took a case."""
    ours, faults = origins["Holdfast"].seen[case], []
    furthest = 0
    for name in ("nginx", "HAProxy", "hyper"):
        theirs = origins[name].seen[case]
        furthest = max(furthest, len(theirs)) if name != "hyper" else furthest
        for one, other in zip(ours, theirs):
            if one != other:
                faults.append(f"{name} has {other!r}, Holdfast {one!r}")
                break
    if len(ours) > furthest:
        faults.append(f"nginx and HAProxy forward {furthest} requests, Holdfast {len(ours)}: {ours!r}")
    got, closed = answer
    if not closed and re.search(rb"(?:^|ok|\n|\})HTTP/1\.1 (?:400|411|413|414|431|501|505) ", got):
        faults.append(f"open after a refusal: {got[-300:]!r}")
    return [f"case {case}: {fault}\n  sent {sent[:600]!r}" for fault in faults]


async def compare(binary: str, cases: int, seed: int, folder: Path) -> list[str]:
    origins = {name: Origin() for name in ("Holdfast", "nginx", "HAProxy", "hyper")}
    for origin in origins.values():
        await origin.start()
    servers = {
        "Holdfast": holdfast(binary, folder, origins["Holdfast"].port),
        "nginx": nginx(folder, origins["nginx"].port),
        "HAProxy": haproxy(folder, origins["HAProxy"].port),
        "hyper": hyper(binary, folder, origins["hyper"].port),
    }
    try:
        for name, (port, _) in servers.items():
            await up(name, port, folder)
        mangler, gate, sent = Mangler(seed), asyncio.Semaphore(AT_ONCE), {}
        answers: dict[str, tuple[bytes, bool]] = {}

        async def one(number: int) -> None:
            async with gate:
                got = await asyncio.gather(*(send(port, sent[number]) for port, _ in servers.values()))
                answers[str(number)] = got[0]

        sent.update({number: mangler.case(number) for number in range(1, cases + 1)})
        await asyncio.gather(*(one(number) for number in sent))
        await asyncio.sleep(1)
    finally:
        for _, process in servers.values():
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
    faults = [f"forwarded by Holdfast: {wrong}" for wrong in origins["Holdfast"].wrong]
    for number, bytes_sent in sent.items():
        faults += judge(str(number), bytes_sent, origins, answers[str(number)])
    for name, origin in origins.items():
        forwarded = sum(len(seen) for seen in origin.seen.values())
        print(f"{name}: {forwarded} requests forwarded, {len(origin.wrong)} that can be read in two ways")
    return faults


async def up(name: str, port: int, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            got, _ = await send(port, b"GET /f/0/0 HTTP/1.1\r\nHost: a.test\r\n\r\n")
            if b" 200 " in got:
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    sys.exit(f"{name} does not forward; see {folder}")


def main() -> int:
    os.environ["PATH"] += ":/usr/sbin"  # where Debian has both
    binary, cases, seed = str(Path(sys.argv[1]).resolve()), int((sys.argv[2:] or ["2000"])[0]), int((sys.argv[3:] or ["20261122"])[0])
    folder = Path(tempfile.mkdtemp(prefix="framing-"))
    folder.chmod(0o755)
    faults = asyncio.run(compare(binary, cases, seed, folder))
    shutil.rmtree(folder, ignore_errors=True)
    for fault in faults[:10]:
        print(fault)
    print(json.dumps({"cases": cases, "seed": seed, "faults": len(faults)}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
