"""Pages and model cards of the evaluations that a dataset keeps."""

from pathlib import Path

from tracerless import publish
from tracerless.core.errors import DatasetError, did_you_mean
from tracerless.io import assessments, reporting
from tracerless.io.atomic import write_text
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import EVALUATION

FILE = "assessment.json"
CARD = "MODEL_CARD.md"
FAILURES = "failures"
"""Pictures of the people whom a synthesizer failed worst, ``<person>_<visit>.png``."""


def kept(dataset: Dataset) -> tuple[str, ...]:
    """Keys of the evaluations in a dataset, sorted."""
    found = (dataset.derivatives / EVALUATION).glob(f"*/{FILE}")
    return tuple(sorted(path.parent.name for path in found))


def write_assessment_pages(dataset: Dataset, keys: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Write the page of each evaluation, and the model card beside its tables.

    Args:
        dataset: that holds them.
        keys: which ones; all when empty.

    Returns:
        The pages, ``reports/<task>-<key>.html`` (the task once), in the order of the keys.

    Raises:
        DatasetError: there is no evaluation, or none of that key.
        ModelError: an evaluation is damaged.
        StorageError: the disk refused.
    """
    there = kept(dataset)
    if not there:
        raise DatasetError(
            "The dataset holds no evaluation of diagnosis, risk or synthesis.",
            hint="Run `tracerless diagnose evaluate`, `tracerless risk evaluate` or `tracerless "
            "evaluate --full` first.",
        )
    for key in keys:
        if key not in there:
            raise DatasetError(f"No evaluation {key!r}.", hint=did_you_mean(key, there))
    return tuple(_write(dataset, key) for key in keys or there)


def _write(dataset: Dataset, key: str) -> Path:
    folder = dataset.derivatives / EVALUATION / key
    assessment = assessments.read(folder)
    named = key if key.startswith(f"{assessment.task}-") else f"{assessment.task}-{key}"
    path = dataset.reports / f"{named}.html"
    lists = reporting.checklists(assessment.task)
    if assessment.task == "synthesis":
        write_text(path, publish.synthesis_page(assessment, lists, _pictures(folder)))
        return path
    write_text(folder / CARD, publish.model_card(assessment))
    write_text(path, publish.assessment_page(assessment, lists))
    return path


def _pictures(folder: Path) -> dict[str, bytes]:
    """PNG of the failures by ``<person>/<visit>``."""
    found = sorted((folder / FAILURES).glob("*.png"))
    return {path.stem.replace("_", "/", 1): path.read_bytes() for path in found}
