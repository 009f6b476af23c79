"""Skill over the number of pairs, design by design: are 128 or 200 pairs enough?

./dev bench curve [--designs ridge,unet] [--sizes 32,64,128,200,400] [--steps 1800] [--device auto]
                  [--workers 2] [--training DIR] [--unseen DIR] [--out FILE]
"""

import argparse
import dataclasses
import json
import math
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
    sizes: tuple[int, ...]
    steps: int
    batch: int
    device: str


def main(words: Sequence[str] = ()) -> None:
    """Make the people, train every design at every size, print the table."""
    asked = _asked(words)
    with tempfile.TemporaryDirectory() as name:
        training = asked.training or Path(name) / "training"
        unseen = asked.unseen or Path(name) / "unseen"
        sizes = tuple(int(n) for n in asked.sizes.split(","))
        _people(training, max(sizes), SEEDS[0], asked.workers)
        _people(unseen, asked.n_unseen, SEEDS[1], asked.workers)
        plans = [
            Plan(
                training=training, unseen=unseen, design=design, sizes=sizes, steps=asked.steps,
                batch=asked.batch, device=asked.device,
            )
            for design in asked.designs.split(",")
        ]  # fmt: skip
        context = multiprocessing.get_context("spawn")
        with context.Pool(asked.workers, maxtasksperchild=1) as pool:
            rows = [row for found in pool.imap(curve, plans, chunksize=1) for row in found]
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1))
    _show(rows)


def curve(plan: Plan) -> list[dict[str, Any]]:
    """One design at every size; the people of a smaller size are among those of a larger one."""
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
    judged = list(pairs(unseen))
    rows = []
    for n in plan.sizes:
        started, cpu = time.monotonic(), _cpu_s()
        made = learn(
            everyone.take(np.sort(order[:n])),
            where,
            recipe=recipe,
            training_domain="simulated",
            watch=Watch(device=plan.device),
        )
        spent = {"cpu_s": _cpu_s() - cpu, "wall_s": time.monotonic() - started}
        maker = synthesize.synthesizer(made, template, atlas)
        mean = synthesize.mean_predictor(made, template, atlas)
        said = _judge(maker, mean, judged, atlas)
        rows.append({"design": plan.design, "n": n, **said, **spent})
        print(
            f"{plan.design} n={n}: skill {said['skill']:+.3f}, {spent['wall_s']:.0f} s", flush=True
        )
    return rows


def _judge(maker: Any, mean: Any, sessions: list[Prepared], atlas: Atlas) -> dict[str, Any]:
    truth, made, base, half = [], [], [], []
    n_refused = 0
    for each in sessions:
        try:
            prediction = maker.predict(each)
        except ModelError:  # no better than the mean: a user is told so, and is left with the mean
            prediction, n_refused = mean.predict(each), n_refused + 1
        truth.append(regions(each.volumes[Contrast.FDG].array, atlas))
        made.append(regions(prediction.volume.array, atlas))
        base.append(regions(mean.predict(each).volume.array, atlas))
        half.append([prediction.half_widths.get(r.key, math.nan) for r in atlas.regions])
    people = [str(each.key.person) for each in sessions]
    cells = (np.array(truth), np.array(made), np.array(base), np.array(half))
    return {**measured(*cells, people), "refused": n_refused / len(sessions)}


def _people(folder: Path, n: int, seed: str, workers: int) -> None:
    tracerless(
        "simulate", folder, "--people", n, "--seed", seed, "--prepared", "--workers", workers
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench curve")
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--n-unseen", type=int, default=UNSEEN)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--training", type=Path)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args(list(words))


def _show(rows: list[dict[str, Any]]) -> None:
    print("\n| design | pairs | skill | 95 % interval | slope | coverage | refused | CPU-s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for r in rows:
        held = math.nan if r["coverage"] is None else r["coverage"]
        print(
            f"| {r['design']} | {r['n']} | {r['skill']:+.2f} | {r['low']:+.2f} to {r['high']:+.2f} "
            f"| {r['slope']:.2f} | {held:.0%} | {r['refused']:.0%} | {r['cpu_s']:.0f} |"
        )
