"""Our designs beside MONAI's recipes: one cohort, one split, one CPU budget, in one run.

./dev bench synthesis [--people 128] [--unseen 96] [--budget 300] [--designs ridge,unet,...]
                      [--voxel-mm 4] [--seed holdout-bench] [--training DIR] [--judged DIR]
                      [--out FILE]

Every contender learns in a process of its own, one after the other, from the same people on one
thread, and stops after the same CPU-seconds. All are measured on the same unseen people.
"""

import argparse
import importlib
import json
import multiprocessing
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measure import tracerless
from bench.synthesis_judge import Task, acquired, told_by_the_mean

DESIGNS = ("ridge", "ced", "unet", "attention", "gan", "flow", "quantile")
MONAI = ("monai-unet", "monai-pix2pix")
HEAD = (
    "| who | skill | 95 % interval | slope | coverage | AD or CN, AUC | parameters | steps "
    "| CPU-s a step | CPU-s to train | CPU-s a volume | peak MB |"
)


def main(words: Sequence[str] = ()) -> None:
    """Make the people, let everyone learn, print the table."""
    asked = _asked(words)
    with tempfile.TemporaryDirectory() as name:
        training = asked.training or _people(Path(name) / "training", asked.people, asked, "")
        judged = asked.judged or _people(Path(name) / "judged", asked.unseen, asked, "-unseen")
        task = Task(training=training, judged=judged, budget_s=asked.budget)
        rows = [acquired(task), told_by_the_mean(task)]
        _begin(rows)
        for contender in asked.designs.split(","):
            rows.append(_alone(task, contender))
            _show(rows[-1])
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1))


def contend(task: Task, contender: str) -> dict[str, Any]:
    """One contender, from the people to its row; nobody pays for importing another."""
    name = "bench.synthesis_monai" if contender in MONAI else "bench.synthesis_ours"
    row: dict[str, Any] = importlib.import_module(name).contend(task, contender)
    return row


def _alone(task: Task, contender: str) -> dict[str, Any]:
    """In a fresh process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(contend, (task, contender))


def _people(folder: Path, n: int, asked: argparse.Namespace, suffix: str) -> Path:
    edge = ("--voxel-mm", str(asked.voxel_mm))
    seed = f"{asked.seed}{suffix}"
    words = ("simulate", folder, "--people", str(n), "--seed", seed, "--prepared", *edge)
    cost = tracerless(*words)
    if cost.code:
        raise SystemExit(f"The people could not be simulated (exit {cost.code}).")
    return folder


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench synthesis")
    parser.add_argument("--people", type=int, default=128)
    parser.add_argument("--unseen", type=int, default=96)
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--designs", default=",".join((*DESIGNS, *MONAI)))
    parser.add_argument("--voxel-mm", type=int, default=4)
    parser.add_argument("--seed", default="holdout-bench")
    parser.add_argument("--training", type=Path)
    parser.add_argument("--judged", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args(list(words))


def _begin(rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{HEAD}\n{'| --- ' * (HEAD.count('|') - 1)}|")
    for row in rows:
        _show(row)


def _show(row: dict[str, Any]) -> None:
    def cell(name: str, form: str) -> str:
        return format(row[name], form) if row.get(name) is not None else ""

    low, high = cell("low", "+.2f"), cell("high", "+.2f")
    cells = (
        row["who"], cell("skill", "+.3f"), f"{low} to {high}" if low else "", cell("slope", ".2f"),
        cell("coverage", ".0%"), cell("auc", ".2f"), cell("parameters", ",d"), cell("steps", "d"),
        cell("step_s", ".3f"), cell("train_s", ".0f"), cell("volume_s", ".2f"),
        cell("peak_mb", ".0f"),
    )  # fmt: skip
    print("| " + " | ".join(cells) + " |", flush=True)
