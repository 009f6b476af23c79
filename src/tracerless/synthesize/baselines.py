"""The rivals that look at no MR, behind the interface of every synthesizer."""

from dataclasses import dataclass, replace

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.synthesize.channels import choose
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.material import doubts, require_fit
from tracerless.synthesize.origin import Origin
from tracerless.synthesize.output import Output, output
from tracerless.synthesize.told import taught


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A map that no MR was looked at for.

    Args:
        origin: the checkpoint, and which of its maps.
        output: out of its grid.
        note: one sentence on what it is.
    """

    origin: Origin
    output: Output
    note: str

    @property
    def name(self) -> str:
        """Kind and digest of the checkpoint."""
        return self.origin.name

    def predict(
        self,
        prepared: Prepared,
        inputs: tuple[Contrast, ...] | None = None,
        person: PersonFacts | None = None,
        n_samples: int = 0,
    ) -> Prediction:
        """The map on the session's grid; ``inputs`` are recorded and not looked at.

        Args:
            prepared: where the map goes.
            inputs: recorded.
            person: looked at where the map knows of age and sex.
            n_samples: a map has none; only 0 can be had.

        Raises:
            ContrastError, ModelError, RecipeMismatchError: as ``Synthesizer.predict``.
        """
        made = self.origin.checkpoint
        require_fit(prepared, made.template)
        if n_samples:
            raise ModelError(f"{self.name} is a map: it makes no samples.", hint="Ask for none.")
        used = choose(prepared, inputs)
        volume = self.output.volume(self.origin.expected.of(person), prepared.grid)
        plain = self.origin.prediction(prepared, volume, used, person)
        return replace(plain, notes=(self.note, *taught(made), *doubts(prepared)))


def mean_predictor(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Baseline:
    """The mean of the training people, whoever is asked about; arguments as ``synthesizer``."""
    return Baseline(
        Origin(f"mean:{checkpoint.digest[:12]}", checkpoint, checkpoint.expected.plain),
        way_out(checkpoint, template, atlas),
        "The mean of the training people; it looks at nothing of this session.",
    )


def covariate_predictor(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Baseline:
    """What age and sex say, as far as the training people's were known; as ``synthesizer``."""
    names = " and ".join(checkpoint.baseline.names) or "nothing"
    return Baseline(
        Origin(f"age-sex:{checkpoint.digest[:12]}", checkpoint, checkpoint.baseline),
        way_out(checkpoint, template, atlas),
        f"What {names} say of the training people's mean; it looks at no MR.",
    )


def way_out(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Output:
    """Out of a checkpoint's grid.

    Raises:
        RecipeMismatchError: another template, or an atlas without the reference region.
    """
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
    return output(checkpoint.grid, template, atlas, checkpoint.reference)
