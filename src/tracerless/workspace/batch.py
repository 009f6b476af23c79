"""The same step over many sessions: one that fails never stops the others."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracerless.core.errors import DatasetError, StorageError, did_you_mean
from tracerless.core.people import SessionKey
from tracerless.io.atomic import write_json
from tracerless.workspace.clean import clean_session
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.workers import ALONE, Crew, attempts
from tracerless.workspace.workers_attempt import Attempt, Task

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Walks sessions, or what became of them, and shows progress: (items, what is done, how many)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each session: a value, or one sentence that says why not."""

    step: str
    values: Mapping[SessionKey, Any] = field(default_factory=dict)
    failures: Mapping[SessionKey, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Machine-readable: counts, and the sentence of each failure."""
        return {
            "step": self.step,
            "done": [str(key) for key in self.values],
            "failed": {str(key): text for key, text in self.failures.items()},
        }


def choose(dataset: Dataset, names: Iterable[str]) -> tuple[SessionKey, ...]:
    """The sessions so named (``sub-X_ses-Y``), or all of them when none is named.

    Raises:
        DatasetError: an unknown name, or a dataset without sessions.
    """
    known = {str(key): key for key in dataset.sessions()}
    if not known:
        raise DatasetError(
            f"{dataset.root} holds no session.",
            hint="Add scans with `tracerless deidentify FOLDER DATASET --vault VAULT`.",
        )
    wanted = tuple(names) or tuple(known)
    for name in wanted:
        if name not in known:
            raise DatasetError(f"No session {name!r}.", hint=did_you_mean(name, known))
    return tuple(known[name] for name in wanted)


def with_mr(
    dataset: Dataset, keys: Iterable[SessionKey]
) -> tuple[tuple[SessionKey, ...], list[str]]:
    """The sessions that hold MR to synthesize from, and one sentence about the others.

    A session of PET or SPECT alone is not an error: it is measured, and nothing is synthesized.
    """
    keys = tuple(keys)
    ready = tuple(key for key in keys if _holds_mr(dataset, key))
    n_others = len(keys) - len(ready)
    note = f"{n_others} sessions hold no MR: there is nothing to synthesize from."
    return ready, [note] if n_others else []


def _holds_mr(dataset: Dataset, key: SessionKey) -> bool:
    if key not in dataset.source_sessions():
        return True
    return clean_session(dataset.root, key).has_mr


def over_sessions(
    dataset: Dataset,
    keys: Iterable[SessionKey],
    step: str,
    make: Task,
    *,
    track: Track,
    crew: Crew = ALONE,
) -> Outcome:
    """Apply ``make`` to every session; failures become sentences, kept under ``problems/``.

    Args:
        dataset: whose sessions.
        keys: which.
        step: what is done, in a word.
        make: what makes the value; picklable unless the crew is alone.
        track: shows progress.
        crew: who works; the outcome is the same, in the order of ``keys``.

    Raises:
        StorageError: the disk refused; going on would only fail again.
        DatasetError: the workers of a scheduler cannot do this work.
    """
    keys = tuple(keys)
    known: dict[SessionKey, Attempt] = {}
    tries = attempts(make, keys, crew)
    with contextlib.closing(tries):
        for done in track(tries, step, len(keys)):
            if done.is_fatal:
                raise StorageError(done.problem)
            known[done.key] = done
            _keep_problem(dataset, step, done)
    values = {key: known[key].value for key in keys if not known[key].problem}
    failures = {key: known[key].problem for key in keys if known[key].problem}
    return Outcome(step, values, failures)


def _keep_problem(dataset: Dataset, step: str, done: Attempt) -> None:
    """Remember a failure at once, so that it outlives an interrupted command; forget a mended."""
    path = dataset.derivatives / "problems" / f"{done.key}_desc-{step}.json"
    if not done.problem:
        path.unlink(missing_ok=True)
        return
    write_json(path, {"session": str(done.key), "step": step, "problem": done.problem})
