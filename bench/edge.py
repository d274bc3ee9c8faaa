"""The edge beside nginx, HAProxy and Caddy: see README.md.

Usage: edge.py --binary target/dist/holdfast --data target --caddy target/bench/bin/caddy [--quick]
Each serves 1 KB over TLS 1.3, itself and from a service behind it, over HTTP/1.1 (wrk) and HTTP/2 (h2load). CPU a request is
the figure to trust; the ratios are to nginx."""

import argparse
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
from servers import free_port

BODY = "x" * 1024
CONNECTIONS = 64
IDLE = 1000
SCENARIOS = ("fixed h1", "fixed h2", "proxied h1", "proxied h2", "handshake")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/dist/holdfast")
    parser.add_argument("--data", default="target")
    parser.add_argument("--caddy", default=None, help="the caddy binary; left out when there is none")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    return parser.parse_args()


class Edge:
    """A server with TLS on `port`: `/fixed` is its own, `/proxied` comes from the service behind."""

    name = ""

    def __init__(self, folder: Path, certificate: Path, key: Path, behind: int):
        self.folder, self.certificate, self.key, self.behind = folder / self.name, certificate, key, behind
        self.folder.mkdir()
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def start(self) -> None:
        log = open(self.folder / "log", "ab")
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")} | self.environment()
        command = ["setpriv", "--pdeathsig", "TERM", "--", *self.command()]
        self.process = subprocess.Popen(
            command, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
        )
        for path in ("/fixed", "/proxied"):
            self.await_body(path)

    def await_body(self, path: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            command = ["curl", "-sk", "--max-time", "2", f"https://localhost:{self.port}{path}"]
            if subprocess.run(command, capture_output=True, text=True).stdout == BODY:
                return
            time.sleep(0.1)
        sys.exit(f"{self.name} does not answer {path}:\n{(self.folder / 'log').read_text()[-3000:]}")

    def stop(self) -> None:
        if self.process:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process = None


class Holdfast(Edge):
    name = "Holdfast"
    binary = ""

    def command(self):
        routes = self.folder / "routes.toml"
        routes.write_text(f"""
[[routes]]
id = "fixed"
match.path = {{ exact = "/fixed" }}
action = {{ kind = "respond", status = 200, body = "{BODY}" }}

[[routes]]
id = "proxied"
match.path = {{ exact = "/proxied" }}
action = {{ kind = "upstream", pool = "behind" }}

[pools.behind]
targets = [{{ url = "http://127.0.0.1:{self.behind}" }}]
""")
        listeners = ["--http", "127.0.0.1:0", "--https", f"127.0.0.1:{self.port}", "--ops", "127.0.0.1:0"]
        return [self.binary, "serve", "--data", str(self.folder / "data"), *listeners]

    def environment(self):
        # All limits are on; one address makes all the load, so its limit is as high as it goes.
        limits = "HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS"
        return {
            "HOLDFAST__GATEWAY__ROUTING__FILE": str(self.folder / "routes.toml"),
            "HOLDFAST__EDGE__CERTIFICATE_FILES": f'[{{certificate="{self.certificate}",key="{self.key}"}}]',
            f"{limits}__PER_MINUTE": "4000000000",
            f"{limits}__BURST": "4000000000",
            "HOLDFAST_SETUP_EMAIL": "bench@example.test",
            "HOLDFAST_SETUP_PASSWORD": "plain harbour lantern 42",
        }


class Nginx(Edge):
    name = "nginx"

    def command(self):
        config = self.folder / "nginx.conf"
        config.write_text(f"""
worker_processes 2; pid {self.folder}/pid; error_log {self.folder}/error.log; daemon off; user root;
events {{ worker_connections 8192; }}
http {{
  access_log {self.folder}/access.log; keepalive_requests 100000000;
  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  upstream behind {{ server 127.0.0.1:{self.behind}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{self.port} ssl http2;
    ssl_certificate {self.certificate}; ssl_certificate_key {self.key}; ssl_protocols TLSv1.3;
    location = /fixed {{ default_type text/plain; return 200 "{BODY}"; }}
    location = /proxied {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
""")
        return ["nginx", "-c", str(config), "-p", str(self.folder)]


class HaProxy(Edge):
    name = "HAProxy"

    def command(self):
        pem, config = self.folder / "both.pem", self.folder / "haproxy.cfg"
        pem.write_text(self.certificate.read_text() + self.key.read_text())
        (self.folder / "body").write_text(BODY)
        config.write_text(f"""
global
  maxconn 8000
  nbthread 2
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout client 60s
  timeout connect 5s
  timeout server 60s
frontend f
  bind 127.0.0.1:{self.port} ssl crt {pem} alpn h2,http/1.1 ssl-min-ver TLSv1.3
  http-request return status 200 content-type text/plain file {self.folder}/body if {{ path /fixed }}
  default_backend behind
backend behind
  server one 127.0.0.1:{self.behind}
""")
        return ["haproxy", "-db", "-f", str(config)]


class Caddy(Edge):
    name = "Caddy"
    binary = ""

    def command(self):
        config = self.folder / "Caddyfile"
        config.write_text(f"""
{{
  admin off
  auto_https off
  log {{
    output file {self.folder}/access.log
  }}
}}
https://localhost:{self.port} {{
  log
  tls {self.certificate} {self.key}
  respond /fixed {BODY} 200
  reverse_proxy /proxied 127.0.0.1:{self.behind}
}}
""")
        return [self.binary, "run", "--config", str(config), "--adapter", "caddyfile"]

    def environment(self):
        return {"HOME": str(self.folder)}


def behind(folder: Path) -> tuple[int, subprocess.Popen]:
    """The service that all of them have behind them."""
    port, config = free_port(), folder / "behind.conf"
    config.write_text(f"""
worker_processes 1; pid {folder}/behind.pid; error_log {folder}/behind.log; daemon off; user root;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/b1; proxy_temp_path {folder}/b2; fastcgi_temp_path {folder}/b3;
  uwsgi_temp_path {folder}/b4; scgi_temp_path {folder}/b5;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "{BODY}"; }} }} }}
""")
    command = ["setpriv", "--pdeathsig", "TERM", "--", "nginx", "-c", str(config), "-p", str(folder)]
    return port, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def h1(url: str, seconds: int, *more: str) -> float:
    out = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *more, url], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(re.search(r"(\d+) requests in", out)[1])


