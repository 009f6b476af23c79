"""Cognitive tests: how they are called, how they score, whether a diagnosis was made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

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

    def __post_init__(self) -> None:
        """Check once, and lock.

        Raises:
            DatasetError: the range is empty, or the direction is no direction.
        """
        if not self.low < self.high:
            raise DatasetError(f"{self.code}: low {self.low} is not below high {self.high}.")
        if self.better not in {"high", "low"}:
            raise DatasetError(f"{self.code}: better is {self.better!r}, not high or low.")
        object.__setattr__(self, "missing", MappingProxyType(dict(self.missing)))


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Tests by code.

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
            for name in (test.code, *test.aliases):
                if known.setdefault(name.casefold(), test.code) != test.code:
                    raise DatasetError(f"{name} means {known[name.casefold()]} and {test.code}.")
        object.__setattr__(self, "_known", MappingProxyType(known))

    def code(self, name: str) -> str:
        """The code behind a name or alias, whatever its case; empty when unknown."""
        return self._known.get(name.strip().casefold(), "")

    def test(self, name: str) -> Test:
        """The test behind a name or alias.

        Raises:
            DatasetError: there is none so called.
        """
        code = self.code(name)
        if not code:
            raise DatasetError(f"No test {name!r}.", hint=did_you_mean(name, self.tests))
        return self.tests[code]
