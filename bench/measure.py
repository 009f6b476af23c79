"""CPU-seconds and peak memory of one command, children included."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    words: str
    cpu_s: float
    peak_mb: float
    code: int


def tracerless(*words: str | Path) -> Cost:
    """Run one command of the package in a process of its own and measure it."""
    code = "from tracerless.cli import main; main()"
    line = [sys.executable, "-c", code, *map(str, words)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(
        words=" ".join(str(word) for word in words),
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss / 1024,
        code=process.returncode,
    )
