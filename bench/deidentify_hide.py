"""Plants values where few tools look: vendor blocks, preamble, file meta, padding, overlays."""

from collections.abc import Callable

import numpy as np
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.sequence import Sequence
from pydicom.uid import UID

from bench.deidentify_places import CONTAINER, PRIVATE
from bench.deidentify_plant import Sheet

SAFE = (0x2005, "Philips MR Imaging DD 001", 0x0E, 1.25)
"""A vendor field that is a number and safe: (group, creator, offset, value)."""

_Encode = Callable[[str], bytes]


def hide_private(sheet: Sheet) -> None:
    """Known fields that hold text, an unknown creator, no creator, a block that an archive moved.

    The safe number lies in the moved block, next to a name.
    """
    dataset = sheet.dataset
    _known_creators(sheet)
    _unknown_creators(sheet)
    _moved_block(sheet)
    _binary(sheet)
    item = Dataset()
    item.PatientName = sheet.person.written(_value(sheet, "SIEMENS SQ/PatientName", "name"))
    inner = Dataset()
    inner.add_new(0x00104000, "LT", _value(sheet, "SIEMENS SQ/SQ/PatientComments", "mobile"))
    item.ReferencedPatientSequence = [inner]
    block = dataset.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    block.add_new(0xFE, "SQ", Sequence([item]))


def _value(sheet: Sheet, place: str, kind: str) -> str:
    value = sheet.draw(kind)
    sheet.note(PRIVATE, (), place, value)
    return value


_TEXT_FIELDS = (
    (0x0019, "SIEMENS MR HEADER", 0x51, "LO", "name"),
    (0x0051, "SIEMENS MR HEADER", 0x17, "SH", "code"),
    (0x0009, "GEMS_IDEN_01", 0x30, "SH", "hospital"),
    (0x0025, "GEMS_SERS_01", 0x1B, "LT", "name"),
    (0x0013, "CTP", 0x10, "LO", "hospital"),
)

_NUMBER_FIELDS = (
    (0x0019, "SIEMENS MR HEADER", 0x29, "LO", "mobile"),
    (0x0043, "GEMS_PARM_01", 0xA5, "LO", "chart"),
    (0x7053, "Philips PET Private Group", 0x00, "LO", "national_id"),
)
"""Fields that are numbers, declared to be text: only where a file states its types."""


def _states(sheet: Sheet) -> bool:
    return not sheet.dataset.file_meta.TransferSyntaxUID.is_implicit_VR


def _known_creators(sheet: Sheet) -> None:
    for group, creator, offset, vr, kind in _TEXT_FIELDS + (
        _NUMBER_FIELDS if _states(sheet) else ()
    ):
        text = sheet.person.written(_value(sheet, f"{creator} {offset:02X}", kind))
        _block(sheet.dataset, group, creator).add_new(offset, vr, text)


_UNKNOWN_FIELDS = (
    (1, "LO", "name"),
    (2, "DA", "date"),
    (3, "UT", "address"),
    (4, "LO", "roc_digits"),
)


def _unknown_creators(sheet: Sheet) -> None:
    dataset, write = sheet.dataset, sheet.person.written
    block = dataset.private_block(0x0031, "ACME PACS 1.0", create=True)
    for offset, vr, kind in _UNKNOWN_FIELDS:
        block.add_new(offset, vr, write(_value(sheet, f"ACME PACS 1.0 {offset:02X}", kind)))
    creator = _value(sheet, "name of a creator", "code")
    dataset.private_block(0x0033, creator, create=True).add_new(1, "DS", "1.5")
    for offset, kind in ((0x1001, "name"), (0x2002, "mobile")):
        text = write(_value(sheet, f"no creator {offset:04X}", kind))
        dataset.add_new((0x0035, offset), "LO", text)


