"""What every person of a trial is measured by: kept one by one, so that a stopped run goes on."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless import __version__
from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, ModelError, QuantityError
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.volume import Volume
from tracerless.evaluate import voxels
from tracerless.io import resources
from tracerless.io.atomic import write_bytes
from tracerless.workspace.trial import MODEL, Subject, Trial

Record = Mapping[str, NDArray[Any]]
"""Arrays of one session by name; ``<who>|<atlas>|<reference>`` holds (R,) SUVR."""
TRUTH, WIDTH, VOXELS, DOUBT = "truth", "width", "voxels", "doubt"
VOXEL_METRICS = ("mae", "psnr", "ssim", "coverage")
_OTHER_ATLASES = ("fdg52", "fdg36")
_OTHER_REFERENCES = ("cerebellum", "pons", "whole_brain")
REFUSALS = (ModelError, ContrastError, QuantityError)
"""How a synthesizer says that it will not speak of a session."""


def cell(who: str, atlas: str, reference: str) -> str:
    """Name of the region means that someone predicts, over an atlas and a reference."""
    return f"{who}|{atlas}|{reference}"


def atlases(trial: Trial) -> tuple[Atlas, ...]:
    """The trial's atlas and another one, on the same grid; the trial's alone off the package's."""
    voxel_mm = float(trial.template.grid.spacing_mm[0])
    if resources.template_grid(voxel_mm) != trial.atlas.grid:
        return (trial.atlas,)
    key = next(key for key in _OTHER_ATLASES if key != trial.atlas.key)
    return trial.atlas, resources.atlas(key, voxel_mm)


def references(trial: Trial) -> tuple[str, ...]:
    """The model's reference region and another one of the trial's atlas, where it has one."""
    own = trial.checkpoint.reference
    others = [r for r in _OTHER_REFERENCES if r != own and r in trial.atlas.references]
    return (own, *others[:1])


def kept(folder: Path, name: str, digest: str, make: Callable[[], Record]) -> Record:
    """The record of that name, read back if it was made under the same digest.

    Args:
        folder: of the records.
        name: of the file, without ending.
        digest: of everything that makes it.
        make: makes it anew.
    """
    path = folder / f"{name}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as held:
            if str(held["digest"]) == digest:
                return {each: held[each] for each in held.files if each != "digest"}
    record = make()
    content = io.BytesIO()
    arrays: dict[str, Any] = {**record, "digest": np.array(digest)}
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())
    return record


def person_digest_of(trial: Trial, subject: Subject, *what: str) -> str:
    """Changes with the models, the session and how it was prepared, and with ``what``."""
    makers = (f"{by} {trial.maker(subject, by).name}" for by in trial.by)
    frame = (trial.atlas.fingerprint, trial.domain, __version__, str(subject.facts))
    return fingerprint(*frame, trial.prepared_digest(subject), *makers, *what)


def measured(trial: Trial, subject: Subject) -> Record:
    """Regions of truth and of every prediction; voxels; intervals; what the model warned of.

    A session that the model refuses has NaN for its prediction and the reason as its doubt.
    """
    prepared, every = trial.prepared(subject), atlases(trial)
    truth = trial.truth(prepared)
    record: dict[str, NDArray[Any]] = _regions(trial, TRUTH, truth, every)
    record[DOUBT] = np.array("")
    for by in trial.by:
        try:
            made = trial.predict(subject, prepared, by=by)
        except REFUSALS as error:
            nowhere = {
                name: np.full_like(v, np.nan) for name, v in record.items() if _is_truth(name)
            }
            record |= {name.replace(TRUTH, by, 1): v for name, v in nowhere.items()}
            record[f"{VOXELS}|{by}"] = np.full(len(VOXEL_METRICS), np.nan)
            record[f"{WIDTH}|{by}"] = np.full(len(trial.atlas.keys), np.nan)
            if by == MODEL:
                record[DOUBT] = np.array(f"refused: {error.message}")
            continue
        record |= _regions(trial, by, made.volume, every)
        record[f"{VOXELS}|{by}"] = _voxels(trial, truth, made)
        record[f"{WIDTH}|{by}"] = widths(trial, made)
        if by == MODEL:
            record[DOUBT] = np.array(doubt(made))
    return record


def widths(trial: Trial, made: Prediction) -> NDArray[np.float64]:
    """(R,) half-widths of the intervals over the trial's atlas, SUVR; NaN where there is none."""
    return np.array([made.half_widths.get(key, np.nan) for key in trial.atlas.keys])


def doubt(made: Prediction) -> str:
    """What a model said against its own volume, in a few words; empty where nothing."""
    said = [f"Made without {each}." for each in ("T1w", "T2w", "cbf") if each not in made.inputs]
    if made.reach is not None and made.reach.verdict != "inside":
        said = [f"{made.reach.verdict} of what it learned from.", *made.reach.reasons, *said]
    return " ".join(said)


def _is_truth(name: str) -> bool:
    return name.startswith(f"{TRUTH}|")


def _regions(
    trial: Trial, who: str, volume: Volume, every: tuple[Atlas, ...]
) -> dict[str, NDArray[Any]]:
    return {
        cell(who, atlas.key, reference): trial.regions(volume, atlas=atlas, reference=reference)
        for atlas in every
        for reference in references(trial)
    }


def _voxels(trial: Trial, truth: Volume, made: Prediction) -> NDArray[np.float64]:
    brain = trial.template.brain.array > 0.5
    pair = (truth.array, made.volume.array, brain)
    held = float("nan")
    if made.half_width is not None:
        held = voxels.held(*pair[:2], made.half_width.array, brain)
    return np.array([voxels.mae(*pair), voxels.psnr(*pair), voxels.ssim(*pair, truth.grid), held])
