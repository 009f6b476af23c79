"""Pictures of the people whom a model served worst, beside the tables."""

import pandas as pd

from tracerless import publish
from tracerless.io.atomic import write_bytes
from tracerless.workspace.trial import Trial

FOLDER = "failures"


def picture_failures(trial: Trial, failures: pd.DataFrame) -> None:
    """Write one PNG a row, ``failures/<person>_<visit>.png``; older ones give way.

    Args:
        trial: whose people they are.
        failures: the table so named.
    """
    folder = trial.folder / FOLDER
    wanted = set(zip(failures["person"], failures["visit"], strict=True))
    for path in folder.glob("*.png"):
        path.unlink()
    for subject in trial.subjects:
        key = subject.key
        if (str(key.person), key.visit) in wanted:
            prepared = trial.prepared(subject)
            made = trial.predict(subject, prepared)
            shown = publish.failure_picture(prepared, made, trial.template)
            write_bytes(folder / f"{key.person}_{key.visit}.png", shown)
