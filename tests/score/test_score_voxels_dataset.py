"""Maps of z over a dataset: written scan by scan, shown on the page, gone when they do not hold."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tracerless import cli, quantify
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import gaussian, identity
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import nifti, resources
from tracerless.workspace import norms, norms_maps
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.reports import write_reports
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import collect_tables, write_region_table

VOXEL_MM = 6.0
N_NORMAL = 14
ILL = f"P{N_NORMAL:03d}"
LESION = "precuneus_left"


def session(template, atlas, number, lesion):
    """FDG of one person: tissue, smooth noise, and for the last a lesion of -25 %."""
    noise = generator("voxels dataset", number).standard_normal(template.grid.shape)
    flat = Volume(noise, template.grid, Quantity.SUVR, Contrast.FDG)
    array = 1.5 * template.grey.array + 0.9 * template.white.array
    array = array * (1 + 0.5 * gaussian(flat, 14.0).array)
    if lesion:
        index = next(each.index for each in atlas.regions if each.key == LESION)
        array = np.where(atlas.labels == index, 0.75 * array, array)
    pons = array[atlas.reference("pons")].mean()
    array = np.where(template.brain.array > 0, array / pons, np.nan)
    return Prepared(
        key=SessionKey(Pseudonym(f"P{number:03d}"), "01"),
        template=template.key,
        volumes={Contrast.FDG: with_array(flat, array.astype(np.float32))},
        native_grid=template.grid,
        to_native=identity(template.key, "native"),
        to_template=identity("native", template.key),
        qc={},
        verdict="pass",
        reasons=(),
        fingerprint="a1b2c3d4e5f6",
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """14 normal people and one with a lesion, quantified, with a norm of maps."""
    recipe = Recipe(prepare=PrepareRecipe(voxel_mm=VOXEL_MM))
    made = Dataset.create_or_open(tmp_path_factory.mktemp("voxels") / "d", recipe)
    (made.root / "SIMULATED.txt").write_text("simulated", encoding="utf-8")
    template, atlas = resources.template(VOXEL_MM), resources.atlas("fdg36", VOXEL_MM)
    rows = []
    for number in range(N_NORMAL + 1):
        one = session(template, atlas, number, lesion=number == N_NORMAL)
        shelf = SessionShelf(made, one.key)
        shelf.save("prepared", one, "p")
        shelf.save("uptake", quantify.session(one, atlas, recipe.prepare), "u")
        diagnosis = "AD" if number == N_NORMAL else "CN"
        rows.append((f"sub-{one.key.person}", 60 + number, "FM"[number % 2], diagnosis))
    people = pd.DataFrame(rows, columns=["participant_id", "age", "sex", "diagnosis"])
    people.loc[N_NORMAL, "age"] = 66
    people.to_csv(made.root / "participants.tsv", sep="\t", index=False)
    write_region_table(made, collect_tables(made))
    norms.fit(made, "FDG", "n", norms.Choices(covariates=("sex",), voxels=True))
    return made


@pytest.fixture(scope="module")
def applied(dataset):
    norm, folder = norms.find(dataset, "n")
    return norms.apply(dataset, norm, folder)


def files(dataset: Dataset, person: str, ending: str) -> list[Path]:
    folder = dataset.derivatives / f"sub-{person}" / "ses-01" / "pet"
    return sorted(folder.glob(f"*_desc-n_{ending}"))


def test_a_lesion_stands_in_the_map_where_it_was_planted(dataset, applied):
    (path,) = files(dataset, ILL, "stat-z_statmap.nii.gz")
    shown = nifti.read_volume(path)
    assert shown.quantity is Quantity.Z
    atlas = resources.atlas("fdg36", VOXEL_MM)
    index = next(each.index for each in atlas.regions if each.key == LESION)
    inside = (atlas.labels == index) & np.isfinite(shown.array)
    outside = np.isfinite(shown.array) & (atlas.labels != index)
    assert np.mean(shown.array[inside]) < -2.5
    assert abs(np.mean(shown.array[outside])) < 1.0
    about = nifti.read_sidecar(path)
    assert (about["Norm"], about["NormPeople"], about["Units"]) == ("n", N_NORMAL, "z")
    assert about["PooledSpreadsMm"] > 0
    assert applied.n_maps == N_NORMAL + 1


def test_normal_people_are_within_their_norm_left_out_of_it(dataset, applied):
    below = []
    for number in range(N_NORMAL):
        (path,) = files(dataset, f"P{number:03d}", "stat-z_statmap.nii.gz")
        z = nifti.read_volume(path).array
        below.append((z[np.isfinite(z)] < -2).mean())
    assert 0.005 < np.mean(below) < 0.05


def test_indices_stand_in_their_table(dataset, applied):
    table = pd.read_csv(applied.files[1], sep="\t", na_values="n/a")
    told = json.loads(applied.files[1].with_suffix(".json").read_text("utf-8"))
    assert set(told) == set(table.columns)
    by = table.set_index(["participant_id", "measure"])["value"]
    assert {"severity", "extent", "ratio", "cingulate_island_ratio", "AI_precuneus"} <= set(
        table["measure"]
    )
    assert by[f"sub-{ILL}", "AI_precuneus"] < -15
    rows = table.set_index(["participant_id", "measure"])
    assert rows.loc[(f"sub-{ILL}", "AI_precuneus"), "z"] < -3
    assert rows.loc[(f"sub-{ILL}", "cingulate_island_ratio"), "z"] > 1
    assert (rows.loc[(slice(None), "severity"), "percentile"] < 100).all()


def test_the_page_shows_projections_and_z_until_the_scan_is_measured_anew(dataset, applied):
    key = SessionKey(Pseudonym(ILL), "01")
    _, page = write_reports(dataset, (key,), track=lambda keys, _what, _n: keys)
    text = page.read_text("utf-8")
    assert "Surface projections of FDG-PET" in text
    assert "norm was made from SIMULATED people" in text
    assert "◆" in text
    for path in applied.files:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        older = table.assign(fingerprint="ffffffffffff")
        older.to_csv(path, sep="\t", index=False)
    _, page = write_reports(dataset, (key,), track=lambda keys, _what, _n: keys)
    assert "Against the normal" not in page.read_text("utf-8")


def test_maps_go_with_the_norm_that_made_them(dataset, applied, capsys, monkeypatch):
    words = ["tracerless", "norms", "show", str(dataset.root), "--norm", "n"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        cli.main()
    assert "Maps: " in capsys.readouterr().out
    assert norms_maps.read(dataset.models / "n") is not None
    norms.fit(dataset, "FDG", "n", norms.Choices(covariates=("sex",)))
    assert norms_maps.read(dataset.models / "n") is None
    norm, folder = norms.find(dataset, "n")
    assert norms.apply(dataset, norm, folder).n_maps == 0
    assert not files(dataset, ILL, "*")
