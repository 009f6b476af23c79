"""The leakage audit of a user's own tables: predictions by fold, features, chosen columns."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless.core.errors import DatasetError, did_you_mean
from tracerless.diagnose import audit as audits
from tracerless.io.cognition_tables import read_table
from tracerless.workspace.audit import known
from tracerless.workspace.dataset import Dataset

PERSON = ("participant_id", "person", "subject", "pseudonym", "id")
VISIT = ("session_id", "visit", "session")
TRUTH = ("diagnosis", "truth", "label", "dx")
FOLD, REPEAT = ("fold", "split"), ("repeat",)
LEARNED = frozenset({"", "-1", "train", "training", "n/a"})
"""Words for a row that the model only learned from."""
_NO_VALUE = frozenset({"", "n/a", "na", "nan", "none", "null"})


def of_tables(
    predictions: Path,
    *,
    dataset: Dataset | None = None,
    features: Path | None = None,
    selected: Path | None = None,
    norm_names: Sequence[str] = (),
    synthesizer_names: Sequence[str] = (),
) -> tuple[audits.Finding, ...]:
    """Audit somebody's own split.

    Args:
        predictions: one row a scan (and repeat): a person, the ``fold`` in which it was tested
            (``train`` where it was not), and if known a visit, a ``repeat``, a ``diagnosis``.
        dataset: whose norms and synthesizers may be named; None takes paths.
        features: one row a scan, or a person: every column that the model was shown or chose from.
        selected: the chosen columns: one a line, or a table of ``fold`` and ``feature``.
        norm_names: norms that made the features; ``none`` for none.
        synthesizer_names: synthesizers that made the scans; ``none`` for none.

    Raises:
        DatasetError: a column is missing, or a row has no features or several.
        ModelError: nothing was tested, or a norm or synthesizer is not there.
    """
    table = _scans(read_table(predictions))
    shown = None if features is None else _features(read_table(features), table)
    chosen = None if selected is None else _chosen(read_lines(selected), table)
    seen = shown
    if shown is not None and chosen is not None:
        _require(shown, chosen)
        named = {name for names in chosen.values() for name in names}
        seen = shown[[name for name in shown.columns if name in named]]
    trial = audits.Trial(
        person=tuple(table["person"]),
        truth=tuple(table["truth"]),
        fold=np.array([table[name] for name in table.columns if name.startswith("fold ")]),
        features=seen,
        candidates=shown,
        selected=chosen,
    )
    facts = known(dataset, norm_names=norm_names, synthesizer_names=synthesizer_names)
    return audits.audit(trial, facts)


def read_lines(path: Path) -> pd.DataFrame:
    """The table of chosen columns: ``fold`` (empty = every fold) and ``feature``."""
    table = read_table(path)
    if "feature" in table:
        return table.assign(fold=table.get("fold", ""))
    if table.shape[1] != 1:
        raise DatasetError(
            f"The chosen columns stand in {table.shape[1]} columns, none called feature.",
            hint="Write one column a line, or a table of fold and feature.",
        )
    names = [str(table.columns[0]), *table.iloc[:, 0]]
    return pd.DataFrame({"fold": "", "feature": names})


def _scans(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a scan: person, visit, truth, and its fold in every repeat as ``fold <repeat>``."""
    person = _column(rows, PERSON, is_needed=True).str.removeprefix("sub-")
    visit = _column(rows, VISIT).str.removeprefix("ses-")
    fold = _column(rows, FOLD, is_needed=True)
    plain = pd.DataFrame(
        {
            "person": person,
            "visit": visit,
            "truth": _column(rows, TRUTH).mask(lambda c: c.str.casefold().isin(_NO_VALUE), ""),
            "fold": fold.where(~fold.str.casefold().isin(LEARNED), ""),
            "repeat": _column(rows, REPEAT),
        }
    )
    if (plain["person"] == "").any():
        n = int((plain["person"] == "").sum())
        raise DatasetError(f"{n} rows name no person.", hint="Fill the column of persons.")
    plain["scan"] = _numbered(plain)
    wide = plain.pivot_table(
        index=["person", "visit", "scan"], columns="repeat", values="fold", aggfunc="first"
    )
    wide.columns = pd.Index([f"fold {name}" for name in wide.columns])
    truth = plain.groupby(["person", "visit", "scan"])["truth"].first()
    joined: pd.DataFrame = wide.fillna("").join(truth).reset_index()
    return joined


def _numbered(plain: pd.DataFrame) -> pd.Series:
    """Several rows of one person, visit and repeat are scans of their own."""
    return plain.groupby(["person", "visit", "repeat"]).cumcount()


def _features(rows: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """The numbers of each scan: by person and visit where both tables have one, else by person."""
    person = _column(rows, PERSON, is_needed=True).str.removeprefix("sub-")
    visit = _column(rows, VISIT).str.removeprefix("ses-")
    both = bool((visit != "").any() and (scans["visit"] != "").any())
    keys = list(zip(person, visit if both else [""] * len(person), strict=True))
    places = pd.Series(range(len(keys)), index=pd.MultiIndex.from_tuples(keys))
    if places.index.has_duplicates:
        raise DatasetError(
            f"{int(places.index.duplicated().sum())} rows of features have the same person"
            f"{' and visit' if both else ''} as another.",
            hint="Give one row a scan, with the visit in both tables.",
        )
    wanted = list(zip(scans["person"], scans["visit"] if both else [""] * len(scans), strict=True))
    without = [key for key in wanted if key not in places.index]
    if without:
        raise DatasetError(
            f"{len(without)} of {len(wanted)} rows have no features.",
            hint="Give features of every row of the predictions.",
        )
    named = {*PERSON, *VISIT, *FOLD, *REPEAT, "scan"}
    columns = [name for name in rows.columns if str(name).casefold() not in named]
    cells = rows[columns].mask(rows[columns].apply(lambda c: c.str.casefold().isin(_NO_VALUE)))
    numbers = cells.apply(pd.to_numeric, errors="coerce").dropna(axis=1, how="all")
    found: pd.DataFrame = numbers.iloc[[int(places[key]) for key in wanted]]
    return found.reset_index(drop=True)


def _chosen(table: pd.DataFrame, scans: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    first = next(name for name in scans.columns if name.startswith("fold "))
    folds = sorted(set(scans[first]) - {""})
    return {
        fold: tuple(table.loc[table["fold"].isin({fold, ""}), "feature"].drop_duplicates())
        for fold in folds
    }


def _require(features: pd.DataFrame, chosen: dict[str, tuple[str, ...]]) -> None:
    for names in chosen.values():
        for name in names:
            if name not in features:
                raise DatasetError(
                    f"The chosen column {name!r} is not in the table of features.",
                    hint=did_you_mean(name, map(str, features.columns)),
                )


def _column(rows: pd.DataFrame, names: Sequence[str], *, is_needed: bool = False) -> pd.Series:
    """The column of one of those names as text; empty texts where there is none."""
    for column in rows.columns:
        if str(column).strip().casefold() in names:
            return rows[column].astype(str).str.strip().reset_index(drop=True)
    if is_needed:
        raise DatasetError(
            f"The table has no column {names[0]}.",
            hint=f"Name a column {' or '.join(names)}.",
        )
    return pd.Series("", index=range(len(rows)))
