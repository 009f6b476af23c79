"""What happened to a dataset's people later: `phenotype/followup.tsv`, and how it comes in."""

from pathlib import Path

import pandas as pd

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, did_you_mean
from tracerless.core.study import STATUS, VISIT_COLUMNS, Followup
from tracerless.io.atomic import write_json, write_text
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_cohort

TABLE = Path("phenotype") / "followup.tsv"
UNSPECIFIED = "dementia"
"""A diagnosis of dementia whose kind is not said."""
_WORDS = (*(each.value for each in Diagnosis), UNSPECIFIED, "")


def read_followup(dataset: Dataset) -> Followup | None:
    """The follow-up of the dataset's people, without ``sub-``; None where there is no table.

    Raises:
        DatasetError: the table cannot be used; the message says which column and value.
    """
    path = dataset.root / TABLE
    if not path.is_file():
        return None
    table = pd.read_csv(path, sep="\t", dtype=str, na_values="n/a", keep_default_na=False)
    return _checked(table, str(TABLE))


def write_followup(dataset: Dataset, followup: Followup) -> Path:
    """Write the table and what its columns mean; equal values give equal bytes."""
    path = dataset.root / TABLE
    table = followup.visits.copy()
    table["participant_id"] = [f"sub-{_bare(each)}" for each in table["participant_id"]]
    table["diagnosis"] = table["diagnosis"].where(table["diagnosis"] != "")
    write_json(path.with_suffix(".json"), _MEANINGS)
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_text(path, text)
    return path


def import_followup(dataset: Dataset, source: Path) -> tuple[Followup, tuple[str, ...]]:
    """Take a table of later visits, deaths and last contacts into the dataset.

    Args:
        dataset: whose people the rows belong to; rows must name them by pseudonym.
        source: CSV, TSV or XLSX with ``VISIT_COLUMNS``: years since the first scan, never dates.

    Returns:
        What is kept, and one sentence for each kind of thing that a reader should know.

    Raises:
        DatasetError: the file cannot be read, holds dates, names people whom the dataset does not
            know, or has a value that means nothing. Nothing is written then.
    """
    table = _read_any(source)
    dated = [name for name in table if "date" in str(name).casefold()]
    if dated:
        raise DatasetError(
            f"The follow-up table has {len(dated)} column(s) of dates.",
            hint="Give `years` since the first scan instead; dates do not cross the border.",
        )
    followup = _checked(table, source.suffix)
    named = set(followup.visits["participant_id"])
    known = {str(person) for person in read_cohort(dataset).table.index}
    known |= {str(key.person) for key in dataset.sessions()}
    strangers = len(named - known)
    if strangers:
        raise DatasetError(
            f"{strangers} of {len(named)} people in the follow-up table are not in the dataset.",
            hint="Name people by the dataset's pseudonyms, as participants.tsv does.",
        )
    write_followup(dataset, followup)
    return followup, _told(followup, len(known))


def _checked(table: pd.DataFrame, where: str) -> Followup:
    missing = [name for name in VISIT_COLUMNS if name not in table]
    if missing:
        raise DatasetError(
            f"The follow-up table ({where}) has no column {missing[0]!r}.",
            hint=f"It needs {', '.join(VISIT_COLUMNS)}.",
        )
    table = table[list(VISIT_COLUMNS)].copy()
    for name in ("participant_id", "status", "diagnosis"):
        table[name] = table[name].fillna("").astype(str).str.strip()
    table["participant_id"] = [_bare(each) for each in table["participant_id"]]
    if (table["participant_id"] == "").any():
        raise DatasetError("A row of the follow-up table names nobody.")
    _require_words(table["status"], tuple(STATUS))
    _require_words(table["diagnosis"], _WORDS)
    return Followup(table)


def _require_words(column: pd.Series, words: tuple[str, ...]) -> None:
    unknown = sorted(set(column) - set(words))
    if unknown:
        raise DatasetError(
            f"{column.name}={unknown[0]!r} of a follow-up visit is not known.",
            hint=did_you_mean(unknown[0], [word for word in words if word]),
        )


def _read_any(source: Path) -> pd.DataFrame:
    try:
        if source.suffix.casefold() == ".xlsx":
            return pd.read_excel(source, dtype=str, na_values="n/a", keep_default_na=False)
        separator = "\t" if source.suffix.casefold() == ".tsv" else ","
        return pd.read_csv(
            source,
            sep=separator,
            dtype=str,
            na_values="n/a",
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except FileNotFoundError:
        raise DatasetError("There is no such follow-up table.", hint="Check the path.") from None
    except (UnicodeDecodeError, ValueError, OSError) as error:
        raise DatasetError(
            f"The follow-up table cannot be read ({type(error).__name__}).",
            hint="Save it as CSV in UTF-8, as TSV, or as XLSX.",
        ) from None


def _told(followup: Followup, n_known: int) -> tuple[str, ...]:
    visits = followup.visits
    n = visits["participant_id"].nunique()
    dead = int((visits["status"] == "dead").sum())
    told = [f"{n} of {n_known} people, {len(visits)} rows, {dead} deaths."]
    repeated = int(visits.duplicated(["participant_id", "years"]).sum())
    if repeated:
        told.append(f"{repeated} rows stand at the same time as another row of the same person.")
    bare = int(((visits["status"] == "seen") & (visits["diagnosis"] == "")).sum())
    if bare:
        told.append(f"{bare} visits tell no diagnosis: those people count as alive then, no more.")
    return tuple(told)


def _bare(person: str) -> str:
    return person.removeprefix("sub-")


_MEANINGS = {
    "participant_id": {"Description": "pseudonym"},
    "years": {"Description": "since the first scan; 0 is that day", "Units": "years"},
    "diagnosis": {
        "Description": "at that visit; n/a where nobody was examined",
        "Levels": {word: word for word in _WORDS if word},
    },
    "status": {"Description": "what is known of that time", "Levels": dict(STATUS)},
}
