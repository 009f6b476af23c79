"""The tables of a whole dataset, as they stand on disk."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tracerless import quantify
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import QuantifyRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import Chain, Displacement, identity
from tracerless.core.volume import Contrast, Quantity, Scale, Volume
from tracerless.io import resources
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import (
    COHORT_TABLE,
    REGION_TABLE,
    collect_tables,
    write_region_table,
)

KEYS = tuple(SessionKey(Pseudonym(f"P{n:02}"), "01") for n in (1, 2))
VERDICTS = dict(zip(KEYS, ("pass", "fail"), strict=True))


def a_map(source: str, target: str) -> Chain:
    grid = Grid((2, 2, 2), np.diag((100.0, 100.0, 100.0, 1.0)))
    still = Displacement(source, "between", grid, np.zeros((2, 2, 2, 3), np.float32))
    return Chain((still, identity("between", target)))


def prepared_of(key: SessionKey) -> Prepared:
    grid = resources.atlas("fdg36", 6.0).grid
    array = generator("test", "written", str(key)).uniform(0.5, 1.5, grid.shape)
    volume = Volume(array.astype(np.float32), grid, Quantity.SUVR, Contrast.FDG)
    return Prepared(
        key=key,
        template=resources.TEMPLATE,
        volumes={Contrast.FDG: volume},
        native_grid=grid,
        to_native=a_map(resources.TEMPLATE, "n"),
        to_template=a_map("n", resources.TEMPLATE),
        qc={"coverage_FDG": 1.0},
        verdict=VERDICTS[key],
        reasons=(),
        fingerprint="made-so",
        scales={Contrast.FDG: Scale(Quantity.SUV, 3.25)},
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    made = Dataset.create_or_open(tmp_path_factory.mktemp("written") / "data")
    atlas = resources.atlas("fdg36", 6.0)
    for key in KEYS:
        prepared, shelf = prepared_of(key), SessionShelf(made, key)
        shelf.save("prepared", prepared, "p")
        shelf.save("uptake", quantify.session(prepared, atlas, made.recipe.prepare), "u")
    write_region_table(made, collect_tables(made))
    return made


def read(dataset: Dataset, name: str) -> pd.DataFrame:
    return pd.read_csv(dataset.derivatives / name, sep="\t", na_values="n/a")


def test_one_row_a_scan_with_the_verdict_of_its_session(dataset: Dataset) -> None:
    table = read(dataset, COHORT_TABLE)
    assert table["participant_id"].tolist() == ["sub-P01", "sub-P02"]
    assert table["qc"].tolist() == ["pass", "fail"]
    assert (table["absolute_unit"] == "SUV").all()
    assert (table["absolute_factor"] == 3.25).all()
    assert (table["reference"] == "pons").all()
    assert table["flags"].isna().all()


def test_numbers_on_disk_are_those_that_were_measured(dataset: Dataset) -> None:
    table = read(dataset, COHORT_TABLE).set_index("participant_id")
    long = read(dataset, REGION_TABLE)
    atlas = resources.atlas("fdg36", 6.0)
    for key in KEYS:
        measured = quantify.session(prepared_of(key), atlas, dataset.recipe.prepare)[Contrast.FDG]
        row = table.loc[f"sub-{key.person}"]
        assert row[list(atlas.keys)].tolist() == measured.means.tolist()
        assert row["meta_AD"] == measured.composites.loc["meta_AD", "mean"]
        assert row["ref_cerebellum"] == measured.references["cerebellum"]
        mine = long[long["participant_id"] == f"sub-{key.person}"].set_index("region")
        for name in ("n_voxels", "coverage", "median", "sd"):
            assert mine.loc[list(atlas.keys), name].tolist() == measured.values[name].tolist()


def test_asymmetries_of_all_sixteen_pairs_stand_in_the_table(dataset: Dataset) -> None:
    table = read(dataset, COHORT_TABLE)
    indices = [name for name in table.columns if name.startswith("AI_")]
    assert len(indices) == 16
    left, right = table["insula_left"], table["insula_right"]
    np.testing.assert_allclose(table["AI_insula"], 200 * (left - right) / (left + right))


def test_every_column_is_described_beside_the_table(dataset: Dataset) -> None:
    for name in (COHORT_TABLE, REGION_TABLE):
        path = dataset.derivatives / name
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert set(said) == set(read(dataset, name).columns)


def test_writing_again_changes_no_byte(dataset: Dataset) -> None:
    paths = [dataset.derivatives / name for name in (COHORT_TABLE, REGION_TABLE)]
    before = [path.read_bytes() for path in paths]
    write_region_table(dataset, collect_tables(dataset))
    assert [path.read_bytes() for path in paths] == before


def test_corrected_tables_join_only_while_the_recipe_asks_for_them(dataset: Dataset) -> None:
    atlas = resources.atlas("fdg36", 6.0)
    plain = quantify.session(prepared_of(KEYS[0]), atlas, dataset.recipe.prepare)[Contrast.FDG]
    kept = {Contrast.FDG: replace(plain, pvc="gtm", fingerprint="corrected-so")}
    SessionShelf(dataset, KEYS[0]).save("corrected", kept, "c")
    for method, expected in (("none", 2), ("gtm", 3), ("mg", 2)):
        recipe = replace(dataset.recipe, quantify=QuantifyRecipe(pvc=method))
        scans = list(collect_tables(replace(dataset, recipe=recipe)))
        assert len(scans) == expected, method
    assert [scan.table.pvc for scan in scans] == ["", ""]
