"""Synthesizers: a prepared session in, synthetic SUVR on its grid out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, RecipeMismatchError
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import resample
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume
from tracerless.networks import build
from tracerless.synthesize.calibration import Calibration, subset_key
from tracerless.synthesize.channels import FULL_COVERAGE, Channels, channels, choose
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.desk import fill
from tracerless.synthesize.head import N_CHANNELS, Head, box_shape, head
from tracerless.synthesize.intervals import LEVEL
from tracerless.synthesize.learner import same_every_time
from tracerless.synthesize.material import require_fit
from tracerless.synthesize.output import Output

STRANGE = 1.5
"""A prediction that lies this many times farther from the mean than training people is doubted."""


class Synthesizer(Protocol):
    """Makes synthetic FDG-PET from the MR of one session."""

    @property
    def name(self) -> str:
        """Kind and digest, e.g. ``unet-small:1f2e3d4c5b6a``."""
        ...

    def predict(self, prepared: Prepared, inputs: tuple[Contrast, ...] | None = None) -> Prediction:
        """Synthetic SUVR on the grid of ``prepared``.

        Args:
            prepared: with at least one of T1w, T2w, relative CBF; acquired PET is never looked at.
            inputs: what to look at; None = every MR contrast there is.

        Raises:
            ContrastError: nothing to look at, or a wish that the session cannot meet.
            ModelError: the session failed quality control, or a contrast shows too little brain.
            QuantityError: a contrast without a picture.
            RecipeMismatchError: the session lies in another template space.
            GeometryError: the session lies on another grid than the synthesizer's template.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PopulationMean:
    """The mean SUVR of the training people, whoever is asked about: the baseline to beat."""

    checkpoint: Checkpoint
    output: Output

    @property
    def name(self) -> str:
        """``mean:`` and the digest of the checkpoint."""
        return f"mean:{self.checkpoint.digest[:12]}"

    def predict(self, prepared: Prepared, inputs: tuple[Contrast, ...] | None = None) -> Prediction:
        """The training mean on the session's grid; ``inputs`` are recorded and not looked at.

        Raises:
            ContrastError, ModelError, RecipeMismatchError: as ``Synthesizer.predict``.
        """
        require_fit(prepared, self.checkpoint.template)
        note = "The mean of the training people; it looks at nothing of this session."
        return _prediction(
            self, prepared, choose(prepared, inputs), self.checkpoint.mean, (note,), {}
        )


@dataclass(frozen=True, slots=True, eq=False)
class NetworkSynthesizer:
    """The training mean plus what the network reads from the MR, as far as calibration allows."""

    checkpoint: Checkpoint
    output: Output
    head: Head
    network: nn.Module
    labels: NDArray[np.int16]
    """(I, J, K) the atlas on the network's grid."""

    @property
    def name(self) -> str:
        """Preset and digest of the checkpoint."""
        return self.checkpoint.name

    def predict(self, prepared: Prepared, inputs: tuple[Contrast, ...] | None = None) -> Prediction:
        """Synthetic SUVR on the session's grid; the same bytes every time.

        Raises:
            ContrastError, ModelError, QuantityError, RecipeMismatchError: as
                ``Synthesizer.predict``.
        """
        made = self.checkpoint
        require_fit(prepared, made.template)
        used = self._known(prepared, choose(prepared, inputs))
        seen = channels(
            prepared, used, grid=made.grid, brain=made.brain, normalisation=made.normalisation
        )
        calibration = made.calibration_of(used)
        residual = np.float32(calibration.slope) * (self._raw(seen) - made.mean)
        inside = residual[made.brain & np.isfinite(made.mean)].astype(np.float64)
        deviation_suvr = float(np.sqrt(np.mean(inside**2)))
        facts = {
            "deviation_suvr": round(deviation_suvr, 4),
            "calibration_slope": calibration.slope,
            "held_out_skill": calibration.skill,
            "coverage": {str(c): round(share, 4) for c, share in seen.coverage.items()},
            "trained_on_people": made.n_trained,
            "torch": torch.__version__,
        }
        notes = _notes(made, seen, calibration) + _strange(deviation_suvr, made.residual_suvr)
        predicted = _prediction(self, prepared, used, made.mean + residual, notes, facts)
        return self._bounded(predicted, subset_key(used), residual)

    def _bounded(
        self, prediction: Prediction, key: str, residual: NDArray[np.float32]
    ) -> Prediction:
        """With its intervals, where enough people could show them."""
        found = self.checkpoint.intervals.get(key)
        if found is None:
            note = "Too few people were kept apart to say how wide the error is."
            return replace(prediction, notes=(*prediction.notes, note))
        widths = found.half_widths(self._regional(residual, found.regions))
        voxels = np.float32(found.voxel_factor) * self.checkpoint.voxel_error
        return replace(
            prediction,
            level=LEVEL,
            half_widths=dict(zip(found.regions, map(float, widths), strict=True)),
            half_width=self.output.width(voxels, prediction.volume),
        )

    def _regional(
        self, residual: NDArray[np.float32], regions: tuple[str, ...]
    ) -> NDArray[np.float64]:
        """(R,) mean of the residual in each region, SUVR; 0 where the atlas has no such region."""
        index = {region.key: region.index for region in self.output.atlas.regions}
        seen = self.labels * (self.checkpoint.brain & np.isfinite(residual))
        count = np.bincount(seen.ravel())
        total = np.bincount(seen.ravel(), weights=np.nan_to_num(residual).ravel())
        means = np.zeros(len(regions))
        for place, key in enumerate(regions):
            code = index.get(key, -1)
            if 0 < code < len(count) and count[code]:
                means[place] = total[code] / count[code]
        return means

    def _known(self, prepared: Prepared, chosen: tuple[Contrast, ...]) -> tuple[Contrast, ...]:
        known = tuple(c for c in chosen if c in self.checkpoint.inputs)
        if not known:
            raise ContrastError(
                f"{self.name} learned from {', '.join(self.checkpoint.inputs)}, and of "
                f"{prepared.key} it was offered {', '.join(chosen)}.",
                hint="Offer a contrast that the model knows, or train one with this contrast.",
            )
        return known

    def _raw(self, seen: Channels) -> NDArray[np.float32]:
        """What the network says before calibration, (I, J, K) on its own grid."""
        values = torch.from_numpy(seen.values[(slice(None), *self.head.box)].copy())[None]
        present = torch.tensor([seen.present], dtype=torch.float32)
        with same_every_time(threads=1), torch.no_grad():
            said = self.head.suvr(self.network(self.head.inputs(values, present)))
        suvr = self.checkpoint.mean.copy()
        suvr[self.head.box] = np.where(
            self.checkpoint.brain[self.head.box], said[0].numpy(), suvr[self.head.box]
        )
        return suvr


