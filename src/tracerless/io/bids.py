"""File names of a BIDS dataset: the only place that knows them.

SPECT has no BIDS suffix: it is stored under ``pet/`` with ``trc-ECD`` or ``trc-HMPAO`` and
``"Modality": "SPECT"`` in its sidecar. Blood-flow maps that a scanner computed are no raw BIDS file
either; they take the derivative's suffixes ``cbf`` and ``deltam`` under ``perf/``.
"""

from pathlib import Path

from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast

_FOLDER_SUFFIX = {
    Contrast.T1W: ("anat", "T1w"),
    Contrast.T2W: ("anat", "T2w"),
    Contrast.FLAIR: ("anat", "FLAIR"),
    Contrast.ASL: ("perf", "asl"),
    Contrast.M0: ("perf", "m0scan"),
    Contrast.DELTAM: ("perf", "deltam"),
    Contrast.CBF: ("perf", "cbf"),
    Contrast.FDG: ("pet", "pet"),
    Contrast.ECD: ("pet", "pet"),
    Contrast.HMPAO: ("pet", "pet"),
    Contrast.SYNTHETIC_FDG: ("pet", "pet"),
}

_TRACER = {
    Contrast.FDG: "FDG",
    Contrast.SYNTHETIC_FDG: "FDG",
    Contrast.ECD: "ECD",
    Contrast.HMPAO: "HMPAO",
}


def session_folder(root: Path, key: SessionKey) -> Path:
    """``root/sub-X/ses-Y``."""
    return root / f"sub-{key.person}" / f"ses-{key.visit}"


def native_path(root: Path, key: SessionKey, contrast: Contrast, run: int = 0) -> Path:
    """Where a converted series lies; ``run`` counts repeats of a contrast from 1, 0 = no other."""
    folder, suffix = _FOLDER_SUFFIX[contrast]
    entities = [str(key), *_tracer(contrast), *([f"run-{run}"] if run else []), suffix]
    return session_folder(root, key) / folder / ("_".join(entities) + ".nii.gz")


def derived_path(root: Path, key: SessionKey, contrast: Contrast, *, space: str) -> Path:
    """Where a volume computed in ``space`` lies; synthetic ones say so in their name."""
    folder, suffix = _FOLDER_SUFFIX[contrast]
    description = "synth" if contrast == Contrast.SYNTHETIC_FDG else "prepared"
    entities = [str(key), *_tracer(contrast), f"space-{space}", f"desc-{description}", suffix]
    return session_folder(root, key) / folder / ("_".join(entities) + ".nii.gz")


def session_file(root: Path, key: SessionKey, description: str, extension: str) -> Path:
    """Where a table or record of a whole session lies."""
    return session_folder(root, key) / f"{key}_desc-{description}{extension}"


def _tracer(contrast: Contrast) -> list[str]:
    return [f"trc-{_TRACER[contrast]}"] if contrast in _TRACER else []
