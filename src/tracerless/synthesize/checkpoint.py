"""A trained synthesizer as a value: everything that prediction needs, and what it was made from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.grid import Grid
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import Contrast
from tracerless.networks import is_solved
from tracerless.synthesize import checkpoint_form as form
from tracerless.synthesize.calibration import Calibration, subset_key
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint_form import rounded
from tracerless.synthesize.codec import digest, pack, unpack
from tracerless.synthesize.expected import Expected, half
from tracerless.synthesize.head import box_shape
from tracerless.synthesize.intervals import Interval
from tracerless.synthesize.manifest import (
    History,
    Manifest,
    history_of,
    manifest,
    people_digests,
)
from tracerless.synthesize.reach import ReachModel

__all__ = [
    "Checkpoint", "History", "Manifest", "labels_of", "manifest", "people_digests", "rounded",
]  # fmt: skip

_KIND = "checkpoint 3"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Checkpoint:
    """Weights, and all that gives them meaning.

    Args:
        weights: ``<member>/<part>/<parameter>``, members from 0, of the recipe's network and
            objective.
        expected: where every prediction starts; kept in the brain and its surroundings.
        baseline: what age and sex say, as far as they were known, for comparison.
        brain: (I, J, K) where the network may leave the expected map.
        reference_mask: (I, J, K) reference region on ``grid``.
        labels: (I, J, K) 0 outside every region, else 1 + its place among ``regions``.
        regions: keys of the regions that carried the training.
        voxel_error: (I, J, K) root mean square error of people it did not see, SUVR; NaN outside
            the brain.
        grid: of the network, in the space ``template``.
        residual_suvr: SUVR of one unit of the network's output.
        normalisation: constants of the inputs.
        template: key of the template space.
        atlas: key of the atlas that held regions and reference region.
        reference: name of the reference region; the output's mean there is 1.
        recipe: how it was trained.
        training_domain: ``simulated`` when every person was simulated, else ``acquired``.
        people: ``person_digest`` of everyone it saw, held out or not.
        n_trained, n_held_out: people.
        inputs: contrasts that training showed it.
        calibration: per set of inputs, by ``subset_key``.
        intervals: likewise, of the sets that enough people had.
        reach: what scans of the training people look like; None with too few of them.
        manifest: who they were, in counts.
        history: how training went.
        base: name of the model that it was fine-tuned from; empty when from none.
        origin: ``simulated`` where that model, or one before it, learned from simulated people,
            else ``acquired``; empty when fine-tuned from none.

    Raises:
        ModelError: weights that do not fit the recipe or are not finite, arrays off the grid.
    """

    weights: Mapping[str, NDArray[np.float32]]
    expected: Expected
    baseline: Expected
    brain: NDArray[np.bool_]
    reference_mask: NDArray[np.bool_]
    labels: NDArray[np.int16]
    regions: tuple[str, ...]
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
    reach: ReachModel | None
    manifest: Manifest
    history: History
    base: str = ""
    origin: str = ""
    _memo: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check once, and hold what the file holds."""
        maps = (self.expected.mean, self.baseline.mean, self.reference_mask, self.labels)
        for array in (*maps, self.brain, self.voxel_error):
            if array.shape != self.grid.shape:
                raise ModelError(f"A map {array.shape} in a checkpoint of {self.grid.shape}.")
        if self.training_domain not in {"simulated", "acquired"}:
            raise ModelError(f"training_domain={self.training_domain!r} is unknown.")
        if int(self.labels.max(initial=0)) > len(self.regions):
            raise ModelError(f"{len(self.regions)} regions, labels up to {self.labels.max()}.")
        self._require_weights()
        kept = form.support(self.brain, self.grid)
        error = np.where(self.brain, half(self.voxel_error), np.nan).astype(np.float32)
        labels = np.where(self.brain, self.labels, 0).astype(np.int16)
        object.__setattr__(self, "expected", form.within(self.expected, kept))
        object.__setattr__(self, "baseline", form.within(self.baseline, kept))
        object.__setattr__(self, "voxel_error", error)
        object.__setattr__(self, "labels", labels)

    @property
    def mean(self) -> NDArray[np.float32]:
        """(I, J, K) expected SUVR of a person of whom nothing is known."""
        return self.expected.mean

    @property
    def members(self) -> int:
        """Networks of the ensemble."""
        return 1 if is_solved(self.recipe.network) else self.recipe.members

    @property
    def marked_for_cognition(self) -> bool:
        """Whether it looks at cognition: the diagnosis may have leaked into what it says."""
        return self.recipe.covariates == "cognition"

    @property
    def digest(self) -> str:
        """64 hex digits over all of it, worked out once."""
        if not self._memo:
            self._memo["digest"] = digest(self._tensors(), self._facts())
        return self._memo["digest"]

    @property
    def kind(self) -> str:
        """Preset and whatever is not usual about it, e.g. ``unet-small.flow.cognition``."""
        made = self.recipe
        words = (made.objective, made.covariates, made.people)
        unusual = [w for w in words if w not in {"regression", "none", "all"}]
        return ".".join([made.network, *unusual])

    @property
    def name(self) -> str:
        """Kind and digest, e.g. ``unet-small:1f2e3d4c5b6a``."""
        return f"{self.kind}:{self.digest[:12]}"

    def part(self, member: int, part: str) -> dict[str, NDArray[np.float32]]:
        """The weights of one part of one member, by parameter."""
        start = f"{member}/{part}/"
        return {
            name.removeprefix(start): weight
            for name, weight in self.weights.items()
            if name.startswith(start)
        }

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
            return cls(**_arrays(tensors, facts), **_fields(facts))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            reason = error.message if isinstance(error, TracerlessError) else "A fact is missing."
            raise ModelError(
                f"The checkpoint does not fit this version. {reason}",
                hint="Use the version that wrote it, or train again.",
            ) from error

    def _require_weights(self) -> None:
        wanted = {
            f"{member}/{name}": shape
            for member in range(self.members)
            for name, shape in form.shapes(self.recipe, box_shape(self.brain)).items()
        }
        if {name: tuple(w.shape) for name, w in self.weights.items()} != wanted:
            raise ModelError(
                f"The weights are not those of {self.members} {self.recipe.network!r} "
                f"({self.recipe.objective})."
            )
        if not all(np.isfinite(w).all() for w in self.weights.values()):
            raise ModelError("A checkpoint holds weights that are not finite.")

    def _tensors(self) -> dict[str, NDArray[Any]]:
        kept = form.support(self.brain, self.grid)
        reach = {} if self.reach is None else self.reach.arrays()
        return {
            "affine": self.grid.affine,
            "brain": form.bits(self.brain),
            "reference_mask": form.bits(self.reference_mask),
            "labels": self.labels[self.brain],
            "voxel_error": self.voxel_error[self.brain].astype(np.float16),
            **form.packed_expected("expected", self.expected, kept),
            **form.packed_expected("baseline", self.baseline, kept),
            **form.packed_weights(self.weights),
            **{f"reach/{name}": array for name, array in reach.items()},
        }

    def _facts(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            **({"origin": self.origin} if self.origin else {}),
            "shape": list(self.grid.shape),
            "regions": list(self.regions),
            "expected": form.plain_expected(self.expected),
            "baseline": form.plain_expected(self.baseline),
            "normalisation": asdict(self.normalisation),
            "recipe": asdict(self.recipe),
            "people": list(self.people),
            "inputs": [str(c) for c in self.inputs],
            "calibration": {key: form.plain(asdict(c)) for key, c in self.calibration.items()},
            "intervals": {key: form.plain_interval(each) for key, each in self.intervals.items()},
            "manifest": {name: form.plain(getattr(self.manifest, name)) for name in _MANIFEST},
            "history": {name: form.plain(getattr(self.history, name)) for name in _HISTORY},
        }


