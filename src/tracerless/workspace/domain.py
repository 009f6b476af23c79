"""Where the people of a dataset come from: a scanner, or a simulator."""

from tracerless.workspace.clean import source_series
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset


def training_domain(dataset: Dataset) -> str:
    """``simulated`` when every series, or the dataset as a whole, says that it is."""
    if (dataset.root / SIMULATED_MARK).is_file():
        return "simulated"
    series = source_series(dataset.root)
    return "simulated" if series and all(each.is_synthetic for each in series) else "acquired"
