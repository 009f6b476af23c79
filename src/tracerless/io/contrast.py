"""What a series shows, decided by a table of rules with a reason for each.

The table is ``data/recognise/contrast.csv``. Its rows are tried in order and the first that fits
decides: exclusions first, then technical tags, then names. A row that uses names can be left out,
because names are gone past the border. A row's ``needs`` are conditions joined by ``&``, each a
fact (`facts`), an operator and a value: ``in`` and ``!in`` compare words with a ``|`` list, ``=~``
and ``!~`` search a pattern, ``<`` and ``>`` compare numbers, ``?`` and ``-`` ask whether the fact
is stated or not. A number that is not stated fulfils no comparison. ``ask`` marks the rows after
which a person should say what the series shows; the others know that it is of no use here.
``confidence`` is one word: ``certain`` where the header states it or its timing leaves nothing
else, ``likely`` where it follows from a sequence or a name, ``guess`` where the pixels alone say so
(`recognise`), ``unknown`` where nobody knows.
"""

import csv
import functools
import importlib.resources
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset

from tracerless.core.errors import ContrastError, did_you_mean
from tracerless.core.volume import Contrast
from tracerless.io.facts import Fact, Facts, facts, joined

CONFIDENCE = ("certain", "likely", "guess", "unknown")
"""How sure a decision is, surest first."""

_CONDITION = re.compile(r"(?P<fact>\w+) (?P<operator>!in|in|=~|!~|<|>|\?|-)(?: (?P<value>.+))?\Z")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the contrast it gives when every condition holds.

    ``ask``: the contrast stays unknown and somebody should say what it is. ``confidence``: one of
    ``CONFIDENCE``.
    """

    contrast: Contrast
    uses_names: bool
    ask: bool
    confidence: str
    conditions: tuple[tuple[str, str, str], ...]
    reason: str

    def fits(self, found: Facts) -> bool:
        """Whether all conditions hold."""
        return all(_OPERATORS[op](found.get(fact), value) for fact, op, value in self.conditions)


def decide(dataset: Dataset, names_allowed: bool = True) -> tuple[Contrast, str]:  # noqa: FBT001, FBT002
    """The contrast of one header and the reason in words without identifiers.

    Args:
        dataset: a header that `dicom_read.read` let through.
        names_allowed: whether series and protocol names may be used; they are gone past the border.
    """
    rule = deciding_rule(facts(dataset), names_allowed=names_allowed)
    return rule.contrast, rule.reason


def deciding_rule(found: Facts, *, names_allowed: bool = True) -> Rule:
    """The first rule that fits gathered facts."""
    for rule in rules():
        if (names_allowed or not rule.uses_names) and rule.fits(found):
            return rule
    return _NO_RULE


def confidence(contrast: Contrast, reason: str) -> str:
    """How sure a decision is, by its reason: one of ``CONFIDENCE``.

    Args:
        contrast: that was decided.
        reason: as `decide`, a split of one series, `recognise` or a site file gave it.
    """
    known = {each.reason: each.confidence for each in rules() if each.contrast is contrast}
    return known.get(reason) or next(
        (word for sign, word in _OTHER_REASONS.items() if reason.startswith(sign)), "unknown"
    )


_OTHER_REASONS = {
    "first half of a GE ASL series": "likely",
    "second half of a GE ASL series": "likely",
    "declared by the site file": "certain",
    "likely by its pixels": "likely",
    "guessed from its pixels": "guess",
}
"""How reasons begin that stand in no row of the table."""


@functools.cache
def rules() -> tuple[Rule, ...]:
    """The rows of the table, in order."""
    table = importlib.resources.files("tracerless").joinpath("data/recognise/contrast.csv")
    return tuple(_rule(row) for row in csv.DictReader(table.read_text("utf-8").splitlines()))


def _rule(row: Mapping[str, str]) -> Rule:
    """One row as a rule.

    Raises:
        ContrastError: a condition or the confidence cannot be understood.
    """
    if row["confidence"] not in CONFIDENCE:
        raise ContrastError(
            f"Recognition rule {row['reason']!r} has the confidence {row['confidence']!r}.",
            hint=did_you_mean(row["confidence"], CONFIDENCE),
        )
    conditions = []
    for part in row["needs"].split(" & "):
        match = _CONDITION.match(part.strip())
        if match is None:
            raise ContrastError(
                f"Recognition rule {row['reason']!r} has the condition {part!r}.",
                hint=did_you_mean(part, _OPERATORS),
            )
        conditions.append((match["fact"], match["operator"], match["value"] or ""))
    return Rule(
        contrast=Contrast(row["contrast"]),
        uses_names=row["uses"] == "names",
        ask=row["ask"] == "yes",
        confidence=row["confidence"],
        conditions=tuple(conditions),
        reason=row["reason"],
    )


_NO_RULE = Rule(Contrast.UNKNOWN, uses_names=False, ask=True, confidence="unknown", conditions=(),
                reason="no rule fits")  # fmt: skip


def _words(found: Fact) -> tuple[str, ...]:
    return found if isinstance(found, tuple) else ()


def _number(found: Fact) -> float:
    """The number, or not-a-number, which no comparison holds for."""
    return found if isinstance(found, int | float) else float("nan")


_OPERATORS: dict[str, Callable[[Fact, str], bool]] = {
    "in": lambda found, value: not set(value.split("|")).isdisjoint(_words(found)),
    "!in": lambda found, value: set(value.split("|")).isdisjoint(_words(found)),
    "=~": lambda found, value: bool(re.search(value, joined(_words(found)))),
    "!~": lambda found, value: not re.search(value, joined(_words(found))),
    "<": lambda found, value: _number(found) < float(value),
    ">": lambda found, value: _number(found) > float(value),
    "?": lambda found, _: found is not None and found != (),
    "-": lambda found, _: found is None or found == (),
}
