"""Correction over the whole way: a simulated person, prepared as scans are, against the truth."""

import numpy as np
import pandas as pd
import pytest

from tracerless import prepare, quantify
from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import points_mm
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast
from tracerless.io import resources
from tracerless.simulate import emission, mr
from tracerless.simulate.acquire import Head, scanner_grid
from tracerless.simulate.hospital import setup
from tracerless.simulate.person import Person, labels_native, make_person, sample
from tracerless.workspace.rendered_people import world

KEY = SessionKey(Pseudonym("P01"), "1")
RECIPE = PrepareRecipe(reference_fdg="cerebellum")


def true_ratios(person: Person, head: Head) -> pd.Series:
    """Uptake of each region's grey matter (deep: of all tissue) over that of the cerebellum."""
    made, seen = world(), head.sample
    labels = labels_native(person, head.lattice)
    grey = seen.tissues["grey"] + seen.tissues["deep_grey"]
    white = seen.tissues["white"] + seen.tissues["lesion"]
    lit = seen.tissues["white"] + made.scanners.emission.lesion_uptake * seen.tissues["lesion"]
    atlas = resources.atlas("fdg36", 2.0)
    deep = np.isin(labels, list(atlas.deep))
    tissue = grey + np.where(deep, white, 0)
    taken = grey * seen.fdg_grey + np.where(deep, lit * seen.fdg_white, 0)
    size = np.bincount(labels.ravel(), tissue.ravel(), 2036)
    uptake = np.bincount(labels.ravel(), taken.ravel(), 2036)
    codes = {r.key: np.unique(atlas.parcels[atlas.labels == r.index]) for r in atlas.regions}
    levels = {key: uptake[each].sum() / size[each].sum() for key, each in codes.items()}
    return pd.Series(levels) / (uptake[[8, 47]].sum() / size[[8, 47]].sum())


@pytest.mark.slow
def test_correction_brings_a_prepared_person_near_the_truth() -> None:
    made = world()
    person = make_person(made.anatomy, made.parameters, seed="pvc-AD", diagnosis=Diagnosis.AD)
    weight_kg = person.identity.weight_kg
    plan = setup(made.scanners, size="demo", seed="pvc-AD", weight_kg=weight_kg)
    center = made.scanners.placement.center_mm
    grid = scanner_grid((120, 150, 130), (1.5, 1.5, 1.5), center)
    head = Head(grid, sample(person, points_mm(grid)))
    t1 = mr.t1w(head, grid, plan.petmr.t1w, tissues=made.scanners.tissues, seed="pvc")
    pet = emission.fdg(
        head,
        scanner_grid((100, 110, 75), (2.0, 2.0, 2.6), center),
        plan.petmr.pet,
        scanners=made.scanners,
        weight_kg=weight_kg,
        seed="pvc",
    )
    protocol = plan.petmr.pet
    fwhm_mm = float(np.hypot(protocol.detector_fwhm_mm, protocol.post_fwhm_mm))
    native = Native(
        KEY,
        (
            NativeSeries(Contrast.T1W, (t1,), "one"),
            NativeSeries(Contrast.FDG, (pet,), "one", {"PointSpreadFWHM": fwhm_mm}),
        ),
    )
    template, atlas = resources.template(2.0), resources.atlas("fdg36", 2.0)
    prepared = prepare.session(native, template=template, atlas=atlas, recipe=RECIPE)
    plain = quantify.session(prepared, atlas, RECIPE)[Contrast.FDG].means
    corrected = quantify.corrected(
        native,
        prepared,
        atlas,
        prepare_recipe=RECIPE,
        quantify_recipe=QuantifyRecipe(pvc="gtm"),
    )[Contrast.FDG].means
    expected = true_ratios(person, head)
    apart = (corrected / expected - 1).abs()
    assert (plain / expected - 1).abs().mean() > 0.15
    assert apart.mean() < 0.08, "what is left comes from the tissue maps"
    assert np.corrcoef(plain, expected)[0, 1] < 0.85
    assert np.corrcoef(corrected, expected)[0, 1] > 0.95
