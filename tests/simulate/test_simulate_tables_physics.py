"""The regional constants: do they follow from the voxel simulator, and how far?"""

import copy
import csv
import io

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from simulate_people import base_head, parameters

from tracerless import quantify
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.core.grid import points_mm
from tracerless.core.volume import Contrast
from tracerless.io.resources import atlas
from tracerless.io.simulate_scanners import scanner_tables
from tracerless.io.simulate_tables import read_rows, read_toml
from tracerless.simulate import tables_physics as physics
from tracerless.simulate import tables_spread as spread
from tracerless.simulate.brain import with_wider_sulci
from tracerless.simulate.catalog import catalog
from tracerless.simulate.cohort import draw_people
from tracerless.simulate.fields import lattice, sample_stack, smooth_noise
from tracerless.simulate.ground import ground
from tracerless.simulate.rendered import rendered
from tracerless.simulate.scanners import Scanners
from tracerless.simulate.tables_kernels import (
    Kernels,
    grey_of,
    kernels,
    on_grid,
    other_signal,
    sums,
    usual_thinning,
)
from tracerless.simulate.tables_model import TABLES
from tracerless.simulate.tables_model import table_model as table_model_of
from tracerless.workspace.simulate_tables import draw_tables, table_model

ABOUT = read_toml("tables")["physics"]


def blobs(shape: tuple[int, int, int], n: int) -> NDArray[np.float64]:
    """(n, I, J, K) weights that sum to 1 each."""
    i, j, k = np.indices(shape)
    rng = np.random.default_rng(3)
    weights = []
    for _ in range(n):
        center = rng.uniform(0.2, 0.8, 3) * shape
        square = (i - center[0]) ** 2 + (j - center[1]) ** 2 + (k - center[2]) ** 2
        weights.append(np.exp(-square / 18))
    stacked = np.stack(weights)
    return stacked / stacked.sum(axis=(1, 2, 3), keepdims=True)


def test_reckoned_covariance_is_that_of_drawn_fields() -> None:
    grid = lattice((0, 0, 0), (81, 81, 81), 3.0)
    weights = blobs(grid.shape, 5)
    reckoned = spread._covariance(weights, 40.0, 3.0)
    rng = np.random.default_rng(4)
    draws = np.array(
        [(weights * smooth_noise(rng, grid, 40.0)).sum(axis=(1, 2, 3)) for _ in range(600)]
    )
    np.testing.assert_allclose(draws.T @ draws / len(draws), reckoned, atol=0.15)


def test_healthy_variation_has_unit_variance_everywhere() -> None:
    grid = lattice((-81, 0, 0), (81, 27, 27), 2.0)
    shape = (27, 5, 5)
    points = np.zeros((27, *shape))
    points[np.arange(27), np.arange(27), 2, 2] = 1.0
    covariance = spread._person(points, parameters().covariance, grid)
    np.testing.assert_allclose(np.diag(covariance), 1.0, rtol=1e-6)
    assert covariance[3, 23] > covariance[3, 15]  # homotopic places go together


def test_loadings_give_the_covariance_back() -> None:
    weights = blobs((12, 12, 12), 6)
    covariance = spread._covariance(weights, 30.0, 6.0)
    table = spread._frame("field", tuple(("FDG", str(i)) for i in range(6)), covariance)
    modes = table.filter(regex=r"^m\d").to_numpy()
    np.testing.assert_allclose(modes @ modes.T, covariance, atol=0.005)
    assert (modes[np.abs(modes).argmax(axis=0), np.arange(modes.shape[1])] > 0).all()


def test_blocks_keep_every_weight() -> None:
    weights = np.random.default_rng(5).random((2, 7, 9, 8)).astype(np.float32)
    found = spread.blocks(weights)
    assert found.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), weights.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_every_row_and_section_names_its_source() -> None:
    for name in ("tables_subtypes", "tables_machines", "tables_battery"):
        assert all(row["source"] for row in read_rows(name))


