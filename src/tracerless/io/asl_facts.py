"""What a header says of the labeling, as controlled numbers and words under BIDS names.

Vendors keep it in different places, most of them private, so most of it dies at the border unless
it is read before. A number is taken only where the place is known to hold it, and only within the
range that the field may have (`fields`); what is not known is not stated.

Source:
    Enhanced objects: PS3.3 C.8.13.5.14. GE: delay in InversionTime, the rest in GEMS_PARM_01 and
    GEMS_IMAG_01; the difference is stored 32 times larger and summed over excitations. Siemens:
    lines of the protocol by sequence; those of ``ep2d_pcasl`` agree with the printed protocol of a
    real scan, where the number of blocks of 18.4 ms is the length of the label. The delay of
    ``tgse_pcasl`` is not read: converters take it for the length of the label.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tracerless.core.volume import Contrast
from tracerless.io import csa, dicom_read, enhanced, tags
from tracerless.io.fields import MS_PER_S, is_plausible

PERFUSION = (Contrast.ASL, Contrast.M0, Contrast.DELTAM, Contrast.CBF)
"""Contrasts whose labeling matters."""

GE_SCALE = 32.0
"""GE's product stores one excitation of the difference that much larger than M0."""

_US_PER_S = 1e6
_BLOCK_S = 0.0184
"""One block of 20 pulses of the 2D pCASL sequence for Siemens, s."""

_CSA_SERIES = (0x0029, "SIEMENS CSA HEADER", 0x20)
_XA_PROTOCOL = (0x0021, "SIEMENS MR SDS 01", 0x19)
_XA_SHARED = (0x0021, "SIEMENS MR SDS 01", 0xFE)
_XA_INVERSION = (0x0021, "SIEMENS MR SDI 02", 0x89)
_XA_FRAME = (0x0021, "SIEMENS MR SDI 02", 0xFE)
_GE_TECHNIQUE = (0x0043, "GEMS_PARM_01", 0xA3)
_GE_LABEL = (0x0043, "GEMS_PARM_01", 0xA5)
_GE_EXCITATIONS = (0x0027, "GEMS_IMAG_01", 0x62)

_PROTOCOL_KEYS = re.compile(
    r"tSequenceFileName|alTI\[[0-2]\]|s(?:Wip|WiP|WIP)MemBlock\.adFree\[[23]\]|sAsl\.ulMode"
    r"|sAsl\.ulLabelingDuration|sAsl\.sPostLabelingDelay\[0\]"
)
_CUT_OFF = {2.0: "Q2TIPS", 4.0: "QUIPSSII"}
"""``sAsl.ulMode`` of the pulsed products: PICORE Q2TIPS and FAIR QUIPSS II."""

_NAMED = (
    ("PCASL", re.compile(r"P ?CASL|PSEUDO ?CONTINUOUS|PULSED CONTINUOUS")),
    ("PASL", re.compile(r"\bPASL|\bFAIR\b|PICORE|EPISTAR|PULSAR|Q2TIPS")),
    ("CASL", re.compile(r"\bCASL")),
)
_STATED = {"PSEUDOCONTINUOUS": "PCASL", "CONTINUOUS": "CASL", "PULSED": "PASL"}

Found = dict[str, Any]


def of_header(dataset: Dataset) -> Found:
    """Fields that one header of a labeling series states; times in s.

    The standard's own attributes count before a vendor's, and both before names.
    """
    found: Found = {}
    for reader in _READERS:
        for name, value in reader(dataset).items():
            if value is not None and is_plausible(name, value):
                found.setdefault(name, value)
    return found


def before_border(files: Sequence[Path], contrast: Contrast) -> Found:
    """What the headers of an identified series state; None for what two of them contradict.

    Args:
        files: of the series, in order; the first and the last are read.
        contrast: what it shows; nothing is read where there is no label.
    """
    if contrast not in PERFUSION:
        return {}
    ends = [dicom_read.read(path) for path in dict.fromkeys((files[0], files[-1]))]
    headers = [each for each in ends if not isinstance(each, dicom_read.Rejection)]
    if not headers:
        return {}
    first, *others = [of_header(each) for each in headers]
    differ = {name for other in others for name in first if other.get(name) != first[name]}
    return {name: None if name in differ else value for name, value in first.items()}


