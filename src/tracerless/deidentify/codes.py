"""Coded items: which of their parts may cross, and which items of a sequence stay."""

import re

from pydicom import Dataset

CODE_TAGS = (0x00080100, 0x00080119, 0x00080120)
"""CodeValue, LongCodeValue, URNCodeValue: an item that holds one is a code."""

CODE_PARTS = (*CODE_TAGS, 0x00080102, 0x00080103, 0x00080104)
"""What is left of a coded item: the code, its scheme and version, and its meaning."""

SCHEME_TAG, MEANING_TAG = 0x00080102, 0x00080104
SCHEMES = frozenset(
    {"DCM", "SRT", "SCT", "SNM3", "99SDM", "UCUM", "FMA", "NEU", "RADLEX", "LN", "UMLS", "NCIt"}
    | {"MSH", "I10", "ACR", "RXNORM", "DCMUID", "DICOM_DCMR"}
)
"""Coding schemes of DICOM PS3.16 section 8 whose meanings are not written by hospitals."""

SHAPES = {
    CODE_TAGS[0]: re.compile(r"[A-Za-z0-9.\-]{1,16}|[A-Za-z0-9{}\[\]/.*^%()\-]{1,16}"),
    CODE_TAGS[1]: re.compile(r"[0-9.\-]{17,64}"),
    CODE_TAGS[2]: re.compile(r"urn:(oid:[0-9.]+|uuid:[0-9a-f\-]{36})"),
    SCHEME_TAG: re.compile(r".{1,16}"),
    0x00080103: re.compile(r"[0-9.]{1,16}"),
}
"""What code values, designators of schemes and their versions look like."""


def scheme(item: Dataset) -> str:
    """The coding scheme of an item; empty when it names none."""
    element = item.get(SCHEME_TAG)
    return "" if element is None else str(element.value)


def surviving(filled: list[bool], coded: list[bool]) -> list[int]:
    """Places of the items of a sequence that stay.

    None when nothing is left in any of them; a code of which nothing is left goes alone; other
    items keep their place, which frames and vectors point to.

    Args:
        filled: whether anything of the item crosses.
        coded: whether the item was a code.
    """
    if not any(filled):
        return []
    pairs = enumerate(zip(filled, coded, strict=True))
    return [place for place, (is_filled, is_coded) in pairs if is_filled or not is_coded]
