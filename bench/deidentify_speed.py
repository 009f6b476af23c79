"""Files and megabytes per CPU-second: copying, reading and writing, our engines, other tools.

All runs take turns in one session, each in a fresh process, on files that lie in memory already.
Counted is user and system time of the process and its children. What a process takes on an empty
folder, its start, is measured too and taken off: a batch of a million files starts once.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.deidentify_bases import PACKED, scans, unpack
from bench.deidentify_peers import PEERS, environments, python_of, run_peer, timed

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
PROFILE = "seed"
"""Of the whole command: it leaves faces, whose removal is no matter of reading and writing."""

OVER_PYDICOM, OVER_COPY, VERIFY_OVER = 6.0, 0.4, 1.0
"""Targets: splice over pydicom and over copying, files per CPU-second; verify over deidentify."""

_COPY = """
import shutil, sys
from pathlib import Path
for n, p in enumerate(sorted(p for p in Path(sys.argv[1]).rglob("*") if p.is_file())):
    shutil.copyfile(p, Path(sys.argv[2]) / f"{n}.dcm")
"""

_BYTES = """
import sys
from pathlib import Path
for n, p in enumerate(sorted(p for p in Path(sys.argv[1]).rglob("*") if p.is_file())):
    (Path(sys.argv[2]) / f"{n}.dcm").write_bytes(p.read_bytes())
"""

_READ_WRITE = """
import sys
from pathlib import Path
import pydicom
for n, p in enumerate(sorted(p for p in Path(sys.argv[1]).rglob("*") if p.is_file())):
    pydicom.dcmwrite(Path(sys.argv[2]) / f"{n}.dcm", pydicom.dcmread(p))
"""

Run = Callable[[Path, Path], float]
"""(folder of files, new folder) -> CPU-seconds."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One way over one corpus: net CPU-seconds, the median of the rounds, and its start."""

    name: str
    cpu_s: float
    start_s: float
    spread_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Timing:
    """All ways over one corpus."""

    corpus: str
    n_files: int
    n_bytes: int
    speeds: tuple[Speed, ...]

    def cpu_s(self, name: str) -> float:
        """Net CPU-seconds of one way."""
        return next(each.cpu_s for each in self.speeds if each.name == name)


SLICES = ("mr-one-person", "pet", "petmr-pair", "t1-defaced")
"""Series of one file a slice: on them the targets are judged."""

MEMORY = Path("/dev/shm")  # noqa: S108
"""Where Linux keeps files in memory: there no disk is measured beside the engines."""

MOSAICS = ("asl-siemens",)
"""Siemens mosaics: the batch takes them apart, so no engine copies them."""

_FOLDERS = {"mr-one-person": "mr-one-person", "pet": "fdg-whole-body/PET"}
_SPLICE, _PYDICOM = "tracerless, splice engine", "tracerless, pydicom engine"
_OWN = ("copy", "bytes read + written", "pydicom read + write", _SPLICE, _PYDICOM)


def main() -> None:
    """Measure, print, keep as JSON; exit 1 when a target is missed."""
    found = scans()
    if found is None:
        print("Left out: real scans are absent (TRACERLESS_TEST_DATA).")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = dict(_ways())
        slices = [_measure(_corpus(found, folder, SLICES), ways, "disk")]
        if os.access(MEMORY, os.W_OK):
            with tempfile.TemporaryDirectory(dir=MEMORY) as other:
                slices += [_measure(_corpus(found, Path(other), SLICES), ways, "memory")]
        own = {name: run for name, run in ways.items() if name in _OWN}
        mosaics = _measure(_corpus(found, folder, MOSAICS), own, "disk")
        ratio = _verification(folder)
    missed = [text for timing in slices for text in _missed(timing)]
    print(f"Verification: {ratio[1] / ratio[0]:.2f} x the de-identification (target 1).")
    if ratio[1] > VERIFY_OVER * ratio[0]:
        missed.append("Missed: verification over de-identification.")
    _keep([*slices, mosaics], ratio)
    print("\n".join(missed) or "Every target is met.")
    if missed:
        sys.exit(1)


def _corpus(found: Path, folder: Path, groups: Sequence[str]) -> Path:
    """Real series, a folder for each person; read once, so that they lie in memory."""
    archives = {group: archive for group, archive, _ in PACKED}
    target = folder / groups[0] / "corpus"
    for group in groups:
        source = found / _FOLDERS.get(group, "")
        if group in archives:
            source = unpack(found, folder / "unpacked", group, archives[group])
        (target / group).mkdir(parents=True)
        for number, path in enumerate(sorted(source.rglob("*"))):
            if path.is_file() and path.open("rb").read(132)[128:] == b"DICM":
                shutil.copyfile(path, target / group / f"{number:05d}.dcm")
    for path in target.rglob("*.dcm"):
        path.read_bytes()
    return target


