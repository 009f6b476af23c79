"""Cleaning a text typed by people: what is in the vocabulary stays, everything else goes.

A list of what may stay cannot forget a name; a list of what must go can.
"""

import re
from collections.abc import Iterator

from tracerless.deidentify.known import KnownValues, fold

_TOKEN = re.compile(r"[^\W_]+(?:[.+\-][^\W_]+)*|[^\W_]+")
_PART = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|[^\W\d_]+")
_NUMBER = re.compile(r"\d{1,3}(\.\d{1,3})?")
_UNITS = frozenset({"mm", "cm", "s", "ms", "sec", "min", "t", "x", "d", "w"})


def cleaned(text: str, vocabulary: frozenset[str], known: KnownValues) -> str:
    """The words of a text that the vocabulary knows, in their order, joined by spaces.

    A text of nothing but such words stays as it is, its punctuation included.

    Numbers of one to three digits stay, with a unit or alone (a plane, a thickness, a delay);
    longer ones are dates, chart numbers and telephones. Chinese is read by the longest words.

    Args:
        text: typed by people.
        vocabulary: folded words that may stay.
        known: what identifies the person; never stays, whatever the vocabulary says.
    """
    tokens = _TOKEN.findall(text)
    words = [word for token in tokens for word in _kept(token, vocabulary)]
    words = [word for word in words if not known.occur_in(word)]
    is_whole = bool(tokens) and words == tokens and text.isprintable()
    return text if is_whole else " ".join(words)


def _kept(token: str, vocabulary: frozenset[str]) -> Iterator[str]:
    if fold(token) in vocabulary or _NUMBER.fullmatch(token):
        yield token
        return
    if _is_compound(token, vocabulary):
        yield token
        return
    for piece in re.split(r"[.+\-]", token):
        if fold(piece) in vocabulary or (piece != token and _NUMBER.fullmatch(piece)):
            yield piece
        elif not piece.isascii():
            yield from _longest(piece, vocabulary)


def _is_compound(token: str, vocabulary: frozenset[str]) -> bool:
    """Whether it is made of known words, units and few digits: 3D, T2W, 1.5T, 150mm."""
    parts = _PART.findall(token)
    n_digits = sum(sign.isdigit() for sign in token)
    has_letter = any(len(part) == 1 and part.isalpha() for part in parts)
    is_whole = len(parts) > 1 and "".join(parts) == token
    is_short = n_digits <= (2 if has_letter else 3)
    return is_whole and is_short and all(_is_known(part, vocabulary) for part in parts)


def _is_known(part: str, vocabulary: frozenset[str]) -> bool:
    return fold(part) in vocabulary or fold(part) in _UNITS or bool(_NUMBER.fullmatch(part))


def _longest(text: str, vocabulary: frozenset[str]) -> Iterator[str]:
    """Words of a text without spaces, the longest first at every place."""
    longest = max((len(word) for word in vocabulary if not word.isascii()), default=0)
    place = 0
    while place < len(text):
        ends = range(min(len(text), place + longest), place, -1)
        end = next((e for e in ends if fold(text[place:e]) in vocabulary), None)
        if end is not None:
            yield text[place:end]
        place = end or place + 1
