"""Simulated people as tables: reading the constants, drawing, writing a dataset."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless import quantify
from tracerless.core.cohort import Cohort
from tracerless.core.errors import DatasetError
from tracerless.core.recipe import fingerprint
from tracerless.core.study import Followup, Study
from tracerless.core.volume import Quantity
from tracerless.io.atomic import write_json, write_text
from tracerless.io.simulate_scanners import scanner_tables
from tracerless.io.simulate_tables import read_people_tables, read_rows, read_toml
from tracerless.quantify.cohort import END, SCAN, WHOLE_SCAN
from tracerless.simulate.catalog import catalog
from tracerless.simulate.parameters import people_parameters
from tracerless.simulate.tables import PEOPLE_SCORES, SimulatedTables, TableOptions, draw
from tracerless.simulate.tables_model import TABLES, TableModel
from tracerless.simulate.tables_model import table_model as made_model
from tracerless.simulate.tables_scan import OWN_REFERENCE
from tracerless.simulate.tables_scores import tool
from tracerless.simulate.tables_study import ATLAS, as_study, asymmetries
from tracerless.workspace.cognition_files import write_phenotype
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.followup import write_followup
from tracerless.workspace.tables import COHORT_TABLE, write_cohort

TRUTH = "truth"
"""Folder of what only the simulator knows; no step of the pipeline reads it."""

MARK = """\
Every person and every number in this dataset is simulated by tracerless: no scan was acquired or
rendered, no person exists. truth/ is for judging results; no step of the pipeline reads it.
"""

README = """\
Simulated people as tables: regional uptake, cognitive scores and follow-up, without any picture.
Research use only.
"""

_RUN = "Run: "
_OLDEST = 90.0


@functools.lru_cache(maxsize=1)
def table_model() -> TableModel:
    """The constants that this package carries."""
    scanners = scanner_tables()
    return made_model(
        {"tables": read_toml("tables"), **{name: read_rows(name) for name in TABLES}},
        people_parameters(read_people_tables()),
        catalog(scanners.tissues, scanners.settings),
    )


def draw_tables(n: int, *, seed: str, **options: Any) -> SimulatedTables:
    """A simulated cohort of ``n`` people, drawn with this package's constants.

    Args:
        n: people.
        seed: name of the cohort.
        **options: fields of ``simulate.tables.TableOptions``.

    Raises:
        RecipeError: an option is out of its range.
    """
    return draw(n, seed=seed, model=table_model(), options=TableOptions(**options))


def simulated_study(n: int, *, seed: str, tracer: str = "ECD", **options: Any) -> Study:
    """First visits of a simulated cohort as a study; arguments as ``draw_tables``."""
    return as_study(draw_tables(n, seed=seed, **options), table_model(), tracer)


def write_tables(
    root: Path, *, n: int, seed: str, options: TableOptions | None = None
) -> SimulatedTables:
    """Write a dataset of ``n`` simulated people without pictures; equal arguments, equal bytes.

    Args:
        root: a new or empty folder, or that of an earlier run with the same arguments.
        n: people.
        seed: name of the cohort.
        options: what is wanted of it.

    Raises:
        DatasetError: the folder holds something else.
        RecipeError: fewer than one person.
        StorageError: the disk refused.
    """
    wanted = options or TableOptions()
    tables = draw(n, seed=seed, model=table_model(), options=wanted)
    stamp = fingerprint("tables", tables.fingerprint, n, seed, repr(wanted))
    _require_own(root, stamp)
    dataset = Dataset.create_or_open(root)
    dataset.clean_partials()
    write_text(root / SIMULATED_MARK, f"{MARK}{_RUN}{stamp}\n")
    write_text(root / "README", README)
    _ignore_truth(root)
    write_cohort(dataset, _cohort(tables))
    for part in _phenotypes(tables):
        write_phenotype(dataset, part)
    write_followup(dataset, Followup(tables.followup))
    write_text(root / TRUTH / "people.tsv", _tsv(tables.truth))
    whole = cohort_table(tables)
    path = dataset.derivatives / COHORT_TABLE
    write_json(path.with_suffix(".json"), quantify.described(whole))
    write_text(path, _tsv(whole))
    return tables


def cohort_table(tables: SimulatedTables) -> pd.DataFrame:
    """One row a scan of any tracer, as `tracerless quantify` writes them."""
    parts = [_scans(tables, tracer) for tracer in tables.scans]
    whole = pd.concat(parts, ignore_index=True)
    order = ["participant_id", "session_id", "contrast"]
    return whole.sort_values(order, kind="stable").reset_index(drop=True)


def _scans(tables: SimulatedTables, tracer: str) -> pd.DataFrame:
    scans = tables.scans[tracer]
    head = {
        "participant_id": "sub-" + scans["participant"],
        "session_id": "ses-" + scans["visit"],
        "contrast": tracer,
        "quantity": str(Quantity.SUVR),
        "atlas": ATLAS,
        "reference": OWN_REFERENCE[tracer],
        "pvc": "none",
        "absolute_unit": None,
        "absolute_factor": np.nan,
    }
    measures = scans.drop(columns=["participant", "visit", "scanner"])
    references = [name for name in measures if str(name).startswith("ref_")]
    end = {
        "qc": "pass",
        "scanner": scans["scanner"],
        "flags": None,
        "fingerprint": fingerprint(tables.fingerprint, tracer),
    }
    table = pd.concat(
        [
            pd.DataFrame(head, index=scans.index),
            measures.drop(columns=references),
            asymmetries(table_model(), scans),
            measures[references],
            pd.DataFrame(end, index=scans.index),
        ],
        axis=1,
    )
    middle = [name for name in table if name not in {*SCAN, *WHOLE_SCAN, *END}]
    return table[[*SCAN, *WHOLE_SCAN, *middle, *END]]


def _cohort(tables: SimulatedTables) -> Cohort:
    people = tables.people.set_index("participant")
    people["age"] = people["age"].clip(upper=_OLDEST)
    return Cohort(people[["age", "sex", "education_years", "diagnosis", *PEOPLE_SCORES]])


def _phenotypes(tables: SimulatedTables) -> Iterator[pd.DataFrame]:
    """Scores of instruments that were given on one day, with the days to the scan."""
    model = table_model()
    days: dict[tuple[int, ...], list[str]] = {}
    for code in tables.scores.columns:
        days.setdefault(tuple(tables.gap_days[tool(model, code)]), []).append(str(code))
    for gaps, codes in days.items():
        head = pd.DataFrame(
            {
                "person": tables.people["participant"],
                "visit": "01",
                "score_to_scan_days": np.array(gaps),
            }
        )
        yield pd.concat([head, tables.scores[codes]], axis=1)


def _require_own(root: Path, stamp: str) -> None:
    """The folder is new, or holds exactly this cohort."""
    mark = root / SIMULATED_MARK
    if mark.is_file() and f"{_RUN}{stamp}" not in mark.read_text(encoding="utf-8").splitlines():
        raise DatasetError(
            f"{root} holds simulated people of another number, seed, options or version.",
            hint="Name a new folder, or repeat the command that made it.",
        )
    if not mark.is_file() and (root / "dataset_description.json").is_file():
        raise DatasetError(
            f"{root} holds a dataset that is not simulated.", hint="Name a new folder."
        )


def _ignore_truth(root: Path) -> None:
    path = root / ".bidsignore"
    lines = path.read_text(encoding="utf-8").splitlines()
    if TRUTH not in lines:
        write_text(path, "\n".join((*lines, TRUTH, "")))


def _tsv(table: pd.DataFrame) -> str:
    return str(table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
