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

SHORTEST_NUMBER = 6
"""A number of fewer digits is not compared with chart numbers: too many measures equal one."""

ENCODINGS = ("utf-8", "cp950", "gb18030")
"""How Chinese is really written in files whose label says Latin-1 or nothing."""


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Folded identifiers of one instance: ``words`` match whole words, ``joined`` any part."""

    words: frozenset[str] = field(repr=False)
    joined: frozenset[str] = field(repr=False)

    def occur_in(self, text: str) -> bool:
        """Whether the text repeats one of them, whatever its case, width, punctuation or code."""
        return any(self._occur_in(reading) for reading in readings(text))

    def _occur_in(self, text: str) -> bool:
        words = _WORD.findall(fold(text))
        squeezed = "".join(words)
        return bool(self.words.intersection(words)) or any(v in squeezed for v in self.joined)

    def fill(self, code: str, vocabulary: frozenset[str] = frozenset()) -> bool:
        """Whether a coded value holds one of them whole, or is one word of a name.

        Args:
            code: the coded value.
            vocabulary: folded technical words; one of them is no name, whatever people are called.
        """
        squeezed = "".join(_WORD.findall(fold(code)))
        is_name = squeezed in self.words and squeezed not in vocabulary
        return is_name or any(value in squeezed for value in self.joined)

    def number(self, text: str) -> bool:
        """Whether a number as text is one of them, or is written as no scanner writes numbers."""
        digits = text.strip()
        if len(digits) < SHORTEST_NUMBER or not digits.isdigit():
            return False
        return digits in self.joined or digits.startswith("0")


def readings(text: str) -> tuple[str, ...]:
    """A text, and what it says when its bytes are Chinese under a wrong label.

    Archives label nearly everything Latin-1; Big5, GB18030 and UTF-8 bytes then come out as
    accented signs. Each reading that fits the bytes is returned; the text as labeled comes first.
    """
    if text.isascii() or any(ord(sign) > 0xFF for sign in text):
        return (text,)
    content = text.encode("latin-1")
    found = [text]
    for encoding in ENCODINGS:
        try:
            reading = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        found.append(reading)
    return tuple(dict.fromkeys(found))


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
        for reading in readings(text):
            for written in reading.split("=") if is_name else [reading]:
                _learn(written, words, joined, is_name=is_name)
        if dictionary_VR(tag) == "DA":
            joined.update(_dates(text))
    return KnownValues(frozenset(words), frozenset(joined))


def _learn(written: str, words: set[str], joined: set[str], *, is_name: bool) -> None:
    parts = _WORD.findall(fold(written))
    joined.update(_long_enough("".join(parts), "".join(reversed(parts))))
    if is_name:
        words.update(p for p in parts if len(p) >= SHORTEST_NAME and not p.isdigit())
        joined.update(p for p in parts if len(p) > 1 and not p.isascii())


def _dates(text: str) -> Iterator[str]:
    """Other ways to write a date: by the Taiwanese calendar, whose year 1 is 1912."""
    if re.fullmatch(r"\d{8}", text) and int(text[:4]) > 1911:
        year, month, day = int(text[:4]) - 1911, text[4:6], text[6:]
        yield f"{year}年{int(month)}月{int(day)}日"
        yield f"{year}年{month}月{day}日"
        yield f"{year:03d}{month}{day}"
        if year >= 100:
            yield f"{year}{month}{day}"


def _stated(dataset: Dataset, hunted: Sequence[int]) -> Iterator[tuple[int, str]]:
    for tag in hunted:
        if tag not in dataset:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from _stated(item, hunted)
        else:
            yield from ((tag, text) for text in texts(element.value))


def fold(text: str) -> str:
    """One form for all ways to write a text: width, case and accents fall away."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _long_enough(*values: str) -> Iterable[str]:
    return (v for v in values if len(v) >= (SHORTEST_JOINED if v.isascii() else 2))


def texts(value: object) -> list[str]:
    """The values of an element as texts; none when it is empty."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, MultiValue) else [str(value)]
