"""What identifies by its form alone, whoever it belongs to; Taiwanese forms among them."""

import re

from tracerless.deidentify.known import readings

_NATIONAL_ID = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])([1289]\d{8})(?![A-Za-z0-9])")
_RESIDENT_ID = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])([A-Da-d])(\d{8})(?![A-Za-z0-9])")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
"""Letters of the national ID in the order of their numbers, from 10 (A) to 35 (O)."""

_STRICT = (
    re.compile(r"(?<!\d)09\d{2}[-\s]?\d{3}[-\s]?\d{3}(?!\d)"),
    re.compile(r"\(0[2-8]\d?\)\s?\d{3,4}[-\s]?\d{4}(?!\d)"),
    re.compile(r"(?<!\d)0[2-8]\d?-\d{3,4}[-\s]?\d{4}(?!\d)"),
    re.compile(r"\+886[-\s]?\d"),
    re.compile(r"[\w.+\-]+@[\w\-]+\.\w+"),
    re.compile(r"(民國|民国)\s*\d{1,3}"),
    re.compile(r"(?<!\d)\d{2,4}\s*年\s*\d{1,2}\s*月"),
    re.compile(r"\b(Dr|Mrs?|Ms|Prof|Doctor|Professor)\.? ?[A-Z][a-z]"),
    re.compile(r"\b(hospital|clinic|infirmary|university|medical cent(er|re))\b", re.IGNORECASE),
)
"""Telephone numbers, e-mail, ROC dates in Chinese, titles of people, institutions."""

_TYPED = (
    re.compile(r"(?<!\d)\d{6,}(?!\d)"),
    re.compile(r"(?<!\d)\d{2,4}[./\-]\d{1,2}[./\-]\d{1,2}(?!\d)"),
)
"""Long numbers and dates: chart numbers, order numbers, ROC dates such as 1070503."""


_PURE_NUMBER = re.compile(r"\D?\d{7,}\D?")


def scrubbed(text: str) -> str:
    """A machine's text without the words that no machine writes.

    A word goes when it holds another script than Latin, or is nothing but a number of seven
    digits or more: a chart number, a telephone, a ROC date. Versions such as ``E11_20160120`` stay.
    """
    if text.isascii() and not any(sign.isdigit() for sign in text):
        return text
    words = text.split(" ")
    kept = [w for w in words if w.isascii() and not _PURE_NUMBER.fullmatch(w.replace("-", ""))]
    return text if kept == words else " ".join(kept).strip()


def identifies(text: str, *, is_typed: bool) -> bool:
    """Whether a text holds something that identifies by its form.

    Args:
        text: a kept value.
        is_typed: typed by people rather than by a machine: then also long numbers and dates,
            which in a machine's text are versions.

    Source:
        National ID: one letter, nine digits, weights 1 9 8 7 6 5 4 3 2 1 1, sum divisible by 10
        (Ministry of the Interior, rule of the check digit).
    """
    if len(text) < 4:
        return False
    return any(_identifies(reading, is_typed=is_typed) for reading in readings(text))


def _identifies(text: str, *, is_typed: bool) -> bool:
    patterns = (*_STRICT, *_TYPED) if is_typed else _STRICT
    if any(pattern.search(text) for pattern in patterns):
        return True
    ids = [letter + digits for letter, digits in _NATIONAL_ID.findall(text)]
    ids += [
        a + str(ord(b.upper()) - ord("A")) + digits for a, b, digits in _RESIDENT_ID.findall(text)
    ]
    return any(is_national_id(each) for each in ids)


def is_national_id(text: str) -> bool:
    """Whether a letter and nine digits pass the check of Taiwan's national ID."""
    if not re.fullmatch(r"[A-Za-z]\d{9}", text):
        return False
    number = _LETTERS.index(text[0].upper()) + 10
    digits = [number // 10, number % 10, *map(int, text[1:])]
    return (
        sum(w * d for w, d in zip((1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), digits, strict=True)) % 10 == 0
    )
