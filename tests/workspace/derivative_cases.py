"""A session that holds everything a session can hold, made of the template itself."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.core.seeds import generator
from tracerless.core.session import Anatomy, Native, NativeSeries, Prepared, Template
from tracerless.core.transform import Affine, Chain, Displacement, resample
from tracerless.core.volume import Contrast, Quantity, Scale, Volume, with_array
from tracerless.io import resources
from tracerless.io.atomic import write_text
from tracerless.quantify import table
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.derivatives import accompany, describe
from tracerless.workspace.shelf import SessionShelf

KEY = SessionKey(Pseudonym("P7Q3"), "01")
VOXEL_MM = 4.0
ASL_FACTS: Mapping[str, Any] = {
    "ArterialSpinLabelingType": "PCASL",
    "PostLabelingDelay": 1.8,
    "LabelingDuration": 1.8,
    "BackgroundSuppression": False,
    "M0Type": "Separate",
    "RepetitionTimePreparation": 4.4,
    "MagneticFieldStrength": 3.0,
    "MRAcquisitionType": "3D",
    "EchoTime": 0.012,
    "AslContext": ["control", "label", "control", "label"],
}


@dataclass(frozen=True)
class World:
    """Template and atlas at 4 mm."""

    template: Template
    atlas: Atlas


def world() -> World:
    return World(resources.template(VOXEL_MM), resources.atlas("fdg36", VOXEL_MM))


def brain_volume(
    where: World, contrast: Contrast, quantity: Quantity, levels: tuple[float, float, float]
) -> Volume:
    """Grey, white and CSF at those levels on the template grid; NaN below the brain."""
    t = where.template
    csf = np.clip(t.brain.array - t.grey.array - t.white.array, 0, 1)
    array = levels[0] * t.grey.array + levels[1] * t.white.array + levels[2] * csf
    array = array + generator("derivatives", str(contrast)).normal(0, 0.01, array.shape)
    array[:, :, :2] = np.nan
    return Volume(array, t.grid, quantity, contrast)


def maps(where: World) -> tuple[Chain, Chain]:
    """A bent and shifted way from the template to the T1 and (nearly) back."""
    native, between = f"{KEY} T1w", f"{KEY} T1w affinely in {where.template.key}"
    grid = where.template.grid
    bend = np.zeros((*grid.shape, 3), np.float32)
    bend[..., 0] = 2.0 * np.sin(np.linspace(0, 3, grid.shape[1]))[None, :, None]
    matrix = np.eye(4)
    matrix[:3, 3] = (3.0, -7.25, 11.1)
    push = Affine(between, native, matrix)
    there = Chain((Displacement(where.template.key, between, grid, bend), push))
    back = Chain((push.inverse, Displacement(between, where.template.key, grid, -bend)))
    return there, back


def anatomy(where: World, to_template: Chain) -> Anatomy:
    affine = where.template.grid.affine.copy()
    affine[:3, 3] += (3.0, -7.25, 11.1)
    lattice = Grid(where.template.grid.shape, affine)
    t = where.template
    csf = with_array(t.grey, np.clip(t.brain.array - t.grey.array - t.white.array, 0, 1))
    parts = [
        with_array(each, np.nan_to_num(resample(each, lattice, to_template, order=order).array))
        for each, order in ((t.brain, 0), (t.grey, 1), (t.white, 1), (csf, 1))
    ]
    return Anatomy(f"{KEY} T1w", *parts)


def whole_session(where: World, *, verdict: str = "pass", key: SessionKey = KEY) -> Prepared:
    """T1, T2, blood flow and PET with tissues, alignments and scales."""
    there, back = maps(where)
    matrix = np.eye(4)
    matrix[:3, 3] = (0.1 + 0.2, -1 / 3, 2.0)
    levels = {
        Contrast.T1W: (Quantity.T1W, (0.7, 1.0, 0.2)),
        Contrast.T2W: (Quantity.T2W, (0.8, 0.5, 2.0)),
        Contrast.CBF: (Quantity.RELATIVE_CBF, (1.3, 0.5, 0.2)),
        Contrast.FDG: (Quantity.SUVR, (1.5, 1.0, 0.2)),
    }
    return Prepared(
        key=key,
        template=where.template.key,
        volumes={c: brain_volume(where, c, q, three) for c, (q, three) in levels.items()},
        native_grid=Grid((96, 112, 92), np.diag((2.0, 2.0, 2.0, 1.0))),
        to_native=there,
        to_template=back,
        qc={"brain_ml": 1234.5, "offset_FDG": 0.1 + 0.2},
        verdict=verdict,
        reasons=() if verdict == "pass" else ("offset_FDG=9: moved.",),
        fingerprint="a1b2c3d4e5f6",
        sources={"FDG": {"equation": "SUVR = uptake / mean uptake in pons", "n_frames": 1}},
        anatomy=anatomy(where, back),
        alignments={
            c: Affine(f"{KEY} T1w", f"{KEY} T1w, {c}", matrix)
            for c in (Contrast.T2W, Contrast.CBF, Contrast.FDG)
        },
        scales={
            Contrast.CBF: Scale(Quantity.CBF, 100 / 3),
            Contrast.FDG: Scale(Quantity.SUV, 0.1 + 0.7),
        },
    )


def native_session(*, asl: Mapping[str, Any] = ASL_FACTS) -> Native:
    """T1, ASL with its M0, and PET, as converted."""
    draw = generator("derivatives", "native")
    grid = Grid((6, 7, 5), np.diag((3.0, 3.0, 4.0, 1.0)))

    def frames(contrast: Contrast, quantity: Quantity, n: int) -> tuple[Volume, ...]:
        arrays: list[NDArray[np.float64]] = [draw.random(grid.shape) for _ in range(n)]
        return tuple(Volume(a.astype(np.float32), grid, quantity, contrast) for a in arrays)

    def series(contrast: Contrast, quantity: Quantity, n: int, **facts: Any) -> NativeSeries:
        return NativeSeries(contrast, frames(contrast, quantity, n), "frame", facts)

    return Native(
        KEY,
        (
            series(Contrast.T1W, Quantity.T1W, 1, EchoTime=0.003, RepetitionTime=2.3),
            series(Contrast.ASL, Quantity.SIGNAL, 4, **asl),
            series(Contrast.M0, Quantity.SIGNAL, 1, RepetitionTimePreparation=6.0, EchoTime=0.012),
            series(Contrast.CBF, Quantity.CBF, 1),
            series(Contrast.FDG, Quantity.ACTIVITY, 1, TracerName="FDG"),
            series(Contrast.ECD, Quantity.COUNTS, 1, TracerName="ECD"),
        ),
    )


def tables(prepared: Prepared, where: World) -> dict[Contrast, RoiTable]:
    """As quantify measures them, PET scaled to SUV."""
    references = {Contrast.FDG: "pons", Contrast.CBF: "brain"}
    return {
        contrast: table(
            volume,
            where.atlas,
            reference=references.get(contrast, ""),
            fingerprint=prepared.fingerprint,
            scale=prepared.scales.get(contrast),
        )
        for contrast, volume in prepared.volumes.items()
    }


def predicted(where: World) -> Prediction:
    """Synthetic FDG of the session."""
    return Prediction(
        key=KEY,
        volume=brain_volume(where, Contrast.SYNTHETIC_FDG, Quantity.SUVR, (1.4, 1.0, 0.2)),
        inputs=(Contrast.T1W,),
        model="unet-small:1f2e3d4c5b6a",
        reference="pons",
        training_domain="simulated",
        fingerprint="0f1e2d3c4b5a",
        provenance={"template": where.template.key},
    )


def bids_errors(folder: Path) -> list[str]:
    """What the BIDS validator calls an error, as ``CODE/sub-code place``; it needs no network."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    done = subprocess.run(
        [program, folder, "--format", "json"], capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return [
        f"{issue['code']}/{issue.get('subCode', '')} {issue.get('location', '')}"
        for issue in report["issues"]["issues"]
        if issue["severity"] == "error"
    ]


