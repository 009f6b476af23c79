"""Skill of the demo's synthesizer and of a U-Net on simulated people that nothing was tuned on."""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tracerless.cli.demo import TRAINING_PEOPLE

HELD_OUT_PEOPLE = 40
NETWORKS = ("ridge", "unet-small")

SUBSETS = (("T1w",), ("T1w", "T2w"), ("cbf",), ("T1w", "cbf"))
"""What the synthesizer is shown besides everything."""


def main() -> None:
    """Train as the demo does; evaluate on people of another seed, straight in template space."""
    with tempfile.TemporaryDirectory() as name:
        training, unseen = Path(name) / "training", Path(name) / "unseen"
        _run(
            "simulate",
            training,
            "--people",
            TRAINING_PEOPLE,
            "--seed",
            "demo-training",
            "--prepared",
        )
        _run(
            "simulate", unseen, "--people", HELD_OUT_PEOPLE, "--seed", "holdout-bench", "--prepared"
        )
        for network in NETWORKS:
            _score(training, unseen, network)


def _score(training: Path, unseen: Path, network: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    _run("synthesize", "fit", training, "--network", network)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    model = training / "models" / network
    said = json.loads(_run("evaluate", unseen, "--model", model, "--json"))
    print(f"\n## {network}: {spent:.0f} CPU-s to train\n\n{said['headline']}")
    _by_inputs(unseen, model, said)
    for table in ("by_diagnosis.tsv", "by_region.tsv"):
        text = (unseen / "derivatives" / "tracerless" / "evaluation" / table).read_text()
        _print_table(text)


def _by_inputs(unseen: Path, model: Path, everything: dict[str, Any]) -> None:
    print("\n| shown | skill | 95 % interval |\n| --- | --- | --- |")
    print(_row("everything", everything))
    for inputs in SUBSETS:
        options = [word for each in inputs for word in ("--input", each)]
        said = json.loads(_run("evaluate", unseen, "--model", model, "--json", *options))
        print(_row(" + ".join(inputs), said))
    _run("evaluate", unseen, "--model", model)  # the tables below are of everything


def _row(name: str, said: dict[str, Any]) -> str:
    skill = said["skill"]
    return f"| {name} | {skill['value']:+.2f} | {skill['low']:+.2f} to {skill['high']:+.2f} |"


def _run(*words: object) -> str:
    code = "from tracerless.cli import main; main()"
    line = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout


def _print_table(text: str) -> None:
    rows = [line.split("\t") for line in text.splitlines()]
    print("\n| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0]))
    for first, *cells in rows[1:]:
        print(f"| {first} | " + " | ".join(f"{float(cell):.3f}" for cell in cells) + " |")