def _enhanced(dataset: Dataset) -> Found:
    shared, frames = enhanced.groups(dataset)
    first = frames[0] if frames else Dataset()
    label = enhanced.macro(first, shared, "MRArterialSpinLabelingSequence")
    kind = tags.text(label, "ArterialSpinLabelingContrast") or tags.text(
        dataset, "ArterialSpinLabelingContrast"
    )
    slabs = tags.items(label, "ASLSlabSequence")
    duration = tags.number(slabs[0], "ASLPulseTrainDuration") if slabs else None
    found: Found = {
        "ArterialSpinLabelingType": _STATED.get(kind.upper()),
        "LabelingDuration": _s(duration),
    }
    cut = {"YES": True, "NO": False}.get(tags.text(label, "ASLBolusCutoffFlag").upper())
    if cut is not None:
        times = tags.items(label, "ASLBolusCutoffTimingSequence")
        technique = tags.text(times[0], "ASLBolusCutoffTechnique") if times else ""
        delays = tags.numbers(times[0], "ASLBolusCutoffDelayTime") if times else ()
        found["BolusCutOffFlag"] = cut
        found["BolusCutOffTechnique"] = re.sub(r"[^A-Z0-9]", "", technique.upper()) or None
        found["BolusCutOffDelayTime"] = [ms / MS_PER_S for ms in delays] or None
    return found


def _siemens(dataset: Dataset) -> Found:
    if "SIEMENS" not in _maker(dataset):
        return {}
    lines = csa.protocol(_protocol(dataset), _PROTOCOL_KEYS)
    sequence = lines.get("tSequenceFileName", "").replace("\\", "/").rpartition("/")[2].lower()
    found: Found = {"PostLabelingDelay": _s(_xa_inversion(dataset))}
    for words, reader in _SIEMENS:
        if any(word in sequence for word in words):
            return found | reader(lines)
    return found


def _siemens_pulsed(lines: Mapping[str, str]) -> Found:
    """Three inversion times: 3D writes cut, nothing, readout; 2D writes readout, cut, last cut."""
    times = [csa.number(lines, f"alTI[{n}]") for n in range(3)]
    us = [each for each in times if each]
    mode = csa.number(lines, "sAsl.ulMode") or 0.0
    found: Found = {"ArterialSpinLabelingType": "PASL"}
    if len(us) < 2 or mode not in _CUT_OFF:
        return found
    *cuts, readout = sorted(us)  # whatever the order of writing, blood is cut off before readout
    cuts_s = [cut / _US_PER_S for cut in cuts]
    return found | {
        "PostLabelingDelay": readout / _US_PER_S,
        "BolusCutOffFlag": True,
        "BolusCutOffTechnique": _CUT_OFF[mode],
        "BolusCutOffDelayTime": cuts_s if len(cuts_s) > 1 else cuts_s[0],
    }


def _siemens_2d_pcasl(lines: Mapping[str, str]) -> Found:
    blocks = _wip(lines, 3)
    delay_us = _wip(lines, 2)
    return {
        "ArterialSpinLabelingType": "PCASL",
        "PostLabelingDelay": delay_us / _US_PER_S if delay_us else None,
        "LabelingDuration": round(blocks * _BLOCK_S, 4) if blocks else None,
    }


def _siemens_pcasl(lines: Mapping[str, str]) -> Found:
    """The product: its keys say in words what they hold."""
    duration = csa.number(lines, "sAsl.ulLabelingDuration")
    delay = csa.number(lines, "sAsl.sPostLabelingDelay[0]")
    found: Found = {"ArterialSpinLabelingType": "PCASL"}
    if duration:
        found["LabelingDuration"] = duration / _US_PER_S
    if delay:
        found["PostLabelingDelay"] = delay / _US_PER_S
    return found


