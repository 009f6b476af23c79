"""How much leaks and how much still measures: every policy of ours, and other tools, in one run.

``./dev bench deidentify`` runs the half that may be looked at; ``./dev bench deidentify-heldout``
the other one, only to report: never look at what it finds while tuning. Exit 1: a target is missed.
"""

import filecmp
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.deidentify_bases import HELD_OUT, TUNE, Series, real, scans, simulated
from bench.deidentify_corpus import Corpus, build
from bench.deidentify_judge import (
    Errors,
    Verdict,
    judge,
    keep_table,
    known_errors,
    leak_table,
    record,
)
from bench.deidentify_key import write_crosswalks, write_key
from bench.deidentify_leaks import Ordered
from bench.deidentify_match import by_numbers, by_order
from bench.deidentify_peers import PEERS, environments, python_of, run_peer, timed
from tracerless.deidentify import Profile
from tracerless.io import profiles

ROOT = Path(__file__).resolve().parent.parent

COMMANDS = ("seed", "research")
"""Policies with which the whole command is run as well."""


def main() -> None:
    """The half for tuning."""
    run(TUNE)


def held_out() -> None:
    """The other half."""
    run(HELD_OUT)


def run(half: str) -> None:
    """Plant, run everything, judge, print, and keep the numbers as JSON."""
    warnings.simplefilter("ignore")  # of readers, about what was planted
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = build(folder / half, _series(folder, half), half)
        write_key(corpus, folder / "answers.db")
        known = known_errors(corpus)
        print(
            f"{len(corpus.files)} files of {len(corpus.people)} people, "
            f"{len(corpus.tokens)} planted values, half {half}.\n",
            flush=True,
        )
        verdicts = [
            verdict
            for runs in (_ours, _commands, _peers)
            for verdict in runs(corpus, folder, known)
        ]
        print("\n".join(leak_table(verdicts)), "\n")
        print("\n".join(keep_table(verdicts)), "\n")
        _keep(half, [record(each) for each in verdicts])
    missed = list(_missed(verdicts))
    print("\n".join(missed) or "Every target is met.")
    if missed:
        sys.exit(1)


def _series(folder: Path, half: str) -> list[Series]:
    found = scans()
    if found is None:
        print("Real scans are absent (TRACERLESS_TEST_DATA): simulated ones only.")
    taken = real(found, folder / "unpacked", half) if found else []
    return [*taken, *simulated(folder / "simulated", half)]


def _ours(corpus: Corpus, folder: Path, known: Errors) -> Iterator[Verdict]:
    """Every policy, file by file, by both engines: judged is what the fast one wrote."""
    for profile in profiles.names():
        targets = {engine: folder / f"{engine}-{profile}" for engine in ("pydicom", "splice")}
        said = ""
        for engine, target in targets.items():
            target.mkdir()
            module = "bench.deidentify_driver_tracerless"
            line = [sys.executable, "-m", module, engine, profile, corpus.scans, target]
            said = timed(line, cwd=ROOT).said.strip()
        n_differing = _differing(*targets.values())
        ordered = Ordered(Profile.parse(profile, profiles.read(profile)))
        outputs = by_order(corpus, targets["splice"])
        note = (
            f"Refused: {said or 'the engine ended early'}. Engines differ in {n_differing} files."
        )
        root, name = targets["splice"], f"engine, {profile}"
        verdict = judge(name, corpus, outputs, root, known, ordered=ordered, note=note)
        yield _seen(replace(verdict, n_differing=n_differing))


def _differing(one: Path, other: Path) -> int:
    """How many files of two folders are not equal byte for byte, or are in one only."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    both = ((one / name, other / name) for name in names)
    return sum(
        not (a.is_file() and b.is_file() and filecmp.cmp(a, b, shallow=False)) for a, b in both
    )


def _commands(corpus: Corpus, folder: Path, known: Errors) -> Iterator[Verdict]:
    """The whole command: series, captures, text in pixels, names of folders, sidecars, tables."""
    for profile in COMMANDS:
        target = folder / f"command-{profile}"
        code = "from tracerless.cli import main; main()"
        line = [sys.executable, "-c", code, "deidentify", corpus.scans, target]
        line += ["--vault", folder / f"vault-{profile}", "--profile", profile]
        cost = timed(line, settings=folder / "settings")
        if not target.is_dir():
            print(f"The command with profile {profile} wrote nothing (exit code {cost.code}).")
            continue
        ordered = Ordered(Profile.parse(profile, profiles.read(profile)))
        outputs = by_numbers(corpus, target)
        name = f"command, {profile}"
        yield _seen(judge(name, corpus, outputs, target, known, ordered=ordered))


def _peers(corpus: Corpus, folder: Path, known: Errors) -> Iterator[Verdict]:
    for peer in PEERS:
        python = python_of(peer)
        if isinstance(python, str):
            print(f"{peer.name} is left out: {python}.")
            continue
        target = folder / peer.driver.removesuffix(".py")
        run_peer(peer, python, corpus.scans, target)
        outputs = by_numbers(corpus, target)
        write_crosswalks(corpus, outputs, folder)
        yield _seen(judge(peer.name, corpus, outputs, target, known))


def _seen(verdict: Verdict) -> Verdict:
    print(f"{verdict.name}: {verdict.n_leaks} leaks. {verdict.note}".rstrip(), flush=True)
    shown = 0 if verdict.corpus.is_held_out else _SHOWN
    for n, planted, found in verdict.swept.places()[:shown]:
        print(f"    {n} x {planted} (in {found})")
    return verdict


_SHOWN = 12


def _missed(verdicts: list[Verdict]) -> Iterator[str]:
    """Targets that our own runs miss, in sentences."""
    for each in (each for each in verdicts if each.name.startswith(("engine", "command"))):
        kept = each.kept
        short = {
            "values leaked outside ordered rows": each.n_leaks,
            "technical values lost": kept.technical_of - kept.technical,
            "new IOD errors": each.iod_errors.total(),
            "PET files without their SUV": kept.suv_of - kept.suv,
        }
        if each.name.startswith("engine"):
            short["files not written"] = kept.missing
            short["files in which the engines differ"] = each.n_differing
        else:
            short["files with text in their pixels"] = kept.burned
        yield from (f"Missed: {each.name}: {n} {what}." for what, n in short.items() if n)


def _keep(half: str, rows: list[dict[str, object]]) -> None:
    folder = Path(os.environ.get("TRACERLESS_BENCH_RESULTS") or environments() / "results")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"deidentify-{half}.json"
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"Numbers: {path.name} in the results folder of the bench.\n")
