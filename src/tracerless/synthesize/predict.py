"""Synthesizers: a prepared session in, synthetic SUVR on its grid out."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Protocol

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ContrastError
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.synthesize import told
from tracerless.synthesize.answer import Answer, Reader, reader
from tracerless.synthesize.backend import Backend, torch_backend
from tracerless.synthesize.baselines import covariate_predictor, mean_predictor, way_out
from tracerless.synthesize.calibration import subset_key
from tracerless.synthesize.channels import Channels, channels, choose
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.conformal import LEVEL
from tracerless.synthesize.material import doubts, require_fit
from tracerless.synthesize.origin import Origin
from tracerless.synthesize.output import Output
from tracerless.synthesize.texture import Texture, no_samples, texture

__all__ = ["NetworkSynthesizer", "Synthesizer", "covariate_predictor", "mean_predictor",
           "synthesizer"]  # fmt: skip


class Synthesizer(Protocol):
    """Makes synthetic FDG-PET from the MR of one session."""

    @property
    def name(self) -> str:
        """Kind and digest, e.g. ``unet-small:1f2e3d4c5b6a``."""
        ...

    def predict(
        self,
        prepared: Prepared,
        inputs: tuple[Contrast, ...] | None = None,
        person: PersonFacts | None = None,
        n_samples: int = 0,
    ) -> Prediction:
        """Synthetic SUVR on the grid of ``prepared``; the same bytes every time.

        Args:
            prepared: with at least one of T1w, T2w, relative CBF; acquired PET is never looked at.
            inputs: what to look at; None = every MR contrast there is.
            person: what is known of them; looked at only by models that learned from it.
            n_samples: plausible volumes around the mean to make as well.

        Raises:
            ContrastError: nothing to look at, or a wish that the session cannot meet.
            ModelError: the session failed quality control, a contrast shows too little brain, the
                inputs tell no more than the mean, or the model makes no samples.
            QuantityError: a contrast without a picture.
            RecipeMismatchError: the session lies in another template space.
            GeometryError: the session lies on another grid than the synthesizer's template.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NetworkSynthesizer:
    """The expected map plus what the networks read from the MR, as far as calibration allows."""

    name: str
    checkpoint: Checkpoint
    output: Output
    reader: Reader
    texture: Texture | None

    def predict(
        self,
        prepared: Prepared,
        inputs: tuple[Contrast, ...] | None = None,
        person: PersonFacts | None = None,
        n_samples: int = 0,
    ) -> Prediction:
        """Synthetic SUVR on the session's grid; arguments and errors as ``Synthesizer.predict``."""
        made = self.checkpoint
        require_fit(prepared, made.template)
        used = self._known(prepared, choose(prepared, inputs))
        if self._reads:
            told.require_works(made, used)
        seen = channels(
            prepared, used, grid=made.grid, brain=made.brain, normalisation=made.normalisation
        )
        answer = self.reader.read(seen, made.calibration_of(used), person)
        volume = self.output.volume(self.reader.suvr(answer, answer.deviation), prepared.grid)
        origin = Origin(self.name, made, made.expected, self.reader.backend.name)
        plain = origin.prediction(prepared, volume, used, person)
        noted = self._noted(plain, seen, answer, prepared)
        return self._with_samples(self._bounded(noted, answer), answer, n_samples)

    @property
    def _reads(self) -> bool:
        """Whether it looks at MR at all."""
        return self.checkpoint.recipe.network != "none"

    def _known(self, prepared: Prepared, chosen: tuple[Contrast, ...]) -> tuple[Contrast, ...]:
        known = tuple(c for c in chosen if c in self.checkpoint.inputs)
        if not known:
            raise ContrastError(
                f"{self.name} learned from {', '.join(self.checkpoint.inputs)}, and of "
                f"{prepared.key} it was offered {', '.join(chosen)}.",
                hint="Offer a contrast that the model knows, or train one with this contrast.",
            )
        return known

    def _noted(
        self, plain: Prediction, seen: Channels, answer: Answer, prepared: Prepared
    ) -> Prediction:
        """With everything that a reader must know beside it, what matters most first."""
        made, used = self.checkpoint, plain.inputs
        calibration = made.calibration_of(used)
        judged = None
        if made.reach is not None and self._reads:
            box = (slice(None), *self.reader.head.box)
            judged = made.reach.judge(seen.values[box], seen.present)
        reach = told.reach(made, judged, answer.deviation_suvr, self.output.atlas)
        facts = {
            "deviation_suvr": round(answer.deviation_suvr, 4),
            "calibration_slope": calibration.slope,
            "held_out_skill": calibration.skill,
            "coverage": {str(c): round(share, 4) for c, share in seen.coverage.items()},
        }
        notes = (
            *(told.far(made, answer.deviation_suvr) if reach is None else told.reach_notes(reach)),
            *told.notes(made, plain, seen.coverage),
            *doubts(prepared),
        )
        provenance = {**plain.provenance, **facts}
        return replace(plain, reach=reach, notes=notes, provenance=provenance)

    def _bounded(self, prediction: Prediction, answer: Answer) -> Prediction:
        """With its intervals, where enough people could show them."""
        found = self.checkpoint.intervals.get(subset_key(prediction.inputs))
        if found is None:
            return prediction
        by_region = self.reader.regions.means(answer.deviation)
        widths = found.half_widths(by_region, answer.spread_by_region)
        pairs = zip(found.regions, map(float, widths), strict=True)
        named = {region: width for region, width in pairs if isfinite(width)}
        half_width = None
        if found.voxels is not None:
            error = self.reader.widths(answer, found.voxels)
            half_width = self.output.width(error, prediction.volume)
        return replace(prediction, level=LEVEL, half_widths=named, half_width=half_width)

    def _with_samples(self, prediction: Prediction, answer: Answer, n: int) -> Prediction:
        """With plausible volumes around the calibrated mean."""
        if n == 0:
            return prediction
        if self.texture is None:
            raise no_samples(self.checkpoint)
        start = self.reader.boxed(answer.expected)
        drawn = self.texture.around(
            answer.inputs, answer.said, start, n=n, names=(str(prediction.key),)
        )
        deviations = [answer.deviation + self.reader.flat(each) for each in drawn]
        suvr = [self.reader.suvr(answer, each) for each in deviations]
        grid = prediction.volume.grid
        return replace(prediction, samples=tuple(self.output.volume(s, grid) for s in suvr))


def synthesizer(
    checkpoint: Checkpoint, template: Template, atlas: Atlas, *, backend: Backend | None = None
) -> NetworkSynthesizer:
    """The networks of a checkpoint, ready to predict.

    Args:
        checkpoint: trained.
        template: of the checkpoint's space, on the grid of the prepared sessions (not of the
            network): there the reference region is pinned.
        atlas: that holds the reference region, on the same grid.
        backend: that computes the networks; None = torch.

    Raises:
        RecipeMismatchError: another template, or an atlas without the reference region.
        GeometryError: the reference region has no voxel in the checkpoint's brain.
    """
    out = way_out(checkpoint, template, atlas)
    asked = reader(checkpoint, backend or torch_backend(checkpoint))
    return NetworkSynthesizer(
        checkpoint.name, checkpoint, out, asked, texture(checkpoint, asked.head)
    )
