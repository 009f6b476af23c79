"""How much leaks and how much still measures: every policy of ours, and other tools, in one run.

``./dev bench deidentify`` runs the half that may be looked at; ``./dev bench deidentify-heldout``
the other one, only to report: never look at what it finds while tuning. Exit 1: a target is missed.
"""

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from bench.deidentify_bases import HELD_OUT, TUNE, Series, real, scans, simulated
from bench.deidentify_corpus import Corpus, build
from bench.deidentify_judge import Verdict, iod_errors, judge, keep_table, leak_table, record
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
        before = sum(iod_errors([file.base for file in corpus.files]))
        print(
            f"{len(corpus.files)} files of {len(corpus.people)} people, "
            f"{len(corpus.tokens)} planted values, half {half}.\n",
            flush=True,
        )
        verdicts = [*_ours(corpus, folder), *_commands(corpus, folder), *_peers(corpus, folder)]
    print("\n".join(leak_table(verdicts)), "\n")
    print("\n".join(keep_table(verdicts, before)), "\n")
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


def _ours(corpus: Corpus, folder: Path) -> Iterator[Verdict]:
    """Every policy, file by file: what the engine itself lets cross."""
    for profile in profiles.names():
        target = folder / f"engine-{profile}"
        target.mkdir()
        module = "bench.deidentify_driver_tracerless"
        line = [sys.executable, "-m", module, "pydicom", profile, corpus.scans, target]
        cost = timed(line, cwd=ROOT)
        ordered = Ordered(Profile.parse(profile, profiles.read(profile)))
        outputs = by_order(corpus, target)
        yield _seen(judge(f"engine, {profile}", corpus, outputs, target, ordered, cost.said))


def _commands(corpus: Corpus, folder: Path) -> Iterator[Verdict]:
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
        yield _seen(judge(f"command, {profile}", corpus, outputs, target, ordered))


def _peers(corpus: Corpus, folder: Path) -> Iterator[Verdict]:
    for peer in PEERS:
        python = python_of(peer)
        if isinstance(python, str):
            print(f"{peer.name} is left out: {python}.")
            continue
        target = folder / peer.driver.removesuffix(".py")
        run_peer(peer, python, corpus.scans, target)
        outputs = by_numbers(corpus, target)
        write_crosswalks(corpus, outputs, folder)
        yield _seen(judge(peer.name, corpus, outputs, target))


def _seen(verdict: Verdict) -> Verdict:
    print(f"{verdict.name}: {verdict.n_leaks} leaks. {verdict.note}".rstrip(), flush=True)
    for n, planted, found in verdict.swept.places()[:_SHOWN]:
        print(f"    {n} x {planted} (in {found})")
    return verdict


_SHOWN = 12


def _missed(verdicts: list[Verdict]) -> Iterator[str]:
    """Targets that our own runs miss, in sentences."""
    for each in (each for each in verdicts if each.name.startswith(("engine", "command"))):
        kept = each.kept
        if each.n_leaks:
            yield f"Missed: {each.name} leaks {each.n_leaks} values outside ordered rows."
        if kept.technical < kept.technical_of:
            n_lost = kept.technical_of - kept.technical
            yield f"Missed: {each.name} loses {n_lost} technical values."
        if kept.suv < kept.suv_of:
            yield f"Missed: {each.name} keeps SUV on {kept.suv} of {kept.suv_of} PET files."
        if each.name.startswith("engine") and kept.missing:
            yield f"Missed: {each.name} writes {kept.missing} files fewer than it should."
        if each.name.startswith("command") and kept.burned:
            yield f"Missed: {each.name} lets text in pixels cross in {kept.burned} files."


def _keep(half: str, rows: list[dict[str, object]]) -> None:
    folder = Path(os.environ.get("TRACERLESS_BENCH_RESULTS") or environments() / "results")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"deidentify-{half}.json"
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"Numbers: {path.name} in the results folder of the bench.\n")
