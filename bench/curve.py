"""Skill over the number of pairs, design by design: are 128 or 200 pairs enough?

./dev bench curve [--designs ridge,unet] [--sizes 32,64,128,200,400] [--steps 900] [--device auto]
                  [--workers 2] [--training DIR] [--unseen DIR] [--out FILE]

Every row is added to FILE (a JSON object a line) when it is done; a second run with the same FILE
and people goes on where the first one ended.
"""

import argparse
import dataclasses
import json
import math
import multiprocessing
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import curve_tables
from bench.measure import tracerless
from bench.synthesis_judge import measured, regions
from tracerless import synthesize
from tracerless.core.atlas import Atlas
from tracerless.core.designs import designed
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.evaluate.measures import absolute
from tracerless.io import resources
from tracerless.synthesize import material, space
from tracerless.synthesize.fit import learn
from tracerless.synthesize.watch import Watch
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.training import pairs
from tracerless.workspace.training_pairs import known_people

DESIGNS = ("ridge", "ced", "unet", "attention", "gan", "flow")
SIZES = (32, 64, 128, 200, 400)
UNSEEN = 120
SEEDS = ("dev-curve", "dev-curve-unseen")
"""Of the people learned from, and of those measured on; neither serves anything else."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, on what, and where."""

    training: Path
    unseen: Path
    design: str
    n: int
    steps: int
    batch: int
    device: str


def main(words: Sequence[str] = ()) -> None:
    """Make the people, train every design at every size, print the tables."""
    asked = _asked(words)
    with tempfile.TemporaryDirectory() as name:
        training = asked.training or Path(name) / "training"
        unseen = asked.unseen or Path(name) / "unseen"
        sizes = sorted(int(n) for n in asked.sizes.split(","))
        _people(training, max(sizes), SEEDS[0], asked.workers)
        _people(unseen, asked.n_unseen, SEEDS[1], asked.workers)
        rows = _read(asked.out)
        done = {(row["design"], row["n"], row["steps"]) for row in rows}
        plans = [
            Plan(
                training=training, unseen=unseen, design=design, n=n, steps=asked.steps,
                batch=asked.batch, device=asked.device,
            )
            for n in sizes
            for design in asked.designs.split(",")
            if (design, n, asked.steps) not in done
        ]  # fmt: skip
        context = multiprocessing.get_context("spawn")
        with context.Pool(asked.workers, maxtasksperchild=1) as pool:
            for row in pool.imap_unordered(point, plans):
                rows.append(row)
                _keep(asked.out, row)
    curve_tables.show(rows)


def point(plan: Plan) -> dict[str, Any]:
    """One design at one size; the people of a smaller size are among those of a larger one."""
    torch.set_num_threads(1)
    dataset, unseen = Dataset.open(plan.training), Dataset.open(plan.unseen)
    recipe = dataclasses.replace(
        designed(SynthesizeRecipe(), plan.design), steps=plan.steps, batch=plan.batch
    )
    template = resources.template(recipe.voxel_mm)
    prepared = dataset.recipe.prepare
    atlas = resources.atlas(prepared.atlas, recipe.voxel_mm, dataset.root)
    where = space.space(template, atlas, prepared.reference_fdg)
    everyone = material.gather(pairs(dataset), where, facts=known_people(dataset))
    order = generator("bench-curve").permutation(len(everyone.people))
    cpu = time.process_time()
    made = learn(
        everyone.take(np.sort(order[: plan.n])),
        where,
        recipe=recipe,
        training_domain="simulated",
        watch=Watch(device=plan.device),
    )
    spent = time.process_time() - cpu
    maker = synthesize.synthesizer(made, template, atlas)
    mean = synthesize.mean_predictor(made, template, atlas)
    row = {"design": plan.design, "n": plan.n, "steps": plan.steps, "cpu_s": spent}
    row |= _judge(maker, mean, pairs(unseen), atlas)
    print(f"{plan.design} n={plan.n}: skill {row['skill']:+.3f}, {spent:.0f} CPU-s", flush=True)
    return row


def _judge(maker: Any, mean: Any, sessions: Iterable[Prepared], atlas: Atlas) -> dict[str, Any]:
    truth, made, base, half, people = [], [], [], [], []
    n_refused = 0
    for each in sessions:
        usual = mean.predict(each)
        try:
            prediction = maker.predict(each)
        except ModelError:  # no better than the mean: a user is told so, and is left with the mean
            prediction, n_refused = usual, n_refused + 1
        truth.append(regions(each.require(Contrast.FDG).array, atlas))
        made.append(regions(prediction.volume.array, atlas))
        base.append(regions(usual.volume.array, atlas))
        half.append([prediction.half_widths.get(r.key, math.nan) for r in atlas.regions])
        people.append(str(each.key.person))
    cells = (np.array(truth), np.array(made), np.array(base), np.array(half))
    errors, worst = absolute(*cells[:3])
    by_person = {"error": np.nanmean(errors, 1).tolist(), "base": np.nanmean(worst, 1).tolist()}
    return {**measured(*cells, people), "refused": n_refused / len(people), **by_person}


def _read(kept: Path | None) -> list[dict[str, Any]]:
    if kept is None or not kept.exists():
        return []
    return [json.loads(line) for line in kept.read_text().splitlines()]


def _keep(kept: Path | None, row: dict[str, Any]) -> None:
    if kept is not None:
        with kept.open("a") as out:
            out.write(json.dumps(row) + "\n")


def _people(folder: Path, n: int, seed: str, workers: int) -> None:
    tracerless(
        "simulate", folder, "--people", n, "--seed", seed, "--prepared", "--workers", workers
    )


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench curve")
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--n-unseen", type=int, default=UNSEEN)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--training", type=Path)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args(list(words))
