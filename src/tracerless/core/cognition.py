"""Cognitive tests: how they are called, how they score, whether a diagnosis was made of them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from tracerless.core.errors import DatasetError, did_you_mean


class Leak(StrEnum):
    """How far a score goes into the diagnosis itself."""

    NONE = "none"
    """It does not: it may predict."""
    LOW = "low"
    """The clinician has it at hand (a screening total); it may predict, and is said to be near."""
    HIGH = "high"
    """It makes the diagnosis or stages it: never a predictor."""


@dataclass(frozen=True, slots=True)
class Test:
    """One score of one version of one test.

    Args:
        code: its key in tables, e.g. ``MMSE``.
        name_en: in English.
        name_zh: in Traditional Chinese.
        domain: cognitive domain, e.g. ``memory``; ``global`` for totals, ``mood``, ``function``.
        low: lowest possible score.
        high: highest possible score.
        integer: whether only whole numbers can be scored.
        unit: ``points``, ``s``, ``words`` …
        better: ``high`` or ``low``.
        cap: at which value the examiner stops and writes that value; NaN for none.
        missing: codes that stand for no value, and why (``88`` → not applicable).
        version: of the test; part of what a norm belongs to.
        education_correction: in words, e.g. ``+1 up to 12 years``; empty for none.
        leak: how far it goes into the diagnosis.
        source: manual or paper.
        aliases: other names in other registries, e.g. ``NACCMMSE``.
        tool: the instrument that it belongs to; names its file, ``phenotype/<tool>.tsv``.
        step: between two scores that follow each other (0.5 for half points); 0 for any.
        values: the only possible scores, where they are not evenly spaced; empty for no such list.
        parts: codes whose sum it is; empty when it is no sum.

    Raises:
        DatasetError: the range is empty, the direction is no direction, or a missing code is a
            possible score.
    """

    code: str
    name_en: str
    name_zh: str
    domain: str
    low: float
    high: float
    integer: bool
    unit: str
    better: str
    cap: float
    missing: Mapping[str, str]
    version: str
    education_correction: str
    leak: Leak
    source: str
    aliases: tuple[str, ...] = ()
    tool: str = ""
    step: float = 0.0
    values: tuple[float, ...] = ()
    parts: tuple[str, ...] = ()
    __test__: ClassVar[bool] = False
    """For pytest, which takes a class of this name for tests."""

    def __post_init__(self) -> None:
        """Check once, and lock."""
        if not self.low < self.high:
            raise DatasetError(f"{self.code}: low {self.low} is not below high {self.high}.")
        if self.better not in {"high", "low"}:
            raise DatasetError(f"{self.code}: better is {self.better!r}, not high or low.")
        inside = [code for code in self.missing if self.low <= float(code) <= self.high]
        if inside:
            raise DatasetError(f"{self.code}: missing code {inside[0]} is a possible score.")
        object.__setattr__(self, "missing", MappingProxyType(dict(self.missing)))

    @property
    def best(self) -> float:
        """The best possible score."""
        return self.high if self.better == "high" else self.low

    @property
    def range_text(self) -> str:
        """The possible scores in words, e.g. ``0-30 points``."""
        if self.values:
            return ", ".join(f"{value:g}" for value in self.values)
        return f"{self.low:g}-{self.high:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Tests by code.

    Names are compared as `folded` has them, so ``TMT-A``, ``tmt a`` and ``TMT_A`` are one. A unit
    in brackets does not count, nor, for an instrument with one score, a word like ``total``.

    Raises:
        DatasetError: an alias means two tests.
    """

    tests: Mapping[str, Test]
    _known: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the aliases, and lock."""
        object.__setattr__(self, "tests", MappingProxyType(dict(self.tests)))
        known: dict[str, str] = {}
        for test in self.tests.values():
            for name in (test.code, test.name_en, test.name_zh, *test.aliases):
                if known.setdefault(folded(name), test.code) != test.code:
                    raise DatasetError(f"{name} means {known[folded(name)]} and {test.code}.")
        object.__setattr__(self, "_known", MappingProxyType(known))

    def code(self, name: str) -> str:
        """The code behind a name or alias, whatever its case; empty when unknown."""
        bare = _BRACKETS.sub("", name)
        for each in (name, bare):
            if folded(each) in self._known:
                return self._known[folded(each)]
        code = self._known.get(_LAST_WORD.sub("", folded(bare)), "")
        alone = code and sum(t.tool == self.tests[code].tool for t in self.tests.values()) == 1
        return code if alone else ""

    def test(self, name: str) -> Test:
        """The test behind a name or alias.

        Raises:
            DatasetError: there is none so called.
        """
        code = self.code(name)
        if not code:
            raise DatasetError(f"No test {name!r}.", hint=did_you_mean(name, self.tests))
        return self.tests[code]

    def tools(self) -> Mapping[str, tuple[Test, ...]]:
        """Tests by instrument, both in the order of the dictionary."""
        found: dict[str, tuple[Test, ...]] = {}
        for test in self.tests.values():
            found[test.tool] = (*found.get(test.tool, ()), test)
        return found


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a table of scores; nothing in it identifies anybody.

    Args:
        kind: a stable word, of `core.cognition_check.KINDS`.
        code: the test, or the heading where no test is known.
        n: how many values or rows.
        text: one sentence; scores may stand in it, texts of cells never.
        rows: where, counted from 0 in the table as it was read; empty for whole columns.
    """

    kind: str
    code: str
    n: int
    text: str
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The sentence."""
        return self.text


_BRACKETS = re.compile(r"[(\uff08\[][^)\uff09\]]*[)\uff09\]]")
_LAST_WORD = re.compile(r"(total|totalscore|score|rawscore|raw|sum|總分|總和|分數|得分)$")


def folded(name: str) -> str:
    """A heading as headings are compared: width, case, spaces and marks do not count."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s\-_.:,()/?]+", "", plain)
