"""The gates of diagnosis and of its audit (issue 5), on simulated people.

./dev bench diagnose
"""

import dataclasses
import importlib
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.diagnose_study import drawn, narrowed
from tracerless import diagnose
from tracerless.core.study import Arm, Study
from tracerless.diagnose import audit
from tracerless.diagnose.conformal import cross_sets
from tracerless.statistics.calibration import slope_intercept
from tracerless.statistics.calibration_update import in_the_large, rescaled, updated
from tracerless.statistics.discrimination import auc
from tracerless.workspace.audit import NONE, known
from tracerless.workspace.diagnosis import Z

TWO, THREE = ("CN", "AD"), ("CN", "MCI", "AD")
COHORTS, SITES = 6, 4
CLEAN, PLANTED = 20, 5
LOCAL = 150
"""People of the new site by whom a model is recalibrated."""


def main() -> None:
    """Print the four tables, each with its gate and what it took."""
    with threadpool_limits(limits=1):
        for part in (speed, coverage, elsewhere, leaks):
            began = time.process_time()
            part()
            print(f"\n{time.process_time() - began:.0f} CPU-s.\n")


def speed() -> None:
    """Nested 5x4 on 400 people by 45 columns."""
    print("Nested 5x4, 400 people by 45 columns, CN/AD (gates: MLP 20 CPU-s, AUC within .01)\n")
    print("| tracer | features | model | CPU-s | mean AUC |\n| --- | --- | --- | --- | --- |")
    for contrast in ("ECD", "FDG"):
        studies = [
            narrowed(drawn(400, f"holdout-bench-{n}", contrast, diagnoses=TWO), 6)
            for n in range(COHORTS)
        ]
        for features in ("z", "ratio"):
            for model in ("elastic_net", "mlp"):
                began, found = time.process_time(), []
                for study in studies:
                    settings = diagnose.Settings(classes=TWO, models=(model,), features=features)
                    (out,) = diagnose.nested(study, Arm.BOTH, settings=settings, z_step=Z())
                    found.append(float(np.squeeze(auc(out.truth == 1, out.probability[0, :, 1]))))
                cpu_s = (time.process_time() - began) / COHORTS
                print(f"| {contrast} | {features} | {model} | {cpu_s:.1f} | {np.mean(found):.3f} |")


def coverage() -> None:
    """Share of class-conditional 90 % sets that hold the truth, of each class."""
    print("90 % sets, CN/MCI/AD, 450 people of ECD (gate: each class .87-.93)\n")
    print("| model | " + " | ".join(THREE) + " | mean size |\n| --- | --- | --- | --- | --- |")
    outs: dict[str, list[diagnose.OutOfFold]] = {}
    for n in range(COHORTS):
        study = narrowed(drawn(450, f"holdout-sets-{n}", "ECD", diagnoses=THREE), 6)
        settings = diagnose.Settings(classes=THREE, models=("elastic_net", "mlp"), seed=str(n))
        for out in diagnose.nested(study, Arm.BOTH, settings=settings, z_step=Z()):
            outs.setdefault(out.model, []).append(out)
    for model, each in outs.items():
        held = np.mean([_held(out) for out in each], axis=0)
        size = np.mean([cross_sets(out)[0].sum(axis=1).mean() for out in each])
        print(f"| {model} | " + " | ".join(f"{h:.3f}" for h in held) + f" | {size:.2f} |")


def _held(out: diagnose.OutOfFold) -> list[float]:
    sets = cross_sets(out)[0]
    holds = sets[np.arange(len(out.truth)), out.truth]
    return [float(holds[out.truth == c].mean()) for c in range(len(out.classes))]


