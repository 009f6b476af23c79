"""What is known to identify a person, and whether a text repeats it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue

_WORD = re.compile(r"[^\W_]+")

SHORTEST_NAME = 3
"""A name of fewer Latin letters is not hunted word by word: too many ordinary words hold it."""

SHORTEST_JOINED = 5
"""A squeezed value of fewer Latin letters or digits is not hunted inside a text."""


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Folded identifiers of one instance: ``words`` match whole words, ``joined`` any part."""

    words: frozenset[str] = field(repr=False)
    joined: frozenset[str] = field(repr=False)

    def occur_in(self, text: str) -> bool:
        """Whether the text repeats one of them, whatever its case, width or punctuation."""
        words = _WORD.findall(fold(text))
        squeezed = "".join(words)
        return bool(self.words.intersection(words)) or any(v in squeezed for v in self.joined)

    def fill(self, code: str) -> bool:
        """Whether a coded value holds one of them whole; its single words are a vocabulary."""
        squeezed = "".join(_WORD.findall(fold(code)))
        return any(value in squeezed for value in self.joined)


def known_values(dataset: Dataset, hunted: Sequence[int]) -> KnownValues:
    """The identifiers that the instance itself states in the hunted attributes.

    Args:
        dataset: identified.
        hunted: tags; of a sequence, the hunted attributes in its items.
    """
    words: set[str] = set()
    joined: set[str] = set()
    for tag, text in _stated(dataset, hunted):
        is_name = dictionary_VR(tag) == "PN"
        for written in text.split("=") if is_name else [text]:
            parts = _WORD.findall(fold(written))
            joined.update(_long_enough("".join(parts), "".join(reversed(parts))))
            if is_name:
                words.update(p for p in parts if len(p) >= SHORTEST_NAME and not p.isdigit())
                joined.update(p for p in parts if len(p) > 1 and not p.isascii())
    return KnownValues(frozenset(words), frozenset(joined))


def _stated(dataset: Dataset, hunted: Sequence[int]) -> Iterator[tuple[int, str]]:
    for tag in hunted:
        if tag not in dataset:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from _stated(item, hunted)
        else:
            yield from ((tag, text) for text in _texts(element.value))


def fold(text: str) -> str:
    """One form for all ways to write a text: width, case and accents fall away."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _long_enough(*values: str) -> Iterable[str]:
    return (v for v in values if len(v) >= (SHORTEST_JOINED if v.isascii() else 2))


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, MultiValue) else [str(value)]
