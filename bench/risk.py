"""What models of risk reach on simulated people who are followed, and what they cost.

./dev bench risk
"""

import time

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from bench.diagnose_study import study_of
from tracerless import foresee
from tracerless.core.study import Followup
from tracerless.simulate.tables import SimulatedTables
from tracerless.workspace.risks import TOOLS
from tracerless.workspace.simulate_tables import draw_tables

STARTS = ("CN", "MCI")
METRICS = ("c_index", "ibs")


def main() -> None:
    """Print discrimination by arm and model, then absolute risk against the truth."""
    with threadpool_limits(limits=1):
        for contrast in ("ECD", "FDG"):
            began = time.process_time()
            tables = draw_tables(400, seed="holdout-bench-risk", diagnoses=STARTS, scanners=2)
            made = foresee.evaluate(
                study_of(tables, contrast),
                Followup(tables.followup),
                "bench",
                settings=foresee.RiskSettings(repeats=1),
                tools=TOOLS,
            )
            _performance(contrast, made)
            _truth(tables, made)
            print(f"\n{time.process_time() - began:.0f} CPU-s.\n")


def _performance(contrast: str, made: foresee.RiskEvaluation) -> None:
    print(f"{contrast}: 400 people, CN and MCI (gate: conversion .65-.80 on image+cognition)\n")
    table = made.assessment.tables["performance"]
    chosen = table[table["metric"].isin([*METRICS, "auc_t"])]
    print("| arm | model | metric | value | 95 % interval |\n| --- | --- | --- | --- | --- |")
    for row in chosen.itertuples():
        interval = f"{row.low:.3f} to {row.high:.3f}"
        print(f"| {row.arm} | {row.model} | {row.metric} | {row.value:.3f} | {interval} |")


def _truth(tables: SimulatedTables, made: foresee.RiskEvaluation) -> None:
    """Mean risk of the out-of-fold models against what the simulator knows befalls everybody."""
    known = tables.truth
    onset = known["years_to_dementia"].to_numpy(dtype=np.float64)
    death = known["years_to_death"].to_numpy(dtype=np.float64)
    table = made.assessment.tables["absolute_risk"]
    print("\n| model | years | quantity | value | 95 % interval | share that truly fell ill |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in table[table["quantity"].isin(["predicted", "observed"])].itertuples():
        years = float(pd.to_numeric(row.years))
        fell = float(((onset <= years) & (onset <= death)).mean())
        interval = f"{row.low:.3f} to {row.high:.3f}"
        print(
            f"| {row.model} | {years:g} | {row.quantity} | {row.value:.3f} | {interval} "
            f"| {fell:.3f} |"
        )


if __name__ == "__main__":
    main()
