"""Which attributes an image needs to be decoded, placed and measured, by the standard's modules.

Taken from the module tables of DICOM PS3.3 as highdicom ships them, not from any table of ours:
numbers, codes and times of day of the image and acquisition modules of each object's definition.
What PS3.15 table E.1-1 calls identifying is none of it, but for times of day, counted apart.
"""

import functools
import importlib.resources
import json
from collections.abc import Iterator
from typing import Any

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue

_MODULES = frozenset(
    {
        "general-image", "general-acquisition", "image-plane", "image-pixel", "mr-image",
        "pet-series", "pet-isotope", "pet-image", "pet-multi-gated-acquisition",
        "nm-pet-patient-orientation", "acquisition-context", "voi-lut", "contrast-bolus",
        "nm-image-pixel", "multi-frame", "nm-multi-frame", "nm-image", "nm-isotope", "nm-detector",
        "nm-tomo-acquisition", "nm-multi-gated-acquisition", "nm-phase", "nm-reconstruction",
        "mr-series", "multi-frame-dimension", "enhanced-mr-image", "mr-pulse-sequence",
        "enhanced-mr-image-multi-frame-functional-groups", "multi-frame-functional-groups",
        "frame-of-reference",
    }
)  # fmt: skip

_NUMBERS = frozenset({"DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "AT"})
_CODES = frozenset({"CodeValue", "CodingSchemeDesignator"})

_NOT_TECHNICAL = frozenset(
    {
        "IconImageSequence", "BurnedInAnnotation", "RecognizableVisualFeatures",
        "ReferencedImageSequence", "SourceImageSequence", "DerivationCodeSequence",
        "QualityControlImage", "InstanceNumber", "SeriesNumber", "AcquisitionContextSequence",
        "RealWorldValueMappingSequence",
    }
)  # fmt: skip
"""Rewritten by de-identification or by the benchmark itself, references, or thumbnails."""

_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")

Leaf = tuple[tuple[str | int, ...], str]
"""(keywords and numbers of items down to the attribute, value representation)."""


@functools.cache
def _listed(sop_class: str) -> frozenset[tuple[str, ...]]:
    """Paths of keywords that the chosen modules of the class list."""
    folder = importlib.resources.files("highdicom").joinpath("_standard")

    def table(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))
        return content

    iod = table("sop_class_iod_map")[sop_class]
    modules = {each["key"] for each in table("iod_module_map")[iod]} & _MODULES
    attributes = table("module_attribute_map")
    return frozenset((*row["path"], row["keyword"]) for key in modules for row in attributes[key])


def leaves(dataset: Dataset) -> dict[Leaf, str]:
    """Every technical value of an instance as one text; lists joined, numbers rounded to 1e-6."""
    listed = _listed(str(dataset.SOPClassUID))
    return dict(_walk(dataset, (), listed))


def _walk(
    level: Dataset, path: tuple[str | int, ...], listed: frozenset[tuple[str, ...]]
) -> Iterator[tuple[Leaf, str]]:
    for element in level:
        keyword = keyword_for_tag(element.tag)
        if not keyword or keyword in _NOT_TECHNICAL:
            continue
        here = (*path, keyword)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _walk(item, (*here, number), listed)
        elif _is_technical(here, str(element.VR), listed) and not element.is_empty:
            yield (here, str(element.VR)), _text(element.value)


def _is_technical(path: tuple[str | int, ...], vr: str, listed: frozenset[tuple[str, ...]]) -> bool:
    keywords = tuple(part for part in path if isinstance(part, str))
    if keywords[0] in _GROUPS:
        return vr in _NUMBERS or vr == "CS" or keywords[-1] in _CODES
    if vr in _NUMBERS or vr in ("CS", "TM"):
        return keywords in listed
    return keywords[-1] in _CODES and keywords[:-1] in listed


def _text(value: object) -> str:
    many = value if isinstance(value, MultiValue | list) else [value]
    return "\\".join(_one(each) for each in many)


def _one(value: object) -> str:
    try:
        return f"{float(str(value)):.6g}"
    except ValueError:
        return str(value).strip()