def h2(url: str, seconds: int) -> float:
    out = subprocess.run(
        ["h2load", "-t1", f"-c{CONNECTIONS}", "-m8", f"-D{seconds}", url], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed", out)
    if not found or int(found[2]):
        raise RuntimeError(out)
    return float(found[1])


def load(edge: Edge, scenario: str, seconds: int) -> dict:
    """Requests a second, and CPU time of the server's whole process tree a request."""
    url = f"https://localhost:{edge.port}/{'proxied' if scenario.startswith('proxied') else 'fixed'}"
    before, begun = measure.cpu_seconds(edge.process.pid), time.monotonic()
    if scenario == "handshake":
        done = h1(url, seconds, "-H", "Connection: close")
    else:
        done = h2(url, seconds) if scenario.endswith("h2") else h1(url, seconds)
    cpu = measure.cpu_seconds(edge.process.pid) - before
    return {"per_second": done / (time.monotonic() - begun), "cpu_us": cpu / max(done, 1) * 1e6}


def idle_kib(edge: Edge) -> float:
    """Memory of a TLS connection that has asked once and waits."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before, opened = measure.memory_mb(edge.process.pid)["pss"], []
    for _ in range(IDLE):
        connection = context.wrap_socket(socket.create_connection(("127.0.0.1", edge.port), 30), server_hostname="localhost")
        connection.sendall(b"GET /fixed HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while BODY.encode() not in answer:
            piece = connection.recv(65536)
            if not piece:
                raise RuntimeError(f"{edge.name} closed a connection in the midst of its answer: {answer[-200:]}")
            answer += piece
        opened.append(connection)
    time.sleep(1)
    after = measure.memory_mb(edge.process.pid)["pss"]
    for connection in opened:
        connection.close()
    return (after - before) * 1024 / IDLE


def certificate(folder: Path) -> tuple[Path, Path]:
    paths = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(paths[1]), "-out", str(paths[0])]
    subprocess.run(command, check=True, capture_output=True)
    return paths


def main() -> int:
    options = arguments()
    os.environ["PATH"] += ":/usr/sbin"  # where Debian has nginx and HAProxy
    rounds, seconds = (1, 2) if options.quick else (3, 4)
    Holdfast.binary = str(Path(options.binary).resolve())
    kinds = [Holdfast, Nginx, HaProxy]
    if options.caddy and shutil.which(options.caddy):
        Caddy.binary = shutil.which(options.caddy)
        kinds.append(Caddy)
    folder = Path(tempfile.mkdtemp(prefix="edge-", dir=options.data)).resolve()
    folder.chmod(0o755)
    port, service = behind(folder)
    edges = [kind(folder, *certificate(folder), port) for kind in kinds]
    try:
        for edge in edges:
            edge.start()
        taken: dict = {}
        for number in range(rounds):
            turned = edges[number % len(edges) :] + edges[: number % len(edges)]
            for scenario in SCENARIOS:
                for edge in turned:
                    taken.setdefault((scenario, edge.name), []).append(load(edge, scenario, seconds))
        print("| scenario | server | req/s | CPU µs/req | CPU × nginx |\n|---|---|---|---|---|")
        middle = lambda scenario, name, figure: statistics.median(it[figure] for it in taken[scenario, name])  # noqa: E731
        for scenario in SCENARIOS:
            for edge in edges:
                rate, cpu = (middle(scenario, edge.name, figure) for figure in ("per_second", "cpu_us"))
                ratio = cpu / middle(scenario, "nginx", "cpu_us")
                print(f"| {scenario} | {edge.name} | {rate:.0f} | {cpu:.0f} | {ratio:.2f} |")
        print(f"\n| server | KiB for an idle TLS connection ({IDLE} of them) |\n|---|---|")
        for edge in edges:
            print(f"| {edge.name} | {idle_kib(edge):.1f} |", flush=True)
        return 0
    finally:
        for edge in edges:
            edge.stop()
        service.terminate()
        service.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
