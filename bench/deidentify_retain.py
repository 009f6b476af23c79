"""What of a scan still measures after de-identification: numbers, pixels, SUV, intervals."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from bench.deidentify_corpus import Corpus, read
from bench.deidentify_places import CLINICAL
from bench.deidentify_technical import leaves

_DESCRIPTORS = (
    "StudyDescription", "ProtocolName", "RequestedProcedureDescription", "DerivationDescription",
    "PerformedProcedureStepDescription", "ImageComments", "AcquisitionProtocolDescription",
)  # fmt: skip
"""SeriesDescription is not among them: the contrast takes its place."""

PT = "1.2.840.10008.5.1.4.1.1.128"


@dataclass(slots=True)
class Kept:
    """Counts over a corpus; ``lost`` names technical keywords that went, with how often."""

    technical: int = 0
    technical_of: int = 0
    times: int = 0
    times_of: int = 0
    pixels: int = 0
    pixels_of: int = 0
    suv: int = 0
    suv_changed: int = 0
    suv_of: int = 0
    missing: int = 0
    private: int = 0
    private_of: int = 0
    clinical: int = 0
    clinical_of: int = 0
    burned: int = 0
    burned_of: int = 0
    lost: Counter[str] = field(default_factory=Counter)


def retained(corpus: Corpus, outputs: Mapping[int, Sequence[Path]]) -> Kept:
    """Compare every planted file with the one file that it became; several: not compared."""
    kept = Kept()
    for file in corpus.files:
        paths = outputs.get(file.number, ())
        kept.missing += not paths
        if len(paths) == 1:
            _compare(corpus.read(file), read(paths[0]), kept, is_burned=file.is_burned)
            base = read(file.base)
            if "NumberOfSlices" in base:
                base.NumberOfSlices = corpus.read(file).NumberOfSlices  # the benchmark sets it
            _compare_technical(base, read(paths[0]), kept)
    return kept


def _compare(before: Dataset, after: Dataset, kept: Kept, *, is_burned: bool) -> None:
    is_same = _same_pixels(before, after)
    if not is_burned and (is_same or not _is_cleaned(after)):
        kept.pixels_of += 1  # pixels that were cleaned, and say so, are not held against a run
        kept.pixels += is_same
    elif is_burned:
        kept.burned_of += 1
        kept.burned += _same_corner(before, after)
    _compare_suv(before, after, kept)
    _compare_private(before, after, kept)
    _compare_words(before, after, kept)


def _is_cleaned(after: Dataset) -> bool:
    """Whether the file says that its pixels or its face were cleaned (CID 7050)."""
    done = after.get("DeidentificationMethodCodeSequence") or ()
    return any(str(item.get("CodeValue", "")) in ("113101", "113102") for item in done)


def _compare_words(before: Dataset, after: Dataset, kept: Kept) -> None:
    """Clinical words around planted values, in attributes that a descriptor option cleans."""
    for keyword in _DESCRIPTORS:
        words = set(str(before.get(keyword, "")).split()) & set(CLINICAL)
        left = set(str(after.get(keyword, "")).split())
        kept.clinical_of += len(words)
        kept.clinical += len(words & left)


def _same_corner(before: Dataset, after: Dataset) -> bool:
    """Whether the burned-in text of the upper left corner is as it was."""
    was, now = _pixels(before), _pixels(after)
    if was is None or now is None or was.shape != now.shape:
        return False
    height = max(10, was.shape[-2] // 14)
    return bool((was[..., :height, :] == now[..., :height, :]).all())


def _compare_technical(before: Dataset, after: Dataset, kept: Kept) -> None:
    """The values of the scan as it was read: what was planted is nothing to keep.

    Series and instance number are the benchmark's own, and so not compared.
    """
    wanted = leaves(before)
    got = leaves(after) if str(after.get("SOPClassUID", "")) == str(before.SOPClassUID) else {}
    is_cleaned = _is_cleaned(after)
    for leaf, value in wanted.items():
        path, vr = leaf
        if is_cleaned and path == ("ImageType",):
            continue  # rightly derived now
        is_same = got.get(leaf) == value
        if vr == "TM":
            kept.times_of += 1
            kept.times += is_same
            continue
        kept.technical_of += 1
        kept.technical += is_same
        if not is_same:
            kept.lost["/".join(str(part) for part in path if isinstance(part, str))] += 1


def _same_pixels(before: Dataset, after: Dataset) -> bool:
    was, now = _pixels(before), _pixels(after)
    return was is not None and now is not None and np.array_equal(was, now)


def _pixels(dataset: Dataset) -> NDArray[Any] | None:
    """The stored values; None when they cannot be decoded any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return dataset.pixel_array
        except Exception:  # noqa: BLE001
            return None