def new_dataset(root: Path) -> Dataset:
    return Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=4.0)))


def fill(root: Path, session: Prepared, where: World) -> Dataset:
    """Every kind of value of one session, and all that lies beside them."""
    dataset = new_dataset(root)
    write_text(root / "SIMULATED.txt", "Everything here is simulated.\n")
    shelf = SessionShelf(dataset, KEY)
    shelf.save("native", native_session(), "n")
    shelf.save("prepared", session, "p")
    measured = tables(session, where)
    shelf.save("uptake", measured, "u")
    shelf.save("corrected", {Contrast.FDG: replace(measured[Contrast.FDG], pvc="gtm")}, "c")
    prediction = predicted(where)
    shelf.save("synthetic", prediction, "s")
    shelf.save("synthetic_native", prediction.volume, "sn")
    accompany(dataset, KEY)
    describe(dataset)
    for name in (
        "reports/index.html",
        "models/unet/README.md",
        "verification/report.json",
        "derivatives/tracerless/evaluation/evaluation.json",
        "site.toml",
        "atlas-my.tsv",
        "derivatives/tracerless/problems/sub-Z9_ses-02_desc-prepare.json",
        "derivatives/tracerless/cohort_roi.tsv",
        "derivatives/tracerless/regions.json",
    ):
        write_text(root / name, "{}")  # what other steps leave
    return dataset


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
