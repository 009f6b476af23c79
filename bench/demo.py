"""CPU-seconds and peak memory of every step of the demo, each in a process of its own."""

import tempfile
from pathlib import Path

from bench.measure import tracerless
from tracerless.cli.demo import PATIENTS, TRAINING_PEOPLE, steps


def main() -> None:
    """Walk the demo's steps one process each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| step | CPU-s | peak MB |\n| --- | --- | --- |")
        total = 0.0
        for step in steps(folder, TRAINING_PEOPLE, PATIENTS):
            cost = tracerless(*step.words.split())
            total += cost.cpu_s
            shown = step.words.replace(f"{folder}/", "")
            print(f"| `{shown}` | {cost.cpu_s:.1f} | {cost.peak_mb:.0f} |", flush=True)
        print(f"| all | {total:.0f} | |")
