"""Intervals and refusals on people whose truth is known: arrays, no scans.

./dev bench intervals [--cohorts 96] [--trials 400]

How many new people lie inside their 90 % intervals, overall and in the worst group, and how wide
these are beside those of one who knew the truth; and how often a set of inputs is refused that
tells nothing, or a little. 52 CPU-s.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.intervals_people import N_REGIONS, Cohort, Telling, needed, telling
from tracerless.core.people import Pseudonym
from tracerless.core.seeds import generator
from tracerless.synthesize.calibration import Calibration, calibrate, skill
from tracerless.synthesize.intervals import interval

N_NEW = 400
"""New people of each group, in every cohort."""
SHARED = (0.0, 0.5)
"""Shares of a person's error, as variance, that are one over all regions."""
SIX = "abcdef"
UNEVEN = {"a": 40, "b": 20, "c": 10, "d": 9}
CASES = (
    Cohort("6 x 16, alike", dict.fromkeys(SIX, 16), {}),
    Cohort("6 x 13, alike", dict.fromkeys(SIX, 13), {}),
    Cohort("6 x 13, one errs 1.5 x", dict.fromkeys(SIX, 13), {"f": 1.5}),
    Cohort("40, 20, 10, 9, the smallest errs 1.5 x", UNEVEN, {"d": 1.5}),
    Cohort("40, 20, 10, 9, the smallest errs 2 x", UNEVEN, {"d": 2.0}),
)
KEPT_APART = (20, 40, 80)
SKILLS = (0.0, 0.05, 0.1)
_NEW_PEOPLE = 300

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Held:
    """What intervals hold, and what they cost.

    Args:
        overall: share of new people's regions inside, groups weighed as in the cohort.
        sd: of that share over cohorts.
        worst: the same in the group that is held least.
        width: over that of the narrowest intervals that hold the group that errs most.
    """

    overall: float
    sd: float
    worst: float
    width: float


def main(words: Sequence[str] = ()) -> None:
    """Print coverage and width by cohort, then refusals by skill."""
    asked = _asked(words)
    with threadpool_limits(limits=1):
        began = time.process_time()
        _coverage(asked.cohorts)
        _refusals(asked.trials)
        print(f"\n{time.process_time() - began:.0f} CPU-s.")


def held(cohort: Cohort, *, shared: float, cohorts: int) -> Held:
    """Intervals made anew in so many cohorts, on new people of each."""
    names, new = list(cohort.counts), cohort.again(N_NEW)
    weights = np.array(list(cohort.counts.values())) / len(cohort.groups)
    inside, wide = np.empty((cohorts, len(names))), np.empty(cohorts)
    for i in range(cohorts):
        random = generator("bench-intervals", cohort.name, f"{shared}", i)
        widths, error = _made(cohort, new, shared, random)
        within = (error <= widths).mean(axis=1)
        inside[i] = [within[new.groups == name].mean() for name in names]
        wide[i] = (widths.mean(axis=0) / needed(cohort)).mean()
    overall = inside @ weights
    worst = inside.mean(axis=0).min()
    return Held(*map(float, (overall.mean(), overall.std(ddof=1), worst, wide.mean())))


def _made(
    cohort: Cohort, new: Cohort, shared: float, random: np.random.Generator
) -> tuple[Array, Array]:
    """Half-widths and absolute errors of new people, (n, R) both."""
    truth, predicted = cohort.drawn(random, shared=shared)
    n = len(truth)
    made = interval(
        truth,
        predicted,
        Calibration(1.0, 0.5, n, (1.0,) * N_REGIONS),
        regions=tuple(f"r{i}" for i in range(N_REGIONS)),
        people=_people(n),
        groups=tuple(map(str, cohort.groups)),
    )
    if made is None:
        raise SystemExit(f"{n} people are too few for intervals.")
    truth, predicted = new.drawn(random, shared=shared)
    return made.half_widths(predicted), np.abs(truth - predicted)


def _coverage(cohorts: int) -> None:
    print(f"\n90 % intervals, {cohorts} cohorts each, {N_NEW} new people of each group\n")
    print("| groups | one error over regions | inside | SD over cohorts | worst group | width |")
    print("| --- | --- | --- | --- | --- | --- |")
    for shared in SHARED:
        for cohort in CASES:
            found = held(cohort, shared=shared, cohorts=cohorts)
            print(
                f"| {cohort.name} | {shared:.0%} | {found.overall:.1%} | {found.sd:.1%} "
                f"| {found.worst:.1%} | {found.width:.2f} |",
                flush=True,
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a set of inputs.

    Args:
        refused: share of cohorts in which it was.
        skill: on new people where it was not, mean over cohorts; NaN where it always was.
        harmful: share of those cohorts in which that skill is below 0.
    """

    refused: float
    skill: float
    harmful: float


def asked_of(source: Telling, n: int, *, trials: int) -> Asked:
    """A set of inputs that tells so much, calibrated on n people kept apart, many times."""
    reached = []
    for i in range(trials):
        random = generator("bench-refusals", n, f"{source.share:.6f}", i)
        truth, predicted = source.drawn(n, random)
        made = calibrate(truth, predicted, _people(n))
        if made.works:
            truth, predicted = source.drawn(_NEW_PEOPLE, random)
            reached.append(skill(truth, made.applied(predicted)))
    if not reached:
        return Asked(1.0, float("nan"), float("nan"))
    known = np.array(reached)
    return Asked(1 - len(known) / trials, float(known.mean()), float((known < 0).mean()))


def _refusals(trials: int) -> None:
    print(f"\nSets of inputs refused, {trials} cohorts each\n")
    print("| true skill | people kept apart | refused | skill where accepted | below 0 |")
    print("| --- | --- | --- | --- | --- |")
    for wanted in SKILLS:
        source = telling(wanted)
        for n in KEPT_APART:
            found = asked_of(source, n, trials=trials)
            known = f"{found.skill:+.3f} | {found.harmful:.1%}" if found.refused < 1 else " | "
            print(f"| {wanted:.2f} | {n} | {found.refused:.1%} | {known} |", flush=True)


def _people(n: int) -> tuple[Pseudonym, ...]:
    return tuple(Pseudonym(f"p{i:04d}") for i in range(n))


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench intervals")
    parser.add_argument("--cohorts", type=int, default=96)
    parser.add_argument("--trials", type=int, default=400)
    return parser.parse_args(list(words))
