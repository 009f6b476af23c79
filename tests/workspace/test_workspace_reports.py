"""Report pages over a dataset: the sheet is in them, and a failed session shows no prediction."""

import base64
from pathlib import Path

import pytest
from derivative_cases import KEY, World, predicted, tables, whole_session, world

from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.io.bids import sheet_path
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.reports import write_reports
from tracerless.workspace.shelf import SessionShelf


@pytest.fixture(scope="module")
def where() -> World:
    return world()


@pytest.mark.parametrize(("verdict", "shown"), [("review", True), ("fail", False)])
def test_a_page_shows_the_contact_sheet_and_of_a_failed_session_no_prediction(
    where: World, tmp_path: Path, verdict: str, *, shown: bool
) -> None:
    recipe = Recipe(prepare=PrepareRecipe(voxel_mm=4.0))
    dataset = Dataset.create_or_open(tmp_path / "d", recipe)
    session, shelf = whole_session(where, verdict=verdict), SessionShelf(dataset, KEY)
    shelf.save("prepared", session, "p")
    shelf.save("uptake", tables(session, where), "u")
    shelf.save("synthetic", predicted(where), "predicted before")
    index, page = write_reports(dataset, (KEY,), track=lambda keys, _what, _n: keys)
    text = page.read_text(encoding="utf-8")
    sheet = sheet_path(dataset.derivatives, KEY).read_bytes()
    assert base64.b64encode(sheet).decode() in text
    assert (predicted(where).model in text) is shown
    assert f">{verdict}" in index.read_text(encoding="utf-8")
    assert (dataset.derivatives / "desc-qc_summary.tsv").is_file()
