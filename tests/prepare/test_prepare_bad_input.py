"""Bad input is refused or flagged by name, with the next move; never measured in silence."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from prepare_phantom import KEY

from tracerless import prepare
from tracerless.core.errors import GeometryError, QuantityError, TracerlessError
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.volume import Contrast
from tracerless.io import resources
from tracerless.prepare import head as head_module
from tracerless.prepare import spine

pytestmark = pytest.mark.usefixtures("_aligned_once")

RECIPE = PrepareRecipe(voxel_mm=4.0)

FACTS = {
    "ArterialSpinLabelingType": "PCASL",
    "PostLabelingDelay": 1.8,
    "LabelingDuration": 1.8,
    "LabelingEfficiency": 0.85,
    "BackgroundSuppression": True,
    "M0Type": "Included",
    "RepetitionTimePreparation": 6.0,
    "MRAcquisitionType": "3D",
    "MagneticFieldStrength": 3.0,
}
"""All there is to know of a labeling series."""

Array = np.ndarray[Any, np.dtype[np.float32]]


@pytest.fixture(scope="module", autouse=True)
def _one_head() -> Any:
    """The T1's own way is walked once for every session of this file that brings it."""
    kept = functools.lru_cache(head_module.head)

    def once(key: str, t1: NativeSeries, *rest: Any) -> Any:
        return kept(key, t1, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spine, "head", once)
        yield


def run(*series: NativeSeries) -> Prepared:
    return prepare.session(
        Native(KEY, series),
        template=resources.template(4.0),
        atlas=resources.atlas("fdg36", 4.0),
        recipe=RECIPE,
    )


def changed(series: NativeSeries, change: Callable[[Array], Array]) -> NativeSeries:
    """The series with every frame changed."""
    volumes = tuple(
        replace(each, array=change(np.array(each.array)).astype(np.float32))
        for each in series.volumes
    )
    return replace(series, volumes=volumes)


def stating(series: NativeSeries, **facts: object) -> NativeSeries:
    return replace(series, sidecar={**series.sidecar, **facts})


def above(value: float) -> Callable[[Array], Array]:
    """The upper 40 % of the field of view replaced."""

    def change(array: Array) -> Array:
        array[:, :, int(array.shape[2] * 0.6) :] = value
        return array

    return change


