"""How long the command line takes to answer."""

import statistics
import subprocess
import sys
import time

REPEATS = 20


def main() -> None:
    """Median time of `tracerless --help` against a bare interpreter, in one run."""
    code = "from tracerless.cli import main; main()"
    ours = [_seconds([sys.executable, "-c", code, "--help"]) for _ in range(REPEATS)]
    bare = [_seconds([sys.executable, "-c", "pass"]) for _ in range(REPEATS)]
    print("| command | median, s |\n| --- | --- |")
    print(f"| `tracerless --help` | {statistics.median(ours):.3f} |")
    print(f"| `python -c pass` | {statistics.median(bare):.3f} |")


def _seconds(line: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
