"""Looking for values in everything that was written, whatever its kind.

Pieces are gathered once (files of a series repeat nearly all of theirs), then searched together.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tracerless.deidentify.known import fold
from tracerless.deidentify.patterns import is_national_id
from tracerless.deidentify.proof_findings import FAILURE, WARNING, Finding
from tracerless.deidentify.proof_values import Needles, spaced, squeeze

VALUE, NUMBER, DATE, PROSE, BINARY = "value", "number", "date", "prose", "binary"
"""Kinds of pieces: a text, numbers, a date that the policy lets cross, a page, bytes."""

_UID = re.compile(r"(?<![\d.])\d+(?:\.\d+){3,}(?![\d.])")
_DIGITS = re.compile(r"(?<!\d\.)(?<!\d)\d{5,}(?!\d)")
_PARTED = re.compile(r"(?<!\d)(\d{2,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_SEAM = "\n"
_MUCH = 1024
_ENCODINGS = ("cp950", "gb18030", "latin-1")

_ID = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][1289]\d{8}(?![A-Za-z0-9])")
PATTERNS = {
    "mobile-number": re.compile(r"(?<![\d.])09\d{2}[-\s]?\d{3}[-\s]?\d{3}(?![\d.])"),
    "landline-number": re.compile(
        r"(?<![\d.])(?:\(0[2-8]\d?\)\s?|0[2-8]\d?-)\d{3,4}[-\s]?\d{4}(?![\d.])|\+886[-\s]?\d"
    ),
    "roc-date": re.compile(r"民[國国]\s*\d{1,3}|(?<!\d)\d{2,3}\s*年\s*\d{1,2}\s*月"),
    "e-mail": re.compile(r"[A-Za-z0-9_.+\-]+@[A-Za-z0-9\-]+\.[A-Za-z]{2,}"),
}
"""Forms that identify whoever they belong to; the national ID has a check of its own."""

_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")
_CHART = re.compile(r"(?<![\w.\-])\d{8}(?![\w.\-])")


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that was written: its bytes, what kind, and where it stands."""

    content: bytes = field(repr=False)
    kind: str
    file: str
    where: str

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says, in every code that its bytes allow; of bytes, what could be text."""
        content = self.content
        if self.kind == BINARY:
            content = b"\n".join(_PRINTABLE.findall(content))
        if content.isascii():
            return (content.decode("ascii"),)
        found = []
        for encoding in ("utf-8", *_ENCODINGS):
            try:
                found.append(content.decode(encoding))
            except UnicodeDecodeError:
                continue
            if encoding == "utf-8":
                break
        return tuple(found)


@dataclass(slots=True)
class Haystack:
    """Pieces of everything that was written of one person, each kept once, with its first file.

    Args:
        pieces: by content and kind.
        uids: (file, keyword) of the first place of every UID.
        n_pieces, n_bytes: how much was taken up, repeats included.
    """

    pieces: dict[tuple[bytes, str], Piece] = field(default_factory=dict, repr=False)
    uids: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    n_pieces: int = 0
    n_bytes: int = 0

    def add(self, content: bytes, kind: str, file: str, where: str) -> None:
        """One more piece."""
        self.n_pieces += 1
        self.n_bytes += len(content)
        key = (content, kind)
        if content and key not in self.pieces:
            self.pieces[key] = Piece(content, kind, file, where)

    def add_uids(self, text: str, file: str, where: str) -> None:
        """The value of a UI attribute."""
        self.n_pieces += 1
        self.n_bytes += len(text)
        for uid in text.split("\\"):
            if uid not in self.uids:
                self.uids[uid] = (file, where)


def sweep(haystack: Haystack, wanted: Needles) -> list[Finding]:
    """Every piece that holds something wanted; one finding a value and piece."""
    found: set[Finding] = set()
    for uid, (file, where) in haystack.uids.items():
        if uid in wanted.uids:
            found.add(Finding("values", "value-found", file, wanted.uids[uid], where))
    pieces = haystack.pieces.values()
    texts = [(p, text) for p in pieces if p.kind not in {NUMBER, DATE} for text in p.texts]
    _search(texts, wanted.inside, squeeze, found, words=wanted.ordinary)
    _search(texts, wanted.words, spaced, found, words=wanted.ordinary)
    parts = {f" {part} ": keyword for part, keyword in wanted.parts.items()}
    _search(texts, parts, spaced, found, kind="name-part")
    for piece, text in texts:
        found.update(_value(piece, keyword) for keyword in _tokens(text, wanted))
    for piece in pieces:
        if piece.kind == NUMBER:
            numbers = piece.texts[0].split("\\")
            found.update(
                _value(piece, wanted.numbers[n.strip()])
                for n in numbers
                if n.strip() in wanted.numbers
            )
    _search_bytes(haystack, wanted.raw, found)
    return sorted(found)


def patterns(haystack: Haystack) -> list[Finding]:
    """Pieces that look like an identifier, whoever it may belong to."""
    found: set[Finding] = set()
    for piece in haystack.pieces.values():
        if piece.kind in {NUMBER, DATE, BINARY} or len(piece.content) < 6:
            continue
        for text in piece.texts[:1]:
            found.update(
                Finding("patterns", kind, piece.file, kind, piece.where)
                for kind in _looks(text, piece.kind)
            )
    return sorted(found)


def _value(
    piece: Piece, keyword: str, kind: str = "value-found", *, is_word: bool = False
) -> Finding:
    """One word, such as a part of a name, is a doubt within sentences and noise; else a failure."""
    is_noise = piece.kind == BINARY and len(piece.content) > _MUCH and kind == "name-part"
    is_doubt = is_noise or (piece.kind == PROSE and (is_word or kind == "name-part"))
    level = WARNING if is_doubt else FAILURE
    return Finding("values", kind, piece.file, keyword, piece.where, level)


def _search(
    texts: Sequence[tuple[Piece, str]],
    wanted: Mapping[str, str],
    form: Callable[[str], str],
    found: set[Finding],
    *,
    words: Collection[str] = (),
    kind: str = "value-found",
) -> None:
    """Search all texts as one; only where something is found are they looked at one by one."""
    formed = [(piece, form(text)) for piece, text in texts] if wanted else []
    whole = _SEAM.join(text for _, text in formed)
    for needle, keyword in wanted.items():
        if needle in whole:
            is_word = needle in words
            found.update(
                _value(piece, keyword, kind, is_word=is_word)
                for piece, text in formed
                if needle in text
            )


def _search_bytes(haystack: Haystack, wanted: Mapping[bytes, str], found: set[Finding]) -> None:
    pieces = list(haystack.pieces.values())
    whole = b"\n".join(piece.content for piece in pieces)
    for needle, keyword in wanted.items():
        if needle in whole:
            found.update(_value(piece, keyword) for piece in pieces if needle in piece.content)


def _tokens(text: str, wanted: Needles) -> Iterator[str]:
    """Keywords of the UIDs, numbers and dates that a text holds."""
    for uid in _UID.findall(text):
        if uid in wanted.uids:
            yield wanted.uids[uid]
    for digits in _DIGITS.findall(text):
        run = digits[:8] if len(digits) == 14 else digits
        if run in wanted.numbers:
            yield wanted.numbers[run]
    for parts in _PARTED.findall(text):
        day = (int(parts[0]), int(parts[1]), int(parts[2]))
        if day in wanted.dates:
            yield wanted.dates[day]


def _looks(text: str, kind: str) -> Iterator[str]:
    if any(is_national_id(each) for each in _ID.findall(fold(text).upper())):
        yield "national-id"
    for name, pattern in PATTERNS.items():
        if pattern.search(text):
            yield name
    if kind == VALUE and _CHART.search(text):
        yield "chart-number"
