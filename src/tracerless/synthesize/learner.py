"""The networks of one member while they learn: weights, their average, an optimizer each."""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import seed_number
from tracerless.synthesize import schedule
from tracerless.synthesize.distributed import Crew

if TYPE_CHECKING:
    from tracerless.synthesize.objectives import Objective

GRADIENT_LIMIT = 1.0
WEIGHT_DECAY = 1e-4
_REPRODUCIBLE = 2
"""Torch's word for: an operation without a reproducible kernel is an error."""
_MOMENTS = ("exp_avg", "exp_avg_sq")
Weights = Mapping[str, NDArray[np.float32]]


@contextlib.contextmanager
def same_every_time(threads: int, seed: int = 0, device: str = "cpu") -> Iterator[None]:
    """Torch with a fixed number of threads, reproducible kernels and its own random state.

    Args:
        threads: of the CPU.
        seed: that it starts from.
        device: on ``cuda`` reproducible kernels are not asked for: not every step has one.
    """
    threads_before, kernels_before = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    search_before = torch.backends.cudnn.benchmark
    torch.set_num_threads(threads)
    # The same switch as use_deterministic_algorithms, without the seconds that importing it takes.
    torch.set_deterministic_debug_mode(_REPRODUCIBLE if device == "cpu" else 0)
    torch.backends.cudnn.benchmark = device != "cpu"  # every step has the same shapes
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads_before)
        torch.set_deterministic_debug_mode(kernels_before)
        torch.backends.cudnn.benchmark = search_before


class InHalf(nn.Module):
    """A network whose inside runs in bfloat16; what it says comes out as float32."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.network = network
        self._kind = device.type

    def forward(self, *given: Tensor) -> Tensor | list[Tensor]:
        """As the network's."""
        with torch.autocast(self._kind, dtype=torch.bfloat16):
            said = self.network(*given)
        return [each.float() for each in said] if isinstance(said, list | tuple) else said.float()


