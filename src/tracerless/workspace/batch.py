"""The same step over many sessions: one that fails never stops the others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracerless.core.errors import DatasetError, StorageError, TracerlessError, did_you_mean
from tracerless.core.people import SessionKey
from tracerless.io.atomic import write_json
from tracerless.workspace.clean import clean_session
from tracerless.workspace.dataset import Dataset

Track = Callable[[Iterable[SessionKey], str, int], Iterable[SessionKey]]
"""Walks sessions and shows progress: (sessions, what is done, how many)."""


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
    """The sessions that can be prepared, and one sentence about those that wait.

    PET or SPECT alone needs a registration of its own, which does not exist yet; such a session is
    not an error, it waits.
    """
    keys = tuple(keys)
    ready = tuple(key for key in keys if _can_be_prepared(dataset, key))
    n_waiting = len(keys) - len(ready)
    note = (
        f"{n_waiting} sessions hold PET or SPECT without any MR and wait: that path is not built."
    )
    return ready, [note] if n_waiting else []


def _can_be_prepared(dataset: Dataset, key: SessionKey) -> bool:
    if key not in dataset.source_sessions():
        return True
    return clean_session(dataset.root, key).has_mr


def over_sessions(
    dataset: Dataset,
    keys: Iterable[SessionKey],
    step: str,
    make: Callable[[SessionKey], Any],
    *,
    track: Track,
) -> Outcome:
    """Apply ``make`` to every session; failures become sentences, kept under ``problems/``.

    Raises:
        StorageError: the disk refused; going on would only fail again.
    """
    keys = tuple(keys)
    values: dict[SessionKey, Any] = {}
    failures: dict[SessionKey, str] = {}
    for key in track(keys, step, len(keys)):
        try:
            values[key] = make(key)
        except StorageError:
            raise
        except TracerlessError as error:
            failures[key] = str(error)
    _keep_problems(dataset, step, values, failures)
    return Outcome(step, values, failures)


def _keep_problems(
    dataset: Dataset,
    step: str,
    values: Mapping[SessionKey, Any],
    failures: Mapping[SessionKey, str],
) -> None:
    folder = dataset.derivatives / "problems"
    for key in values:
        (folder / f"{key}_desc-{step}.json").unlink(missing_ok=True)
    for key, text in failures.items():
        write_json(
            folder / f"{key}_desc-{step}.json",
            {"session": str(key), "step": step, "problem": text},
        )
