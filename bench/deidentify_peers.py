"""Other tools, each in an environment of its own outside the project, and one run of each.

They are installed from the configured registry at the versions named here, once, into a cache
folder; a tool that cannot be had is left out, with the reason.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool: what to install, which driver calls it, which Python it needs at least."""

    name: str
    requirement: str
    driver: str
    python: tuple[int, int] = (3, 10)


PEERS = (
    Peer("dicognito 0.19.0", "dicognito==0.19.0", "deidentify_driver_dicognito.py"),
    Peer("dicom-anonymizer 2.1.0", "dicom-anonymizer==2.1.0", "deidentify_driver_kitware.py"),
    Peer("Isocenter 1.0.0", "isocenter==1.0.0", "deidentify_driver_isocenter.py", (3, 12)),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: CPU-seconds of it and its children, and how it ended."""

    cpu_s: float
    code: int
    said: str


def environments() -> Path:
    """The folder of the tools' environments: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tracerless-bench"


def python_of(peer: Peer) -> Path | str:
    """The interpreter of a tool's environment, made if new; or why there is none."""
    folder = environments() / peer.requirement.replace("==", "-")
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.is_file():
        return python
    base = _base(peer.python)
    if base is None:
        return f"no Python {peer.python[0]}.{peer.python[1]} or newer was found"
    shutil.rmtree(folder, ignore_errors=True)
    made = subprocess.run([base, "-m", "venv", folder], capture_output=True, check=False)
    if made.returncode == 0:
        line = [python, "-m", "pip", "install", "--quiet", peer.requirement]
        made = subprocess.run(line, capture_output=True, check=False)
    if made.returncode:
        return f"{peer.requirement} could not be installed"
    ready.touch()
    return python


def _base(least: tuple[int, int]) -> str | None:
    """An interpreter that is new enough: this one, else one on the path."""
    managed = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    names = [sys.executable, *(f"python3.{n}" for n in range(least[1], least[1] + 4))]
    names += [str(path) for path in sorted(managed.glob("3.*/bin/python3"))]
    code = f"import sys; sys.exit(sys.version_info < {least})"
    for name in names:
        found = shutil.which(name)
        if found:
            tried = subprocess.run([found, "-c", code], capture_output=True, check=False)
            if tried.returncode == 0:
                return found
    return None


def run_peer(peer: Peer, python: Path, source: Path, target: Path) -> Cost:
    """De-identify ``source`` into ``target`` with the tool."""
    target.mkdir(parents=True)
    return timed([python, HERE / peer.driver, source, target], cwd=target.parent)


def timed(line: list[str | Path], *, cwd: Path | None = None, settings: Path | None = None) -> Cost:
    """Run a command and measure it; warnings of other people's code are not shown.

    Args:
        line: the command.
        cwd: where it runs.
        settings: a folder that takes the place of the user's configuration folder, so that keys
            of the benchmark's vaults are not left there.
    """
    where = dict(os.environ, PYTHONWARNINGS="ignore")
    if settings is not None:
        where["XDG_CONFIG_HOME"] = str(settings)
    with subprocess.Popen(
        [str(word) for word in line],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=cwd, env=where,
    ) as process:  # fmt: skip
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, process.returncode, said)
