"""How often right and wrong pairs of MR and PET are refused: exchanged, moved, turned, mirrored.

./dev bench pairs [--people 480] [--training DIR] [--half A|B] [--moved 20] [--mirrored 96]

Without a dataset, people are simulated, randomised, from the seed `dev-pairs`; no limit of
``synthesize.pairing`` was set on any of them. `--training` takes another dataset, `--half` a half
of it: most limits were set on half A of 480 people of the seed `default-train` (that of mirroring
on every third of all), so of that dataset only half B tells much.

240 people of a dataset: 95 CPU-s; 192 simulated: 82, and 158 to simulate; the default: about 600.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bench.measure import tracerless
from bench.pairs_moved import Motion, mirror, moved, shifted, turned
from bench.pairs_planted import Planted, Tally, alike, block, exchanged, tally
from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.io import resources
from tracerless.synthesize.pairing import Look, judged, look
from tracerless.synthesize.space import Space, space
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_pairs import known_people, pairs

SEED = "dev-pairs"
COHORTS = ((240, 2), (96, 6), (48, 10), (24, 16), (16, 20))
"""People, and how many such cohorts are drawn where there are twice as many people at least."""
SPLIT = 7
"""Draws the halves, as when the limits were set on the first."""
HEAD = ("right pairs refused", "right listed", "wrong pairs refused", "wrong listed")
PERSON = "other-person"
SHIFTS_MM = (4, 6, 10)
TURNS_DEGREES = (5, 8, 12)


def main(words: Sequence[str] = ()) -> None:
    """Look at everybody once, then judge them with something planted."""
    asked = _asked(words)
    with threadpool_limits(limits=1), tempfile.TemporaryDirectory() as name:
        simulated_s = 0.0 if asked.training else _simulated(Path(name), asked.people)
        began = time.process_time()
        dataset = Dataset.open(asked.training or Path(name))
        where = _space(dataset)
        keys = _half(_one_each(dataset), asked.half)
        looks = tuple(look(each, where) for each in pairs(dataset) if each.key in keys)
        whom = "an existing dataset" if asked.training else f"the seed {SEED}"
        half = f", half {asked.half}" if asked.half else ""
        print(f"{len(looks)} people of {whom}{half}; listed = refused or doubted", flush=True)
        _exchange(looks, known_people(dataset))
        _move(looks, Surroundings(dataset, where), asked)
        spent_s = time.process_time() - began
    print(f"\n{spent_s:.0f} CPU-s, and {simulated_s:.0f} to simulate.")


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Where people are looked at again.

    Args:
        dataset: that holds them.
        where: the network's grid and brain.
    """

    dataset: Dataset
    where: Space

    def looked(self, key: SessionKey, motion: Motion) -> Look:
        """One session with its PET moved."""
        session = SessionShelf(self.dataset, key).latest("prepared")
        if session is None:
            raise SystemExit("A session went away while it was measured.")
        return look(moved(session, motion), self.where)


def _exchange(looks: Sequence[Look], facts: Mapping[Pseudonym, PersonFacts]) -> None:
    """Whose PET it is: nothing planted, 1 in 8, a block moved by a row, exchanged among alike."""
    _begin("Is it the same person", "people x cohorts")
    sizes = [(len(looks), 1), *(size for size in COHORTS if 2 * size[0] <= len(looks))]
    for n, times in sizes:
        sums: dict[str, Tally] = {}
        for i in range(times):
            random = generator("bench-pairs", "cohort", n, i)
            cohort = tuple(looks[place] for place in np.sort(random.permutation(len(looks))[:n]))
            for name, found in _planted(cohort, random).items():
                sums[name] = sums.get(name, Tally()) + found
        for name, found in sums.items():
            _row(name, f"{n} x {times}", found)
    among = alike(looks, facts)
    _row("exchanged within sex, age, diagnosis", f"{len(looks)} x 1", among.judged(PERSON))


def _planted(cohort: Sequence[Look], random: np.random.Generator) -> dict[str, Tally]:
    n = len(cohort)
    found = judged(cohort)
    chosen = random.permutation(n)[: max(2, n // 8)]
    return {
        "nothing": tally(cohort, found, PERSON),
        "nothing, any check, MR too": tally(cohort, found),
        "1 in 8 exchanged": exchanged(cohort, chosen).judged(PERSON),
        "60 % moved by a row": block(cohort).judged(PERSON),
    }


def _move(looks: Sequence[Look], at: Surroundings, asked: argparse.Namespace) -> None:
    """PET moved, turned or mirrored in some of the people, all of them at once."""
    _begin("Does PET lie on MR", "people")
    for mm in SHIFTS_MM:
        _moved(looks, at, f"moved by {mm} mm", asked.moved, shifted(mm))
    for degrees in TURNS_DEGREES:
        _moved(looks, at, f"turned by {degrees} degrees", asked.moved, turned(degrees))
    _begin("Is one of them mirrored", "people")
    _moved(looks, at, "mirrored", asked.mirrored, mirror)


def _moved(looks: Sequence[Look], at: Surroundings, name: str, n: int, motion: Motion) -> None:
    order = generator("bench-pairs", name).permutation(len(looks))
    chosen = {looks[place].key for place in order[:n]}
    made = tuple(at.looked(each.key, motion) if each.key in chosen else each for each in looks)
    kind = "mirrored" if motion is mirror else "misregistered"
    _row(name, f"{len(looks)}", Planted(made, frozenset(chosen)).judged(kind))


def _begin(title: str, size: str) -> None:
    print(f"\n| {title} | {size} | {' | '.join(HEAD)} |\n{'| --- ' * (2 + len(HEAD))}|")


def _row(name: str, size: str, found: Tally) -> None:
    print(f"| {name} | {size} | {' | '.join(found.cells)} |", flush=True)


def _space(dataset: Dataset) -> Space:
    prepared, edge_mm = dataset.recipe.prepare, SynthesizeRecipe().voxel_mm
    atlas = resources.atlas(prepared.atlas, edge_mm, dataset.root)
    return space(resources.template(edge_mm), atlas, prepared.reference_fdg)


def _one_each(dataset: Dataset) -> list[SessionKey]:
    """The first session of everybody: two of one person are no strangers to each other."""
    firsts: dict[Pseudonym, SessionKey] = {}
    for key in dataset.sessions():
        firsts.setdefault(key.person, key)
    return list(firsts.values())


def _half(keys: Sequence[SessionKey], half: str) -> set[SessionKey]:
    if not half:
        return set(keys)
    order = np.random.default_rng(SPLIT).permutation(len(keys))
    middle = len(keys) // 2
    return {keys[place] for place in (order[:middle] if half == "A" else order[middle:])}


def _simulated(folder: Path, people: int) -> float:
    """CPU-s that they cost."""
    words = ("simulate", folder, "--people", str(people), "--seed", SEED, "--prepared")
    cost = tracerless(*words, "--voxel-mm", "4", "--randomise", "--workers", "1")
    if cost.code:
        raise SystemExit(f"The people could not be simulated (exit {cost.code}).")
    return cost.cpu_s


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench pairs")
    parser.add_argument("--people", type=int, default=480)
    parser.add_argument("--training", type=Path)
    parser.add_argument("--half", choices=("A", "B"), default="")
    parser.add_argument("--moved", type=int, default=20)
    parser.add_argument("--mirrored", type=int, default=96)
    return parser.parse_args(list(words))
