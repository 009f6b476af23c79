"""Several processes that learn as one: each takes its share of every batch, gradients are averaged.

``torchrun`` starts them and tells through the environment who is who. No pickle is sent.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from tracerless.core.errors import RecipeError

DEVICES = ("auto", "cpu", "cuda")


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
        distributed.broadcast(said, src=0)
        return float(said.item())


def is_leader() -> bool:
    """Whether this process is the one that writes, of those that ``torchrun`` started."""
    return int(os.environ.get("RANK", "0")) == 0


@contextlib.contextmanager
def crew(device: str = "auto", *, is_alone: bool = False) -> Iterator[Crew]:
    """The processes that ``torchrun`` started, or this one alone.

    Args:
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
        is_alone: whether this process learns something by itself, whoever else there is.

    Raises:
        RecipeError: an unknown device, or a GPU that is not there.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    place = _device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if size == 1 or is_alone:
        yield Crew(0, 1, place)
        return
    if distributed.is_initialized():  # by a caller, who also ends it
        yield Crew(rank, size, place)
        return
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Crew(rank, size, place)
    finally:
        distributed.destroy_process_group()


def _device(wanted: str, local: int) -> torch.device:
    if wanted not in DEVICES:
        raise RecipeError(f"Device {wanted!r} is none of {', '.join(DEVICES)}.")
    there = torch.cuda.is_available() if wanted != "cpu" else False
    if wanted == "cuda" and not there:
        raise RecipeError(
            "This machine shows no CUDA device.", hint="Choose --device cpu, or install a driver."
        )
    if not there:
        return torch.device("cpu")
    place = torch.device("cuda", local)
    torch.cuda.set_device(place)
    return place
