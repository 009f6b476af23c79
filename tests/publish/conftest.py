"""Phantom sessions on the real template: the tissue maps are the scan."""

import numpy as np
import pandas as pd
import pytest

from tracerless.core.atlas import ROI_COLUMNS, Atlas, RoiTable
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Estimate, Evaluation, Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources

KEY = SessionKey(Pseudonym("P7Q3"), "01")


def uptake(template, atlas, contrast, gain=1.0, lesion=None):
    """Grey takes up twice what white does; a lesion lowers one region by 30 %."""
    array = gain * (1.6 * template.grey.array + 0.7 * template.white.array)
    if lesion:
        index = next(r.index for r in atlas.regions if r.key == lesion)
        array = np.where(atlas.labels == index, 0.7 * array, array)
    array = np.where(template.brain.array > 0, array, np.nan)
    return Volume(array, template.grid, Quantity.SUVR, contrast)


def measured(volume, atlas, reference="pons"):
    """A region table, measured the plain way."""
    rows = {}
    for region in atlas.regions:
        inside = atlas.labels == region.index
        values = volume.array[inside & np.isfinite(volume.array)].astype(float)
        n = int(values.size)
        rows[region.key] = (
            n,
            n * volume.grid.voxel_ml,
            n / int(inside.sum()),
            values.mean() if n else np.nan,
            np.median(values) if n else np.nan,
            values.std() if n else np.nan,
        )
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(ROI_COLUMNS))
    ratio = volume.quantity == Quantity.SUVR
    reference = reference if ratio else ""
    return RoiTable(volume.contrast, volume.quantity, atlas.key, reference, "f" * 12, table)


@pytest.fixture(scope="session")
def template() -> Template:
    return resources.template(4.0)


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    return resources.atlas("fdg36", 4.0)


def make_session(template, atlas, *, with_pet=True, verdict="pass", reasons=()):
    """A session with T1, T2, relative CBF and, unless told otherwise, acquired PET."""
    t1 = Volume(template.t1.array, template.grid, Quantity.T1W, Contrast.T1W)
    t2 = Volume(
        np.where(template.brain.array > 0, 255 - template.t1.array, 0),
        template.grid,
        Quantity.T2W,
        Contrast.T2W,
    )
    cbf = uptake(template, atlas, Contrast.CBF)
    cbf = Volume(cbf.array, cbf.grid, Quantity.RELATIVE_CBF, Contrast.CBF)
    volumes = {Contrast.T1W: t1, Contrast.T2W: t2, Contrast.CBF: cbf}
    if with_pet:
        volumes[Contrast.FDG] = uptake(template, atlas, Contrast.FDG, lesion="precuneus_left")
    return Prepared(
        key=KEY,
        template=template.key,
        volumes=volumes,
        native_grid=template.grid,
        to_native=identity(template.key, "native"),
        to_template=identity("native", template.key),
        qc={"template_correlation": 0.873, "brain_ml": 1432.0},
        verdict=verdict,
        reasons=tuple(reasons),
        fingerprint="a1b2c3d4e5f6",
        sources={
            "T1w": {"registration": "affine + SyN", "rung": 1},
            "cbf": {"equation": "ready-made map", "see": "https://example.org/asl"},
        },
    )


@pytest.fixture(scope="session")
def prepared(template, atlas) -> Prepared:
    return make_session(template, atlas)


@pytest.fixture(scope="session")
def prediction(template, atlas) -> Prediction:
    return Prediction(
        key=KEY,
        volume=uptake(template, atlas, Contrast.SYNTHETIC_FDG, gain=1.05),
        inputs=(Contrast.T1W, Contrast.CBF),
        model="unet-small:1f2e3d4c5b6a",
        reference="pons",
        training_domain="simulated",
        fingerprint="0f1e2d3c4b5a",
        notes=("T2w was not used.",),
        provenance={"network": "unet-small", "steps": 900},
    )


@pytest.fixture(scope="session")
def tables(prepared, prediction, atlas):
    volumes = {
        Contrast.SYNTHETIC_FDG: prediction.volume,
        Contrast.FDG: prepared.volumes[Contrast.FDG],
        Contrast.CBF: prepared.volumes[Contrast.CBF],
    }
    return {contrast: measured(volume, atlas) for contrast, volume in volumes.items()}


@pytest.fixture(scope="session")
def evaluation(atlas) -> Evaluation:
    columns = ["n", "mae", "mae_mean", "skill", "bias", "r", "slope"]
    skills = np.linspace(-0.1, 0.6, len(atlas.keys))
    by_region = pd.DataFrame(
        [(12, 0.08 * (1 - s), 0.08, s, 0.01, 0.7, 0.6) for s in skills],
        index=list(atlas.keys),
        columns=columns,
    )
    by_diagnosis = pd.DataFrame(
        [(7, 0.04, 0.07, 0.43, 0.0, 0.8, 0.7), (5, 0.09, 0.1, 0.1, -0.02, 0.5, 0.3)],
        index=["CN", "AD"],
        columns=columns,
    )
    skill = Estimate(0.38, 0.21, 0.52, 12)
    return Evaluation(
        skill,
        by_region,
        by_diagnosis,
        "unet-small:1f2e3d4c5b6a",
        atlas.key,
        "pons",
        "5e6f7a8b9c0d",
        "simulated",
        "abcdefabcdef",
    )
