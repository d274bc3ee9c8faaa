"""The main job on real input: two manuals in, cited answers out.

Loads the manuals of PostgreSQL and Python (Debian's packages postgresql-doc-15 and python3.11-doc, over 1,000 pages) into a
collection, waits until they can be searched, asks questions whose answers are known and shows the streamed answers with their
citations. Needs nothing but Python's own library.

    demo.py --binary target/release/holdfast            starts a server of its own in a temporary folder, and stops it
    demo.py --url https://… --key hf_…                  uses a server that runs
    demo.py --binary … --pages 150 --check              a part of it, and fails when an answer is missing
"""

import argparse
import concurrent.futures
import html
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
PACKAGES = {"postgresql-doc-15": "usr/share/doc/postgresql-doc-15/html", "python3.11-doc": "usr/share/doc/python3.11/html"}
EMAIL, PASSWORD = "demo@example.com", "quiet otters paint the harbour"
AT_ONCE = 4
# Pages that the questions are about; a part of the manuals always has them.
NEEDED = {
    "runtime-config-connection.html", "using-explain.html", "sql-explain.html", "routine-vacuuming.html", "sql-vacuum.html",
    "transaction-iso.html", "sql-createindex.html", "app-pgdump.html", "auth-pg-hba-conf.html", "library/collections.html",
    "library/asyncio-task.html", "library/asyncio-eventloop.html", "library/functools.html",
}


class Api:
    """A server, asked as one account."""

    def __init__(self, url, token=None):
        self.url, self.token = url.rstrip("/"), token

    def open(self, method, path, body=None, media="application/json", accept="application/json"):
        headers = {"Accept": accept, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        data = json.dumps(body).encode() if media == "application/json" and body is not None else body
        if data is not None:
            headers["Content-Type"] = media
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        return urllib.request.urlopen(request, timeout=120)

    def ask(self, method, path, body=None, media="application/json"):
        with self.open(method, path, body, media) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def fetch_manuals(folder):
    """The pages of both manuals: (name, path), fetched and unpacked once."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for package, inside in PACKAGES.items():
        unpacked = folder / package
        if not (unpacked / inside).is_dir():
            if not shutil.which("apt-get"):
                sys.exit(f"The manuals come from Debian's package {package}; run this on Debian or Ubuntu.")
            download(package, folder)
            archive = next(folder.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
            archive.unlink()
        root = unpacked / inside
        found = sorted(path for path in root.rglob("*.html") if path.is_file())
        pages += [(str(path.relative_to(root)), path) for path in found if "genindex" not in path.name]
    return pages


def download(package, folder):
    """Fetches a package, with fresh lists if the ones at hand do not have it."""
    fetch = ["apt-get", "-o", "APT::Sandbox::User=root", "download", package]
    if subprocess.run(fetch, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*as_root, "apt-get", "update", "-qq"], check=True)
    subprocess.run(fetch, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def part_of(pages, count):
    """All pages, or so many of them: those that are asked about first."""
    if not count:
        return pages
    needed = [page for page in pages if page[0] in NEEDED]
    return needed + [page for page in pages if page[0] not in NEEDED][: max(0, count - len(needed))]


def start(binary, models, database):
    """A server of its own; returns it, its folder and its address."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-demo."))
    environment = {**os.environ, "HOLDFAST_SETUP_EMAIL": EMAIL, "HOLDFAST_SETUP_PASSWORD": PASSWORD}
    environment["HOLDFAST__KNOWLEDGE__MODELS"] = str(models)
    environment["HOLDFAST__LOG__LEVEL"] = "warn"
    if database:
        environment["HOLDFAST__DATABASE__URL"] = database
    # The limits are for strangers; this is one client that loads a library.
    for limit in ("ADDRESS", "KEY"):
        environment[f"HOLDFAST__GATEWAY__RATE_LIMITS__{limit}__PER_MINUTE"] = "0"
    ports = [part for flag in ("--http", "--https", "--ops") for part in (flag, "127.0.0.1:0")]
    server = subprocess.Popen(
        [str(binary), "serve", "--data", str(folder), *ports], env=environment, stdout=subprocess.DEVNULL
    )
    note = folder / "holdfast.addresses.json"
    for _ in range(600):
        if note.exists():
            return server, folder, "http://" + json.loads(note.read_text())["http"]
        if server.poll() is not None:
            sys.exit("The server did not start; its own message stands above.")
        time.sleep(0.1)
    sys.exit("The server did not start within a minute.")


