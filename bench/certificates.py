"""Certificates: many of them, one on demand, and a thousand new domains in a minute: see README.md.

Usage: certificates.py --binary target/dist/holdfast --data target [--loader target/dist/bench-certificates] [--quick]
The certificate authority is Pebble (Debian's `pebble`), without the sleep by which it plays a slow one. A handshake counts as
right when the chain leads to the authority's root and the leaf names the host that was asked for, and it alone."""

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import servers
from servers import PASSWORD, free_port

STARTS = 7
# The one with many, and the others.
LARGE, SMALL = "large", [f"small{number}" for number in range(9)]


class Certified(servers.Holdfast):
    """A Holdfast with HTTPS and an issuer, on ports that stay the same."""

    def __init__(self, folder: Path, name: str):
        self.name = name
        super().__init__(folder)
        self.http, self.https, self.ops = free_port(), free_port(), free_port()
        self.address = f"127.0.0.1:{self.http}"
        self.issuer = '{id="bench",directory="https://localhost:9/dir"}'
        self.settings: dict[str, str] = {}

    def environment(self):
        issuers = {"HOLDFAST__EDGE__CERTIFICATES__ISSUERS": f"[{self.issuer}]"}
        return super().environment() | issuers | {f"HOLDFAST__{name}": value for name, value in self.settings.items()}

    def command(self):
        ports = ["--http", self.address, "--https", f"127.0.0.1:{self.https}", "--ops", f"127.0.0.1:{self.ops}"]
        return [self.binary, "serve", "--data", str(self.data), *ports]

    def start(self) -> float:
        """Seconds until it says that it is ready."""
        begun = time.perf_counter()
        self.launch()
        while time.perf_counter() - begun < 120:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", self.ops, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - begun
            if self.process.poll() is not None:
                break
            time.sleep(0.001)
        raise RuntimeError(f"{self.name} does not start:\n{(self.data / 'log').read_text()[-4000:]}")

    def load(self, loader: str, *arguments: str) -> None:
        """Fills the data folder; the first start has made the schema and the root key."""
        self.start()
        self.stop()
        subprocess.run([loader, str(self.data), *arguments], check=True)

    def await_snapshot(self, version: int) -> float:
        """Seconds until this machine has a copy of every certificate."""
        begun, cursor = time.perf_counter(), self.data / "certificates" / "cursor"
        while not cursor.exists() or int(cursor.read_text() or 0) < version:
            if time.perf_counter() - begun > 1800:
                raise RuntimeError("the snapshot does not come to its end")
            time.sleep(0.05)
        return time.perf_counter() - begun

    def trusting(self, root: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=root)
        return context

    def handshake(self, context: ssl.SSLContext, name: str) -> bool:
        """Whether the certificate is that of this name."""
        try:
            with socket.create_connection(("127.0.0.1", self.https), timeout=30) as plain:
                with context.wrap_socket(plain, server_hostname=name) as secure:
                    return secure.getpeercert().get("subjectAltName") == (("DNS", name),)
        except ssl.SSLError:
            return False

    def first_handshakes(self, context: ssl.SSLContext, names: list[str]) -> float:
        """Seconds until all of these had the right certificate, once each."""
        begun = time.perf_counter()
        for name in names:
            while not self.try_handshake(context, name):
                if time.perf_counter() - begun > 60:
                    raise RuntimeError(f"no right certificate for {name}")
        return time.perf_counter() - begun

    def try_handshake(self, context: ssl.SSLContext, name: str) -> bool:
        with contextlib.suppress(OSError):
            return self.handshake(context, name)
        return False

    def certificates_issued(self) -> int:
        """What it counted since its start."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        counted = [line for line in lines if line.startswith("edge_certificate_steps_total") and 'status="issued"' in line]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in counted)


class Pebble:
    """A CA that looks at the ports of one server, and a name server that says that every name is this machine."""

    def __init__(self, folder: Path, server: Certified):
        self.folder = folder / "pebble"
        self.folder.mkdir()
        self.acme, self.management, self.dns, self.records = (free_port() for _ in range(4))
        own, key = self.folder / "own.pem", self.folder / "own-key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run([*command, "-keyout", str(key), "-out", str(own)], check=True, capture_output=True)
        config = {"listenAddress": f"127.0.0.1:{self.acme}", "managementListenAddress": f"127.0.0.1:{self.management}"}
        config |= {"certificate": str(own), "privateKey": str(key), "externalAccountBindingRequired": False}
        config |= {"httpPort": server.http, "tlsPort": server.https}
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        # It has no limits, so none are kept: what is measured is us.
        limits = "limits={orders=0,per_domain=0,duplicates=0,failed_validations=0}"
        server.issuer = f'{{id="pebble",directory="https://localhost:{self.acme}/dir",root="{own}",{limits}}}'
        server.settings["TENANCY__DOMAINS__RESOLVERS"] = f'["127.0.0.1:{self.dns}"]'
        server.settings["TENANCY__DOMAINS__TARGETS"] = '["127.0.0.1"]'
        self.own, self.programs = own, []

    def __enter__(self):
        names = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self.dns}"]
        names += ["-management", f"127.0.0.1:{self.records}", "-http01", "", "-https01", "", "-tlsalpn01", ""]
        ca = ["pebble", "-config", str(self.folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{self.dns}"]
        for command in (names, ca):
            log = open(self.folder / f"{command[0]}.log", "wb")
            env = os.environ | {"PEBBLE_VA_NOSLEEP": "1"}
            whole = ["setpriv", "--pdeathsig", "TERM", "--", *command]
            self.programs.append(subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.root()
                return self
            time.sleep(0.1)
        raise RuntimeError(f"Pebble does not start; see {self.folder}")

    def __exit__(self, *_):
        for program in self.programs:
            program.terminate()
            program.wait(10)

    def root(self) -> str:
        """The root that it made for this run."""
        context = ssl.create_default_context(cafile=str(self.own))
        with urllib.request.urlopen(f"https://localhost:{self.management}/roots/0", context=context, timeout=5) as answer:
            return answer.read().decode()

    def set_txt(self, name: str, value: str) -> None:
        body = json.dumps({"host": f"{name}.", "value": value}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.records}/set-txt", data=body, timeout=10).close()


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def many(folder: Path, loader: str, count: int, handshakes: int) -> None:
    """Starts with one certificate and with many, taking turns, and random names among the many."""
    dice, held = random.Random(7), {}
    for number in (1, count):
        server = Certified(folder, f"with {number}")
        root = folder / f"root-{number}.pem"
        begun = time.perf_counter()
        server.load(loader, "issued", str(number), str(root))
        loaded = time.perf_counter() - begun
        server.start()
        copied = server.await_snapshot(number)
        server.stop()
        held[number] = (server, server.trusting(root.read_text()), {"ready": [], "shakes": []})
        print(f"{number} certificates: written in {loaded:.1f} s, copied to this machine's disk in {copied:.1f} s", flush=True)
    for _ in range(STARTS):
        for number, (server, context, taken) in held.items():
            names = [f"n{dice.randrange(number)}.bench.test" for _ in range(10)]
            ready = server.start()
            shakes = server.first_handshakes(context, names)
            server.stop()
            taken["ready"].append(ready)
            taken["shakes"].append(ready + shakes)
    print("\n| certificates held | ready after, s | ten of them served after, s |\n|---|---|---|")
    for number, (_, _, taken) in held.items():
        print(f"| {number} | {statistics.median(taken['ready']):.3f} | {statistics.median(taken['shakes']):.3f} |")
    server, context, _ = held[count]
    print("\n| random names among them | handshakes | wrong | p50 ms | p99 ms |\n|---|---|---|---|---|", flush=True)
    server.start()
    print(shaken("from this machine's copy", server, context, dice, count, handshakes), flush=True)
    server.stop()
    shutil.rmtree(server.data / "certificates")
    server.start()
    print(shaken("while the copy is made", server, context, dice, count, handshakes // 5), flush=True)
    server.stop()


def shaken(what: str, server: Certified, context: ssl.SSLContext, dice: random.Random, count: int, handshakes: int) -> str:
    wrong, times = 0, []
    for _ in range(handshakes):
        begun = time.perf_counter()
        wrong += not server.handshake(context, f"n{dice.randrange(count)}.bench.test")
        times.append((time.perf_counter() - begun) * 1e3)
    return f"| {what} | {handshakes} | {wrong} | {statistics.median(times):.1f} | {quantile(times, 0.99):.1f} |"


def on_demand(folder: Path, loader: str, count: int) -> None:
    """The first handshake on names that are wanted and that nobody has ordered yet."""
    server = Certified(folder, "on demand")
    server.load(loader, "wanted", str(count + 1))
    with Pebble(folder, server) as pebble:
        context, times = server.trusting(pebble.root()), []
        server.start()
        try:
            for number in range(count + 1):
                begun = time.perf_counter()
                if not server.handshake(context, f"n{number}.wanted.test"):
                    raise RuntimeError(f"n{number}.wanted.test has no certificate of its own:\n{(server.data / 'log').read_text()[-3000:]}")
                times.append(time.perf_counter() - begun)
        finally:
            server.stop()
    print("\n| first handshake, issued on demand | s |\n|---|---|")
    print(f"| the very first, which opens the account | {times[0]:.2f} |")
    print(f"| p50 of {count} (aim 0.45) | {statistics.median(times[1:]):.2f} |\n| p90 | {quantile(times[1:], 0.9):.2f} |", flush=True)


class Tenants:
    """Ten tenants who bring domains, and what their timelines tell."""

    def __init__(self, server: Certified, pebble: Pebble):
        self.server, self.pebble = server, pebble
        self.operator = server.sign_in("bench@example.test")
        self.keys = {slug: self.key(slug) for slug in (LARGE, *SMALL)}
        self.claimed: list[tuple[str, str, float]] = []  # tenant, domain, when the proof was set

    def key(self, slug: str) -> dict[str, str]:
        owner, at_tenant = f"owner@{slug}.test", {"Holdfast-Tenant": slug}
        new = {"slug": slug, "name": slug, "owner_email": owner}
        made = self.server.request("POST", "/api/v1/tenancy/tenants", new, Authorization=self.operator)
        acceptance = {"token": made["invitation"]["token"], "email": owner, "password": PASSWORD}
        self.server.request("POST", "/api/v1/identity/invitations/accept", acceptance, **at_tenant)
        signed_in = self.server.sign_in(owner, **at_tenant)
        key = self.server.request("POST", "/api/v1/identity/api_keys", {"name": "bench"}, Authorization=signed_in, **at_tenant)
        return {"Authorization": f"Bearer {key['secret']}"} | at_tenant

    def claim(self, slug: str, number: int) -> None:
        name = f"www.{slug}-{number}.test"
        claimed = self.server.request("POST", "/api/v1/tenancy/domains", {"name": name}, **self.keys[slug])
        proof = claimed["records"][0]
        self.pebble.set_txt(proof["name"], proof["value"])
        self.claimed.append((slug, claimed["id"], time.time()))

    def told(self, slug: str, domain: str) -> tuple[float, float, float]:
        """When it was verified, when its first order began, and when the certificate was there."""
        path = f"/api/v1/tenancy/domains/{domain}/timeline?limit=200"
        steps = self.server.request("GET", path, **self.keys[slug])["items"]
        first = lambda about, status: min(  # noqa: E731
            datetime.fromisoformat(step["at"]).timestamp() for step in steps if (step["about"], step["status"]) == (about, status)
        )
        return first("domain", "verified"), first("certificate", "ordering"), first("certificate", "issued")


def new_domains(folder: Path, large: int, small: int, seconds: float) -> None:
    """One tenant brings most of the names as fast as it can; those of the others come evenly over the whole time."""
    server = Certified(folder, "new domains")
    with Pebble(folder, server) as pebble:
        server.settings["TENANCY__DOMAINS__PER_TENANT"] = str(large)
        server.start()
        try:
            tenants, begun = Tenants(server, pebble), time.time()
            with ThreadPoolExecutor(4) as pool:
                claims = [pool.submit(tenants.claim, LARGE, number) for number in range(large)]
                others = threading.Thread(target=evenly, args=(tenants, small, begun, seconds))
                others.start()
                for claim in claims:
                    claim.result()
                others.join()
            while server.certificates_issued() < large + small:
                if time.time() - begun > 900:
                    raise RuntimeError(f"{server.certificates_issued()} certificates after 15 minutes")
                time.sleep(0.2)
            whole = time.time() - begun
            told = {it: tenants.told(*it[:2]) for it in tenants.claimed}
        finally:
            server.stop()
    print(f"\n{large} domains of one tenant at once and {small} of nine others over {seconds:.0f} s: all had certificates after {whole:.0f} s.")
    print("\n| s, p50 / p90 / max | the nine | the one with many |\n|---|---|---|")
    waits = {
        "from the proof in DNS to verified": lambda proof, verified, ordering, issued: verified - proof,
        "from verified to its order (aim 3 for the nine)": lambda proof, verified, ordering, issued: ordering - verified,
        "from its order to the certificate": lambda proof, verified, ordering, issued: issued - ordering,
    }
    for what, wait in waits.items():
        cells = []
        for ours in (False, True):
            values = [wait(proof, *steps) for (slug, _, proof), steps in told.items() if (slug == LARGE) == ours]
            cells.append(f"{statistics.median(values):.1f} / {quantile(values, 0.9):.1f} / {max(values):.1f}")
        print(f"| {what} | {cells[0]} | {cells[1]} |", flush=True)


def evenly(tenants: Tenants, small: int, begun: float, seconds: float) -> None:
    for number in range(small):
        time.sleep(max(0.0, begun + seconds * number / small - time.time()))
        tenants.claim(SMALL[number % len(SMALL)], number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="target/dist/holdfast")
    parser.add_argument("--data", default="target")
    parser.add_argument("--loader", default=None, help="beside the binary, when it is not given")
    parser.add_argument("--only", choices=("many", "on-demand", "new-domains"), default=None)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    Certified.binary = str(Path(options.binary).resolve())
    loader = str(Path(options.loader or Path(options.binary).with_name("bench-certificates")).resolve())
    folder = Path(tempfile.mkdtemp(prefix="certificates-", dir=options.data)).resolve()
    part = lambda name: options.only in (None, name)  # noqa: E731
    try:
        for name, run in {
            "many": lambda at: many(at, loader, *((5_000, 500) if options.quick else (50_000, 5_000))),
            "on-demand": lambda at: on_demand(at, loader, 5 if options.quick else 50),
            "new-domains": lambda at: new_domains(at, *((90, 10, 6) if options.quick else (900, 100, 60))),
        }.items():
            if part(name):
                at = folder / name
                at.mkdir()
                run(at)
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
