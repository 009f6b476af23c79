"""Ways of saying what a run knows, for the checklists."""

from collections.abc import Mapping, Sequence
from typing import Any

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View


def listed(value: Any, *, most: int = 12) -> str:
    """Names and numbers of a fact in one line; long lists are cut with their count."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        items = [f"{key} {_short(each)}" for key, each in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = [_short(each) for each in value]
    else:
        return _short(value)
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def named(values: Any, known: dict[str, words.Words]) -> str:
    """English names of keys, in one line."""
    if isinstance(values, str):
        values = [values]
    return ", ".join(words.english(known, str(each)) for each in values or ())


def sentence(look: View, template: str, *needs: str) -> str:
    """A sentence filled from facts; empty where one of them is not known."""
    facts = {name: listed(look.fact(name)) for name in needs}
    return template.format(**facts) if all(facts.values()) else ""


def joined(*sentences: str) -> str:
    """Sentences that are there, one after the other."""
    return " ".join(each for each in sentences if each)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
