"""Tables over a whole dataset: people, regions, evaluation."""

import json
from collections.abc import Iterable, Iterator

import pandas as pd

from tracerless import quantify
from tracerless.core.cohort import COLUMNS, Cohort
from tracerless.core.prediction import Estimate, Evaluation
from tracerless.io.atomic import write_json, write_text
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.scanners import scanners
from tracerless.workspace.shelf import SessionShelf

COHORT_TABLE = "cohort_roi.tsv"
"""One row a scan: the input of models."""
REGION_TABLE = "regions.tsv"
"""One row a scan and region: for readers."""
EVALUATION = "evaluation"


def read_cohort(dataset: Dataset) -> Cohort:
    """The people of ``participants.tsv``; an empty cohort when there is none."""
    path = dataset.root / "participants.tsv"
    if not path.is_file():
        return Cohort(pd.DataFrame(columns=["sex", "diagnosis"]))
    table = pd.read_csv(path, sep="\t", dtype={"participant_id": str}, na_values="n/a")
    table.index = pd.Index(table.pop("participant_id").str.removeprefix("sub-"))
    declared = [*(column.key for column in COLUMNS), "sex", "diagnosis"]
    return Cohort(table[[key for key in table.columns if key in declared]])


def write_cohort(dataset: Dataset, cohort: Cohort) -> None:
    """Write ``participants.tsv`` and what its columns mean."""
    table = cohort.table.sort_index()
    table.index = pd.Index([f"sub-{person}" for person in table.index], name="participant_id")
    write_text(dataset.root / "participants.tsv", _tsv(table))
    meanings: dict[str, dict[str, object]] = {
        column.key: {
            "Description": column.meaning,
            "Units": column.unit,
            "Minimum": column.low,
            "Maximum": column.high,
            "LeaksLabel": column.leaks_label,
        }
        for column in COLUMNS
        if column.key in table
    }
    write_json(dataset.root / "participants.json", meanings)


def collect_tables(dataset: Dataset) -> Iterator[quantify.Scan]:
    """Every region table that the dataset holds, synthetic FDG included, with its verdict.

    Corrected tables of another method than the recipe's were left by older settings and stay out.
    """
    for key in dataset.sessions():
        shelf = SessionShelf(dataset, key)
        verdict = str((shelf.record("prepared") or {}).get("verdict", ""))
        by = scanners(dataset.root, key)
        for table in (shelf.latest("uptake") or {}).values():
            yield quantify.Scan(key, table, verdict, by.get(table.contrast, ""))
        for table in (shelf.latest("corrected") or {}).values():
            if table.pvc == dataset.recipe.quantify.pvc:
                yield quantify.Scan(key, table, verdict, by.get(table.contrast, ""))
        synthetic = shelf.latest("synthetic_uptake")
        if synthetic is not None:
            yield quantify.Scan(key, synthetic, verdict, by.get(synthetic.contrast, ""))


def write_region_table(dataset: Dataset, scans: Iterable[quantify.Scan]) -> pd.DataFrame:
    """Write one row a scan, one row a region, and what the columns of both mean.

    The table of scans itself is returned; it is written last.
    """
    scans = list(scans)
    whole = quantify.cohort_table(scans)
    for name, table in ((REGION_TABLE, quantify.region_table(scans)), (COHORT_TABLE, whole)):
        path = dataset.derivatives / name
        write_json(path.with_suffix(".json"), quantify.described(table))
        text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
        write_text(path, text)
    return whole


def write_evaluation(dataset: Dataset, evaluation: Evaluation) -> None:
    """Write the headline and both tables of an evaluation; the record last."""
    folder = dataset.derivatives / EVALUATION
    write_text(folder / "by_region.tsv", _tsv(evaluation.by_region.rename_axis("region")))
    write_text(folder / "by_diagnosis.tsv", _tsv(evaluation.by_diagnosis.rename_axis("diagnosis")))
    write_json(folder / "evaluation.json", evaluation_record(evaluation))


def read_evaluation(dataset: Dataset) -> Evaluation | None:
    """The evaluation last written, or None."""
    folder = dataset.derivatives / EVALUATION
    path = folder / "evaluation.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    return Evaluation(
        skill=Estimate(**record["skill"]),
        by_region=pd.read_csv(folder / "by_region.tsv", sep="\t", index_col="region"),
        by_diagnosis=pd.read_csv(
            folder / "by_diagnosis.tsv",
            sep="\t",
            index_col="diagnosis",
            keep_default_na=False,
            na_values=dict.fromkeys(("r", "slope", "skill", "coverage", "half_width"), "n/a"),
        ),
        **{key: record[key] for key in _EVALUATION_TEXTS},
    )


_EVALUATION_TEXTS = ("model", "atlas", "reference", "split", "domain", "fingerprint")


def evaluation_record(evaluation: Evaluation) -> dict[str, object]:
    """Machine-readable: the headline first, then what it rests on."""
    skill = evaluation.skill
    return {
        "headline": evaluation.headline,
        "skill": {"value": skill.value, "low": skill.low, "high": skill.high, "n": skill.n},
        **{key: getattr(evaluation, key) for key in _EVALUATION_TEXTS},
    }


def _tsv(table: pd.DataFrame) -> str:
    return str(table.to_csv(sep="\t", na_rep="n/a", lineterminator="\n"))
