"""The steps of an evaluation of diagnosis models, each taken over where it is done."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from tracerless import __version__, diagnose
from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import sizes, splits
from tracerless.diagnose.assess import Extra
from tracerless.diagnose.assess_sets import simplest
from tracerless.diagnose.labels import taken
from tracerless.diagnose.sites import scanners_left_out
from tracerless.io import assessments
from tracerless.workspace import diagnosis_answers as answers
from tracerless.workspace.diagnosis import Z
from tracerless.workspace.section import Advance
from tracerless.workspace.study import MAX_GAP_DAYS

PARTS = "parts"
"""Folder of what a stopped evaluation finished."""
_SPLITS_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is done beside the five arms.

    Args:
        n_splits: other random splits beside the specification's single one; 0 leaves both out.
        n_sentinel: draws of permuted labels.
        shares: of people, at which the learning curve is measured.
        prevalences: of being positive, by where; for predictive values.
        max_gap_days: between score and scan.
    """

    n_splits: int = 100
    n_sentinel: int = 20
    shares: tuple[float, ...] = sizes.SHARES
    prevalences: Mapping[str, float] = field(default_factory=dict)
    max_gap_days: int = MAX_GAP_DAYS

    def __post_init__(self) -> None:
        """Check once.

        Raises:
            ModelError: fewer than two draws of the sentinel, fewer splits than none, or a
                prevalence that is none.
        """
        if self.n_splits < 0:
            raise ModelError(f"{self.n_splits} other splits; 0 leaves the single split out.")
        if self.n_sentinel < 2:
            raise ModelError(f"{self.n_sentinel} draws of permuted labels; at least 2 are made.")
        for words, value in self.prevalences.items():
            if not 0 < value < 1:
                raise ModelError(f"Prevalence {words}={value:g} is not between 0 and 1.")


def arms_of(found: Study) -> tuple[tuple[Arm, ...], tuple[str, ...]]:
    """Arms that differ from all before them, and a sentence for each that does not."""
    seen: dict[tuple[str, ...], Arm] = {}
    notes = []
    for arm in Arm:
        keys = found.keys(arm)
        if not keys:
            notes.append(f"Arm {arm} has no predictor.")
        elif keys in seen:
            notes.append(f"Arm {arm} has no other predictors than {seen[keys]}: left out.")
        else:
            seen[keys] = arm
    return tuple(seen.values()), tuple(notes)


def digest_of(found: Study, *settings: object) -> str:
    """16 hex digits over a study and what is done with it."""
    said = hashlib.sha256()
    for part in (
        found.table.to_csv(),
        found.people.to_csv(),
        "" if found.references is None else found.references.to_csv(),
        repr((found.predictors, found.diagnosis, found.person, found.visit, found.scanner)),
        repr((found.measured, __version__, *settings)),
    ):
        said.update(part.encode())
        said.update(b"\x1f")
    return said.hexdigest()[:16]