_PLAIN = ("residual_suvr", "template", "atlas", "reference", "training_domain", "n_trained",
          "n_held_out", "base")  # fmt: skip
_MANIFEST = tuple(Manifest.__dataclass_fields__)
_HISTORY = tuple(History.__dataclass_fields__)


def labels_of(regions: NDArray[np.bool_]) -> NDArray[np.int16]:
    """(R, I, J, K) masks that do not overlap -> (I, J, K) labels from 1; 0 outside all."""
    labels = np.zeros(regions.shape[1:], dtype=np.int16)
    for place, mask in enumerate(regions):
        labels[mask] = place + 1
    return labels


def _arrays(tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> dict[str, Any]:
    shape = tuple(int(n) for n in facts["shape"])
    grid = Grid((shape[0], shape[1], shape[2]), tensors["affine"])
    brain = form.mask_of(tensors["brain"], shape)
    kept = form.support(brain, grid)
    reach = {n.removeprefix("reach/"): a for n, a in tensors.items() if n.startswith("reach/")}
    return {
        "grid": grid,
        "brain": brain,
        "reference_mask": form.mask_of(tensors["reference_mask"], shape),
        "labels": form.laid(tensors["labels"], brain, outside=0),
        "voxel_error": form.laid(tensors["voxel_error"].astype(np.float32), brain),
        "expected": form.expected_of("expected", tensors, facts["expected"], kept),
        "baseline": form.expected_of("baseline", tensors, facts["baseline"], kept),
        "weights": form.unpacked_weights(tensors),
        "reach": ReachModel.restored(reach) if reach else None,
    }


def _fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: facts[name] for name in _PLAIN},
        "origin": str(facts.get("origin", "")),
        "regions": tuple(facts["regions"]),
        "normalisation": Normalisation(**facts["normalisation"]),
        "recipe": SynthesizeRecipe(**facts["recipe"]),
        "people": tuple(facts["people"]),
        "inputs": tuple(Contrast(c) for c in facts["inputs"]),
        "calibration": {k: form.calibration_of(c) for k, c in facts["calibration"].items()},
        "intervals": {key: form.interval_of(each) for key, each in facts["intervals"].items()},
        "manifest": Manifest(**facts["manifest"]),
        "history": history_of(facts["history"]),
    }
