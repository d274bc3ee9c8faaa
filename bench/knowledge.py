"""Documents in and questions answered, through the front door: see README.md.

Usage: knowledge.py --binary target/dist/holdfast --data target --models models --manuals target/demo [--quick] [--passages 100000]
Prints documents and megabytes a second by stage, then the latency of searches by mode."""

import argparse
import concurrent.futures
import html
import http.client
import json
import random
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import measure
from servers import Holdfast, free_port, remove

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "demo"))
from demo import fetch_manuals  # noqa: E402

AT_ONCE = 4
QUESTIONS = 1000
MODES = ("text", "vector", "hybrid")
MODELS = {"wordllama": "wordllama-l2-supercat-256", "MiniLM": "all-minilm-l6-v2-int8"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/dist/holdfast")
    parser.add_argument("--data", default="target")
    parser.add_argument("--models", default="models")
    parser.add_argument("--manuals", default="target/demo")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="5,000 passages, 100 questions")
    return parser.parse_args()


class Searching(Holdfast):
    """Holdfast with its models, asked for its metrics as well."""

    models = ""

    def environment(self):
        return super().environment() | {"HOLDFAST__KNOWLEDGE__MODELS": self.models, "HOLDFAST__LOG__LEVEL": "warn"}

    def command(self):
        command = super().command()
        self.ops = f"127.0.0.1:{free_port()}"
        return command[:-1] + [self.ops]

    def fill(self):
        pass

    def stages(self) -> dict[str, float]:
        """Seconds spent in each stage so far."""
        connection = http.client.HTTPConnection(self.ops, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return {name: float(sum_) for name, sum_ in re.findall(r'knowledge_stage_seconds_sum\{stage="(\w+)"\} (\S+)', text)}


def texts(manuals: Path, passages: int) -> tuple[list[bytes], list[str]]:
    """Documents of some fifty passages each, out of the manuals' words; and questions, out of the documents' words."""
    words = []
    for _, path in fetch_manuals(manuals):
        plain = html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", path.read_text(errors="replace"), flags=re.S))
        words += plain.split()
    pick = random.Random(7)
    documents, questions, at = [], [], 0
    for number in range(max(1, passages // 50)):
        paragraphs = []
        for _ in range(50):
            piece = words[at % len(words) : at % len(words) + 115]
            at += 115
            # The manuals are shorter than what is asked for: the number keeps a repeated passage from being embedded once.
            paragraphs.append(" ".join(piece) + f" ref{number:06d}.")
            if pick.random() < QUESTIONS / passages * 2 and len(piece) > 20:
                start = pick.randrange(len(piece) - 9)
                questions.append(" ".join(piece[start : start + pick.randrange(4, 9)]))
        documents.append("\n\n".join(paragraphs).encode())
    return documents, [question for question in questions if re.search(r"[a-z]{3}", question)][:QUESTIONS]


def upload(server: Searching, collection: str, documents: list[bytes]) -> None:
    def one(numbered: tuple[int, bytes]) -> None:
        query = urllib.parse.urlencode({"collection": collection, "name": f"part-{numbered[0]}.txt"})
        for _ in range(200):
            connection = http.client.HTTPConnection(server.address, timeout=120)
            connection.request("POST", f"/api/v1/vault/documents?{query}", numbered[1], {"Content-Type": "text/plain"} | server.headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 201:
                return
            if answer.status not in (429, 503):
                raise RuntimeError(f"upload answered {answer.status}: {content[:300]!r}")
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        raise RuntimeError("the server stays busy")

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, enumerate(documents)))


def settle(server: Searching, documents: int) -> dict:
    while True:
        status = server.request("GET", "/api/v1/knowledge/status")
        indexed = min(status["text_seq"], status["vector_seq"]) >= status["seq"]
        if status["documents"] + status["failed"] >= documents and status["in_progress"] == 0 and indexed:
            return status
        time.sleep(0.2)


def ingest(server: Searching, documents: list[bytes], model: str) -> str:
    new = {"name": f"Bench {model}", "searchable": True, "model": model}
    collection = server.request("POST", "/api/v1/vault/collections", new)["id"]
    already = server.request("GET", "/api/v1/knowledge/status")
    before, cpu, begun = server.stages(), measure.cpu_seconds(server.process.pid), time.monotonic()
    upload(server, collection, documents)
    uploaded = time.monotonic() - begun
    status = settle(server, already["documents"] + len(documents))
    took, cpu = time.monotonic() - begun, measure.cpu_seconds(server.process.pid) - cpu
    megabytes, passages = sum(map(len, documents)) / 1e6, status["passages"] - already["passages"]
    print(f"\n{len(documents)} documents, {megabytes:.1f} MB, {passages} passages with {model}: {status['failed']} failed\n")
    print("| stage | seconds in it | documents/s | MB/s | passages/s |\n|---|---|---|---|---|")
    rows = [(stage, seconds - before.get(stage, 0)) for stage, seconds in server.stages().items()]
    for stage, seconds in [("upload (wall)", uploaded), *rows, ("all (wall)", took), ("all (CPU of the process)", cpu)]:
        seconds = max(seconds, 1e-9)
        print(f"| {stage} | {seconds:.1f} | {len(documents) / seconds:.0f} | {megabytes / seconds:.1f} | {passages / seconds:.0f} |")
    return collection


def search(server: Searching, questions: list[str], collection: str) -> None:
    print("\n| search, 10 of all | p50 ms | p95 ms | p99 ms | CPU ms | rungs |\n|---|---|---|---|---|---|")
    connection = http.client.HTTPConnection(server.address, timeout=30)
    headers = {"Content-Type": "application/json"} | server.headers
    for mode in MODES:
        times, rungs, cpu = [], {}, 0.0
        for number, question in enumerate(questions + questions[:50]):
            if number == 50:  # the first ones warm up
                cpu = measure.cpu_seconds(server.process.pid)
            body = json.dumps({"query": question, "limit": 10, "mode": mode, "collections": [collection]})
            begun = time.perf_counter()
            connection.request("POST", "/api/v1/knowledge/search", body, headers)
            answer = json.loads(connection.getresponse().read())
            if number >= 50:
                times.append((time.perf_counter() - begun) * 1e3)
            rungs[answer["rung"]["name"]] = rungs.get(answer["rung"]["name"], 0) + 1
        cpu = (measure.cpu_seconds(server.process.pid) - cpu) / max(len(times), 1) * 1e3
        at = statistics.quantiles(times, n=100)
        print(f"| {mode} | {at[49]:.2f} | {at[94]:.2f} | {at[98]:.2f} | {cpu:.2f} | {rungs} |", flush=True)


def main() -> int:
    options = arguments()
    passages = 5_000 if options.quick else options.passages
    folder = Path(tempfile.mkdtemp(prefix="knowledge-", dir=options.data))
    Searching.binary, Searching.models = str(Path(options.binary).resolve()), str(Path(options.models).resolve())
    server = Searching(folder)
    try:
        documents, questions = texts(Path(options.manuals), passages)
        server.seed()
        collection = ingest(server, documents, MODELS["wordllama"])
        search(server, questions[: 100 if options.quick else QUESTIONS], collection)
        ingest(server, documents[: 2 if options.quick else 20], MODELS["MiniLM"])
        print(f"\nmemory {measure.memory_mb(server.process.pid)['pss']:.0f} MB")
        return 0
    finally:
        server.stop()
        remove(folder)


if __name__ == "__main__":
    sys.exit(main())