def test_subtypes_of_ad_leave_the_mean_pattern_as_it_is() -> None:
    rows = [row for row in read_rows("tables_subtypes") if row["disease"] == "AD"]
    factors = np.array([[float(text) for text in row["foci"].split()] for row in rows])
    shares = np.array([float(row["share"]) for row in rows])
    np.testing.assert_allclose(shares @ factors / shares.sum(), 1.0, atol=0.02)


def test_fingerprint_follows_the_numbers() -> None:
    tables = {"tables": read_toml("tables"), **{name: read_rows(name) for name in TABLES}}
    changed = copy.deepcopy(tables)
    changed["tables"]["informant"]["sd"] += 0.01
    same, other = (table_model_of(each, parameters(), _scanners()) for each in (tables, changed))
    assert same.fingerprint == table_model().fingerprint != other.fingerprint


def test_a_section_without_source_is_refused() -> None:
    tables = {"tables": read_toml("tables"), **{name: read_rows(name) for name in TABLES}}
    del tables["tables"]["course"]["source"]
    with pytest.raises(RecipeError, match=r"\[course\]"):
        table_model_of(tables, parameters(), _scanners())


def _scanners() -> Scanners:
    tables = scanner_tables()
    return catalog(tables.tissues, tables.settings)


def _kept(name: str) -> pd.DataFrame:
    text = io.StringIO()
    rows = read_rows(name)
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    text.seek(0)
    return pd.read_csv(text)


@pytest.mark.slow
def test_kept_tables_are_what_the_physics_gives() -> None:
    made = physics.physics(
        base_head(), parameters(), _scanners(), atlas("fdg36", 2.0),
        fwhm_mm={"FDG": ABOUT["fdg_fwhm_mm"], "SPECT": ABOUT["spect_fwhm_mm"]},
    )  # fmt: skip
    uptake, kept = physics.uptake_table(made), _kept("tables_uptake")
    assert list(uptake["measure"]) == list(kept["measure"])
    numbers = uptake.select_dtypes("number")
    np.testing.assert_allclose(numbers, kept[numbers.columns], rtol=0.02, atol=0.002)
    foci = physics.foci_table(made, read_rows("tables_subtypes"))
    kept_foci = _kept("tables_foci")[["left", "right"]]
    np.testing.assert_allclose(foci[["left", "right"]], kept_foci, atol=0.005)
    grain = {kind: spread.Grain(*ABOUT[f"grain_{kind.lower()}"]) for kind in spread.KINDS}
    fields = spread.loadings(
        made, plain_mm=ABOUT["plain_mm"], residual_mm=ABOUT["residual_fwhm_mm"], grain=grain
    )
    kept_fields = _kept("tables_loadings")
    for name in fields["field"].unique():
        one, other = (
            table[table["field"] == name].filter(regex=r"^m\d").fillna(0.0).to_numpy()
            for table in (fields, kept_fields)
        )
        np.testing.assert_allclose(one @ one.T, other @ other.T, atol=0.01)


def _voxels(seen: Kernels, *, age: float, metabolic: float, atrophy: float) -> NDArray[np.float64]:
    """Regional FDG of a person without any variation of their own, from the voxels themselves."""
    base, people = ground(base_head(), parameters()), parameters()
    points = points_mm(seen.grid)
    levels, tissues = sample_stack(base.levels, points), sample_stack(base.tissues, points)
    foci = on_grid(np.maximum(*base.foci[Diagnosis.AD]), seen.grid)
    model, texture = people.thinning, people.covariance.topography_sd**2
    struck = foci * np.exp((texture + people.covariance.atrophy_own_sd**2) / 2)
    thinning = usual_thinning(people, age) + model.global_per_severity * atrophy
    thinning = np.clip(thinning + model.focal * atrophy * struck, model.low, model.high)
    tissues = with_wider_sulci(tissues, (thinning * levels["thinning"]).astype(np.float32))
    loss = foci * np.exp((texture + people.covariance.metabolism_own_sd**2) / 2)
    frontal = on_grid(physics._frontal(), seen.grid)
    metabolism = people.metabolism
    log_age = metabolism.log_per_year * (age - 70) * (1 + metabolism.frontal_excess * frontal)
    kept = 1 - np.clip(metabolism.disease_drop * metabolic * loss, 0, 0.8)
    total = grey_of(tissues) * levels["fdg"] * np.exp(log_age) * kept
    total = total + metabolism.white_ratio * tissues["white"]
    return sums(seen.blurred, total + other_signal(tissues, "FDG", people, _scanners()))


