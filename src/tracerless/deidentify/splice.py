"""From the bytes of a file to its clean bytes, without building what lies between.

Where the elements lie is read from tags and lengths; what becomes of each is looked up by its
bytes (`splice_scope`); pixels are copied. What `deidentify.instance` and `to_bytes` would make of
the same file is made, byte for byte, or nothing: anything unusual is left to them.
"""

from dataclasses import dataclass, field

from tracerless.core.volume import Contrast
from tracerless.deidentify.keys import Keys
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.removed import Removed
from tracerless.deidentify.splice_desk import Desk
from tracerless.deidentify.splice_gate import SOP_INSTANCE
from tracerless.deidentify.splice_judge import MISREAD, hush
from tracerless.deidentify.splice_meta import Container
from tracerless.deidentify.splice_scan import Element, UnusualError, elements, header
from tracerless.deidentify.splice_scope import Key, Scope, total
from tracerless.deidentify.splice_suv import Uptake
from tracerless.deidentify.values import Audit, CleanIdentity, Refusal

MOST_DESKS = 8
"""People, policies or contrasts whose answers are remembered at a time."""

MAX_HEADER_BYTES = 2**24
"""A longer header is left to the reader that counts what it reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Spliced:
    """A clean file.

    Args:
        content: the whole of it.
        audit: what was done.
        removed: (keyword, value) of every text that did not cross as it was; identifies.
    """

    content: bytes = field(repr=False)
    audit: Audit
    removed: frozenset[Removed] = field(repr=False)


class Memo:
    """What one worker remembers from file to file; shows nothing of it."""

    def __init__(self) -> None:
        self._scopes: dict[Key, Scope] = {}
        self._container = Container()
        self._desks: dict[tuple[Profile, Keys, CleanIdentity, Contrast], Desk] = {}

    def desk(self, profile: Profile, keys: Keys, person: CleanIdentity, contrast: Contrast) -> Desk:
        """Where files of this person, policy and contrast are worked on."""
        key = (profile, keys, person, contrast)
        desk = self._desks.get(key)
        if desk is None:
            while len(self._desks) >= MOST_DESKS:
                del self._desks[next(iter(self._desks))]
            desk = self._desks[key] = Desk(
                profile, keys, person, contrast, scopes=self._scopes, container=self._container
            )
        return desk


def instance(
    content: bytes,
    *,
    profile: Profile,
    keys: Keys,
    person: CleanIdentity,
    contrast: Contrast,
    memo: Memo | None = None,
) -> Spliced | Refusal | None:
    """The clean bytes of a file, its refusal, or None: take the slow way.

    Args:
        content: the whole file.
        profile: the policy.
        keys: of the vault.
        person: who it belongs to past the border.
        contrast: decided before the border; becomes the series description.
        memo: of this worker; answers found in one file serve the next.
    """
    desk = (memo or Memo()).desk(profile, keys, person, contrast)
    try:
        return _spliced(content, desk)
    except (UnusualError, *MISREAD):
        return None


def _spliced(content: bytes, desk: Desk) -> Spliced | Refusal:
    meta, start, implicit = header(content)
    known = desk.fit(content, start, implicit=implicit)
    if known is not None:
        case, fit = known
        shown = case.pixels(content, fit.pixels)
        whole = b"".join(
            (
                desk.container.written(case.sop_class, fit.uid, implicit=implicit),
                *fit.written,
                *shown,
            )
        )
        return Spliced(whole, fit.audit, fit.lost.union(*desk.container.lost(content, meta)))
    with hush():
        return _scanned(content, meta, start, desk, implicit=implicit)


def _scanned(
    content: bytes, meta: list[Element], start: int, desk: Desk, *, implicit: bool
) -> Spliced | Refusal:
    found = elements(content, start, len(content), implicit=implicit, depth=0)
    pixels = found.pop()
    if pixels[1] > MAX_HEADER_BYTES:
        raise UnusualError
    case = desk.case(content, found, implicit=implicit)
    shown = case.pixels(content, pixels)
    parts = case.parts(content, found)
    if case.verdict.refusal is not None:
        return case.verdict.refusal  # only now: the door for files would say what is broken first
    sources = Uptake.SOURCE if case.uptake else ()
    raws = {tag: content[a:b] for tag, a, _, b in found if tag in sources}
    written = case.written(parts, raws)
    uid = written.get(SOP_INSTANCE, b"")[8:].rstrip(b"\0")
    if not uid.isascii() or b"\\" in uid or not uid:
        raise UnusualError
    whole = b"".join(
        (desk.container.written(case.sop_class, uid, implicit=implicit), *written.values(), *shown)
    )
    lost = total(parts)[1].union(*desk.container.lost(content, meta))
    desk.learn(case, content, found)
    return Spliced(whole, case.scope.audit(parts), lost)