def _compare_suv(before: Dataset, after: Dataset, kept: Kept) -> None:
    was = suv_factor(before)
    if was is None:
        return
    kept.suv_of += 1
    now = suv_factor(after) or _mapped(after)
    is_kept = now is not None and abs(now / was - 1) <= 1e-6
    kept.suv += is_kept
    kept.suv_changed += now is not None and not is_kept


def suv_factor(dataset: Dataset) -> float | None:
    """SUV by body weight per Bq/mL from the plain attributes; None when one is missing.

    Source: DICOM PS3.3 C.8.9.1 and C.8.9.4.
    """
    if str(dataset.get("SOPClassUID", "")) != PT or dataset.get("Units") != "BQML":
        return None
    try:
        tracer = dataset.RadiopharmaceuticalInformationSequence[0]
        dose, half_life_s = float(tracer.RadionuclideTotalDose), float(tracer.RadionuclideHalfLife)
        weight_g = float(dataset.PatientWeight) * 1000
        if not dose or not weight_g:
            return None
        if dataset.DecayCorrection == "ADMIN":
            return weight_g / dose
        began, injected = _second(dataset.SeriesTime), _second(_injection_time(tracer))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return weight_g / (dose * 2 ** (-((began - injected) % 86_400) / half_life_s))


def _injection_time(tracer: Dataset) -> str:
    moment = str(tracer.get("RadiopharmaceuticalStartDateTime") or "")
    return moment[8:] or str(tracer.RadiopharmaceuticalStartTime)


def _second(text: object) -> float:
    digits = str(text)
    return int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + float(digits[4:] or 0)


def _mapped(dataset: Dataset) -> float | None:
    """The factor from a real-world value mapping in g/ml."""
    slope = float(dataset.get("RescaleSlope") or 0)
    for mapping in dataset.get("RealWorldValueMappingSequence") or ():
        units = mapping.get("MeasurementUnitsCodeSequence")
        if slope and units and "SUVbw" in str(units[0].get("CodeValue", "")):
            return float(mapping.RealWorldValueSlope) / slope
    return None


def _compare_private(before: Dataset, after: Dataset, kept: Kept) -> None:
    """Philips' scale slope, in whatever block it lies: a number that nobody is in."""
    value = _scale(before)
    if value is not None:
        kept.private_of += 1
        kept.private += _scale(after) == value


def _scale(dataset: Dataset) -> float | None:
    try:
        return float(dataset.private_block(0x2005, "Philips MR Imaging DD 001")[0x0E].value)
    except (KeyError, TypeError, ValueError):
        return None


def shifts(before: Dataset, after: Dataset) -> list[int]:
    """By how many days each top-level date moved; dates that went are not listed."""
    moved = []
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        was, now = _date(before, keyword), _date(after, keyword)
        if was and now:
            moved.append((now - was).days)
    return moved


def _date(dataset: Dataset, keyword: str) -> datetime | None:
    try:
        return datetime.strptime(str(dataset.get(keyword) or "")[:8], "%Y%m%d")
    except ValueError:
        return None


@dataclass(slots=True)
class Links:
    """What ties files together: people with one shift, UIDs one to one, references that resolve."""

    people_of: int = 0
    people_steady: int = 0
    references_of: int = 0
    references_closed: int = 0
    is_one_to_one: bool = True


def links(corpus: Corpus, outputs: Mapping[int, Sequence[Path]]) -> Links:
    """Judge the ties of a whole run.

    A reference that a tool took out counts as closed: nothing dangles.
    """
    made = Links()
    moved: dict[int, set[int]] = {}
    uids: dict[str, set[str]] = {}
    read_back = {n: read(paths[0]) for n, paths in outputs.items() if len(paths) == 1}
    present = {str(each.get("SOPInstanceUID", "")) for each in read_back.values()}
    for number, after in read_back.items():
        file = corpus.files[number]
        before = corpus.read(file)
        moved.setdefault(file.person, set()).update(shifts(before, after))
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            uids.setdefault(str(before[keyword].value), set()).add(str(after.get(keyword, "")))
        _close(before, after, present, made)
    steady = [days for days in moved.values() if days]
    made.people_of, made.people_steady = len(steady), sum(len(days) == 1 for days in steady)
    new = [next(iter(each)) for each in uids.values() if len(each) == 1]
    made.is_one_to_one = len(new) == len(uids) == len(set(new))
    return made


def _close(before: Dataset, after: Dataset, present: set[str], made: Links) -> None:
    for keyword in ("ReferencedImageSequence", "SourceImageSequence"):
        if not before.get(keyword):
            continue
        made.references_of += 1
        items = after.get(keyword) or ()
        uid = str(items[0].get("ReferencedSOPInstanceUID", "")) if items else ""
        made.references_closed += not uid or uid in present