_SIEMENS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, str]], Found]], ...] = (
    (("ep2d_pcasl",), _siemens_2d_pcasl),
    (("pcasl",), _siemens_pcasl),
    (("ep2d_pasl", "tgse_pasl"), _siemens_pulsed),
)
"""Parts of the names of sequences, and what reads their lines."""


def _wip(lines: Mapping[str, str], place: int) -> float | None:
    keys = (f"s{word}MemBlock.adFree[{place}]" for word in ("Wip", "WiP", "WIP"))
    return next((n for n in (csa.number(lines, key) for key in keys) if n is not None), None)


def _protocol(dataset: Dataset) -> bytes:
    """The header that holds the protocol, of any software release; empty when there is none."""
    shared, _ = enhanced.groups(dataset)
    inner = tags.private(shared, *_XA_SHARED)
    homes = (dataset, shared, *(inner if isinstance(inner, Sequence) else ()))
    found = [tags.private(dataset, *_CSA_SERIES)]
    found += [tags.private(home, *_XA_PROTOCOL) for home in homes if isinstance(home, Dataset)]
    return next((each for each in found if isinstance(each, bytes)), b"")


def _xa_inversion(dataset: Dataset) -> float | None:
    _, frames = enhanced.groups(dataset)
    inner = tags.private(frames[0], *_XA_FRAME) if frames else None
    homes = [dataset, *(inner if isinstance(inner, Sequence) else ())]
    found = [tags.private(home, *_XA_INVERSION) for home in homes if isinstance(home, Dataset)]
    return next((float(each) for each in found if isinstance(each, int | float)), None)


def _ge(dataset: Dataset) -> Found:
    if not _maker(dataset).startswith("GE"):
        return {}
    technique = str(tags.private(dataset, *_GE_TECHNIQUE) or "").strip().upper()
    label_ms = _plain(tags.private(dataset, *_GE_LABEL))
    excitations = _plain(tags.private(dataset, *_GE_EXCITATIONS))
    return {
        "ArterialSpinLabelingType": _STATED.get(technique),
        "PostLabelingDelay": _s(tags.number(dataset, "InversionTime")),
        "LabelingDuration": _s(label_ms),
        "AslScale": GE_SCALE * excitations if excitations else None,
    }


def _philips(dataset: Dataset) -> Found:
    """The delay as a trigger time; of a dynamic series that is the time of day, out of range."""
    if "PHILIPS" not in _maker(dataset):
        return {}
    shared, frames = enhanced.groups(dataset)
    heart = enhanced.macro(
        frames[0] if frames else Dataset(), shared, "CardiacSynchronizationSequence"
    )
    ms = tags.number(dataset, "TriggerTime")
    return {
        "PostLabelingDelay": _s(ms or tags.number(heart, "NominalCardiacTriggerDelayTime")),
    }


def _preparation(dataset: Dataset) -> Found:
    """Time between excitations; GE's repetition is another one, of its spirals."""
    if _maker(dataset).startswith("GE"):
        return {}
    return {"RepetitionTimePreparation": _s(tags.number(dataset, "RepetitionTime"))}


def _flow_units(dataset: Dataset) -> Found:
    unit = re.sub(r"[^A-Z0-9]", "", tags.text(dataset, "RescaleType").upper())
    return {"FlowUnits": "mL/100g/min" if unit in {"ML100GMIN", "MLMIN100G"} else None}


def _named(dataset: Dataset) -> Found:
    name = f"{tags.text(dataset, 'SeriesDescription')} / {tags.text(dataset, 'ProtocolName')}"
    plain = re.sub(r"[^A-Z0-9/]+", " ", name.upper())
    kind = next((kind for kind, pattern in _NAMED if pattern.search(plain)), None)
    return {"ArterialSpinLabelingType": kind}


def _maker(dataset: Dataset) -> str:
    return tags.text(dataset, "Manufacturer").upper()


def _plain(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _s(ms: float | None) -> float | None:
    return round(ms / MS_PER_S, 9) if ms else None


_READERS = (_enhanced, _siemens, _ge, _philips, _preparation, _flow_units, _named)
"""What counts first comes first."""