def synthesizer(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> NetworkSynthesizer:
    """The network of a checkpoint, ready to predict.

    Args:
        checkpoint: trained.
        template: of the checkpoint's space, on the grid of the prepared sessions (not of the
            network): there the reference region is pinned.
        atlas: that holds the reference region, on the same grid.

    Raises:
        RecipeMismatchError: another template, or an atlas without the reference region.
        ModelError: the reference region has no voxel in the checkpoint's brain.
    """
    network = build(
        checkpoint.recipe.network, n_inputs=N_CHANNELS, shape=box_shape(checkpoint.brain)
    )
    network.load_state_dict({n: torch.from_numpy(w.copy()) for n, w in checkpoint.weights.items()})
    network.eval().requires_grad_(requires_grad=False)
    made = head(
        fill(checkpoint.mean), checkpoint.brain, checkpoint.reference_mask, checkpoint.residual_suvr
    )
    output = _output(checkpoint, template, atlas)
    labels = Volume(atlas.labels.astype(np.float32), atlas.grid, Quantity.LABEL, Contrast.UNKNOWN)
    coarse = np.nan_to_num(resample(labels, checkpoint.grid, order=0).array).astype(np.int16)
    return NetworkSynthesizer(checkpoint, output, made, network, coarse)


def mean_predictor(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> PopulationMean:
    """The training mean of a checkpoint behind the same interface; arguments as ``synthesizer``."""
    return PopulationMean(checkpoint, _output(checkpoint, template, atlas))


def _output(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Output:
    if template.key != checkpoint.template:
        raise RecipeMismatchError(
            f"The synthesizer lives in {checkpoint.template}, the template is {template.key}.",
            hint="Load the checkpoint's template (prepare.template).",
        )
    if checkpoint.reference not in atlas.references:
        raise RecipeMismatchError(
            f"The synthesizer predicts uptake over {checkpoint.reference!r}, which atlas "
            f"{atlas.key} does not have.",
            hint=f"Load the atlas it was trained with, {checkpoint.atlas}.",
        )
    return Output(checkpoint.grid, template, atlas, checkpoint.reference)


def _notes(made: Checkpoint, seen: Channels, calibration: Calibration) -> tuple[str, ...]:
    used = [c for c, there in zip(MR_INPUTS, seen.present, strict=True) if there]
    notes = [f"Made without {c}." for c in made.inputs if c not in used]
    notes += [
        f"The {c} shows only {share:.0%} of the brain; the rest was guessed without it."
        for c, share in seen.coverage.items()
        if share < FULL_COVERAGE
    ]
    if calibration.skill is None:
        notes.append("Too few people were held out to calibrate predictions from these inputs.")
    elif calibration.slope == 0:
        notes.append(
            f"From {' and '.join(used)} alone this model knows no more than the mean of its "
            "training people: the volume is that mean."
        )
    if made.training_domain == "simulated":
        notes.append("The model was trained on simulated people only.")
    return tuple(notes)


def _strange(deviation_suvr: float, usual_suvr: float) -> tuple[str, ...]:
    if deviation_suvr <= STRANGE * usual_suvr:
        return ()
    return (
        f"The prediction lies {deviation_suvr:.2f} SUVR from the mean, training people "
        f"{usual_suvr:.2f}: these scans may be unlike any that the model saw.",
    )


def _prediction(
    maker: PopulationMean | NetworkSynthesizer,
    prepared: Prepared,
    used: tuple[Contrast, ...],
    suvr: NDArray[np.float32],
    notes: tuple[str, ...],
    facts: Mapping[str, Any],
) -> Prediction:
    doubts = tuple(f"The prepared session is up for review: {r}" for r in prepared.reasons)
    made = maker.checkpoint
    return Prediction(
        key=prepared.key,
        volume=maker.output.volume(suvr, prepared.grid),
        inputs=used,
        model=maker.name,
        reference=made.reference,
        training_domain=made.training_domain,
        fingerprint=fingerprint(maker.name, prepared.fingerprint, prepared.key, *used),
        notes=(*notes, *doubts),
        provenance={
            "model": maker.name,
            "template": made.template,
            "prepared": prepared.fingerprint,
            **facts,
        },
    )
