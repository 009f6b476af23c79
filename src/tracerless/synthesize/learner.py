"""The network while it learns: weights, their average, the optimizer."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import seed_number
from tracerless.networks import build
from tracerless.synthesize import schedule
from tracerless.synthesize.head import N_CHANNELS

GRADIENT_LIMIT = 1.0
WEIGHT_DECAY = 1e-4
_MOMENTS = ("exp_avg", "exp_avg_sq")


@contextlib.contextmanager
def same_every_time(threads: int, seed: int = 0) -> Iterator[None]:
    """Torch with a fixed number of threads, reproducible kernels and its own random state."""
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)  # noqa: FBT003 (torch takes it by position only)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


class Learner:
    """A network of the recipe's preset, fresh; inside ``same_every_time`` it is always the same.

    Args:
        recipe: preset, learning rate, seed.
        shape: voxels of the brain's box.
    """

    def __init__(self, recipe: SynthesizeRecipe, shape: tuple[int, int, int]) -> None:
        self._recipe = recipe
        torch.manual_seed(seed_number("synthesize-weights", recipe.seed))
        self._network: nn.Module = build(recipe.network, n_inputs=N_CHANNELS, shape=shape)
        self._weights = dict(self._network.named_parameters())
        self._average = {name: w.detach().clone() for name, w in self._weights.items()}
        self._optimizer = torch.optim.AdamW(
            self._weights.values(), lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY
        )

    def answer(self, x: Tensor) -> Tensor:
        """What the learning weights say; (B, 7, i, j, k) -> (B, 1, i, j, k)."""
        said: Tensor = self._network(x)
        return said

    @torch.no_grad()
    def average_answer(self, x: Tensor) -> Tensor:
        """What the averaged weights say."""
        said: Tensor = functional_call(self._network, self._average, (x,))
        return said

    @property
    def average(self) -> dict[str, NDArray[np.float32]]:
        """The averaged weights, by name."""
        return {name: w.numpy().copy() for name, w in self._average.items()}

    def learn(self, loss: Tensor, step: int) -> None:
        """One optimizer step down ``loss``, and the average follows.

        Raises:
            ModelError: the loss is not finite.
        """
        if not torch.isfinite(loss):
            raise ModelError(
                f"The training loss is {loss.item()} at step {step}.",
                hint="Lower synthesize.learning_rate and train from the start.",
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._weights.values(), GRADIENT_LIMIT)
        for group in self._optimizer.param_groups:
            group["lr"] = schedule.learning_rate(step, self._recipe)
        self._optimizer.step()
        decay = schedule.average_decay(step)
        with torch.no_grad():
            for name, weight in self._weights.items():
                self._average[name].lerp_(weight, 1 - decay)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Everything that must be kept to go on."""
        kept: dict[str, NDArray[np.float32]] = {}
        for name, weight in self._weights.items():
            kept[f"weight/{name}"] = weight.detach().numpy().copy()
            kept[f"average/{name}"] = self._average[name].numpy().copy()
            moments = self._optimizer.state.get(weight, {})
            for moment in _MOMENTS:
                value = moments.get(moment, torch.zeros_like(weight))
                kept[f"{moment}/{name}"] = value.detach().numpy().copy()
        return kept

    @torch.no_grad()
    def restore(self, kept: dict[str, NDArray[np.float32]], step: int) -> None:
        """Take up what ``tensors`` returned after ``step`` steps.

        Raises:
            ModelError: a tensor is missing, or of another shape.
        """
        try:
            for name, weight in self._weights.items():
                weight.copy_(_like(kept[f"weight/{name}"], weight))
                self._average[name].copy_(_like(kept[f"average/{name}"], weight))
                moments = {m: _like(kept[f"{m}/{name}"], weight).clone() for m in _MOMENTS}
                self._optimizer.state[weight] = {
                    "step": torch.tensor(float(step), dtype=torch.float32),
                    **moments,
                }
        except (KeyError, ValueError) as error:
            raise ModelError(
                f"A training state does not fit the network {self._recipe.network!r}.",
                hint="Delete it and train from the start.",
            ) from error


def _like(array: NDArray[np.float32], weight: Tensor) -> Tensor:
    if array.shape != tuple(weight.shape) or array.dtype != np.float32:
        raise ValueError(array.shape)
    return torch.from_numpy(array)