class Learner:
    """The parts of one member, fresh; inside ``same_every_time`` they are always the same.

    Args:
        objective: what is learned; it names the parts.
        recipe: rate, precision, seed.
        shape: voxels of the brain's box.
        member: of the ensemble.
        crew: who learns together, and where.
    """

    def __init__(
        self,
        objective: "Objective",
        recipe: SynthesizeRecipe,
        *,
        shape: tuple[int, int, int],
        member: int,
        crew: Crew,
    ) -> None:
        self._recipe, self._crew = recipe, crew
        torch.manual_seed(seed_number("synthesize-weights", recipe.seed, member))
        parts = objective.parts(shape)
        self._parts = {name: part.to(crew.device) for name, part in parts.items()}
        self._averages = {
            name: copy.deepcopy(part).requires_grad_(requires_grad=False)
            for name, part in self._parts.items()
            if name in objective.kept
        }
        self._optimizers = {
            name: torch.optim.AdamW(
                part.parameters(), lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY
            )
            for name, part in self._parts.items()
        }
        self.updates = dict.fromkeys(self._parts, 0)
        self.eased = 0

    def parts(self, learning: tuple[str, ...]) -> dict[str, nn.Module]:
        """What the losses call: the parts that learn, and the averages of those that no longer do.

        Args:
            learning: names of the parts that learn now.
        """
        now = {
            name: part if name in learning else self._averages.get(name, part)
            for name, part in self._parts.items()
        }
        if self._recipe.precision != "bfloat16":
            return now
        return {name: InHalf(part, self._crew.device) for name, part in now.items()}

    @torch.no_grad()
    def average_answer(self, x: Tensor) -> Tensor:
        """What the averaged weights say; (B, 7, i, j, k) -> (B, n, i, j, k)."""
        said: Tensor = self._averages["answer"](x)
        return said

    @property
    def average(self) -> dict[str, NDArray[np.float32]]:
        """The averaged weights, ``<part>/<parameter>``."""
        return {
            f"{part}/{name}": _plain(weight)
            for part, network in self._averages.items()
            for name, weight in network.state_dict().items()
        }

    @torch.no_grad()
    def start_from(self, weights: Weights) -> None:
        """Begin with these weights instead of fresh ones; parts that they lack stay fresh.

        Raises:
            ModelError: weights of another network.
        """
        for part, average in self._averages.items():
            mine = {
                name.removeprefix(f"{part}/"): torch.from_numpy(value.copy())
                for name, value in weights.items()
                if name.startswith(f"{part}/")
            }
            if not mine:
                continue
            try:
                average.load_state_dict(mine)
                self._parts[part].load_state_dict(mine)
            except RuntimeError as error:
                raise ModelError(
                    f"The weights to start from are not those of a {self._recipe.network!r}.",
                    hint="Keep network and objective of the model that is tuned.",
                ) from error

    def learn(self, losses: Mapping[str, Tensor], share: float) -> dict[str, float] | None:
        """One optimizer step down each loss, and the averages follow.

        Args:
            losses: by part; all were computed before any weight moves.
            share: of the phase that is done after this step, 0-1; it sets the learning rate.

        Returns:
            The losses, mean over the processes; None when one is not finite: then the weights go
            back to their average, the rate is halved for good, and nothing is learned.
        """
        gradients = self._gradients(losses)
        values = torch.stack([losses[name].detach().float() for name in losses])
        self._crew.average([values, *(g for each in gradients.values() for g in each)])
        told = dict(zip(losses, values.tolist(), strict=True))
        norms = {name: _clip(each) for name, each in gradients.items()}
        if not np.isfinite([*told.values(), *norms.values()]).all():
            self._ease(tuple(losses))
            return None
        for name, each in gradients.items():
            self._step(name, each, schedule.rate_at(share))
        return told

    def _gradients(self, losses: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
        names = list(losses)
        return {
            name: list(
                torch.autograd.grad(
                    losses[name],
                    list(self._parts[name].parameters()),
                    retain_graph=name != names[-1],
                    materialize_grads=True,
                )
            )
            for name in names
        }

    def _step(self, name: str, gradients: list[Tensor], rate: float) -> None:
        part, optimizer = self._parts[name], self._optimizers[name]
        for weight, gradient in zip(part.parameters(), gradients, strict=True):
            weight.grad = gradient
        for group in optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate * rate * 0.5**self.eased
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if name in self._averages:
            decay = schedule.average_decay(self.updates[name])
            with torch.no_grad():
                pairs = zip(self._averages[name].parameters(), part.parameters(), strict=True)
                for average, weight in pairs:
                    average.lerp_(weight, 1 - decay)
        self.updates[name] += 1

    @torch.no_grad()
    def _ease(self, names: tuple[str, ...]) -> None:
        """Back to the averaged weights, with a fresh optimizer and half the rate."""
        self.eased += 1
        for name in names:
            if name in self._averages:
                self._parts[name].load_state_dict(self._averages[name].state_dict())
            self._optimizers[name].state.clear()

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Everything that must be kept to go on, but ``updates`` and ``eased``."""
        kept = {f"average/{name}": value for name, value in self.average.items()}
        for part, network in self._parts.items():
            for name, weight in network.named_parameters():
                kept[f"weight/{part}/{name}"] = _plain(weight)
                moments = self._optimizers[part].state.get(weight)
                if moments:
                    for moment in _MOMENTS:
                        kept[f"{moment}/{part}/{name}"] = _plain(moments[moment])
                    kept[f"step/{part}/{name}"] = np.array([float(moments["step"])], np.float32)
        return kept

    @torch.no_grad()
    def restore(self, kept: Weights, updates: Mapping[str, int], eased: int) -> None:
        """Take up what ``tensors`` returned.

        Raises:
            ModelError: a tensor is missing, or of another shape.
        """
        self.updates, self.eased = dict(updates), eased
        try:
            for part, network in self._parts.items():
                for name, weight in network.named_parameters():
                    self._restore(kept, f"{part}/{name}", weight, self._optimizers[part])
            for part, network in self._averages.items():
                for name, weight in network.named_parameters():
                    weight.copy_(_like(kept[f"average/{part}/{name}"], weight))
        except (KeyError, ValueError) as error:
            raise ModelError(
                f"A training state does not fit the network {self._recipe.network!r}.",
                hint="Delete it and train from the start.",
            ) from error

    def _restore(
        self, kept: Weights, name: str, weight: nn.Parameter, optimizer: torch.optim.Optimizer
    ) -> None:
        weight.copy_(_like(kept[f"weight/{name}"], weight))
        if f"step/{name}" in kept:
            moments = {m: _like(kept[f"{m}/{name}"], weight).clone() for m in _MOMENTS}
            done = torch.tensor(float(kept[f"step/{name}"][0]), dtype=torch.float32)
            optimizer.state[weight] = {"step": done, **moments}


def _clip(gradients: list[Tensor]) -> float:
    """Shorten the gradient to ``GRADIENT_LIMIT`` where it is longer; its length before."""
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    scale = (GRADIENT_LIMIT / (norm + 1e-6)).clamp_max(1.0)
    for gradient in gradients:
        gradient.mul_(scale)
    return float(norm)


def _plain(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().float().cpu().numpy(), dtype=np.float32)


def _like(array: NDArray[np.float32], weight: Tensor) -> Tensor:
    if array.shape != tuple(weight.shape) or array.dtype != np.float32:
        raise ValueError(array.shape)
    return torch.from_numpy(np.array(array)).to(weight.device)
