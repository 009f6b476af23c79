"""Report pages over what a dataset holds."""

from pathlib import Path

from tracerless import publish
from tracerless.core.atlas import RoiTable
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.io import resources
from tracerless.io.atomic import write_text
from tracerless.workspace.batch import Track
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.derivatives import describe, prediction_of, sheet_of
from tracerless.workspace.domain import training_domain
from tracerless.workspace.norms_page import Tables, against, kept_tables
from tracerless.workspace.person_blocks import Predictions, blocks, kept_predictions
from tracerless.workspace.provenance import software
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort, read_evaluation

SIMULATED_NOTE = (
    "Every scan in this dataset is simulated. Nothing here was ever tested on acquired scans of "
    "patients."
)


def write_reports(
    dataset: Dataset, keys: tuple[SessionKey, ...], *, track: Track
) -> tuple[Path, ...]:
    """Write one page a prepared session, and the cohort page; the cohort page comes first.

    Raises:
        DatasetError: no session is prepared.
    """
    cohort, entries, pages = read_cohort(dataset), [], []
    kept = kept_tables(dataset), kept_predictions(dataset)
    for key in track(keys, "report", len(keys)):
        shelf = SessionShelf(dataset, key)
        prepared: Prepared | None = shelf.latest("prepared")
        if prepared is None:
            continue
        prediction = prediction_of(shelf, prepared)
        path = dataset.reports / f"{key}.html"
        write_text(path, _session_page(shelf, prepared, prediction, kept))
        pages.append(path)
        diagnosis = cohort.diagnosis(key.person)
        entries.append(publish.session_entry(prepared, path.name, prediction, diagnosis))
    recipe = dataset.recipe
    index = publish.cohort_page(
        entries,
        resources.atlas(recipe.prepare.atlas, recipe.prepare.voxel_mm, dataset.root),
        evaluation=read_evaluation(dataset),
        recipe=recipe,
        notes=[SIMULATED_NOTE] if training_domain(dataset) == "simulated" else [],
    )
    write_text(dataset.reports / "index.html", index)
    describe(dataset)
    return (dataset.reports / "index.html", *pages)


def _session_page(
    shelf: SessionShelf,
    prepared: Prepared,
    prediction: Prediction | None,
    kept: tuple[Tables, Predictions],
) -> str:
    dataset = shelf.dataset
    recipe = dataset.recipe.prepare
    tables = _tables(shelf, synthetic=prediction is not None)
    evaluation = read_evaluation(dataset)
    of_this_model = evaluation and prediction and evaluation.model == prediction.model
    return publish.session_page(
        prepared,
        resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root),
        template=resources.template(recipe.voxel_mm),
        tables=tables,
        prediction=prediction,
        evaluation=evaluation if of_this_model else None,
        backing=publish.Backing(
            {name: each for name, each in software().items() if name != "tracerless"},
            sheet_of(dataset, prepared.key),
            against(dataset, prepared.key, kept[0], tables),
            blocks(kept[1], prepared.key),
        ),
    )


def _tables(shelf: SessionShelf, *, synthetic: bool) -> dict[Contrast, RoiTable]:
    tables: dict[Contrast, RoiTable] = dict(shelf.latest("uptake") or {})
    table: RoiTable | None = shelf.latest("synthetic_uptake") if synthetic else None
    return tables if table is None else {**tables, table.contrast: table}
