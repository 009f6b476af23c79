"""Finds planted values again: in every byte and every name of what a tool has written."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, keyword_for_tag

from bench.deidentify_corpus import Corpus, read
from bench.deidentify_plant import Token

PIXELS = b"\xe0\x7f\x10\x00"


@dataclass(frozen=True, slots=True)
class Leak:
    """A planted value that survived in ``path``; ``ordered``: the policy keeps it."""

    token: Token
    path: Path
    ordered: bool

    @property
    def where(self) -> str:
        """The attribute that holds the value, for whoever has to mend it."""
        return _where(self.path, self.token)


@dataclass(slots=True)
class Sweep:
    """All leaks of one run over a corpus."""

    leaks: list[Leak] = field(default_factory=list)

    def places(self) -> list[tuple[int, str, str]]:
        """(how often, planted where, found where) of outside leaks, most often first."""
        first: dict[str, Leak] = {}
        for leak in self.outside:
            first.setdefault(f"{leak.token.stratum}: {leak.token.place}", leak)
        counts = Counter(f"{leak.token.stratum}: {leak.token.place}" for leak in self.outside)
        return [(n, place, first[place].where) for place, n in counts.most_common()]

    @property
    def outside(self) -> list[Leak]:
        """Those that no row of the policy orders kept."""
        return [leak for leak in self.leaks if not leak.ordered]

    def by_stratum(self) -> Counter[str]:
        """How many outside leaks each stratum has."""
        return Counter(leak.token.stratum for leak in self.outside)

    def people(self, corpus: Corpus) -> set[int]:
        """People with any outside leak."""
        person = {file.number: file.person for file in corpus.files}
        return {person[leak.token.file] for leak in self.outside}


def sweep(
    corpus: Corpus,
    outputs: Mapping[int, Sequence[Path]],
    root: Path,
    ordered: "Ordered | None" = None,
) -> Sweep:
    """Look for the values of each file in what became of it.

    Args:
        corpus: with the planted values.
        outputs: files written, by number of the planted file.
        root: names below it are swept too.
        ordered: tells which values the policy keeps; None: none.
    """
    found = Sweep()
    for number, paths in outputs.items():
        tokens = corpus.tokens_of(number)
        sop_class = corpus.files[number].sop_class
        kept = {t.text for t in tokens if ordered is not None and ordered.keeps(sop_class, t)}
        left = tokens
        for path in paths:
            here = _found(left, _content(path, root))
            found.leaks += [Leak(token, path, token.text in kept) for token in here]
            left = [token for token in left if token not in here]
    return found


def sweep_rest(corpus: Corpus, paths: Iterable[Path], root: Path) -> Sweep:
    """Look for any value of anybody in files beside the images: tables, reports, names."""
    found = Sweep()
    for path in paths:
        tokens = _found(corpus.tokens, _content(path, root))
        found.leaks += [Leak(token, path, ordered=False) for token in tokens]
    return found


def _content(path: Path, root: Path) -> bytes:
    """Every byte of a file, and its name below the root, in small letters."""
    return path.read_bytes().lower() + b"\n" + str(path.relative_to(root)).lower().encode()


def _found(tokens: Iterable[Token], content: bytes) -> list[Token]:
    return [token for token in tokens if any(_holds(content, n) for n in token.needles())]


def _holds(content: bytes, needle: bytes) -> bool:
    """Digits count only where no digit stands before them and, but for dates, no two behind.

    A single one may be the first byte of the next tag.
    """
    if needle not in content:
        return False
    if not needle.isdigit():
        return True
    behind = b"" if len(needle) == 8 and needle[:2] in (b"19", b"20") else b"(?![0-9]{2})"
    return re.search(b"(?<![0-9])" + needle + behind, content) is not None


def _where(path: Path, token: Token) -> str:
    """The attribute that holds a value, for whoever has to mend it; else ``bytes``."""
    needles = list(token.needles())
    if path.read_bytes()[128:132] != b"DICM":
        return path.name
    dataset = read(path)
    return next(_holding(dataset, needles, ""), "") or _outside(dataset, needles)


def _holding(level: Dataset, needles: Sequence[bytes], path: str):  # noqa: ANN202
    for element in level:
        name = (
            keyword_for_tag(element.tag) or f"({element.tag.group:04X},{element.tag.element:04X})"
        )
        if element.VR == "SQ":
            for item in element.value:
                yield from _holding(item, needles, f"{path}{name}/")
            continue
        value = element.value
        if isinstance(value, bytes):
            texts = [value.lower()]
        else:
            shown = str(value).lower()
            codes = ("utf-8", "latin-1", "big5", "gb18030")
            texts = [shown.encode(code, "ignore") for code in codes]
        if any(_holds(text, needle) for text in texts for needle in needles):
            yield f"{path}{name}"


def _outside(dataset: Dataset, needles: Sequence[bytes]) -> str:
    meta = next(_holding(dataset.file_meta, needles, "meta/"), "")
    preamble = (getattr(dataset, "preamble", None) or b"").lower()
    if any(needle in preamble for needle in needles):
        return "preamble"
    return meta or "name or other bytes"


class Ordered:
    """What one of our policies orders kept, read from its rules."""

    def __init__(self, profile) -> None:  # noqa: ANN001
        self.profile = profile

    def keeps(self, sop_class: str, token: Token) -> bool:
        """Whether every attribute on the way to the value is ordered kept.

        Dates of a policy that keeps dates are; texts of a technical list are not: nobody ordered
        that what was typed into them crosses.
        """
        if not token.path:
            return False
        rules = [self.profile.rule(sop_class, tag) for tag in token.path]
        if any(rule is None or rule.action.value != "keep" for rule in rules):
            return False
        is_date = dictionary_VR(token.path[-1]) in ("DA", "DT")
        return is_date or all(not rule.origin.startswith("technical") for rule in rules)


def wilson(n_hit: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion.

    Source: Wilson 1927, J Am Stat Assoc 22:209, equation 7 as commonly written.
    """
    if not n:
        return 0.0, 1.0
    z, p = 1.959964, n_hit / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
