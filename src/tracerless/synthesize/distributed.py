"""Several processes that learn as one: each takes its share of every batch, gradients are averaged.

``torchrun`` starts them and tells through the environment who is who. No pickle is sent.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.core.seeds import seed_number

DEVICES = ("auto", "cpu", "cuda")
_EXACT = 1 << 52
"""Whole numbers below this are the same in a float64."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who learns together.

    Args:
        rank: this process, 0 … size - 1; 0 speaks and writes for all.
        size: processes.
        device: where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """Which of the people of a batch are this process's."""
        each = batch // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def require_batch(self, batch: int) -> None:
        """Refuse a batch that cannot be dealt out evenly.

        Raises:
            RecipeError: it is no multiple of the processes.
        """
        if batch % self.size:
            raise RecipeError(
                f"synthesize.batch={batch} cannot be shared evenly by {self.size} processes.",
                hint=f"Set it to a multiple of {self.size}.",
            )

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _heard():
            distributed.all_reduce(flat)
        flat /= self.size
        at = 0
        for tensor in tensors:
            tensor.copy_(flat[at : at + tensor.numel()].view_as(tensor))
            at += tensor.numel()

    def agree(self, value: float) -> float:
        """What the first process says."""
        if self.size == 1:
            return value
        said = torch.tensor([value], dtype=torch.float64, device=self.device)
        with _heard():
            distributed.broadcast(said, src=0)
            return float(said.item())

    def require_same(self, what: str) -> None:
        """Refuse to learn with processes that stand elsewhere: none of them would notice.

        Args:
            what: equal in all processes that do the same.

        Raises:
            RecipeMismatchError: this process does something else than the first.
        """
        mine = float(seed_number(what) % _EXACT)
        if self.agree(mine) != mine:
            raise RecipeMismatchError(
                f"Process {self.rank} has other people, settings or steps behind it than the "
                "first one.",
                hint="Give every machine the same dataset folder, on a disk that all of them see.",
            )


def is_leader() -> bool:
    """Whether this process is the one that writes, of those that ``torchrun`` started."""
    return _number("RANK", 0) == 0


def require_hands(device: str, batch: int) -> None:
    """Refuse early what `crew` and a step would refuse after all sessions were read.

    Args:
        device: as of `crew`.
        batch: people per step.

    Raises:
        RecipeError: no such device here, or a batch that the processes cannot share.
    """
    place = _device(device, _number("LOCAL_RANK", 0))
    Crew(_number("RANK", 0), _number("WORLD_SIZE", 1), place).require_batch(batch)


@contextlib.contextmanager
def crew(device: str = "auto", *, is_alone: bool = False) -> Iterator[Crew]:
    """The processes that ``torchrun`` started, or this one alone.

    Args:
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
        is_alone: whether this process learns something by itself, whoever else there is.

    Raises:
        RecipeError: an unknown device, or a GPU that is not there.
    """
    rank, size = _number("RANK", 0), _number("WORLD_SIZE", 1)
    place = _device(device, _number("LOCAL_RANK", 0))
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if size == 1 or is_alone:
        yield Crew(0, 1, place)
        return
    if distributed.is_initialized():  # by a caller, who also ends it
        yield Crew(rank, size, place)
        return
    with _heard():
        if place.type == "cuda":
            distributed.init_process_group("nccl", device_id=place)
        else:
            distributed.init_process_group("gloo")
    try:
        yield Crew(rank, size, place)
    finally:
        distributed.destroy_process_group()


def _device(wanted: str, local: int) -> torch.device:
    if wanted not in DEVICES:
        raise RecipeError(f"Device {wanted!r} is none of {', '.join(DEVICES)}.")
    there = torch.cuda.device_count() if wanted != "cpu" and torch.cuda.is_available() else 0
    if wanted == "cuda" and not there:
        raise RecipeError(
            "This machine shows no CUDA device.", hint="Choose --device cpu, or install a driver."
        )
    if there and local >= there:
        raise RecipeError(
            f"This machine shows {there} GPU(s), and process {local + 1} on it asks for its own.",
            hint=f"Start torchrun with --nproc-per-node {there}, or choose --device cpu.",
        )
    return torch.device("cuda", local) if there else torch.device("cpu")


def _number(name: str, otherwise: int) -> int:
    """A number that ``torchrun`` tells through the environment."""
    return int(os.environ.get(name) or otherwise)


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """One sentence instead of a library's story where another process is gone.

    Raises:
        ModelError: the processes cannot talk to each other.
    """
    try:
        yield
    except RuntimeError as error:
        raise ModelError(
            "Another process of this training ended or cannot be reached "
            f"({type(error).__name__}).",
            hint="Start all of them again: training goes on where it stood.",
        ) from error