def elsewhere() -> None:
    """Calibration slope at a site of another scanner, on people who did not recalibrate it."""
    print(f"Another site and scanner, recalibrated on {LOCAL} people there (gate: slope .9-1.1)\n")
    print(
        "| tracer | arm | AUC here, there | slope | intercept | in the large | slope and offset |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for contrast, arm in (("ECD", Arm.IMAGE), ("FDG", Arm.IMAGE), ("ECD", Arm.BOTH)):
        rows = np.array([_moved(contrast, arm, n) for n in range(SITES)]).mean(axis=0)
        here, there, plain, offset, large, both = rows
        print(
            f"| {contrast} | {arm} | {here:.3f}, {there:.3f} | {plain:.2f} | {offset:+.2f} "
            f"| {large:.2f} | {both:.2f} |"
        )


def _moved(contrast: str, arm: Arm, number: int) -> tuple[float, ...]:
    home = narrowed(drawn(400, f"holdout-home-{number}", contrast, diagnoses=TWO), 6)
    settings = diagnose.Settings(classes=TWO, models=("elastic_net",), seed=str(number))
    model = diagnose.fit(home, arm, key="bench", settings=settings, z_step=Z())
    away = narrowed(drawn(2000, f"holdout-away-{number}", contrast, diagnoses=TWO, scanners=5), 6)
    away = away.taken(np.array([name not in home.scanner for name in away.scanner]))
    away = away.taken(np.array(away.scanner) == away.scanner[0])
    truth = (np.array(away.diagnosis) == "AD").astype(np.intp)
    told = diagnose.probabilities(model, away)
    few, rest = np.arange(len(away)) < LOCAL, np.arange(len(away)) >= LOCAL
    large = updated(told[rest], in_the_large(truth[few], told[few]))
    slope, offsets = rescaled(truth[few], told[few])
    both = updated(told[rest], offsets, slope=slope)
    (out,) = diagnose.nested(home, arm, settings=settings, z_step=Z())
    plain, offset = _calibration(truth[rest], told[rest])
    return (
        _auc(out.truth, out.probability[0]), _auc(truth, told), plain, offset,
        _calibration(truth[rest], large)[0], _calibration(truth[rest], both)[0],
    )  # fmt: skip


def _calibration(truth: NDArray[np.intp], probability: NDArray[np.float64]) -> tuple[float, float]:
    """(slope, calibration in the large)."""
    odds = np.log(probability[:, 1]) - np.log(probability[:, 0])
    slope, large = slope_intercept(truth == 1, odds)
    return slope.value, large.value


def _auc(truth: NDArray[np.intp], probability: NDArray[np.float64]) -> float:
    return float(np.squeeze(auc(truth == 1, probability[:, 1])))


def leaks() -> None:
    """Six planted, and clean cohorts of every kind that the simulator makes."""
    plants = _planted()
    print(f"Leaks that were caught, each planted in {PLANTED} trials (gate: all six)\n")
    print("| leak | caught |\n| --- | --- |")
    for check, plant in zip(audit.CHECKS, plants.PLANTS, strict=True):
        trials = [plants.made.clean(f"bench{n}", n=120) for n in range(PLANTED)]
        found = [plants.verdicts(*plant(*trial)) for trial in trials]
        caught = sum([n for n, v in each.items() if v == "finding"] == [check] for each in found)
        print(f"| {check} | {caught} |")
    alarms = sum(_alarms(number) for number in range(CLEAN))
    print(f"\n{alarms} alarms in {CLEAN} clean simulated cohorts (gate 0).")


def _alarms(number: int) -> int:
    study = drawn(
        (60, 120, 300, 600)[number % 4], f"holdout-clean-{number}", ("ECD", "FDG")[number % 2],
        retest=(0.0, 0.3)[number % 2], scanners=1 + number % 3,
    )  # fmt: skip
    fold = _planted().made.dealt(np.array(study.person), "bench", number)
    trial = audit.trial_of(study, fold, study.keys(Arm.BOTH))
    trial = dataclasses.replace(trial, selected=_inside(study, fold))
    found = audit.audit(trial, known(None, study, norm_names=(NONE,)))
    return sum(each.verdict == audit.Verdict.FOUND for each in found)


def _inside(study: Study, fold: NDArray[np.str_]) -> dict[str, tuple[str, ...]]:
    """Fifteen columns chosen in each fold on its training rows."""
    keys = study.keys(Arm.BOTH)
    made = _planted().made
    truth, table = np.array(study.diagnosis), study.table[list(keys)]
    return {
        str(each): made.leading(table[fold != each], truth[fold != each], 15)
        for each in np.unique(fold)
    }


def _planted() -> ModuleType:
    """The leaks that the tests plant."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "diagnose"))
    return importlib.import_module("test_diagnose_audit")


if __name__ == "__main__":
    main()
