"""Whether the same question gets the same answer: twice, from the file, by other engines."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tracerless import synthesize
from tracerless.core.assessment import TABLES
from tracerless.core.errors import TracerlessError
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import Backend, OnnxBackend, answers, torch_backend
from tracerless.synthesize.export import graph
from tracerless.synthesize.predict import Synthesizer
from tracerless.workspace.challenges_outcome import some
from tracerless.workspace.section import Advance, Found
from tracerless.workspace.trial import Trial

LIMIT_SUVR = 0.005
"""Two engines may differ by so much in any region."""
N_PARITY = 3
"""People who are predicted by every engine."""


@dataclass(frozen=True, slots=True)
class _Check:
    """``what`` is compared with the usual prediction (``against``); within ``limit_suvr``."""

    what: str
    against: str
    limit_suvr: float
    other: Callable[[], Synthesizer]


def parity(trial: Trial, *, progress: Advance | None = None) -> Found:
    """The same answer twice, from the file, with two threads, by ONNX Runtime."""
    return parity_tables(some(trial, N_PARITY), progress)


def parity_tables(trial: Trial, progress: Advance | None = None) -> Found:
    """Table ``parity``: the largest difference over subjects, and whether it is within the limit.

    Where the limit is 0 every voxel has to agree, else every region.

    Args:
        trial: its first checkpoint is asked about all subjects.
        progress: told after each check.
    """
    rows, notes = [], []
    checks = _checks(trial)
    for done, check in enumerate(checks, start=1):
        try:
            largest = largest_difference(trial, check.other(), voxels=check.limit_suvr == 0)
            verdict = "pass" if largest <= check.limit_suvr else "fail"
        except (TracerlessError, ImportError) as error:
            largest, verdict = float("nan"), "not measured"
            reason = error.message if isinstance(error, TracerlessError) else "It is not installed."
            notes.append(f"{check.what} was not compared: {reason}")
        rows.append((check.what, check.against, largest, check.limit_suvr, verdict))
        if progress:
            progress(done, len(checks), "parity")
    return {"parity": pd.DataFrame(rows, columns=[*TABLES["parity"]])}, notes


def _checks(trial: Trial) -> tuple[_Check, ...]:
    made, template = trial.checkpoint, trial.template

    def anew(checkpoint: Checkpoint, backend: Backend | None = None) -> Synthesizer:
        return synthesize.synthesizer(checkpoint, template, trial.atlas, backend=backend)

    def two_threads() -> Synthesizer:
        return anew(made, torch_backend(made, threads=2))

    def onnx() -> Synthesizer:
        return anew(made, OnnxBackend(graph(made), answers(made)))

    return (
        _Check("the same session again", "the first time", 0.0, lambda: anew(made)),
        _Check(
            "weights written and read",
            "weights in memory",
            0.0,
            lambda: anew(Checkpoint.from_bytes(made.to_bytes())),
        ),
        _Check("torch, 2 threads", "torch, 1 thread", LIMIT_SUVR, two_threads),
        _Check("ONNX Runtime", "torch", LIMIT_SUVR, onnx),
    )


def largest_difference(trial: Trial, other: Synthesizer, *, voxels: bool) -> float:
    """The largest absolute difference of two synthesizers over the subjects, SUVR.

    Args:
        trial: its synthesizer is the one.
        other: the other.
        voxels: compare every voxel, not every region.
    """
    usual, largest = trial.synthesizer, 0.0
    for subject in trial.subjects:
        session = trial.prepared(subject)
        pair = [maker.predict(session, person=subject.facts).volume for maker in (usual, other)]
        first, second = (v.array if voxels else trial.regions(v) for v in pair)
        apart = np.abs(np.asarray(first, np.float64) - second)
        largest = max(largest, float(np.nanmax(apart)))
    return largest
