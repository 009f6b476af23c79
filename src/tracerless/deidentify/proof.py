"""The proof for one person: their files one by one, then everything together.

Nothing here opens a file: bytes come in, findings and counts go out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from tracerless.core.errors import DicomError
from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify import proof_measure as measure
from tracerless.deidentify.actions import Action, Dates, Rule
from tracerless.deidentify.codes import CODE_PARTS
from tracerless.deidentify.confidentiality import CLEAN_FEATURES, CLEAN_PIXELS
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.proof_border import Policy
from tracerless.deidentify.proof_facts import InstanceFacts, facts_in
from tracerless.deidentify.proof_findings import Finding
from tracerless.deidentify.proof_links import References, dangling
from tracerless.deidentify.proof_mosaic import compare_tiles
from tracerless.deidentify.proof_pixels import essence
from tracerless.deidentify.proof_scan import PIXELS, Level, Tree, scan, walk
from tracerless.deidentify.proof_sweep import (
    BINARY,
    DATE,
    NUMBER,
    VALUE,
    Haystack,
    patterns,
    sweep,
)
from tracerless.deidentify.proof_told import TIMES, Value
from tracerless.deidentify.proof_values import Common, needles, squeeze
from tracerless.deidentify.proof_vendor import FIELDS

PARTS_OF_SUV = frozenset({0x00101030, 0x00080031, 0x00541001, 0x00541102, 0x00540016})
"""Weight, time of the series, units, decay correction, radiopharmaceutical."""

_KINDS = {
    "DS": NUMBER, "IS": NUMBER, "DA": DATE, "DT": DATE, "TM": NUMBER, "AS": NUMBER,
    "OB": BINARY, "OW": BINARY, "UN": BINARY, "OF": BINARY, "OD": BINARY, "OL": BINARY,
}  # fmt: skip
_PLAIN_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "AT", "SV", "UV"})
_SHORT = 64
_FEW_BYTES = 8


@dataclass(slots=True)
class PersonProof:
    """Checks of one person's files; feed series and other files, then ask for the result.

    Args:
        pseudonym: of the folder that holds them.
        profile: the policy that the dataset records.
        facts: remembered of every instance, by UID.
    """

    pseudonym: Pseudonym
    profile: Profile
    facts: Mapping[str, InstanceFacts] = field(repr=False)
    haystack: Haystack = field(default_factory=Haystack, repr=False)
    found: list[Finding] = field(default_factory=list, repr=False)
    examined: Counter[str] = field(default_factory=Counter)
    _references: References = field(default_factory=References, repr=False)
    _paths: dict[str, str] = field(default_factory=dict, repr=False)
    _series: set[str] = field(default_factory=set, repr=False)
    _unrolled: set[str] = field(default_factory=set, repr=False)
    _links: dict[str, Mapping[str, Value]] = field(default_factory=dict, repr=False)
    _shifts: set[int] = field(default_factory=set, repr=False)
    _crossing: set[str] = field(default_factory=set, repr=False)
    _promises: dict[str, measure.Promised] = field(default_factory=dict, repr=False)

    def series(
        self,
        folder: str,
        sidecar: Mapping[str, Any],
        files: Iterable[tuple[str, bytes]],
        iod_errors: Callable[[bytes], int | None],
    ) -> None:
        """Check the files of one series.

        Args:
            folder: its path inside the dataset.
            sidecar: what its record says of it.
            files: (path inside the dataset, bytes), one at a time.
            iod_errors: counts the errors of a file against its definition.
        """
        declared = measure.declared_of(sidecar)
        policy = self._policy(sidecar, declared)
        slices: dict[str, Mapping[str, Value]] = {}
        pairs: list[tuple[Mapping[str, Value], Mapping[str, Value]]] = []
        series = ""
        for file, content in files:
            try:
                tree = scan(content)
            except DicomError:
                self.found.append(Finding("complete", "unreadable", file))
                continue
            self._border(policy, tree, file)
            self._take_up(tree, file)
            after = facts_in(tree.body, content, boxes=declared.boxes, blocks=declared.side)
            series = _uid(tree.body, 0x0020000E)
            uid = self._place(tree.body, file, series)
            if declared.is_unrolled:
                if not slices:
                    self._iod(self._of_series(series), content, file, iod_errors)
                slices[file] = after
            else:
                self._measure(after, tree.body, file=file, declared=declared)
                self._iod([uid], content, file, iod_errors)
                if declared.is_defaced and uid in self.facts:
                    pairs.append((self.facts[uid].values, after))
        if declared.is_defaced and not declared.is_unrolled:
            self.found += measure.compare_blocks(pairs, folder)
        if declared.is_unrolled:
            before = [self.facts[uid] for uid in self._of_series(series)]
            self._unrolled.update(each.uid for each in before)
            self.examined["measures"] += len(slices)
            self.found += compare_tiles(before, slices, folder, is_defaced=declared.is_defaced)

    def text(self, content: bytes, kind: str, file: str, where: str = "") -> None:
        """Take up a piece of a file that is no DICOM, or a file's name."""
        self.haystack.add(content, kind, file, where)

    def result(
        self, values: Iterable[tuple[str, str]], shared: Haystack | None = None
    ) -> dict[str, Any]:
        """Findings and counts of everything that was fed.

        Args:
            values: (keyword, text) of everything that was removed of the person.
            shared: what was written of everybody, such as tables.
        """
        named = {(self._public(keyword), text) for keyword, text in values}
        wanted = needles(named, Common(frozenset(self._crossing), self.profile.vocabulary))
        found = [*self.found, *sweep(self.haystack, wanted), *patterns(self.haystack)]
        if shared is not None:
            found += sweep(shared, wanted)
        found += dangling(self._references, self._paths, self._series)
        found += measure.links(list(self.facts.values()), self._links)
        found += self._missing()
        if self.profile.dates is Dates.SHIFT and (len(self._shifts) > 1 or 0 in self._shifts):
            found.append(Finding("measures", "date-shift", "", "dates"))
        self.examined["values"] = self.haystack.n_pieces
        self.examined["patterns"] = self.haystack.n_pieces
        self.examined["references"] += len(self._references.instances) + len(self.haystack.uids)
        self.examined["complete"] = len(self.facts)
        skipped = [
            {"reason": reason, "keyword": keyword, "n": n}
            for (reason, keyword), n in sorted(wanted.skipped.items())
        ]
        return {
            "pseudonym": str(self.pseudonym),
            "findings": [each.plain() for each in sorted(set(found))],
            "examined": dict(sorted(self.examined.items())),
            "values": {"n": wanted.n_values, "not_swept": skipped},
            "swept_bytes": self.haystack.n_bytes,
        }

    def _public(self, keyword: str) -> str:
        """A keyword that may be shown: a vendor's name only when the policy knows that vendor."""
        if not keyword.startswith("private:"):
            return keyword
        creator = keyword.split(":", 2)[2].rpartition(":")[0]
        is_known = any(creator == known for _, known, _ in self.profile.private)
        return keyword if is_known else keyword[: len("private:GGGG")]

    def _policy(self, sidecar: Mapping[str, Any], declared: measure.Declared) -> Policy:
        later = {CLEAN_PIXELS: declared.boxes, CLEAN_FEATURES: declared.is_faceless}
        stated = str(sidecar.get("contrast", ""))
        return Policy(
            self.profile,
            self.pseudonym,
            Contrast(stated) if stated in set(Contrast) else Contrast.UNKNOWN,
            tuple(code for code, is_done in later.items() if is_done),
        )

    def _border(self, policy: Policy, tree: Tree, file: str) -> None:
        self.examined["border"] += 1
        problems = policy.problems(tree)
        self.found += [Finding("border", kind, file, what) for kind, what in problems]

    def _take_up(self, tree: Tree, file: str) -> None:
        """Every byte beside the pixels becomes a piece."""
        rules = self.profile.by_class.get(_uid(tree.body, 0x00080016), {})
        for name, content in (("preamble", tree.preamble), ("trailing", tree.trailing)):
            if content.strip(b"\0"):
                self.haystack.add(content, BINARY, file, name)
        for raw in tree.repeats:
            self.haystack.add(raw, BINARY, file, "repeated")
        for level in (tree.meta, tree.body):
            for _, element, _ in walk(level):
                if element.tag in PIXELS:
                    self._beside_pixels(element.fragments, file)
                elif not element.items:
                    self._piece(element.tag, element.vr, element.raw, file, rules)
        self._references.add(tree.body, file)

    def _piece(self, tag: int, vr: str, raw: bytes, file: str, rules: Mapping[int, Rule]) -> None:
        if vr == "UI":
            self.haystack.add_uids(raw.rstrip(b"\0 ").decode("latin-1"), file, _keyword(tag))
            return
        if not raw or (vr in _PLAIN_NUMBERS and len(raw) <= _FEW_BYTES):
            return
        kind = BINARY if vr in _PLAIN_NUMBERS else _KINDS.get(vr, VALUE)
        content = raw if kind == BINARY else raw.rstrip(b"\0 ")
        is_new = (content, kind) not in self.haystack.pieces
        is_short_text = kind == VALUE and len(content) <= _SHORT
        if is_new and is_short_text and _crosses_as_it_is(tag, rules):
            self._crossing.add(squeeze(content.decode("utf-8", "replace")))
        self.haystack.add(content, kind, file, _keyword(tag))

    def _beside_pixels(self, fragments: Iterable[bytes], file: str) -> None:
        for fragment in fragments:
            extra = essence(fragment)[1]
            if extra:
                self.haystack.add(extra, BINARY, file, "beside pixels")

    def _place(self, body: Level, file: str, series: str) -> str:
        uid = _uid(body, 0x00080018)
        if uid in self._paths:
            self.found.append(Finding("complete", "duplicate-instance", file))
        self._paths[uid] = file
        self._series.add(series)
        return uid

    def _measure(
        self, after: Mapping[str, Value], body: Level, *, file: str, declared: measure.Declared
    ) -> None:
        uid, sop_class = _uid(body, 0x00080018), _uid(body, 0x00080016)
        before = self.facts.get(uid)
        if before is None:
            self.found.append(Finding("complete", "unknown-instance", file))
            return
        self.examined["measures"] += 1
        self.found += measure.compare(
            before, after, file, declared=declared, promised=self._promised(sop_class)
        )
        self._links[uid] = after
        self._shifts |= measure.day_shifts(before, after)

    def _promised(self, sop_class: str) -> measure.Promised:
        """What the policy promises of a class: SUV where it carries it or keeps its parts."""
        if sop_class not in self._promises:
            rules = self.profile.by_class.get(sop_class, {})
            kept = {tag for tag, rule in rules.items() if rule.action is Action.KEEP}
            self._promises[sop_class] = measure.Promised(
                suv=self.profile.suv == "carry" or kept >= PARTS_OF_SUV,
                times=frozenset(name for name, tag in TIMES.items() if tag in kept),
                vendor=frozenset(f.name for f in FIELDS if f[:3] in self.profile.private),
            )
        return self._promises[sop_class]

    def _of_series(self, series: str) -> list[str]:
        """UIDs of the remembered instances of a series, in their order."""
        return [each.uid for each in self.facts.values() if each.series == series]

    def _iod(
        self, uids: list[str], content: bytes, file: str, count: Callable[[bytes], int | None]
    ) -> None:
        """Errors of a file against those of the first of these instances in which they were."""
        known = [self.facts[uid].number("iod_errors") for uid in uids if uid in self.facts]
        before = next((number for number in known if number is not None), None)
        if before is None:
            return
        self.examined["iod"] += 1
        after = count(content)
        if after is not None and after > before:
            self.found.append(Finding("iod", "more-errors", file, f"{after - before:.0f} more"))

    def _missing(self) -> Iterator[Finding]:
        """Instances that crossed and are no longer there; named by their new UID."""
        for uid in sorted(self.facts.keys() - self._paths.keys() - self._unrolled):
            yield Finding("complete", "missing-instance", "", uid)


def _uid(body: Level, tag: int) -> str:
    return body[tag].text.strip() if tag in body else ""


@lru_cache(maxsize=4096)
def _keyword(tag: int) -> str:
    if tag >> 16 & 1:
        return f"private:{tag >> 16:04X}"
    return (
        keyword_for_tag(tag) if dictionary_has_tag(tag) else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    )


def _crosses_as_it_is(tag: int, rules: Mapping[int, Rule]) -> bool:
    """Whether the policy lets a value of that attribute cross unchanged."""
    is_creator = tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    rule = rules.get(tag)
    return bool(is_creator or tag in CODE_PARTS or (rule and rule.action is Action.KEEP))
