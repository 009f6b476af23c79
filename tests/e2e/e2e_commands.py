"""Commands as a user runs them: a process of their own, exit code checked, no traceback."""

import subprocess
import sys
from pathlib import Path

CODE = "from tracerless.cli import main; main()"


def tracerless(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own; its exit code is checked."""
    line = [sys.executable, "-c", CODE, *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
