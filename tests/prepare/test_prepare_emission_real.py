"""Real uptake without an MR, against the control means that come with FDG-NeuroSegmenter."""

import importlib.metadata
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from prepare_phantom import KEY

from tracerless import prepare, quantify
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import suvr
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import pixels, resources

pytestmark = [pytest.mark.real_data]

RECIPE = PrepareRecipe()


def control_means() -> pd.Series:
    """Mean SUVR of 537 control scans in 52 regions; the file is found, the package not imported."""
    files = importlib.metadata.files("fdg-neurosegmenter") or []
    (table,) = [each for each in files if each.name == "CN_quantification.csv"]
    return pd.read_csv(table.locate()).mean()


def run(series: NativeSeries) -> Prepared:
    return prepare.session(
        Native(KEY, (series,)),
        template=resources.template(2.0),
        atlas=resources.atlas("fdg36", 2.0),
        recipe=RECIPE,
    )


def correlation_with_controls(prepared: Prepared) -> float:
    """Over the 52 regions of that table."""
    atlas = resources.atlas("fdg52", 2.0)
    volume = prepared.require(Contrast.FDG)
    means = quantify.table(volume, atlas, reference="pons", fingerprint="").means
    expected = control_means().reindex(means.index)
    assert expected.notna().all()
    return float(np.corrcoef(means, expected)[0, 1])


def mean_of_controls(scans: Path) -> NativeSeries:
    nifti = nib.load(scans / "templates-fdg" / "CN_PET_TEMPLATE.nii")
    array = np.asarray(nifti.dataobj, dtype=np.float32).reshape(nifti.shape[:3])
    volume = Volume(array, Grid(array.shape, nifti.affine), Quantity.COUNTS, Contrast.FDG)
    return NativeSeries(Contrast.FDG, (volume,), "")


def test_the_mean_of_116_chinese_controls_follows_the_control_means(scans: Path) -> None:
    """Its header claims the standard space; its brain is 7 to 15 % smaller than the standard."""
    prepared = run(mean_of_controls(scans))
    assert prepared.verdict == "pass", prepared.reasons
    assert correlation_with_controls(prepared) >= 0.95


@pytest.mark.slow
def test_a_real_whole_body_follows_the_control_means(scans: Path) -> None:
    files = sorted((scans / "fdg-whole-body" / "PET").glob("*.dcm"))
    series = pixels.load(files, Contrast.FDG)
    prepared = run(series)
    assert prepared.sources["FDG"]["cut_to_head"] is True
    assert prepared.sources["FDG"]["attenuation"] == "corrected"
    assert correlation_with_controls(prepared) >= 0.90
    table = quantify.session(prepared, resources.atlas("fdg36", 2.0), RECIPE)[Contrast.FDG].values
    assert table.coverage["superior_frontal_left"] < 0.9
    assert table.coverage["lateral_temporal_left"] == 1.0
    assert 0.9 < prepared.qc["coverage_FDG"] < 1.0
    whole = series.volumes[0]
    below = Volume(
        whole.array[:, :, :240], Grid((*whole.grid.shape[:2], 240), whole.grid.affine),
        whole.quantity, whole.contrast,
    )  # fmt: skip
    with pytest.raises(GeometryError, match="No head is found"):
        run(NativeSeries(Contrast.FDG, (below,), ""))


@pytest.mark.slow
def test_the_control_means_are_no_foregone_conclusion(scans: Path) -> None:
    """Sampled where its header says that it lies, the same mean does not follow them."""
    volume = mean_of_controls(scans).volumes[0]
    atlas = resources.atlas("fdg52", 2.0)
    moved = prepare_by_header(volume)
    means = quantify.table(moved, atlas, reference="pons", fingerprint="").means
    expected = control_means().reindex(means.index)
    assert np.corrcoef(means, expected)[0, 1] < 0.6


def prepare_by_header(volume: Volume) -> Volume:
    atlas = resources.atlas("fdg52", 2.0)
    return suvr(resample(volume, atlas.grid), atlas.reference("pons"))
