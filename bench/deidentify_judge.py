"""Everything that is measured of one tool or policy on one corpus, and the rows that show it."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.deidentify_corpus import Corpus
from bench.deidentify_leaks import Ordered, Sweep, sweep, sweep_rest, wilson
from bench.deidentify_match import beside
from bench.deidentify_places import STRATA
from bench.deidentify_retain import Kept, Links, links, retained

Errors = Mapping[int, Counter[str]]
"""By number of the planted file: errors of its object definition, numbers left out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One run: who, what leaked, what was kept, how many errors of the object definition."""

    name: str
    corpus: Corpus
    swept: Sweep
    beside: Sweep
    kept: Kept
    links: Links
    iod_errors: Counter[str]
    note: str = ""
    n_differing: int = 0
    """Files that our two engines wrote differently."""

    @property
    def n_leaks(self) -> int:
        """Leaks that no row orders, in images and beside them."""
        return len(self.swept.outside) + len(self.beside.leaks)

    @property
    def n_people(self) -> int:
        """People of whom anything leaked."""
        return len(self.swept.people(self.corpus) | self.beside.people(self.corpus))


def judge(
    name: str,
    corpus: Corpus,
    outputs: Mapping[int, Sequence[Path]],
    root: Path,
    known: Errors,
    *,
    ordered: Ordered | None = None,
    note: str = "",
) -> Verdict:
    """Judge what a run wrote below ``root``; ``known`` errors are not held against it."""
    images = {path for paths in outputs.values() for path in paths}
    other = [path for path in beside(root) if path not in images]
    errors = iod_errors({number: paths[0] for number, paths in outputs.items()})
    new = {number: each - known.get(number, Counter()) for number, each in errors.items()}
    return Verdict(
        name=name,
        corpus=corpus,
        swept=sweep(corpus, outputs, root, ordered),
        beside=sweep_rest(corpus, other, root),
        kept=retained(corpus, outputs),
        links=links(corpus, outputs),
        iod_errors=sum((each for each in new.values()), Counter()),
        note=note,
    )


def iod_errors(files: Mapping[int, Path]) -> Errors:
    """What dciodvfy finds wrong in each file; nothing where the tool is absent."""
    tool = Path(sys.executable).with_name("dciodvfy")
    if not tool.is_file():
        return {}

    def errors(path: Path) -> Counter[str]:
        line = [tool, path]
        told = subprocess.run(line, capture_output=True, check=False, text=True, errors="replace")
        rows = (row for row in told.stderr.splitlines() if row.startswith("Error"))
        return Counter(re.sub(r"[0-9]+", "#", row)[:120] for row in rows)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(files, pool.map(errors, files.values()), strict=True))


def known_errors(corpus: Corpus) -> Errors:
    """Errors of each scan as it was, or as planting left it: whichever has more of a kind."""
    bases = iod_errors({file.number: file.base for file in corpus.files})
    planted = iod_errors({file.number: file.path for file in corpus.files})
    return {number: errors | planted[number] for number, errors in bases.items()}


def leak_table(verdicts: Sequence[Verdict]) -> list[str]:
    """Leaks per 1,000 files and by stratum; people with any; Markdown."""
    rows = [
        "| run | files written | kept out | leaks | per 1,000 files | people with a leak (95 %) | "
        + " | ".join(STRATA)
        + " | beside | burned-in | ordered kept |",
        "| --- |" + " --- |" * (9 + len(STRATA)),
    ]
    for each in verdicts:
        n_written = len(each.corpus.files) - each.kept.missing
        n_people = len({file.person for file in each.corpus.files})
        low, high = wilson(each.n_people, n_people)
        by = each.swept.by_stratum()
        rows.append(
            f"| {each.name} | {n_written} | {each.kept.missing} | {each.n_leaks} | "
            f"{1000 * each.n_leaks / max(1, n_written):.0f} | "
            f"{each.n_people} of {n_people} ({100 * low:.0f}-{100 * high:.0f} %) | "
            + " | ".join(str(by[stratum]) for stratum in STRATA)
            + f" | {len(each.beside.leaks)} | {each.kept.burned} of {each.kept.burned_of} | "
            f"{len(each.swept.leaks) - len(each.swept.outside)} |"
        )
    return rows


def keep_table(verdicts: Sequence[Verdict]) -> list[str]:
    """What still measures; Markdown."""
    rows = [
        "| run | technical values | times of day | pixels | SUV kept / changed "
        "| safe vendor numbers | clinical words | one date shift | references | UIDs 1:1 | "
        "new IOD errors |",
        "| --- |" + " --- |" * 10,
    ]
    for each in verdicts:
        kept, tied = each.kept, each.links
        rows.append(
            f"| {each.name} | {_part(kept.technical, kept.technical_of)} | "
            f"{_part(kept.times, kept.times_of)} | {kept.pixels}/{kept.pixels_of} | "
            f"{kept.suv}/{kept.suv_of}, {kept.suv_changed} changed | "
            f"{kept.private}/{kept.private_of} | {_part(kept.clinical, kept.clinical_of)} | "
            f"{tied.people_steady}/{tied.people_of} | "
            f"{tied.references_closed}/{tied.references_of} | "
            f"{'yes' if tied.is_one_to_one else 'no'} | {each.iod_errors.total()} |"
        )
    return rows


def _part(n: int, of: int) -> str:
    return f"{100 * n / of:.1f} % of {of}" if of else "none"


def record(verdict: Verdict) -> dict[str, Any]:
    """For JSON; places (of the tuning half only), never a planted value."""
    kept, held_out = verdict.kept, verdict.corpus.is_held_out
    return {
        "name": verdict.name,
        "note": verdict.note,
        "leaks": verdict.n_leaks,
        "people_with_a_leak": verdict.n_people,
        "ordered_kept": len(verdict.swept.leaks) - len(verdict.swept.outside),
        "places": [] if held_out else [list(row) for row in verdict.swept.places()],
        "kept_out": kept.missing,
        "technical": [kept.technical, kept.technical_of],
        "technical_lost": dict(kept.lost.most_common()),
        "times": [kept.times, kept.times_of],
        "pixels": [kept.pixels, kept.pixels_of],
        "suv": [kept.suv, kept.suv_changed, kept.suv_of],
        "burned_in": [kept.burned, kept.burned_of],
        "clinical_words": [kept.clinical, kept.clinical_of],
        "new_iod_errors": dict(verdict.iod_errors.most_common()),
    }
