"""How synthetic FDG is written and read: marked in name, header and sidecar; no science."""

import json
from pathlib import Path

from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction, Reach
from tracerless.core.volume import Contrast, Volume
from tracerless.io import bids, nifti
from tracerless.workspace.kinds_common import Record, edge_mm, own_space, standard

_TOLD = frozenset({
    "SyntheticFrom", "Reach", "CovariatesUsed", "CognitionUsed", "Notes", "Model",
    "ModelTrainingDomain", "LearnedFrom", "Backend", "BackendParity", "BackendNote",
    "ReferenceRegion", "IntervalLevel", "IntervalHalfWidths",
})  # fmt: skip
"""Of the sidecar: what is true of a prediction wherever its volume lies."""
_COGNITION = "MMSE"
"""A covariate that the diagnosis may have leaked through."""


def save_synthetic(root: Path, key: SessionKey, prediction: Prediction) -> Record:
    """Write synthetic FDG in template space with its interval and samples."""
    space, volume = prediction.provenance["template"], prediction.volume
    path = bids.derived_path(root, key, volume.contrast, space=space, voxel_mm=edge_mm(volume))
    extra = {**standard(volume), **_sidecar(prediction)}
    nifti.write_volume(path, volume, space=space, extra=extra)
    width = None
    if prediction.half_width is not None:
        width = bids.width_path(path)
        about = f"half-width of the {prediction.level:.0%} interval about each voxel"
        described = {**extra, "Description": about}
        nifti.write_volume(width, prediction.half_width, space=space, extra=described)
    samples = [_sample_path(path, number) for number in range(1, len(prediction.samples) + 1)]
    about = "one plausible volume around the mean, for texture; numbers never come from it"
    for where, sample in zip(samples, prediction.samples, strict=True):
        described = {**extra, "Description": about}
        nifti.write_volume(where, sample, space=space, extra=described)
    written = [path, *([] if width is None else [width]), *samples]
    return {
        "space": space,
        "level": prediction.level,
        "half_widths": dict(prediction.half_widths),
        "inputs": [str(contrast) for contrast in prediction.inputs],
        "model": prediction.model,
        "reference": prediction.reference,
        "training_domain": prediction.training_domain,
        "fingerprint": prediction.fingerprint,
        "notes": list(prediction.notes),
        "provenance": dict(prediction.provenance),
        "reach": _reach(prediction),
        "covariates": list(prediction.covariates),
        "width": None if width is None else str(width.relative_to(root)),
        "samples": [str(each.relative_to(root)) for each in samples],
        "files": [str(each.relative_to(root)) for each in written],
    }


def load_synthetic(root: Path, key: SessionKey, record: Record) -> Prediction:
    """Read synthetic FDG in template space."""
    first, *others = record["files"]
    samples = record.get("samples", [])
    width = record.get("width", others[0] if others else None)
    reach = record.get("reach")
    return Prediction(
        key=key,
        volume=nifti.read_volume(root / first),
        inputs=tuple(Contrast(text) for text in record["inputs"]),
        model=record["model"],
        reference=record["reference"],
        training_domain=record["training_domain"],
        fingerprint=record["fingerprint"],
        notes=tuple(record["notes"]),
        provenance=record["provenance"],
        level=record["level"],
        half_widths=record["half_widths"],
        half_width=None if width is None else nifti.read_volume(root / width),
        reach=None if reach is None else Reach(**{**reach, "reasons": tuple(reach["reasons"])}),
        covariates=tuple(record.get("covariates", ())),
        samples=tuple(nifti.read_volume(root / name) for name in samples),
    )


def save_synthetic_native(root: Path, key: SessionKey, volume: Volume) -> Record:
    """Write synthetic FDG on the person's own T1 grid."""
    path = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space="T1w")
    extra = {"Synthetic": True, **_told_in_template_space(root, key), **own_space(root, key)}
    nifti.write_volume(path, volume, extra=extra)
    return {"space": "T1w", "files": [str(path.relative_to(root))]}


def load_synthetic_native(root: Path, _key: SessionKey, record: Record) -> Volume:
    """Read synthetic FDG on the person's own T1 grid."""
    return nifti.read_volume(root / record["files"][0])


def _told_in_template_space(root: Path, key: SessionKey) -> Record:
    """What stands beside the same prediction in template space: whoever opens one file reads it."""
    record = bids.session_file(root, key, "synthetic", ".json")
    if not record.is_file():
        return {}
    files = json.loads(record.read_text("utf-8")).get("files", ())
    beside = nifti.read_sidecar(root / files[0]) if files else {}
    return {name: each for name, each in beside.items() if name in _TOLD}


def _sidecar(prediction: Prediction) -> Record:
    """Doubts stand first: whether the model may speak of these scans, and what else it saw."""
    reach, computed = _reach(prediction), prediction.provenance
    return {
        "Synthetic": True,
        "SyntheticFrom": [str(contrast) for contrast in prediction.inputs],
        "Reach": None if reach is None else {name.title(): each for name, each in reach.items()},
        "CovariatesUsed": list(prediction.covariates),
        "CognitionUsed": _COGNITION in prediction.covariates,
        "Notes": list(prediction.notes),
        "Model": prediction.model,
        "ModelTrainingDomain": prediction.training_domain,
        "LearnedFrom": computed.get("learned_from", "all"),
        "Backend": computed.get("backend"),
        "BackendParity": computed.get("backend_parity"),
        "BackendNote": computed.get("backend_note", ""),
        "ReferenceRegion": prediction.reference,
        "IntervalLevel": prediction.level,
        "IntervalHalfWidths": dict(prediction.half_widths),
    }


def _reach(prediction: Prediction) -> Record | None:
    found = prediction.reach
    if found is None:
        return None
    return {"verdict": found.verdict, "p": found.p, "reasons": list(found.reasons)}


def _sample_path(path: Path, number: int) -> Path:
    """Where a sample beside a synthetic volume lies, counted from 1."""
    return path.with_name(path.name.replace("desc-synth_", f"desc-synthsample{number}_"))
