"""Things to do with a session, for workers: each is a plain function or value that can travel."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracerless.core.errors import DatasetError, StorageError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator

MB = 1 << 20
FOR_EVER_S = 600
"""Longer than any test waits: what sleeps so long ends only if somebody ends it."""


def keys(n: int) -> tuple[SessionKey, ...]:
    """``n`` sessions of as many people."""
    return tuple(SessionKey(Pseudonym(f"P{i:02d}"), "01") for i in range(n))


def drawn(key: SessionKey) -> bytes:
    """Numbers that depend on the session alone; the first session takes longest."""
    time.sleep(0.3 if str(key.person) == "P00" else 0.0)
    return generator("batch", str(key)).normal(size=50).tobytes()


@dataclass(frozen=True)
class Bad:
    """Draws for every session but P01, with which it does what ``how`` says."""

    how: str
    folder: Path | None = None

    def __call__(self, key: SessionKey) -> bytes:
        """Numbers, or the end."""
        if str(key.person) == "P01":
            getattr(self, f"_{self.how}")()
        return drawn(key)

    def _refuse(self) -> None:
        raise DatasetError("No T1.", hint="Add it.")

    def _break(self) -> None:
        raise ValueError("PLANTED^NAME in this message")

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _die_once(self) -> None:
        assert self.folder is not None
        been = self.folder / "been"
        if not been.exists():
            been.touch()
            self._die()

    def _grow(self) -> None:
        held = np.ones(600 * MB, dtype=np.uint8)
        time.sleep(FOR_EVER_S)
        del held

    def _fill_the_disk(self) -> None:
        raise StorageError("The disk refused.")


@dataclass(frozen=True)
class Marks:
    """Leaves a file for every session, and takes its time."""

    folder: Path
    seconds: float

    def __call__(self, key: SessionKey) -> str:
        """The process that worked on it."""
        (self.folder / f"{key}.begun-{os.getpid()}").touch()
        time.sleep(self.seconds)
        (self.folder / f"{key}.done").touch()
        return str(os.getpid())


@dataclass(frozen=True)
class OnlyTheFirstEnds:
    """Leaves a file for every session that begins; only the first one comes to its end."""

    folder: Path

    def __call__(self, key: SessionKey) -> str:
        """As ``Marks`` does."""
        is_first = str(key.person) == "P00"
        return Marks(self.folder, 0.0 if is_first else FOR_EVER_S)(key)