class Run:
    """The steps of one evaluation, each taken over where it is done."""

    def __init__(
        self,
        folder: Path,
        found: Study,
        settings: diagnose.Settings,
        options: Options,
        advance: Advance | None = None,
    ) -> None:
        self.folder, self.study = folder, found
        self.settings, self.options, self.advance = settings, options, advance
        self.arms, self.notes = arms_of(found)
        self.digest = digest_of(found, settings, options)
        self.learn: splits.Learn = partial(diagnose.nested, z_step=Z())
        n_splits = -(-(options.n_splits + 1) // _SPLITS_AT_ONCE) if options.n_splits else 0
        self.total = len(self.arms) + n_splits + options.n_sentinel + len(options.shares) + 1
        self.done = 0

    @property
    def main(self) -> Arm:
        """The fullest arm that may be a result."""
        order = (Arm.BOTH, Arm.IMAGE, Arm.COGNITION, Arm.DEMOGRAPHICS)
        return next(arm for arm in order if arm in self.arms)

    def all(self) -> tuple[list[diagnose.OutOfFold], Extra]:
        """Answers of every arm, and the tables of further fits."""
        taken(self.study, self.settings)  # refuses before anything is begun
        outs = [out for arm in self.arms for out in self._arm(arm)]
        tables = {
            "single_split": _joined("single_split", self._splits()),
            "sentinel": _joined("sentinel", self._sentinels()),
            "learning_curve": _joined("learning_curve", self._curve()),
            "subgroups": _joined("subgroups", self._scanners(outs)),
        }
        low, high, holds = splits.verdict(tables["sentinel"])
        facts = {
            "digest": self.digest,
            "gap_days": self.options.max_gap_days,
            "sentinel": {
                "low": low, "high": high, "holds": holds, "level": splits.SENTINEL_LEVEL,
            },
        }  # fmt: skip
        notes = [*self.notes, *self._warnings(tables, holds=holds)]
        prevalences = self.options.prevalences
        return outs, Extra(tables=tables, prevalences=prevalences, facts=facts, notes=tuple(notes))

    def _warnings(self, tables: Mapping[str, pd.DataFrame], *, holds: bool) -> Iterator[str]:
        if not holds:
            yield "Labels without meaning were told apart: something leaks, believe no number here."
        measured = {int(n) for n in tables["learning_curve"]["n"]}
        if len(measured) < len(self.options.shares):
            yield "The learning curve lacks points at which a class would get too small."
        if self.options.n_splits:
            yield (
                f"The single split holds out {splits.TEST_SHARE:.0%} of people once and judges the "
                "MLP, as the specification asks; any of the others would have been as good."
            )

    def _arm(self, arm: Arm) -> tuple[diagnose.OutOfFold, ...]:
        digest = digest_of(self.study, self.settings, arm)
        found = answers.read(self.folder, self.study, arm, digest=digest)
        if found is None:
            self._tell(f"arm {arm}")
            found = diagnose.nested(self.study, arm, settings=self.settings, z_step=Z())
            answers.write(self.folder, self.study, found, digest=digest)
        self._step(f"arm {arm}")
        return found

    def _splits(self) -> Iterator[pd.DataFrame]:
        if not self.options.n_splits:
            return
        every = range(self.options.n_splits + 1)
        for start in range(0, len(every), _SPLITS_AT_ONCE):
            numbers = every[start : start + _SPLITS_AT_ONCE]
            yield self._part(
                f"splits {numbers[0]}-{numbers[-1]}",
                partial(
                    splits.single_splits, self.study, self.main, self.learn,
                    settings=self.settings, numbers=numbers,
                ),
            )  # fmt: skip

    def _sentinels(self) -> Iterator[pd.DataFrame]:
        for number in range(self.options.n_sentinel):
            yield self._part(
                f"sentinel {number}",
                partial(
                    splits.sentinel, self.study, self.main, self.learn,
                    settings=self.settings, numbers=(number,),
                ),
            )  # fmt: skip

    def _scanners(self, outs: Sequence[diagnose.OutOfFold]) -> Iterator[pd.DataFrame]:
        mine = [out for out in outs if out.arm is self.main]
        model, _ = simplest(mine, self.study.person)
        yield self._part(
            f"scanners left out, {model}",
            partial(
                scanners_left_out, self.study, self.main, self.learn,
                settings=self.settings, model=model,
            ),
        )  # fmt: skip

    def _curve(self) -> Iterator[pd.DataFrame]:
        models = tuple(name for name in self.settings.models if name != "prevalence")
        for share in self.options.shares if models else ():
            yield self._part(
                f"learning curve {share:.2f}",
                partial(
                    sizes.learning_curve, self.study, self.main, self.learn,
                    settings=replace(self.settings, models=models), share=share,
                ),
            )  # fmt: skip

    def _part(self, what: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """A table of a step, kept under a name that only the same step has."""
        name = digest_of(self.study, self.settings, self.main, what)
        path = self.folder / PARTS / f"{name}.tsv"
        if not path.is_file():
            self._tell(what)
            assessments.write_table(path, make())
        self._step(what)
        return assessments.read_table(path)

    def _tell(self, what: str) -> None:
        if self.advance:
            self.advance(self.done, self.total, what)

    def _step(self, what: str) -> None:
        self.done += 1
        self._tell(what)


def _joined(name: str, parts: Iterator[pd.DataFrame]) -> pd.DataFrame:
    tables = [table for table in parts if len(table)]
    empty = pd.DataFrame(columns=list(TABLES[name]))
    return pd.concat(tables, ignore_index=True) if tables else empty