def load(api, pages):
    """Uploads the pages into a new collection and waits until all are at rest."""
    collection = api.ask("POST", "/api/v1/vault/collections", {"name": "Manuals", "searchable": True})["id"]
    begun = time.monotonic()

    def upload(page):
        name, path = page
        query = urllib.parse.urlencode({"collection": collection, "name": name.replace("/", "-")})
        for _ in range(50):
            try:
                return api.ask("POST", f"/api/v1/vault/documents?{query}", path.read_bytes(), "text/html")
            except urllib.error.HTTPError as refusal:
                if refusal.code not in (429, 503):
                    sys.exit(f"{name}: {refusal.read().decode()}")
                time.sleep(float(refusal.headers.get("Retry-After", 1)))
        sys.exit(f"{name}: the server stays busy")

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for count, _ in enumerate(pool.map(upload, pages), 1):
            show(f"uploaded {count} of {len(pages)} pages")
    uploaded = time.monotonic()
    while True:
        status = api.ask("GET", "/api/v1/knowledge/status")
        at_rest = status["documents"] + status["failed"]
        show(f"searchable {status['documents']} of {len(pages)} pages, {status['passages']} passages")
        if at_rest >= len(pages) and status["in_progress"] == 0 and min(status["text_seq"], status["vector_seq"]) >= status["seq"]:
            break
        time.sleep(0.5)
    done = time.monotonic()
    size = sum(path.stat().st_size for _, path in pages) / 1e6
    print(f"\n{len(pages)} pages, {size:.1f} MB, {status['passages']} passages: uploaded in {uploaded - begun:.1f} s, "
          f"searchable after {done - begun:.1f} s ({status['failed']} can't be read)")
    return collection


def show(text):
    """One line that is written over, on a terminal."""
    if sys.stdout.isatty():
        print(f"\r{text:<70}", end="", flush=True)


def stream(api, path, body):
    """The events of a stream: (name, data)."""
    with api.open("POST", path, body, accept="text/event-stream") as answer:
        name, data = None, []
        for raw in answer:
            line = raw.decode().rstrip("\r\n")
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].strip())
            elif not line and name:
                yield name, json.loads("\n".join(data) or "{}")
                name, data = None, []


def converse(api, collection, questions):
    """Asks the questions, shows the answers, and counts those that hold what is known."""
    conversation = api.ask("POST", "/api/v1/chat/conversations", {"title": "Demo"})["id"]
    good = 0
    for entry in questions:
        print(f"\n> {entry['question']}")
        text, citations, passages, end = "", [], [], None
        body = {"content": entry["question"], "collections": [collection]}
        for name, data in stream(api, f"/api/v1/chat/conversations/{conversation}/messages", body):
            if name == "passages":
                passages = data["passages"]
                print(f"  ({len(passages)} passages, {data['rung']})")
            elif name == "token":
                text += data["text"]
            elif name == "citations":
                citations = data["citations"]
            elif name in ("done", "error", "stopped", "interrupted", "revoked"):
                end = name
        print("  " + re.sub(r"\s+", " ", text)[:600])
        for citation in citations:
            print(f"  [{citation['number']}] {citation['name']}, bytes {citation['start']} to {citation['end']}")
        known = any(word.lower() in html.unescape(text).lower() for word in entry["expect"])
        exact = all(cited_exactly(api, citation, passages) for citation in citations)
        good += known and exact and bool(citations) and end == "done"
        if not (known and exact and citations and end == "done"):
            print(f"  !! expected one of {entry['expect']}; ended with {end}, {len(citations)} citations, exact: {exact}")
    print(f"\n{good} of {len(questions)} answers hold what is known, and every citation of theirs is found at its place.")
    return good


def cited_exactly(api, citation, passages):
    """Whether the document's text at that place, taken out of it anew, is the passage that was shown."""
    query = urllib.parse.urlencode({"version": citation["version"], "from": citation["start"], "to": citation["end"]})
    text = api.ask("GET", f"/api/v1/knowledge/documents/{citation['document']}/text?{query}")["text"]
    return any(passage["text"] == text for passage in passages if passage["document"] == citation["document"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, help="start this server")
    parser.add_argument("--database", help="its database; SQLite when left out")
    parser.add_argument("--url", help="or use this one")
    parser.add_argument("--key", help="its API key")
    parser.add_argument("--models", type=pathlib.Path, default=HERE.parent / "models")
    parser.add_argument("--manuals", type=pathlib.Path, default=HERE.parent / "target" / "demo", help="where they are kept")
    parser.add_argument("--pages", type=int, default=0, help="load so many pages; 0 for all")
    parser.add_argument("--check", action="store_true", help="fail when fewer than 7 of 10 answers hold what is known")
    arguments = parser.parse_args()
    pages = part_of(fetch_manuals(arguments.manuals), arguments.pages)
    server = folder = None
    try:
        if arguments.url:
            api = Api(arguments.url, arguments.key)
        else:
            server, folder, url = start(arguments.binary, arguments.models, arguments.database)
            api = Api(url)
            session = api.ask("POST", "/api/v1/identity/sessions", {"email": EMAIL, "password": PASSWORD})
            api.token = session["access_token"]
            # A session's token lives for ten minutes; a key lives longer than the demo.
            api.token = api.ask("POST", "/api/v1/identity/api_keys", {"name": "demo"})["secret"]
        collection = load(api, pages)
        questions = json.loads((HERE / "questions.json").read_text())
        good = converse(api, collection, questions)
        if arguments.check and good < 7:
            sys.exit(1)
    finally:
        if server:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
