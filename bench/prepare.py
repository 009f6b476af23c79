"""What preparing costs, stage by stage, against the gates; and that workers give the same bytes.

./dev bench prepare
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.measure import Cost, tracerless

SEED = "holdout-bench-prepare"

FLOW = ("asl", "m0scan", "deltam", "cbf")


@dataclass(frozen=True)
class Case:
    """A kind of session, the contrasts it keeps of a visit, and what it may cost."""

    name: str
    contrasts: tuple[str, ...]
    visit: str = "ses-01"
    cpu_s: float | None = None
    peak_mb: float | None = None


CASES = (
    Case("T1 + PET", ("T1w", "FDG"), cpu_s=40, peak_mb=1500),
    Case("T1 + T2 + ASL", ("T1w", "T2w", *FLOW), cpu_s=60),
    Case("T1 + T2 + ASL + PET", ("T1w", "T2w", *FLOW, "FDG")),
    Case("PET alone", ("FDG",)),
    Case("SPECT alone", ("ECD", "HMPAO"), visit="ses-02"),
)


def main() -> None:
    """Simulate one person, and print the four tables."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = _hospital(folder)
        cases = {case.name: _only(whole, folder / f"case-{n}", case) for n, case in _numbered()}
        _cost_table(cases)
        _stage_table(cases)
        _agreement(cases)
        _same_bytes(whole, folder)


def _numbered() -> Iterator[tuple[int, Case]]:
    return enumerate(CASES)


def _hospital(folder: Path) -> Path:
    """A dataset of two simulated people."""
    _must(tracerless("simulate", folder / "hospital", "--people", "2", "--seed", SEED))
    dicom, dataset, site = (folder / each for each in ("hospital/dicom", "whole", "hospital"))
    words = ["deidentify", dicom, dataset, "--vault", folder / "vault", "--profile", "seed"]
    if (site / "site.toml").is_file():
        words += ["--site", site / "site.toml"]
    _must(tracerless(*words))
    return dataset


def _must(cost: Cost) -> Cost:
    if cost.code != 0:
        sys.exit(f"`{cost.words.split()[0]}` ended with {cost.code}.")
    return cost


def _only(whole: Path, target: Path, case: Case) -> Path:
    """A dataset of one visit of the first person, with those contrasts."""
    shutil.copytree(whole, target)
    first, *others = sorted((target / "sourcedata").glob("sub-*"))
    for person in others:
        shutil.rmtree(person)
    for visit in first.glob("ses-*"):
        if visit.name != case.visit:
            shutil.rmtree(visit)
    for series in first.glob("ses-*/*_*"):
        if series.is_dir() and series.name.split("_")[0] not in case.contrasts:
            shutil.rmtree(series)
    return target


def _cost_table(cases: dict[str, Path]) -> None:
    print("| session | CPU-s | gate | peak MB | gate | verdict |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        cost = tracerless("prepare", cases[case.name])
        if cost.code != 0:
            print(f"| {case.name} | **not done, exit {cost.code}** | | | | |", flush=True)
            continue
        cells = (
            f"{cost.cpu_s:.1f}",
            _gate(cost.cpu_s, case.cpu_s),
            f"{cost.peak_mb:.0f}",
            _gate(cost.peak_mb, case.peak_mb),
            _verdict(cases[case.name]),
        )
        print(f"| {case.name} | {' | '.join(cells)} |", flush=True)


def _gate(value: float, limit: float | None) -> str:
    if limit is None:
        return ""
    return f"{'met' if value <= limit else '**missed**'} (≤ {limit:.0f})"


def _verdict(dataset: Path) -> str:
    found = list(dataset.rglob("*_desc-prepared.json"))
    return json.loads(found[0].read_text())["verdict"] if found else "not done"


def _stage_table(cases: dict[str, Path]) -> None:
    print("\n| session | stage | CPU-s | grew the process by, MB |\n| --- | --- | --- | --- |")
    for name in ("T1 + PET", "T1 + T2 + ASL", "PET alone"):
        line = [sys.executable, "-m", "bench.prepare_stages", str(cases[name])]
        done = subprocess.run(line, check=False, stdout=subprocess.PIPE, text=True)
        for stage in json.loads(done.stdout or "[]"):
            print(f"| {name} | {stage['stage']} | {stage['cpu_s']:.1f} | {stage['mb']:.0f} |")


def _agreement(cases: dict[str, Path]) -> None:
    """The same PET, measured with the person's T1 and without it."""
    tables = [_uptake(cases[name]) for name in ("T1 + PET", "PET alone")]
    if any(table is None for table in tables):
        print("\nMR path and PET-only path: not measured; one of them was not prepared.")
        return
    with_mr, alone = (table for table in tables if table is not None)
    off = 100 * np.abs(alone / with_mr - 1)
    print("\n| regional SUVR, PET alone against T1 + PET | value |\n| --- | --- |")
    print(f"| mean difference | {off.mean():.1f} % |")
    print(f"| largest difference | {off.max():.1f} % ({off.idxmax()}) |")
    print(f"| correlation over regions | {np.corrcoef(with_mr, alone)[0, 1]:.3f} |", flush=True)


def _uptake(dataset: Path) -> pd.Series | None:
    """Mean SUVR by region of acquired FDG."""
    if tracerless("quantify", dataset).code != 0:
        return None
    table = pd.read_csv(dataset / "derivatives" / "tracerless" / "regions.tsv", sep="\t")
    fdg = table[table["contrast"] == "FDG"]
    return fdg.set_index("region")["mean"]


def _same_bytes(whole: Path, folder: Path) -> None:
    """Four sessions by one process, by two workers, and by a Dask cluster of this machine."""
    text = (whole / "tracerless.toml").read_text()
    (whole / "tracerless.toml").write_text(text.replace("voxel_mm = 2.0", "voxel_mm = 4.0", 1))
    ways: dict[str, tuple[str, ...]] = {
        "one process": (),
        "--workers 2": ("--workers", "2"),
        "--scheduler local": ("--workers", "2", "--scheduler", "local"),
    }
    print("\n| four sessions, 4 mm, by | exit | CPU-s | files | same bytes |")
    print("| --- | --- | --- | --- | --- |")
    first: dict[str, Any] = {}
    for n, (name, words) in enumerate(ways.items()):
        target = folder / f"way-{n}"
        shutil.copytree(whole, target)
        cost = tracerless("quantify", target, *words)
        made = {
            str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()
        }
        first = first or made
        same = "yes" if made == first else "**no**"
        print(f"| {name} | {cost.code} | {cost.cpu_s:.0f} | {len(made)} | {same} |", flush=True)