def lower_third(series: NativeSeries) -> NativeSeries:
    """A field of view that ends below the brain."""
    (volume,) = series.volumes
    kept = volume.array[:, :, : volume.grid.shape[2] // 3]
    return replace(
        series, volumes=(replace(volume, array=kept, grid=Grid(kept.shape, volume.grid.affine)),)
    )


BAD_PET: dict[str, tuple[Callable[[NativeSeries], NativeSeries], str]] = {
    "zero": (lambda s: changed(s, lambda a: a * 0), "one single value"),
    "constant": (lambda s: changed(s, lambda a: a * 0 + 5), "one single value"),
    "uncorrected": (
        lambda s: stating(s, Modality="PT", CorrectedImage=["NORM", "DECY", "RAN"]),
        "not corrected for attenuation",
    ),
    "back to front": (
        lambda s: changed(s, lambda a: a[:, ::-1]),
        "No convincing place relative to the T1",
    ),
    "sides exchanged": (lambda s: changed(s, lambda a: a[::-1]), "left and right"),
    "upside down": (
        lambda s: changed(s, lambda a: a[:, :, ::-1]),
        "No convincing place relative to the T1",
    ),
}


SEARCHED = ("back to front", "sides exchanged", "upside down")
"""Every place is tried before these are refused, which takes a while."""


@pytest.mark.parametrize(
    "how",
    [pytest.param(how, marks=[pytest.mark.slow] * (how in SEARCHED)) for how in BAD_PET],
)
def test_pet_that_cannot_be_measured_is_left_out_by_name(
    how: str, t1: NativeSeries, fdg: NativeSeries
) -> None:
    spoil, said = BAD_PET[how]
    prepared = run(t1, spoil(fdg))
    assert set(prepared.volumes) == {Contrast.T1W}, "the session goes on without it"
    assert prepared.verdict != "pass"
    (reason,) = (each for each in prepared.reasons if each.startswith("FDG is left out"))
    assert said in reason


def test_pet_far_from_where_its_header_says_is_found_and_not_taken_at_its_word(
    t1: NativeSeries, fdg: NativeSeries
) -> None:
    prepared = run(t1, replace(fdg, frame_of_reference=t1.frame_of_reference))
    assert prepared.sources["FDG"]["registration"] != "identity"
    assert prepared.verdict == "pass"


@pytest.mark.parametrize(
    ("filling", "verdict", "said"),
    [(np.nan, "review", "coverage_FDG"), (0.0, "fail", "zeros_FDG")],
    ids=["cut", "padded"],
)
def test_a_cut_vertex_is_flagged_and_one_padded_with_zeros_blocks(
    filling: float, verdict: str, said: str, t1: NativeSeries, fdg: NativeSeries
) -> None:
    prepared = run(t1, changed(fdg, above(filling)))
    assert prepared.verdict == verdict
    assert any(reason.startswith(said) for reason in prepared.reasons)


BAD_FLOW: dict[str, tuple[dict[str, object], str]] = {
    "delay in ms": ({"PostLabelingDelay": 1800}, "PostLabelingDelay=1800"),
    "no delay": ({"PostLabelingDelay": 0}, "PostLabelingDelay=0"),
    "negative recovery": ({"RepetitionTimePreparation": -1.0}, "RepetitionTimePreparation=-1"),
    "contradicted order": (
        {"AslContext": ["m0scan", *["control", "label"] * 6, "control"]},
        "AslContext is contradicted",
    ),
}


TOLD_APART = ("no delay", "negative recovery", "contradicted order")
"""The flow's own tests refuse these on a small phantom; one fact is enough to see it arrive."""


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=[pytest.mark.slow] * (how in TOLD_APART)) for how in BAD_FLOW]
)
def test_wrong_labeling_facts_leave_flow_relative_with_the_reason(
    how: str, t1: NativeSeries, asl: NativeSeries
) -> None:
    wrong, said = BAD_FLOW[how]
    prepared = run(t1, stating(asl, **{**FACTS, **wrong}))
    assert Contrast.CBF in prepared.volumes
    assert Contrast.CBF not in prepared.scales
    assert prepared.verdict == "review"
    assert any(said in reason for reason in prepared.reasons)


def test_right_labeling_facts_give_absolute_flow(t1: NativeSeries, asl: NativeSeries) -> None:
    prepared = run(t1, stating(asl, **FACTS))
    assert Contrast.CBF in prepared.scales
    assert prepared.reasons == ()


def test_missing_m0_is_named(t1: NativeSeries, asl: NativeSeries) -> None:
    prepared = run(t1, stating(replace(asl, volumes=asl.volumes[1:]), **FACTS))
    assert Contrast.CBF not in prepared.scales
    assert any("no M0" in reason for reason in prepared.reasons)


def test_labeling_that_is_all_zero_is_left_out_and_never_a_flow_of_zero(
    t1: NativeSeries, asl: NativeSeries
) -> None:
    prepared = run(t1, changed(asl, lambda a: a * 0))
    assert Contrast.CBF not in prepared.volumes
    assert any("are zero" in reason for reason in prepared.reasons)


@pytest.mark.parametrize("value", [0.0, 100.0], ids=["zero", "constant"])
def test_a_t1_without_a_head_is_refused(value: float, t1: NativeSeries) -> None:
    assert_refused(GeometryError, "No brain was found", changed(t1, lambda a: a * 0 + value))


def test_pet_alone_without_a_head_is_refused(fdg: NativeSeries) -> None:
    assert_refused(GeometryError, "No head is found", lower_third(fdg))
    noise = changed(fdg, lambda a: generator("bad", "noise").normal(100, 30, a.shape))
    assert_refused(GeometryError, "No head is found", noise)


def test_pet_alone_that_is_zero_or_uncorrected_is_refused(fdg: NativeSeries) -> None:
    assert_refused(QuantityError, "one single value", changed(fdg, lambda a: a * 0))
    assert_refused(
        QuantityError, "not corrected for attenuation", stating(fdg, CorrectedImage=["DECY"])
    )


def assert_refused(kind: type[TracerlessError], said: str, series: NativeSeries) -> None:
    with pytest.raises(kind, match=said) as refused:
        run(series)
    assert refused.value.hint, "an error tells the next move"
