"""A trained synthesizer as a value: everything that prediction needs, and what it was made from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import Contrast
from tracerless.networks import build
from tracerless.synthesize.calibration import Calibration, subset_key
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.codec import digest, pack, unpack
from tracerless.synthesize.head import N_CHANNELS, box_shape
from tracerless.synthesize.intervals import Interval

_KIND = "checkpoint 2"


@dataclass(frozen=True, slots=True)
class History:
    """How training went.

    Args:
        losses: one number a step, SUVR.
        checks: (step, skill on held-out people before calibration).
        threads: torch threads; another number may change the last bits.
        torch: version that trained it.
    """

    losses: tuple[float, ...]
    checks: tuple[tuple[int, float], ...]
    threads: int
    torch: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Checkpoint:
    """Weights, and all that gives them meaning.

    Args:
        weights: of the network of ``recipe.network``, by name.
        mean: (I, J, K) mean SUVR of the training people on ``grid``; NaN where fewer than half of
            them were seen.
        brain: (I, J, K) where the network may leave the mean.
        reference_mask: (I, J, K) reference region on ``grid``.
        voxel_error: (I, J, K) root mean square error of people it did not see, SUVR; NaN outside
            the brain.
        grid: of the network, in the space ``template``.
        residual_suvr: SUVR of one unit of the network's output.
        normalisation: constants of the inputs.
        template: key of the template space.
        atlas: key of the atlas that held the reference region.
        reference: name of the reference region; the output's mean there is 1.
        recipe: how it was trained.
        training_domain: ``simulated`` when every person was simulated, else ``acquired``.
        people: ``person_digest`` of everyone it saw, held out or not.
        n_trained, n_held_out: people.
        inputs: contrasts that training showed it.
        calibration: per set of inputs, by ``subset_key``.
        intervals: likewise, of the sets that enough people had.
        history: how training went.

    Raises:
        ModelError: weights that do not fit the preset or are not finite, arrays off the grid.
    """

    weights: Mapping[str, NDArray[np.float32]]
    mean: NDArray[np.float32]
    brain: NDArray[np.bool_]
    reference_mask: NDArray[np.bool_]
    voxel_error: NDArray[np.float32]
    grid: Grid
    residual_suvr: float
    normalisation: Normalisation
    template: str
    atlas: str
    reference: str
    recipe: SynthesizeRecipe
    training_domain: str
    people: tuple[str, ...]
    n_trained: int
    n_held_out: int
    inputs: tuple[Contrast, ...]
    calibration: Mapping[str, Calibration]
    intervals: Mapping[str, Interval]
    history: History

    def __post_init__(self) -> None:
        """Check once."""
        shape = box_shape(self.brain)
        expected = build(self.recipe.network, n_inputs=N_CHANNELS, shape=shape).state_dict()
        shapes = {name: tuple(w.shape) for name, w in expected.items()}
        if {name: w.shape for name, w in self.weights.items()} != shapes:
            raise ModelError(f"The weights are not those of a {self.recipe.network!r}.")
        if not all(np.isfinite(w).all() for w in self.weights.values()):
            raise ModelError("A checkpoint holds weights that are not finite.")
        for array in (self.mean, self.brain, self.reference_mask, self.voxel_error):
            if array.shape != self.grid.shape:
                raise ModelError(f"A map {array.shape} in a checkpoint of {self.grid.shape}.")
        if self.training_domain not in {"simulated", "acquired"}:
            raise ModelError(f"training_domain={self.training_domain!r} is unknown.")

    @property
    def digest(self) -> str:
        """64 hex digits over all of it."""
        return digest(self._tensors(), self._facts())

    @property
    def name(self) -> str:
        """Preset and digest, e.g. ``unet-small:1f2e3d4c5b6a``."""
        return f"{self.recipe.network}:{self.digest[:12]}"

    def calibration_of(self, inputs: tuple[Contrast, ...]) -> Calibration:
        """How predictions from these inputs are calibrated."""
        return self.calibration[subset_key(inputs)]

    def to_bytes(self) -> bytes:
        """One safetensors file; equal checkpoints, equal bytes."""
        return pack(_KIND, self._tensors(), self._facts())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The checkpoint as it was.

        Raises:
            ModelError: the bytes are damaged, foreign, or of another version.
        """
        tensors, facts = unpack(_KIND, content)
        try:
            return cls(**_arrays(tensors), **_fields(facts))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = error.message if isinstance(error, TracerlessError) else "A fact is missing."
            raise ModelError(
                f"The checkpoint does not fit this version. {reason}",
                hint="Use the version that wrote it, or train again.",
            ) from error

    def _tensors(self) -> dict[str, NDArray[Any]]:
        maps = {name: np.asarray(getattr(self, name)) for name in _MAPS}
        weights = {f"weight/{name}": np.asarray(w) for name, w in self.weights.items()}
        return {**maps, **weights, "affine": self.grid.affine}

    def _facts(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {
            **plain,
            "normalisation": asdict(self.normalisation),
            "recipe": asdict(self.recipe),
            "people": list(self.people),
            "inputs": [str(c) for c in self.inputs],
            "calibration": {key: asdict(c) for key, c in self.calibration.items()},
            "intervals": {key: _plain_interval(each) for key, each in self.intervals.items()},
            "history": {
                **asdict(self.history),
                "losses": list(self.history.losses),
                "checks": [list(check) for check in self.history.checks],
            },
        }


_MAPS = ("mean", "brain", "reference_mask", "voxel_error")
_PLAIN = (
    "residual_suvr",
    "template",
    "atlas",
    "reference",
    "training_domain",
    "n_trained",
    "n_held_out",
)


def people_digests(people: Iterable[Pseudonym]) -> tuple[str, ...]:
    """The digests of all of them, sorted, each once."""
    return tuple(sorted({person_digest(person) for person in people}))


def _arrays(tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    weights = {
        name.removeprefix("weight/"): array
        for name, array in tensors.items()
        if name.startswith("weight/")
    }
    grid = Grid(tensors["mean"].shape, tensors["affine"])
    return {**{name: tensors[name] for name in _MAPS}, "weights": weights, "grid": grid}


def _fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    history = dict(facts["history"])
    history["losses"] = tuple(history["losses"])
    history["checks"] = tuple((int(step), float(skill)) for step, skill in history["checks"])
    return {
        **{name: facts[name] for name in _PLAIN},
        "normalisation": Normalisation(**facts["normalisation"]),
        "recipe": SynthesizeRecipe(**facts["recipe"]),
        "people": tuple(facts["people"]),
        "inputs": tuple(Contrast(c) for c in facts["inputs"]),
        "calibration": {key: Calibration(**c) for key, c in facts["calibration"].items()},
        "intervals": {key: _interval(each) for key, each in facts["intervals"].items()},
        "history": History(**history),
    }


def _plain_interval(each: Interval) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(each).items()}


def _interval(record: Mapping[str, Any]) -> Interval:
    fields = dict(record)
    for name in ("regions", "base", "factor"):
        fields[name] = tuple(fields[name])
    return Interval(**fields)
