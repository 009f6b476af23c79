"""The rivals that look at no MR, behind the interface of every synthesizer."""

from dataclasses import dataclass

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.synthesize.channels import choose
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.expected import Expected
from tracerless.synthesize.material import doubts, require_fit
from tracerless.synthesize.output import Output, output


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A map that no MR was looked at for.

    Args:
        name: kind and digest of the checkpoint.
        checkpoint: that holds the map.
        output: out of its grid.
        expected: the map.
        note: one sentence on what it is.
    """

    name: str
    checkpoint: Checkpoint
    output: Output
    expected: Expected
    note: str

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
            n_samples: a map has none.

        Raises:
            ContrastError, ModelError, RecipeMismatchError: as ``Synthesizer.predict``.
        """
        del n_samples
        made = self.checkpoint
        require_fit(prepared, made.template)
        used, known = choose(prepared, inputs), self.expected.known(person)
        return Prediction(
            key=prepared.key,
            volume=self.output.volume(self.expected.of(person), prepared.grid),
            inputs=used,
            model=self.name,
            reference=made.reference,
            training_domain=made.training_domain,
            fingerprint=fingerprint(
                self.name, prepared.fingerprint, prepared.key, *used,
                *map(float, self.expected.amounts(person)),
            ),
            notes=(self.note, *doubts(prepared)),
            provenance={
                "model": self.name, "template": made.template, "prepared": prepared.fingerprint,
            },
            covariates=known,
        )  # fmt: skip


def mean_predictor(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Baseline:
    """The mean of the training people, whoever is asked about; arguments as ``synthesizer``."""
    return Baseline(
        f"mean:{checkpoint.digest[:12]}",
        checkpoint,
        way_out(checkpoint, template, atlas),
        checkpoint.expected.plain,
        "The mean of the training people; it looks at nothing of this session.",
    )


def covariate_predictor(checkpoint: Checkpoint, template: Template, atlas: Atlas) -> Baseline:
    """What age and sex say, as far as the training people's were known; as ``synthesizer``."""
    names = " and ".join(checkpoint.baseline.names) or "nothing"
    return Baseline(
        f"age-sex:{checkpoint.digest[:12]}",
        checkpoint,
        way_out(checkpoint, template, atlas),
        checkpoint.baseline,
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
