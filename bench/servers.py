"""The three servers: how each is started, seeded and asked. All listen on 127.0.0.1 and end with the driver."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PASSWORD = "plain harbour lantern 42"
SEEDED = 200


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Server:
    """A server under test: subclasses say how it starts and what it is asked."""

    name = ""
    read = listing = create = ""
    fields: dict = {"permissions": []}

    def __init__(self, folder: Path):
        self.data = folder / self.name
        self.data.mkdir(parents=True)
        self.process: subprocess.Popen | None = None
        self.address = ""
        self.headers: dict[str, str] = {}

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def launch(self) -> None:
        log = open(self.data / "log", "ab")
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")} | self.environment()
        dies_with_us = ["setpriv", "--pdeathsig", "TERM", "--"]
        self.process = subprocess.Popen(
            dies_with_us + self.command(), env=env, cwd=self.data, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
        )

    def start(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.launch()
        self.await_answer("/", 60)

    def stop(self) -> None:
        if self.process is None:
            return
        for give_up, name in ((20, signal.SIGTERM), (5, signal.SIGKILL)):
            try:
                os.killpg(self.process.pid, name)
                self.process.wait(give_up)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.process = None

    def request(self, method: str, path: str, body=None, **headers) -> dict:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} | self.headers | headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{self.name}: {method} {path} answered {answer.status}: {content[:500]!r}")
        return json.loads(content) if content else {}

    def await_answer(self, path: str, limit: float) -> None:
        """Returns with the first HTTP answer, whatever its status."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection(self.address, timeout=5)
                connection.request("GET", path, headers=self.headers)
                connection.getresponse().read()
                return
            except OSError:
                if self.process is not None and self.process.poll() is not None:
                    break
                time.sleep(0.001)
        raise RuntimeError(f"{self.name} does not answer:\n{(self.data / 'log').read_text()[-4000:]}")

    def fill(self) -> None:
        """The roles that are listed and read; the last one made is the one read."""
        for number in range(SEEDED):
            new = {"name": f"seed-{number}", "description": "A role of the benchmark."} | self.fields
            made = self.request("POST", self.create, new, **{"Idempotency-Key": f"seed-{number}"})
        self.read = f"{self.create}/{made['id']}"
        assert len(self.request("GET", self.listing)["items"]) == 30

    def durability(self) -> dict:
        return self.request("GET", "/bench/durability")


class PocketBase(Server):
    name = "PocketBase"
    create = "/api/collections/roles/records"
    listing = f"{create}?perPage=30&skipTotal=1"
    fields = {"permissions": [], "tenant": "acme"}

    def command(self):
        program = str(Path(sys.executable).parent / "pocketbase")
        hooks = str(HERE / "peers/pocketbase")
        flags = ["--dir", str(self.data), "--hooksDir", hooks, "--hooksWatch=false", "--automigrate=false"]
        return [program, "serve", *flags, "--http", self.address]

    def seed(self):
        email = "bench@example.test"
        program = self.command()[0]
        upsert = [program, "superuser", "upsert", email, PASSWORD, "--dir", str(self.data)]
        subprocess.run(upsert, check=True, capture_output=True)
        self.start()
        self.headers = {"Authorization": self.sign_in("_superusers", email)}
        self.request("PATCH", "/api/settings", {"logs": {"maxDays": 0}})
        users = self.request("GET", "/api/collections/users")
        self.request("PATCH", "/api/collections/users", {"fields": [*users["fields"], {"name": "tenant", "type": "text"}]})
        self.request("POST", "/api/collections", self.roles())
        user = {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD, "tenant": "acme"}
        self.request("POST", "/api/collections/users/records", user)
        self.headers = {"Authorization": self.sign_in("users", email)}
        self.fill()

    def sign_in(self, collection: str, email: str) -> str:
        path = f"/api/collections/{collection}/auth-with-password"
        return self.request("POST", path, {"identity": email, "password": PASSWORD})["token"]

    def roles(self) -> dict:
        rule = "tenant = @request.auth.tenant"
        text = [{"name": name, "type": "text"} for name in ("tenant", "name", "description")]
        dates = [{"name": "created", "type": "autodate", "onCreate": True}]
        dates += [{"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True}]
        fields = [*text, {"name": "permissions", "type": "json"}, *dates]
        indexes = ["CREATE UNIQUE INDEX roles_name ON roles (tenant, name)"]
        rules = {"listRule": rule, "viewRule": rule, "createRule": rule}
        return {"name": "roles", "type": "base", "fields": fields, "indexes": indexes} | rules


class FastApi(Server):
    name = "FastAPI"
    create = "/roles"
    listing = "/roles?limit=30"

    def __init__(self, folder):
        super().__init__(folder)
        self.key = secrets.token_hex(24)

    def environment(self):
        return {"BENCH_DATA": str(self.data), "BENCH_KEY": self.key, "PYTHONPATH": str(HERE / "peers")}

    def command(self):
        port = self.address.rsplit(":", 1)[1]
        flags = ["--host", "127.0.0.1", "--port", port, "--workers", str(os.cpu_count()), "--no-access-log"]
        return [sys.executable, "-m", "uvicorn", "fastapi_app:app", *flags]

    def seed(self):
        app = [sys.executable, str(HERE / "peers/fastapi_app.py")]
        subprocess.run(app, check=True, env=os.environ | self.environment())
        self.start()
        self.headers = {"Authorization": f"Bearer {self.key}"}
        self.fill()


class Holdfast(Server):
    name = "Holdfast"
    create = "/api/v1/tenancy/roles"
    listing = f"{create}?limit=30"
    fields = {"permissions": ["tenancy.roles.read"]}
    binary = ""

    def environment(self):
        # One address makes all the load here, so the limits by address and key are out of the way.
        limits = "HOLDFAST__GATEWAY__RATE_LIMITS"
        lifted = {f"{limits}__ADDRESS__PER_MINUTE": "0", f"{limits}__KEY__PER_MINUTE": "0"}
        return {"HOLDFAST_SETUP_EMAIL": "bench@example.test", "HOLDFAST_SETUP_PASSWORD": PASSWORD} | lifted

    def command(self):
        listeners = ["--http", self.address, "--https", "127.0.0.1:0", "--ops", "127.0.0.1:0"]
        return [self.binary, "serve", "--data", str(self.data), *listeners]

    def seed(self):
        self.start()
        operator = self.sign_in("bench@example.test")
        new = {"slug": "acme", "name": "Acme", "owner_email": "owner@acme.test"}
        made = self.request("POST", "/api/v1/tenancy/tenants", new, Authorization=operator)
        acceptance = {"token": made["invitation"]["token"], "email": "owner@acme.test", "password": PASSWORD}
        at_tenant = {"Holdfast-Tenant": "acme"}
        self.request("POST", "/api/v1/identity/invitations/accept", acceptance, **at_tenant)
        owner = self.sign_in("owner@acme.test", **at_tenant)
        key = self.request("POST", "/api/v1/identity/api_keys", {"name": "bench"}, Authorization=owner, **at_tenant)
        self.headers = {"Authorization": f"Bearer {key['secret']}"} | at_tenant
        self.fill()

    def sign_in(self, email: str, **headers) -> str:
        body = {"email": email, "password": PASSWORD}
        return "Bearer " + self.request("POST", "/api/v1/identity/sessions", body, **headers)["access_token"]

    def durability(self):
        return {"journal_mode": "wal", "synchronous": 2}  # the only mode it has


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
