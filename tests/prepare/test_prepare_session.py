"""A whole session of a phantom whose truth is known in template space."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from prepare_phantom import KEY, Phantom, flow_truth, native_grid, rigid, uptake_truth

from tracerless import prepare, quantify
from tracerless.core.errors import ContrastError, GeometryError
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.transform import gaussian
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.registration.sampling import onto

RECIPE = PrepareRecipe(voxel_mm=4.0)


def run(*series: NativeSeries) -> Prepared:
    return prepare.session(
        Native(KEY, series),
        template=resources.template(4.0),
        atlas=resources.atlas("fdg36", 4.0),
        recipe=RECIPE,
    )


def digest(prepared: Prepared) -> str:
    content = hashlib.sha256()
    for contrast, volume in sorted(prepared.volumes.items()):
        content.update(contrast.encode() + volume.array.tobytes())
    for maps in (prepared.to_native, prepared.to_template):
        for each in maps.maps:
            content.update(
                np.asarray(getattr(each, "vectors", getattr(each, "matrix", 0))).tobytes()
            )
    content.update(repr((dict(prepared.qc), prepared.reasons, dict(prepared.sources))).encode())
    return content.hexdigest()


@pytest.fixture(scope="module")
def stray() -> NativeSeries:
    """A SPECT that shows no brain."""
    grid = native_grid((4.0, 4.0, 4.0))
    noise = generator("test", "noise").normal(100, 30, grid.shape).astype(np.float32)
    volume = Volume(noise, grid, Quantity.COUNTS, Contrast.ECD)
    return NativeSeries(Contrast.ECD, (volume,), "a-third-frame")


@pytest.fixture(scope="module")
def prepared(
    t1: NativeSeries, t2: NativeSeries, asl: NativeSeries, fdg: NativeSeries, stray: NativeSeries
) -> Prepared:
    return run(t1, t2, asl, fdg, stray)


def on_template(truth: np.ndarray, phantom: Phantom) -> Volume:
    fine = Volume(truth.astype(np.float32), phantom.template.grid, Quantity.ACTIVITY, Contrast.FDG)
    return onto(fine, resources.template(4.0).grid)


def test_every_contrast_arrives_on_the_template_grid(prepared: Prepared) -> None:
    assert set(prepared.volumes) == {Contrast.T1W, Contrast.T2W, Contrast.CBF, Contrast.FDG}
    assert prepared.grid == resources.template(4.0).grid
    assert {name for name in prepared.qc if name.startswith("coverage")} == {
        f"coverage_{contrast}" for contrast in prepared.volumes
    }


def test_maps_find_the_planted_pose_and_bend(prepared: Prepared, phantom: Phantom) -> None:
    grid = phantom.template.grid
    inside = np.argwhere(phantom.template.brain.array > 0)[::97]
    points = (inside @ grid.affine[:3, :3].T + grid.affine[:3, 3]).astype(np.float32)
    native = prepared.to_native(points)
    error_mm = np.linalg.norm(phantom.bent(native) - points, axis=1)
    assert error_mm.mean() < 1.5
    assert np.percentile(error_mm, 95) < 3.5
    nothing_done_mm = np.linalg.norm(phantom.bent(points) - points, axis=1)
    assert nothing_done_mm.mean() > 10


def test_maps_are_inverse_to_each_other(prepared: Prepared, phantom: Phantom) -> None:
    grid = phantom.template.grid
    inside = np.argwhere(phantom.template.brain.array > 0)[::97]
    points = (inside @ grid.affine[:3, :3].T + grid.affine[:3, 3]).astype(np.float32)
    back = prepared.to_template(prepared.to_native(points))
    assert np.linalg.norm(back - points, axis=1).max() < 1.0


def test_planted_uptake_comes_back_in_every_region(prepared: Prepared, phantom: Phantom) -> None:
    atlas = resources.atlas("fdg36", 4.0)
    truth = gaussian(on_template(uptake_truth(phantom), phantom), RECIPE.pet_fwhm_mm)
    expected = quantify.table(
        suvr(truth, atlas.reference("pons")), atlas, reference="pons", fingerprint=""
    )
    measured = quantify.session(prepared, atlas, RECIPE)[Contrast.FDG]
    apart = (measured.means / expected.means - 1).abs()
    assert apart.median() < 0.03
    assert apart.max() < 0.12
    pons = prepared.require(Contrast.FDG).array[atlas.reference("pons")]
    assert np.nanmean(pons) == pytest.approx(1.0, abs=1e-4)


def test_left_stays_left(prepared: Prepared) -> None:
    atlas = resources.atlas("fdg36", 4.0)
    means = quantify.session(prepared, atlas, RECIPE)[Contrast.FDG].means
    for name in ("lateral_temporal", "dorsolateral_parietal", "insula", "putamen"):
        assert means[f"{name}_left"] > 1.05 * means[f"{name}_right"]


def test_planted_flow_comes_back_from_labels_and_controls(
    prepared: Prepared, phantom: Phantom
) -> None:
    template = resources.template(4.0)
    brain = template.brain.array > 0
    truth = gaussian(on_template(flow_truth(phantom), phantom), RECIPE.cbf_fwhm_mm)
    expected = relative(replace(truth, contrast=Contrast.CBF), brain).array
    cbf = prepared.require(Contrast.CBF)
    assert cbf.quantity is Quantity.RELATIVE_CBF
    assert cbf.array[brain & np.isfinite(cbf.array)].mean() == pytest.approx(1.0, abs=1e-4)
    seen = brain & np.isfinite(cbf.array)
    assert np.corrcoef(cbf.array[seen], expected[seen])[0, 1] > 0.9
    source = prepared.sources["cbf"]
    assert source["order"] == "label first"
    assert (source["n_pairs"], source["n_left_out"]) == (6, 1)
    assert source["m0"].startswith("divides")


def test_sources_name_the_rung_that_aligned_each_contrast(prepared: Prepared) -> None:
    assert prepared.sources["cbf"]["registration"] == "identity"
    assert prepared.sources["T2w"]["registration"] == "rigid"
    assert prepared.sources["FDG"]["registration"] in {"rigid", "multi-start"}


def test_the_coil_gain_is_taken_out(prepared: Prepared) -> None:
    template = resources.template(4.0)
    white = template.white.array > 0.9
    signal = prepared.require(Contrast.T1W).array
    front = np.arange(signal.shape[1]) > signal.shape[1] / 2
    ratio = np.nanmean(signal[:, front][white[:, front]]) / np.nanmean(
        signal[:, ~front][white[:, ~front]]
    )
    assert ratio == pytest.approx(1.0, abs=0.08)


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(
    prepared: Prepared,
    t1: NativeSeries,
    t2: NativeSeries,
    asl: NativeSeries,
    fdg: NativeSeries,
    stray: NativeSeries,
) -> None:
    assert digest(run(fdg, stray, asl, t2, t1)) == digest(prepared)


def test_contrast_that_cannot_be_aligned_is_left_out_with_the_reason(prepared: Prepared) -> None:
    assert Contrast.ECD not in prepared.volumes
    assert prepared.verdict == "review"
    assert len(prepared.reasons) == 1
    assert prepared.reasons[0].startswith("ECD is left out: No convincing place")


def test_session_with_nothing_to_go_by_is_refused(asl: NativeSeries) -> None:
    with pytest.raises(ContrastError, match="neither a T1w nor PET or SPECT, only asl"):
        run(asl)


def test_tissues_of_the_t1_go_with_the_session(prepared: Prepared) -> None:
    assert prepared.anatomy is not None
    assert prepared.anatomy.space == prepared.to_template.source
    assert set(prepared.alignments) == {Contrast.T2W, Contrast.CBF, Contrast.FDG}


def test_template_and_atlas_must_share_a_grid(t1: NativeSeries) -> None:
    with pytest.raises(GeometryError, match="different grids"):
        prepare.session(
            Native(KEY, (t1,)),
            template=resources.template(4.0),
            atlas=resources.atlas("fdg36", 2.0),
            recipe=RECIPE,
        )


def test_a_volume_without_a_head_is_refused() -> None:
    grid = Grid((40, 40, 40), rigid((0, 0, 0), (0, 0, 0)) @ np.diag((4.0, 4.0, 4.0, 1.0)))
    flat = Volume(np.ones(grid.shape, np.float32), grid, Quantity.T1W, Contrast.T1W)
    with pytest.raises(GeometryError, match="No brain"):
        run(NativeSeries(Contrast.T1W, (flat,), ""))


def test_fingerprint_follows_settings_and_atlas() -> None:
    template, atlas = resources.template(4.0), resources.atlas("fdg36", 4.0)
    one = prepare.fingerprint(template, atlas, RECIPE)
    assert one == prepare.fingerprint(template, atlas, PrepareRecipe(voxel_mm=4.0))
    assert one != prepare.fingerprint(template, atlas, replace(RECIPE, seed=2))
    assert one != prepare.fingerprint(template, replace(atlas, fingerprint="other"), RECIPE)