def _moved_block(sheet: Sheet) -> None:
    """The vendor's block where an archive put it: not where the vendor does."""
    group, creator, offset, number = SAFE
    dataset = sheet.dataset
    if creator in dataset.private_creators(group):
        return
    dataset.add_new((group, 0x0077), "LO", creator)
    dataset.add_new((group, 0x7700 + offset), "FL", number)
    text = sheet.person.written(_value(sheet, "moved block, text", "name"))
    dataset.add_new((group, 0x7790), "LO", text)
    dataset.add_new(
        (group, 0x770D), "LO", _value(sheet, "moved block, number field as text", "chart")
    )


def _binary(sheet: Sheet) -> None:
    encode = _encoder(sheet)
    csa = encode(_value(sheet, "SIEMENS CSA HEADER 20", "name"))
    _block(sheet.dataset, 0x0029, "SIEMENS CSA HEADER").add_new(0x20, "OB", _even(b"SV10" + csa))
    unknown = encode(_value(sheet, "UN in an unknown block", "name"))
    _block(sheet.dataset, 0x0031, "ACME PACS 1.0").add_new(9, "UN", _even(unknown))


def hide_container(sheet: Sheet) -> None:
    """Preamble, file meta, overlay, curve, padding behind the pixels."""
    dataset, encode = sheet.dataset, _encoder(sheet)

    def value(place: str, kind: str, tag: int = 0) -> str:
        text = sheet.draw(kind)
        sheet.note(CONTAINER, (tag,) if tag else (), place, text)
        return text

    dataset.preamble = encode(value("preamble", "name")).ljust(128, b"\0")
    meta = dataset.file_meta
    meta.SourceApplicationEntityTitle = value("source AE title", "code")
    meta.SendingApplicationEntityTitle = value("sending AE title", "code")
    meta.ImplementationVersionName = value("implementation version", "code")
    meta.PrivateInformationCreatorUID = UID("1.2.3.4")
    meta.PrivateInformation = _even(encode(value("private information of the meta", "name")))
    bits = np.zeros((int(dataset.Rows) * int(dataset.Columns) + 7) // 8, np.uint8).tobytes()
    drawn = encode(value("overlay bits", "name"))
    dataset.add_new(0x60000010, "US", int(dataset.Rows))
    dataset.add_new(0x60000011, "US", int(dataset.Columns))
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60001500, "LO", sheet.person.written(value("overlay label", "name")))
    dataset.add_new(
        0x60000022, "LO", sheet.person.written(value("overlay description", "hospital"))
    )
    dataset.add_new(0x60003000, "OW", _even(drawn + bits[len(drawn) :]))
    dataset.add_new(0x50002500, "LO", sheet.person.written(value("curve label", "name")))
    dataset.add_new(0xFFFCFFFC, "OB", _even(encode(value("trailing padding", "name"))))
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        comment = encode(value("comment in a compressed frame", "name"))
        dataset.PixelData = _commented(bytes(dataset.PixelData), comment)
    else:
        behind = encode(value("behind the pixels", "mobile"))
        dataset.PixelData = _even(bytes(dataset.PixelData) + behind)


def _commented(content: bytes, comment: bytes) -> bytes:
    """Encapsulated frames, the first of which has a comment segment behind its start marker.

    Source: ITU-T T.81 B.2.4.5: marker FFFE, two bytes of length that count themselves, the text.
    """
    frames = list(generate_fragments(content))
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    frames[1] = _even(frames[1][:2] + segment + frames[1][2:])
    return encapsulate(frames[1:])


def _encoder(sheet: Sheet) -> _Encode:
    encoding = {"gb18030": "gb18030", "big5-as-latin": "big5"}.get(sheet.person.charset, "utf-8")
    return lambda text: text.encode(encoding)


def _block(dataset: Dataset, group: int, creator: str):  # noqa: ANN202
    return dataset.private_block(group, creator, create=True)


def _even(content: bytes) -> bytes:
    return content + b"\0" * (len(content) % 2)
