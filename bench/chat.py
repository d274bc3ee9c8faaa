"""Completions relayed by Holdfast and by LiteLLM's proxy, beside the scripted provider itself, in one run.

Usage: chat.py --binary target/dist/holdfast --data target [--litellm PATH] [--seconds 8] [--rounds 3] [--streams 1,100,1000] [--quick]
Prints a table: added time to the first token, delay of a token, tokens a second, CPU time a token."""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
from servers import PASSWORD, free_port, remove

HERE = Path(__file__).parent
TOKENS = 40


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/dist/holdfast")
    parser.add_argument("--data", default="target")
    parser.add_argument("--litellm", help="the command litellm; without it, Holdfast alone")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", default="1,100,1000")
    parser.add_argument("--quick", action="store_true", help="one short round at 1 and 100 streams")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds, options.streams = 3, 1, "1,100"
    return options


def spawn(command: list, log: Path, **env) -> subprocess.Popen:
    dies_with_us = ["setpriv", "--pdeathsig", "TERM", "--"]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")}
    return subprocess.Popen(
        dies_with_us + command, stdin=subprocess.DEVNULL, stdout=log.open("ab"), stderr=subprocess.STDOUT, env=inherited | env
    )


def call(address: str, method: str, path: str, body=None, **headers) -> dict:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"} | headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {content[:500]!r}")
    return json.loads(content) if content else {}


def until_it_answers(address: str, path: str, patience: float = 90) -> None:
    begun = time.monotonic()
    while True:
        try:
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() - begun > patience:
                raise
            time.sleep(0.2)


def until_it_listens(address: str) -> None:
    host, port = address.split(":")
    for _ in range(200):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {address}")


class Relay:
    """A server that relays, or the provider itself."""

    def __init__(self, name: str, address: str, pid: int, key: str = "none", model: str = "m", headers: tuple = ()):
        self.name, self.address, self.pid, self.key, self.model, self.headers = name, address, pid, key, model, headers

    def load(self, streams: int, seconds: float) -> dict:
        before = measure.cpu_seconds(self.pid)
        command = [sys.executable, str(HERE / "chat_load.py"), self.address, str(streams), str(TOKENS), self.key, self.model, str(seconds)]
        figures = json.loads(subprocess.run(command + list(self.headers), check=True, capture_output=True, text=True).stdout)
        cpu = measure.cpu_seconds(self.pid) - before
        chunks = max(figures["chunks"], 1)
        return figures | {"tokens_s": figures["chunks"] / figures["seconds"], "cpu_us_token": cpu / chunks * 1e6}


def holdfast(binary: str, folder: Path, upstream: str) -> tuple[Relay, subprocess.Popen]:
    address = f"127.0.0.1:{free_port()}"
    limits = {f"HOLDFAST__CHAT__MAX_ANSWERS{part}": "4000" for part in ("", "_PER_TENANT", "_PER_ACCOUNT")}
    settings = {
        "HOLDFAST_SETUP_EMAIL": "bench@example.com", "HOLDFAST_SETUP_PASSWORD": PASSWORD, "HOLDFAST__LOG__LEVEL": "warn",
        "HOLDFAST__EGRESS__ALLOW": '["127.0.0.1"]', "HOLDFAST__GATEWAY__MAX_CONNECTIONS_PER_ADDRESS": "0",
        "HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS__PER_MINUTE": "0", "HOLDFAST__GATEWAY__RATE_LIMITS__KEY__PER_MINUTE": "0",
    }
    command = [str(Path(binary).resolve()), "serve", "--data", str(folder / "data"), "--http", address, "--https", "127.0.0.1:0", "--ops", "127.0.0.1:0"]
    process = spawn(command, folder / "holdfast.log", **settings, **limits)
    until_it_answers(address, "/api/v1/identity/setup")
    session = call(address, "POST", "/api/v1/identity/sessions", {"email": "bench@example.com", "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    provider = {"name": "scripted", "base_url": f"http://{upstream}/v1", "models": ["m"]}
    call(address, "POST", "/api/v1/chat/providers", provider, **bearer)
    key = call(address, "POST", "/api/v1/identity/api_keys", {"name": "bench"}, **bearer)["secret"]
    return Relay("Holdfast", address, process.pid, key), process


def litellm(command: str, folder: Path, upstream: str) -> tuple[Relay, subprocess.Popen]:
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(
        f"model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/m\n      api_base: http://{upstream}/v1\n      api_key: none\n"
        "general_settings:\n  master_key: sk-bench\nlitellm_settings:\n  telemetry: false\n"
    )
    process = spawn([command, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"], folder / "litellm.log", LITELLM_LOG="ERROR")
    until_it_answers(f"127.0.0.1:{port}", "/health/liveliness")
    return Relay("LiteLLM", f"127.0.0.1:{port}", process.pid, "sk-bench"), process


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="chat-", dir=options.data))
    port = free_port()
    processes = [spawn([sys.executable, str(HERE / "chat_upstream.py"), str(port)], folder / "upstream.log")]
    try:
        upstream = f"127.0.0.1:{port}"
        until_it_listens(upstream)
        relays = [Relay("provider itself", upstream, processes[0].pid)]
        for made in [holdfast(options.binary, folder, upstream)] + ([litellm(options.litellm, folder, upstream)] if options.litellm else []):
            relays.append(made[0])
            processes.append(made[1])
        print("| streams | server | first token p50 / p99 (ms) | added p50 (ms) | token delay p50 / p99 (ms) | tokens/s | CPU µs/token |")
        print("|---|---|---|---|---|---|---|")
        for streams in map(int, options.streams.split(",")):
            taken: dict = {relay.name: [] for relay in relays}
            for number in range(options.rounds):
                for relay in relays[number % len(relays) :] + relays[: number % len(relays)]:
                    taken[relay.name].append(relay.load(streams, options.seconds))
            median = {name: {key: statistics.median(it[key] or 0 for it in all_) for key in all_[0]} for name, all_ in taken.items()}
            bare = median["provider itself"]["first_p50"]
            for name, it in median.items():
                print(
                    f"| {streams} | {name} | {it['first_p50']:.2f} / {it['first_p99']:.2f} | {it['first_p50'] - bare:.2f} "
                    f"| {it['delay_p50']:.2f} / {it['delay_p99']:.2f} | {it['tokens_s']:.0f} | {it['cpu_us_token']:.1f} |",
                    flush=True,
                )
        return 0
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        remove(folder)


if __name__ == "__main__":
    sys.exit(main())
