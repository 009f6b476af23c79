"""Where a prediction comes from: the record that every synthesizer writes beside its volume."""

from dataclasses import dataclass

import torch

from tracerless.core.cohort import PersonFacts
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast, Volume
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.expected import Expected


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What a prediction is made by.

    Args:
        name: kind and digest, e.g. ``unet-small:1f2e3d4c5b6a``.
        checkpoint: that holds the map and the networks.
        expected: the map that it leaves from.
        backend: that computes the networks; empty where there are none.
    """

    name: str
    checkpoint: Checkpoint
    expected: Expected
    backend: str = ""

    def prediction(
        self,
        prepared: Prepared,
        volume: Volume,
        used: tuple[Contrast, ...],
        person: PersonFacts | None,
    ) -> Prediction:
        """The volume with its record, before anything is said of it.

        Args:
            prepared: the session.
            volume: synthetic SUVR on its grid.
            used: contrasts that were looked at.
            person: what is known besides.

        Raises:
            QuantityError: the volume is not synthetic SUVR.
            ModelError: no contrast.
        """
        made, computed = self.checkpoint, [self.backend] if self.backend else []
        amounts = map(float, self.expected.amounts(person))
        return Prediction(
            key=prepared.key,
            volume=volume,
            inputs=used,
            model=self.name,
            reference=made.reference,
            training_domain=made.training_domain,
            fingerprint=fingerprint(
                self.name, *computed, prepared.fingerprint, prepared.key, *used, *amounts
            ),
            provenance={
                "model": self.name,
                "template": made.template,
                "prepared": prepared.fingerprint,
                "trained_on_people": made.n_trained,
                "learned_from": made.recipe.people,
                **self._computed,
            },
            covariates=self.expected.known(person),
        )

    @property
    def _computed(self) -> dict[str, int | str]:
        if not self.backend:
            return {}
        members = self.checkpoint.members
        return {"members": members, "backend": self.backend, "torch": torch.__version__}
