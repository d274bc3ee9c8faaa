"""File and function lengths beside what we aim at (CONTRIBUTING). To look at; it never fails."""

import re
import statistics
import subprocess
from pathlib import Path

FUNCTION = re.compile(r"^(\s*)(pub(\([a-z]+\))? )?(const )?(async )?fn (\w+)")


def functions(lines: list[str]) -> dict[str, int]:
    """`name:line` and length of each function with a body: from `fn` to the closing brace at its indentation."""
    found = {}
    for start, line in enumerate(lines):
        match = FUNCTION.match(line)
        if match is None or line.endswith(";"):
            continue
        rest = lines[start:]
        length = 1 if line.endswith("}") else next((n for n, it in enumerate(rest, 1) if it == match[1] + "}"), 1)
        found[f"{start + 1} {match[6]}"] = length
    return found


def report(what: str, lengths: list[int], aims: str) -> None:
    if len(lengths) > 1:
        p95 = statistics.quantiles(lengths, n=20, method="inclusive")[18]
        print(f"{what:10} median {statistics.median(lengths):.0f}, p95 {p95:.0f}, longest {max(lengths)} (aim {aims})")


def main() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.rs"], capture_output=True, text=True)
    files = {name: Path(name).read_text().splitlines() for name in listed.stdout.split() if Path(name).exists()}
    by_file = {name: functions(lines) for name, lines in files.items()}
    report("files", [len(lines) for lines in files.values()], "100 / 400 / 500")
    report("functions", [length for lengths in by_file.values() for length in lengths.values()], "8 / 40 / 60")
    for name, lines in files.items():
        if len(lines) > 500:
            print(f"  {name}: {len(lines)} lines")
        for function, length in by_file[name].items():
            if length > 60:
                print(f"  {name}:{function}: {length} lines")


if __name__ == "__main__":
    main()
