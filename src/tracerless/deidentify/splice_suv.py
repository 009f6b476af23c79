"""The uptake factor of a PET file, carried as `suv` carries it, without reading the file again.

Within a series all that the factor follows from repeats; only the rescale slope changes from slice
to slice. The mapping is written once by `suv.carry`; for the next slices its two numbers change.
"""

import re
import struct
from collections.abc import Mapping
from typing import ClassVar, Self

from tracerless.deidentify import suv
from tracerless.deidentify.splice_judge import MISREAD, encoded, hush
from tracerless.deidentify.splice_scan import UnusualError
from tracerless.deidentify.splice_scope import Scope

_SLOPE, _INTERCEPT = 0x00281053, 0x00281052
_PLAIN = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})? ?")
_WRITTEN_SLOPE, _WRITTEN_INTERCEPT = b"\x40\x00\x25\x92FD\x08\x00", b"\x40\x00\x24\x92FD\x08\x00"

_MOST_FORMS = 4096

Form = tuple[bytes, int, int, float]
"""(a written mapping, where its slope and its intercept stand, uptake per activity)."""


class Uptake:
    """Writes the mapping of the files of one scope."""

    TAG: ClassVar[int] = 0x00409096
    """Real World Value Mapping Sequence."""
    SOURCE: ClassVar[frozenset[int]] = suv.SOURCES
    """Everything that the mapping follows from."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._forms: dict[bytes, Form | None] = {}

    @classmethod
    def of(cls, scope: Scope) -> Self | None:
        """For scopes whose policy carries the factor and whose class may have one."""
        is_carried = scope.key.profile.suv == "carry" and scope.key.sop_class == suv.PT
        return cls(scope) if is_carried else None

    def mapping(self, raws: Mapping[int, bytes]) -> bytes | None:
        """The written mapping, or None where `suv.carry` writes none.

        Args:
            raws: the encoded elements of ``SOURCE`` that the file has.

        Raises:
            UnusualError: it cannot be told here.
        """
        slope, intercept = (self._number(raws.get(tag)) for tag in (_SLOPE, _INTERCEPT))
        if slope is None or intercept is None:
            raise UnusualError
        fixed = b"".join(
            raw for tag, raw in sorted(raws.items()) if tag not in (_SLOPE, _INTERCEPT)
        )
        if fixed not in self._forms:
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            self._forms[fixed] = self._form(raws)
        form = self._forms[fixed]
        if form is None:
            return None
        written = bytearray(form[0])
        struct.pack_into("<d", written, form[1], slope * form[3])
        struct.pack_into("<d", written, form[2], intercept * form[3])
        return bytes(written)

    def _number(self, raw: bytes | None) -> float | None:
        if raw is None:
            return None
        is_typed = self._scope.key.implicit or raw[4:6] == b"DS"
        return float(raw[8:]) if is_typed and _PLAIN.fullmatch(raw, 8) else None

    def _form(self, raws: Mapping[int, bytes]) -> Form | None:
        scope = self._scope
        source = scope.parsed(b"".join(raw for _, raw in sorted(raws.items())), raws)
        try:
            with hush():
                if not suv.is_plain(source):
                    raise UnusualError  # vendor fields decide, and they are not here
                clean = scope.walk().level(source, 0)
                factor = suv.factor(source)
                before = len(clean.get("RealWorldValueMappingSequence") or ())
                suv.carry(source, clean, scope.key.profile)
                after = len(clean.get("RealWorldValueMappingSequence") or ())
        except MISREAD as error:
            raise UnusualError from error
        if after == before or factor is None:
            return None
        for tag in [tag for tag in clean.keys() if int(tag) != self.TAG]:  # noqa: SIM118
            del clean[tag]
        written = encoded(clean)
        places = [written.rindex(each) + 8 for each in (_WRITTEN_SLOPE, _WRITTEN_INTERCEPT)]
        return written, places[0], places[1], factor
