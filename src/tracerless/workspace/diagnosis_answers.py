"""Out-of-fold answers as files, so that an evaluation that was stopped goes on where it was."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.errors import ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import OutOfFold
from tracerless.io import kept
from tracerless.io.assessments import read_table, write_table
from tracerless.io.atomic import write_json

MEANINGS: Mapping[str, str] = {
    "participant_id": "pseudonym",
    "session_id": "visit; n/a where scores alone were given",
    "arm": "which predictors the model saw",
    "model": "prevalence, elastic_net or mlp",
    "repeat": "of the cross-validation",
    "fold": "in which the row was held out",
    "diagnosis": "what was true",
    "beyond": "yes where the fold's model would have abstained",
}
"""Columns; besides them ``p_<class>``, calibrated within the training folds."""
_ARRAYS = ("threshold", "importance")


def name_of(arm: Arm) -> str:
    """Of the file of an arm, without its ending."""
    return f"out_of_fold-{arm}"


def write(folder: Path, study: Study, outs: Sequence[OutOfFold], *, digest: str) -> None:
    """Write the answers of one arm; the sidecar, which holds the digest, last."""
    path = folder / f"{name_of(outs[0].arm)}.tsv"
    write_table(path, pd.concat([_rows(study, out) for out in outs], ignore_index=True))
    chances = {f"p_{name}": f"probability of {name}" for name in outs[0].classes}
    record = {
        **{name: {"Description": words} for name, words in {**MEANINGS, **chances}.items()},
        "Digest": digest,
        "Models": [_record(out) for out in outs],
    }
    write_json(path.with_suffix(".json"), record)


def read(folder: Path, study: Study, arm: Arm, *, digest: str) -> tuple[OutOfFold, ...] | None:
    """The answers of one arm, exact to the bit; None where they are absent or of other settings."""
    path = folder / f"{name_of(arm)}.tsv"
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if record["Digest"] != digest:
            return None
        table = read_table(path)
        return tuple(_out(study, arm, table, each) for each in record["Models"])
    except (OSError, KeyError, ValueError, ModelError):
        return None


def _rows(study: Study, out: OutOfFold) -> pd.DataFrame:
    repeats, n = out.fold.shape
    visits = [study.visit[row] for row in out.rows]
    one = {
        "participant_id": [f"sub-{study.person[row]}" for row in out.rows],
        "session_id": [f"ses-{visit}" if visit else "n/a" for visit in visits],
    }
    table = pd.DataFrame({name: list(own) * repeats for name, own in one.items()})
    table["arm"], table["model"] = str(out.arm), out.model
    table["repeat"] = np.repeat(np.arange(repeats), n)
    table["fold"] = out.fold.ravel()
    table["diagnosis"] = [out.classes[label] for label in out.truth] * repeats
    table["beyond"] = np.where(out.beyond.ravel(), "yes", "no")
    for place, name in enumerate(out.classes):
        table[f"p_{name}"] = out.probability[:, :, place].ravel()
    return table


def _record(out: OutOfFold) -> dict[str, Any]:
    return {
        "model": out.model,
        "classes": list(out.classes),
        "groups": list(out.groups),
        "kinds": list(out.kinds),
        "notes": list(out.notes),
        "choices": list(out.choices),
        "rows": out.rows.tolist(),
        "repeats": len(out.fold),
        **{name: kept.encode(getattr(out, name)) for name in _ARRAYS},
    }


def _out(study: Study, arm: Arm, table: pd.DataFrame, record: Mapping[str, Any]) -> OutOfFold:
    own = table[table["model"] == record["model"]]
    rows = np.array(record["rows"], dtype=np.intp)
    shape = record["repeats"], len(rows)
    classes = tuple(record["classes"])
    columns = own[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64)
    truth = [classes.index(study.diagnosis[row]) for row in rows]
    words = {name: tuple(record[name]) for name in ("groups", "kinds", "notes", "choices")}
    return OutOfFold(
        arm=arm,
        model=str(record["model"]),
        classes=classes,
        rows=rows,
        truth=np.array(truth, dtype=np.intp),
        probability=np.ascontiguousarray(columns.reshape(*shape, len(classes))),
        fold=own["fold"].to_numpy(dtype=np.intp).reshape(shape),
        beyond=(own["beyond"] == "yes").to_numpy().reshape(shape),
        threshold=kept.decode(record["threshold"], {}),
        importance=kept.decode(record["importance"], {}),
        groups=words["groups"],
        kinds=words["kinds"],
        notes=words["notes"],
        choices=words["choices"],
    )
