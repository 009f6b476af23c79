"""Simulated people as tables: how hard they are, how fast, and whether their constants still hold.

./dev bench tables             hardness and speed
python -m bench.tables check   how far the kept constants are from what the physics gives today
python -m bench.tables write   write the constants anew (check and write: a CPU-minute)
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracerless.core.study import Arm, Kind
from tracerless.io import resources
from tracerless.io.simulate_tables import read_rows, read_toml
from tracerless.simulate.tables_physics import Physics, foci_table, physics, uptake_table
from tracerless.simulate.tables_spread import Grain, loadings
from tracerless.simulate.tables_study import as_study
from tracerless.workspace.simulate_tables import draw_tables, table_model
from tracerless.workspace.simulate_world import world

FOLDER = Path(__file__).resolve().parents[1] / "src" / "tracerless" / "data" / "simulate"
DIGITS = {"tables_uptake": "%.5g", "tables_foci": "%.4f", "tables_loadings": "%.4f"}
SEEDS = tuple(f"holdout-bench-{number}" for number in range(1, 9))
N = 400
PAIRS = (("CN", "AD"), ("CN", "MCI"), ("AD", "DLB"), ("AD", "FTD"))
GATES = {
    ("FDG", "CN", "AD"): ".88-.95", ("ECD", "CN", "AD"): ".75-.88",
    ("HMPAO", "CN", "AD"): ".75-.88", ("ECD", "AD", "DLB"): "to .75",
    ("HMPAO", "AD", "DLB"): "to .75",
}  # fmt: skip


def main() -> None:
    """Print how hard the cohorts are and how long they take."""
    start = time.process_time()
    draw_tables(2000, seed="bench")
    print(f"2,000 people drawn in {time.process_time() - start:.1f} CPU-s\n")
    print("| who | what | AUC, mean (range over 8 cohorts of 400) | gate |")
    print("| --- | --- | --- | --- |")
    for first, second in PAIRS:
        for tracer in ("FDG", "ECD", "HMPAO"):
            found = [regional(seed, tracer, first, second) for seed in SEEDS]
            gate = GATES.get((tracer, first, second), "")
            print(f"| {first} / {second} | {tracer}, 36 regions | {_said(found)} | {gate} |")
    for arm in Arm:
        found = [conversion(seed, arm) for seed in SEEDS]
        gate = ".65-.80" if arm is Arm.BOTH else ""
        print(f"| MCI, dementia within 3 years | {arm} (ECD) | {_said(found)} | {gate} |")


def regional(seed: str, tracer: str, first: str, second: str) -> float:
    """AUC of a logistic model on the regions of one tracer, cross-validated."""
    tables = draw_tables(N, seed=seed, diagnoses=(first, second))
    study = as_study(tables, table_model(), tracer)
    keys = [each.key for each in study.predictors if each.kind is Kind.REGION]
    return auc(study.table[keys].to_numpy(), np.array(study.diagnosis) == second)


def conversion(seed: str, arm: Arm) -> float:
    """AUC of dementia within three years in MCI."""
    tables = draw_tables(N, seed=seed, diagnoses=("MCI",))
    dementia = tables.truth["years_to_dementia"].to_numpy()
    converts = (dementia < 3) & (dementia < tables.truth["years_to_death"].to_numpy())
    study = as_study(tables, table_model(), "ECD")
    return auc(study.table[list(study.keys(arm))].to_numpy(), converts)


def auc(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the curve of a ridge logistic model, five folds."""
    model = make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.05, max_iter=500)
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    told = cross_val_predict(model, values, positive, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(positive, told))


def _said(found: list[float]) -> str:
    return f"{np.mean(found):.3f} ({min(found):.3f}-{max(found):.3f})"


def derived() -> dict[str, pd.DataFrame]:
    """The three tables of constants by file name, from the physics."""
    about = read_toml("tables")["physics"]
    made = _physics(about)
    grain = {kind: Grain(*about[f"grain_{kind.lower()}"]) for kind in ("FDG", "SPECT")}
    return {
        "tables_uptake": uptake_table(made),
        "tables_foci": foci_table(made, read_rows("tables_subtypes")),
        "tables_loadings": loadings(
            made, plain_mm=about["plain_mm"], residual_mm=about["residual_fwhm_mm"], grain=grain
        ),
    }


def _physics(about: dict[str, float]) -> Physics:
    made_from = world()
    return physics(
        made_from.anatomy,
        made_from.parameters,
        made_from.scanners,
        resources.atlas("fdg36", 2.0),
        fwhm_mm={"FDG": about["fdg_fwhm_mm"], "SPECT": about["spect_fwhm_mm"]},
    )


def write() -> None:
    """Write the constants into the package."""
    for name, table in derived().items():
        table.to_csv(FOLDER / f"{name}.csv", index=False, float_format=DIGITS[name])


def check() -> None:
    """Print how far each kept table is from the physics of today."""
    print("| table | rows | largest difference |")
    print("| --- | --- | --- |")
    for name, table in derived().items():
        kept = pd.read_csv(FOLDER / f"{name}.csv")
        numbers = table.select_dtypes("number")
        apart = (numbers - kept[numbers.columns]).abs().max().max()
        print(f"| {name} | {len(table)} | {apart:.2g} |")


if __name__ == "__main__":
    {"write": write, "check": check}.get(" ".join(sys.argv[1:]), main)()
