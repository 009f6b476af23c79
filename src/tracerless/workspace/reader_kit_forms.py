"""Forms that came back from readers, opened with the key of their set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tracerless.core.errors import DatasetError, ModelError, did_you_mean
from tracerless.evaluate import readers
from tracerless.io.atomic import write_json, write_text
from tracerless.workspace.reader_kit import KEY, KEY_COLUMNS

RESULTS = "reader_study.tsv"
MEANINGS = {
    "what": "accuracy, auc, certainty; their differences; kappa; told apart (0.5 = blinded)",
    "reader": "one of them, or all",
    "kind": "what the cases showed, or which two were held against each other",
    "value": "of it",
    "low": "lower 95 % bound, over people, given these readers",
    "high": "upper bound",
    "n": "readings behind it",
}
_YES_NO = {
    "yes": "yes", "y": "yes", "true": "yes", "1": "yes", "是": "yes",
    "no": "no", "n": "no", "false": "no", "0": "no", "否": "no", "": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """What came back.

    Args:
        readings: of every filled row.
        unread: sentences about cases that a reader left empty.
    """

    readings: readers.Readings
    unread: tuple[str, ...]


def analyze(
    key: Path, forms: Sequence[Path], *, to: Path | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Results of a reader study, and sentences that stand beside them.

    Args:
        key: the key, or its folder.
        forms: one a reader; the reader is called as the file says after ``form_``.
        to: folder for the table; None writes nothing.

    Raises:
        DatasetError: a file is missing or is no form of this set.
        ModelError: nothing was filled in, or a value is none.
    """
    back = returned(key, forms)
    table = readers.results(back.readings)
    n_readers = len(back.readings.readers)
    notes = (
        *back.unread,
        f"Intervals are over people, given these {n_readers} readers: with few readers they do not "
        "say how others would read.",
    )
    if to is not None:
        path = to / RESULTS
        write_json(path.with_suffix(".json"), {"Columns": MEANINGS, "Notes": list(notes)})
        write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
    return table, notes


def returned(key: Path, forms: Sequence[Path]) -> Returned:
    """Every filled row with what the key says of its case.

    Raises:
        DatasetError: a file is missing or is no form of this set.
        ModelError: a value is none that a form may hold.
    """
    if not forms:
        raise DatasetError("No form was given.", hint="Name the forms that came back.")
    known = _table(key / KEY if key.is_dir() else key, KEY_COLUMNS).set_index("case")
    rows: list[tuple[object, ...]] = []
    unread: list[str] = []
    for path in forms:
        reader, form = path.stem.removeprefix("form_"), _table(path, ("case", "diagnosis"))
        filled = form[form["diagnosis"] != ""]
        _require_cases(filled, known, reader)
        missing = len(known) - len(filled)
        if missing:
            unread.append(f"{reader} left {missing} of {len(known)} cases unread.")
        cells = filled.to_dict("list")
        rows += [
            _row(reader, {str(name): str(column[i]) for name, column in cells.items()}, known)
            for i in range(len(filled))
        ]
    return Returned(readers.Readings(pd.DataFrame(rows, columns=readers.COLUMNS)), tuple(unread))


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        raise DatasetError(f"There is no {path.name}.", hint="Name the file, or its folder.")
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", sep=None, engine="python"
        )
    except (UnicodeDecodeError, ValueError, pd.errors.ParserError) as error:
        raise DatasetError(
            f"{path.name} cannot be read as a table ({type(error).__name__}).",
            hint="Save it as CSV in UTF-8.",
        ) from None
    table.columns = pd.Index([str(name).strip().casefold() for name in table.columns])
    for name in columns:
        if name not in table:
            raise DatasetError(f"{path.name} has no column {name!r}.", hint="Use the kit's form.")
    stripped: pd.DataFrame = table.apply(lambda column: column.str.strip())
    return stripped


def _require_cases(form: pd.DataFrame, known: pd.DataFrame, reader: str) -> None:
    strange = sorted(set(form["case"]) - set(known.index))
    if strange:
        raise DatasetError(
            f"The form of {reader} names {strange[0]!r}, which is no case of this set.",
            hint="Give the key of the set that the form came with.",
        )
    twice = form.loc[form["case"].duplicated(), "case"]
    if len(twice):
        raise DatasetError(f"The form of {reader} names {twice.iloc[0]} twice.")


def _row(reader: str, row: dict[str, str], known: pd.DataFrame) -> tuple[object, ...]:
    case, said = row["case"], row["diagnosis"].upper()
    diagnoses = {str(each).upper(): str(each) for each in known["truth"]}
    if said not in diagnoses:
        raise ModelError(
            f"{reader}, {case}: diagnosis {row['diagnosis']!r} is none of this set.",
            hint=did_you_mean(said, diagnoses),
        )
    certainty, guess = row.get("certainty", ""), row.get("looks_synthetic", "").casefold()
    certainty = certainty.removesuffix(".0")
    if certainty not in {"1", "2", "3", "4", "5"}:
        raise ModelError(f"{reader}, {case}: certainty {certainty!r} is not 1, 2, 3, 4 or 5.")
    if guess not in _YES_NO:
        raise ModelError(f"{reader}, {case}: looks_synthetic {guess!r} is neither yes nor no.")
    own = known.loc[case]
    return (
        reader, case, str(own["person"]), str(own["kind"]), str(own["truth"]), diagnoses[said],
        float(certainty), _YES_NO[guess],
    )  # fmt: skip