def _measure(corpus: Path, ways: Mapping[str, Run], place: str) -> Timing:
    """Every way over one corpus, in turns, written to a disk or to memory; printed as a table."""
    sizes = [path.stat().st_size for path in corpus.rglob("*.dcm")]
    empty, out = corpus.parent / "empty", corpus.parent / "out"
    empty.mkdir()
    nets: dict[str, list[float]] = {name: [] for name in ways}
    starts: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            starts[name].append(_fresh(run, empty, out))
            nets[name].append(_fresh(run, corpus, out))
    speeds = []
    for name, costs in nets.items():
        start = statistics.median(starts[name])
        net = sorted(cost - start for cost in costs)
        speeds.append(Speed(name, statistics.median(net), start, (net[0], net[-1])))
    timing = Timing(f"{corpus.parent.name}, {place}", len(sizes), sum(sizes), tuple(speeds))
    _print(timing)
    return timing


def _fresh(run: Run, source: Path, target: Path) -> float:
    shutil.rmtree(target, ignore_errors=True)
    return run(source, target)


def _ways() -> Iterator[tuple[str, Run]]:
    yield "copy", _script(_COPY)
    yield "bytes read + written", _script(_BYTES)
    yield "pydicom read + write", _script(_READ_WRITE)
    yield _SPLICE, _engine("splice")
    yield _PYDICOM, _engine("pydicom")
    for peer in PEERS[:2]:
        python = python_of(peer)
        if isinstance(python, str):
            print(f"{peer.name} is left out: {python}.")
            continue
        yield peer.name, lambda s, t, peer=peer, python=python: run_peer(peer, python, s, t).cpu_s


def _script(code: str) -> Run:
    def run(source: Path, target: Path) -> float:
        target.mkdir()
        return timed([sys.executable, "-c", code, source, target]).cpu_s

    return run


def _engine(engine: str) -> Run:
    def run(source: Path, target: Path) -> float:
        target.mkdir()
        module = "bench.deidentify_driver_tracerless"
        line = [sys.executable, "-m", module, engine, "research", source, target]
        return timed(line, cwd=ROOT).cpu_s

    return run


def _verification(folder: Path) -> tuple[float, float]:
    """CPU-seconds of the whole command and of the verification of what it wrote."""
    code = "from tracerless.cli import main; main()"
    target, vault = folder / "dataset", folder / "vault"
    line = [sys.executable, "-c", code]
    made = timed(
        [
            *line,
            "deidentify",
            folder / SLICES[0] / "corpus",
            target,
            "--vault",
            vault,
            "--profile",
            PROFILE,
        ],
        settings=folder / "settings",
    )
    proof = timed([*line, "verify", target, "--vault", vault], settings=folder / "settings")
    print(f"The whole command took {made.cpu_s:.1f} CPU-s (exit code {made.code}), ", end="")
    print(f"its verification {proof.cpu_s:.1f} (exit code {proof.code}).\n", flush=True)
    return made.cpu_s, proof.cpu_s


def _print(timing: Timing) -> None:
    size = f"{timing.n_files} files, {timing.n_bytes / 1e6:.0f} MB"
    print(f"{timing.corpus}: {size}, {ROUNDS} rounds.\n")
    print("| way | CPU-s, net | lowest to highest | start | files per CPU-s | MB per CPU-s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for each in timing.speeds:
        low, high = each.spread_s
        print(
            f"| {each.name} | {each.cpu_s:.2f} | {low:.2f} to {high:.2f} | {each.start_s:.2f} | "
            f"{timing.n_files / each.cpu_s:.0f} | {timing.n_bytes / 1e6 / each.cpu_s:.0f} |"
        )
    print(flush=True)


def _missed(slices: Timing) -> Iterator[str]:
    splice = slices.cpu_s(_SPLICE)
    over_pydicom = slices.cpu_s("pydicom read + write") / splice
    over_copy = slices.cpu_s("copy") / splice
    print(
        f"Splice, {slices.corpus}: {over_pydicom:.1f} x pydicom read + write "
        f"(target {OVER_PYDICOM:g}), {over_copy:.2f} x copy (target {OVER_COPY:g})."
    )
    if over_pydicom < OVER_PYDICOM:
        yield f"Missed: splice over pydicom ({slices.corpus})."
    if over_copy < OVER_COPY:
        yield f"Missed: splice over copying ({slices.corpus})."


def _keep(timings: Sequence[Timing], command: tuple[float, float]) -> None:
    folder = Path(os.environ.get("TRACERLESS_BENCH_RESULTS") or environments() / "results")
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "timings": [asdict(each) for each in timings],
        "command_cpu_s": command[0],
        "verify_cpu_s": command[1],
    }
    (folder / "deidentify-speed.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
