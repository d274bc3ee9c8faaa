"""Reading the machine: a process tree's CPU and memory from /proc, wrk's figures, the disk's fsync."""

import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree so far; none of our servers ends a child under load."""
    ticks = 0
    for pid in tree(root):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory_mb(root: int) -> dict[str, float]:
    """Resident memory of the tree; `pss` counts pages shared by its processes once."""
    total = {"rss": 0, "pss": 0}
    for pid in tree(root):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.lower() in total:
                total[name.lower()] += int(rest.split()[0])
    return {name: round(kib / 1024, 1) for name, kib in total.items()}


def wrk(address: str, arguments: list[str], connections: int, seconds: int, fields: str) -> dict:
    """One bounded load on a loopback address."""
    assert address.startswith("127.0.0.1:"), "the load stays on this machine"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "load.lua")]
    command += [f"http://{address}", "--", *arguments]
    env = os.environ | {"BENCH_FIELDS": fields}
    out = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, env=env)
    lines = [line for line in out.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise RuntimeError(f"wrk gave no result:\n{out.stdout}{out.stderr}")
    return json.loads(lines[-1].removeprefix("RESULT "))


def fsync_ms(folder: Path) -> float:
    """The median of 100 durable 4 KiB appends where the databases lie."""
    times = []
    with open(folder / "fsync", "wb") as file:
        for _ in range(100):
            start = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 3)


def machine(folder: Path) -> dict:
    """What the figures were taken on."""
    cpu = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    memory = int(open("/proc/meminfo").readline().split()[1]) // 1024
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True).stdout.strip()
    return {
        "cpu": cpu[0] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "kernel": platform.release(),
        "filesystem": filesystem,
        "fsync_ms": fsync_ms(folder),
        "load_average": os.getloadavg()[0],
    }