def _table(*, age: float, metabolic: float, atrophy: float) -> NDArray[np.float64]:
    """The same from the kept table, in regions."""
    model, people = table_model(), parameters()
    n = len(model.measures)
    uptake = {name: values[:n] for name, values in model.uptake["FDG"].items()}
    shares = np.array([each.share for each in model.subtypes if each.disease == "AD"])
    foci = np.tensordot(shares, model.foci["FDG"][: len(shares)], axes=1).sum(axis=1)
    texture = people.covariance.topography_sd**2
    struck = foci * np.exp((texture + people.covariance.atrophy_own_sd**2) / 2)
    thin = people.thinning.per_year * (age - 70) + people.thinning.global_per_severity * atrophy
    thin = thin + people.thinning.focal * atrophy * struck
    share = {
        name: uptake[name]
        * np.exp(uptake[f"{name}_thin1"] * thin + uptake[f"{name}_thin2"] * thin**2)
        for name in ("grey", "white")
    }
    metabolism = people.metabolism
    excess = 1 + metabolism.frontal_excess * uptake["frontal"]
    loss = foci * np.exp((texture + people.covariance.metabolism_own_sd**2) / 2)
    own = np.exp(metabolism.log_per_year * (age - 70) * excess)
    own = own * (1 - metabolism.disease_drop * metabolic * loss)
    other = uptake["other"] * (1 + uptake["other_thin1"] * thin)
    return share["grey"] * own + metabolism.white_ratio * share["white"] + other


@pytest.mark.slow
@pytest.mark.parametrize(
    "person",
    [
        {"age": 60.0, "metabolic": 0.0, "atrophy": 0.0},
        {"age": 75.0, "metabolic": 0.5, "atrophy": 0.4},
        {"age": 80.0, "metabolic": 0.9, "atrophy": 0.7},
    ],
)
def test_regions_lose_what_their_voxels_lose(person: dict[str, float]) -> None:
    seen = kernels(atlas("fdg36", 2.0), ABOUT["fdg_fwhm_mm"])
    usual = {"age": 70.0, "metabolic": 0.0, "atrophy": 0.0}
    by_voxel = _voxels(seen, **person) / _voxels(seen, **usual)
    by_table = _table(**person) / _table(**usual)
    np.testing.assert_allclose(by_table, by_voxel, atol=0.025)


@pytest.mark.slow
def test_rendered_people_show_what_the_table_says_of_normal_people() -> None:
    """Six pictures on the template grid against the mean of many people without pictures."""
    at_4mm = atlas("fdg36", 4.0)
    people = draw_people(
        parameters(), base_head(), n=6, seed="test-rendered", diagnoses=[Diagnosis.CN]
    )
    means = []
    for person in people:
        fdg = rendered(person, at_4mm.grid, _scanners())[Contrast.FDG]
        table = quantify.table(fdg, at_4mm, reference="", fingerprint="")
        means.append(table.means / table.references["pons"])
    shown = pd.concat(means, axis=1).mean(axis=1)
    drawn = draw_tables(300, seed="test-rendered", diagnoses=("CN",)).scans["FDG"]
    told = drawn[list(shown.index)].mean()
    assert np.corrcoef(shown, told)[0, 1] > 0.9
    assert abs(float((shown / told - 1).median())) < 0.06
    assert float((shown / told - 1).abs().median()) < 0.08
