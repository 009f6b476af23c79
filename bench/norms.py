"""Whether norms are as rare as they say: the gates of issue 5, on normal people of known truth.

./dev bench norms
"""

import importlib
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np

from tracerless import score
from tracerless.core.seeds import generator
from tracerless.score.apply import predicted

WITH = ("age", "sex", "education_years")
SIZES = {10: 400, 15: 240, 20: 200, 30: 140, 50: 100, 100: 60}
"""Normal people in the norm, and how often one is drawn."""
LOCAL = (10, 15, 20, 30)
"""Normal people of a new scanner; fewer are refused."""
FAMILY = (30, 60, 150)
CUT, COVERED, LOW_BY = -2.0, 1.959964, 2.5


def main() -> None:
    """Print the three tables, each with its gate and what it took."""
    for part in (rarity, family, scanners):
        began = time.process_time()
        part()
        print(f"\n{time.process_time() - began:.0f} CPU-s.\n")


def rarity() -> None:
    """Share of normal people below -2: newcomers, the norm's own left out, and by a plain z."""
    print(
        "Normal people with z < -2 (nominal .023; gate .018-.030), 36 regions, three covariates\n"
    )
    print("| n | newcomers | left out of the norm | plain z | within the 95 % range |")
    print("| --- | --- | --- | --- | --- |")
    people = _people()
    for n, repeats in SIZES.items():
        rows = np.array([_rates(people, n, repeat) for repeat in range(repeats)])
        new, own, plain, covered = np.nanmean(rows, axis=0)
        print(f"| {n} | {new:.4f} | {own:.4f} | {plain:.4f} | {covered:.3f} |")


def _rates(people: ModuleType, n: int, repeat: int) -> tuple[float, float, float, float]:
    who, new = people.people(n, "bench", n, repeat), people.people(60, "bench new", n, repeat)
    table = people.values(who, "bench", n, repeat)
    theirs = people.values(new, "bench new", n, repeat)
    norm = people.quick_norm(table, who, WITH)
    inside = people.within(norm, new)
    model = norm.models["pons"]
    own = predicted(norm, model, table, who, np.ones(n)).z
    plain = people.plain_z(table, who, theirs, new, WITH)[inside]
    if not inside.any():
        return (np.nan, (own < CUT).mean(), np.nan, np.nan)
    z = predicted(norm, model, theirs[inside], new[inside]).z
    return (z < CUT).mean(), (own < CUT).mean(), (plain < CUT).mean(), (np.abs(z) < COVERED).mean()


def family() -> None:
    """Share of normal people with any region below the family-wise cut."""
    print("Normal people with any of 36 regions below (family-wise gate .06)\n")
    print("| n | cut | any below the cut | any below -2 |\n| --- | --- | --- | --- |")
    people = _people()
    for n in FAMILY:
        cuts, passed, usual = [], [], []
        for repeat in range(12):
            who, new = people.people(n, "f", n, repeat), people.people(250, "g", n, repeat)
            table = people.values(who, "f", n, repeat)
            norm = score.norm("bench", table, who, measured=people.MEASURED, covariates=WITH[:2])
            inside = people.within(norm, new)
            theirs = people.values(new, "g", n, repeat)[inside]
            lowest = predicted(norm, norm.models["pons"], theirs, new[inside]).z.min(axis=1)
            cuts.append(norm.family_cut)
            passed.append((lowest < norm.family_cut).mean())
            usual.append((lowest < CUT).mean())
        means = (np.mean(cuts), np.mean(passed), np.mean(usual))
        print(f"| {n} | {means[0]:.2f} | {means[1]:.3f} | {means[2]:.3f} |")


def scanners() -> None:
    """A norm of 100 people carried to a scanner that shifts by SD .8 and scales by .9-1.3."""
    print(f"A new scanner: false positives (gate .03) and power at {LOW_BY} SD (gate .9 of many)\n")
    print("| local normal people | false positives | power | of many |\n| --- | --- | --- | --- |")
    many = np.mean([_carried(800, repeat) for repeat in range(30)], axis=0)
    for k in LOCAL:
        false, power = np.mean([_carried(k, repeat) for repeat in range(150)], axis=0)
        print(f"| {k} | {false:.4f} | {power:.3f} | {power / many[1]:.2f} |")
    print(f"| 800 | {many[0]:.4f} | {many[1]:.3f} | 1 |")


def _carried(k: int, repeat: int) -> tuple[float, float]:
    people, random = _people(), generator("bench scanner", repeat)
    who, local = people.people(100, "h", repeat), people.people(2 * k, "l", k, repeat)
    norm = people.quick_norm(people.values(who, "h", repeat), who)
    moved = {"shift": random.normal(0, 0.8, people.N_REGIONS), "scale": random.uniform(0.9, 1.3)}
    theirs = people.values(local, "l", k, repeat, **moved)
    inside = np.flatnonzero(people.within(norm, local))[:k]
    model = score.transferred(norm, "new", theirs.iloc[inside], local.iloc[inside]).models["pons"]
    new, found = people.people(60, "m", repeat), []
    for lower_by in (0.0, LOW_BY):
        table = people.values(new, "m", repeat, lower_by, lower_by=lower_by, **moved)
        found.append((predicted(norm, model, table, new).z < CUT).mean())
    return found[0], found[1]


def _people() -> ModuleType:
    """The normal people of known truth that the tests use."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "score"))
    return importlib.import_module("norm_people")


if __name__ == "__main__":
    main()
