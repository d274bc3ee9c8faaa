"""Holdfast and its peers side by side in one run: see README.md. Usage: run.py [--quick] [--only NAME,…] [--binary PATH]"""

import argparse
import atexit
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
import report
from servers import FastApi, Holdfast, PocketBase, Server, remove

HERE = Path(__file__).parent
CONNECTIONS = (1, 16, 64)
SCENARIOS = ("read one", "list 30", "create")
STARTS = 7


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 2 s each, to see that it works")
    parser.add_argument("--only", default="Holdfast,PocketBase,FastAPI", help="which servers")
    parser.add_argument("--binary", default="target/release/holdfast", help="the holdfast binary, built for release")
    parser.add_argument("--data", default="target", help="the folder, on a real disk, to make the data folders in")
    return parser.parse_args()


def request_of(server: Server, scenario: str, run: str) -> list[str]:
    headers = [f"{name}: {value}" for name, value in server.headers.items()]
    if scenario == "create":
        return ["POST", server.create, run, *headers]
    return ["GET", server.read if scenario == "read one" else server.listing, "-", *headers]


def load(server: Server, scenario: str, connections: int, seconds: int, run: str) -> dict:
    """One load; its CPU time a request is the steadiest figure on a shared machine."""
    fields = json.dumps(server.fields)[1:-1]
    before = measure.cpu_seconds(server.process.pid)
    figures = measure.wrk(server.address, request_of(server, scenario, run), connections, seconds, fields)
    cpu = measure.cpu_seconds(server.process.pid) - before
    if figures["errors"]:
        print(f"  {server.name}: {figures['errors']} of {figures['requests']} requests failed", flush=True)
    done = max(figures["requests"], 1)
    return figures | {"per_second": figures["requests"] / figures["seconds"], "cpu_us": cpu / done * 1e6}


def warm_start_ms(server: Server) -> float:
    """From exec to the first answer of an authorized read, on data that is there; the median of several."""
    times = []
    for _ in range(STARTS):
        server.stop()
        start = time.perf_counter()
        server.launch()
        server.await_answer(server.read, 60)
        times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 1)


def check_durability(server: Server) -> None:
    mode = server.durability()
    assert mode == {"journal_mode": "wal", "synchronous": 2}, f"{server.name} is not as durable as the others: {mode}"


def rounds(servers: list[Server], count: int, seconds: int) -> dict:
    """Scenario -> connections -> server -> the median of each figure. The order of servers turns with the round."""
    taken: dict = {}
    for number in range(count):
        turned = servers[number % len(servers) :] + servers[: number % len(servers)]
        for scenario in SCENARIOS:
            for connections in CONNECTIONS:
                for server in turned:
                    run = f"r{number}c{connections}"
                    figures = load(server, scenario, connections, seconds, run)
                    taken.setdefault((scenario, connections, server.name), []).append(figures)
                print(f"round {number + 1} of {count}: {scenario}, {connections} connections", flush=True)
    result: dict = {}
    for (scenario, connections, name), all_figures in taken.items():
        median = {key: round(statistics.median(it[key] for it in all_figures), 3) for key in all_figures[0]}
        result.setdefault(scenario, {}).setdefault(str(connections), {})[name] = median
    return result


def main() -> int:
    options = arguments()
    if not shutil.which("wrk"):
        sys.exit("`wrk` is missing: apt-get install wrk")
    for left_over in Path(options.data).glob("bench-data.*"):
        remove(left_over)  # of a run that was killed
    folder = Path(tempfile.mkdtemp(prefix="bench-data.", dir=options.data)).absolute()
    atexit.register(remove, folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    Holdfast.binary = os.path.abspath(options.binary)
    known = {it.name: it for it in (Holdfast, PocketBase, FastApi)}
    servers = [known[name](folder) for name in options.only.split(",")]
    for server in servers:
        atexit.register(server.stop)

    result: dict = {"machine": measure.machine(folder), "servers": {}}
    for server in servers:
        server.seed()
        start = warm_start_ms(server)
        time.sleep(2)
        result["servers"][server.name] = {"warm_start_ms": start, "idle_mb": measure.memory_mb(server.process.pid)}
        check_durability(server)
    result["scenarios"] = rounds(servers, 1 if options.quick else 3, 2 if options.quick else 4)
    for server in servers:
        check_durability(server)
        result["servers"][server.name]["loaded_mb"] = measure.memory_mb(server.process.pid)

    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results/latest.json").write_text(json.dumps(result, indent=2) + "\n")
    text = report.table(result)
    (HERE / "results/latest.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
