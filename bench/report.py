"""The figures of a run as a table for people: each server's, and Holdfast's ratios to its peers."""

AIMS = {"read one": 8.0, "list 30": 8.0, "create": 4.0}


def table(result: dict) -> str:
    names = list(result["servers"])
    lines = [describe(result["machine"]), ""]
    lines += rows(["scenario", "conn.", "server", "req/s", "p50 ms", "p99 ms", "CPU µs/req"], scenario_rows(result))
    lines += ["", *rows(["server", "warm start ms", "idle RSS MB", "idle PSS MB", "RSS after load MB"], server_rows(result))]
    if "Holdfast" in names and len(names) > 1:
        lines += ["", *rows(["scenario", "conn.", "against", "req/s ×", "CPU ×", "its p50 / our p99", "aim"], ratio_rows(result))]
    return "\n".join(lines) + "\n"


def describe(machine: dict) -> str:
    return (
        f"Machine: {machine['cores']} × {machine['cpu']}, {machine['memory_mb']} MB, Linux {machine['kernel']}, "
        f"{machine['filesystem']}, fsync {machine['fsync_ms']} ms (median), load average before {machine['load_average']:.1f}. "
        "wrk shares these cores with the server. Median of the rounds."
    )


def rows(head: list[str], body: list[list[str]]) -> list[str]:
    return [line(head), line(["---"] * len(head)), *map(line, body)]


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def scenario_rows(result: dict) -> list[list[str]]:
    found = []
    for scenario, by_connections in result["scenarios"].items():
        for connections, servers in by_connections.items():
            for name, it in servers.items():
                figures = [f"{it['per_second']:.0f}", f"{it['p50_ms']:.2f}", f"{it['p99_ms']:.2f}", f"{it['cpu_us']:.0f}"]
                failed = f" ({it['errors']:.0f} failed)" if it["errors"] else ""
                found.append([scenario, connections, name + failed, *figures])
    return found


def server_rows(result: dict) -> list[list[str]]:
    found = []
    for name, it in result["servers"].items():
        idle, loaded = it["idle_mb"], it["loaded_mb"]
        found.append([name, str(it["warm_start_ms"]), str(idle["rss"]), str(idle["pss"]), str(loaded["rss"])])
    return found


def ratio_rows(result: dict) -> list[list[str]]:
    found = []
    for scenario, by_connections in result["scenarios"].items():
        for connections, servers in by_connections.items():
            ours = servers["Holdfast"]
            for name, its in servers.items():
                if name != "Holdfast":
                    found.append([scenario, connections, name, *ratios(ours, its), aim(scenario, name)])
    return found


def ratios(ours: dict, its: dict) -> list[str]:
    speed = its["per_second"] and ours["per_second"] / its["per_second"]
    cpu = ours["cpu_us"] and its["cpu_us"] / ours["cpu_us"]
    tail = ours["p99_ms"] and its["p50_ms"] / ours["p99_ms"]
    return [f"{speed:.1f}", f"{cpu:.1f}", f"{tail:.1f}"]


def aim(scenario: str, peer: str) -> str:
    return f"≥ {AIMS[scenario]:.0f} and p99 below its p50" if peer == "PocketBase" else ""
