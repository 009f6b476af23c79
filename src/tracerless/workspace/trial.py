"""What an evaluation of synthetic PET works with: people the model never saw, and every rival."""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, QuantityError, did_you_mean
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast, Volume
from tracerless.quantify import sampling
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.material import REFERENCE_TOLERANCE
from tracerless.synthesize.predict import Synthesizer
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import EVALUATION
from tracerless.workspace.training_pairs import pairs

PREFIX = "synthesis-"
"""Of the folder of an evaluation, before the model's name."""
MODEL, MEAN, AGE_SEX, LINEAR = "model", "mean", "age-sex", "linear"
"""Who predicts: the model, and what it has to beat."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An unseen session with acquired FDG.

    Args:
        key: whose, and which visit.
        diagnosis: empty when unknown.
        facts: what a synthesizer may be told of the person.
    """

    key: SessionKey
    diagnosis: str
    facts: PersonFacts

    @property
    def person(self) -> Pseudonym:
        """Whose session."""
        return self.key.person


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """A model, its rivals, and the people on whom they are compared.

    Args:
        name: of the model, as tables call it.
        dataset: that holds the sessions.
        checkpoint: of the model; with ``own``, of one of them.
        synthesizer: of the checkpoint, on the dataset's grid.
        rivals: by name among ``mean``, ``age-sex``, ``linear``; those that there are.
        subjects: none of them seen by the model that predicts them.
        template: on the dataset's grid.
        atlas: on that grid; holds the reference regions.
        domain: ``simulated`` or ``acquired``: where the subjects come from.
        training: dataset that the model learned from, where it is at hand.
        own: of a cross-fitted set: gives model and rivals, by name, that never saw a person.
        notes: sentences that stand beside every number.

    Raises:
        ModelError: no subject, or one that was seen.
    """

    name: str
    dataset: Dataset
    checkpoint: Checkpoint
    synthesizer: Synthesizer
    rivals: Mapping[str, Synthesizer]
    subjects: tuple[Subject, ...]
    template: Template
    atlas: Atlas
    domain: str
    training: Dataset | None = None
    own: Callable[[Pseudonym], Mapping[str, Synthesizer]] | None = None
    notes: tuple[str, ...] = ()
    _last: dict[SessionKey, Prepared] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check once."""
        if not self.subjects:
            raise ModelError(
                "There is nobody to evaluate on.",
                hint="Evaluate on prepared sessions with acquired FDG of people the model never "
                "saw.",
            )
        object.__setattr__(self, "rivals", MappingProxyType(dict(self.rivals)))

    def called(self, by: str) -> str:
        """What tables call who predicts: the model's own name, or the rival's."""
        return self.name if by == MODEL else by

    @property
    def folder(self) -> Path:
        """Where the evaluation lies."""
        return self.dataset.derivatives / EVALUATION / f"{PREFIX}{self.name}"

    @property
    def by(self) -> tuple[str, ...]:
        """Who can predict, the model first."""
        return (MODEL, *self.rivals)

    @functools.cached_property
    def digest(self) -> str:
        """Changes with the models, the subjects, and how any of them was prepared."""
        made = [self.prepared_digest(each) for each in self.subjects]
        who = [f"{each.key} {each.facts}" for each in self.subjects]
        makers = sorted({self.maker(each).name for each in self.subjects}) if self.own else ()
        names = (self.synthesizer.name, *(f"{by} {m.name}" for by, m in self.rivals.items()))
        frame = (self.atlas.fingerprint, self.domain, self.checkpoint.reference)
        return fingerprint(*names, *makers, *frame, *who, *made)

    def prepared(self, subject: Subject) -> Prepared:
        """The session; the last one asked for is kept."""
        if subject.key not in self._last:
            self._last.clear()
            self._last[subject.key] = SessionShelf(self.dataset, subject.key).latest("prepared")
        return self._last[subject.key]

    def maker(self, subject: Subject, by: str = MODEL) -> Synthesizer:
        """Who predicts the subject.

        Raises:
            ModelError: nobody of that name.
        """
        own = {MODEL: self.synthesizer, **self.rivals}
        if self.own is not None:
            own = {**self.own(subject.person)}
        if by not in own:
            raise ModelError(f"No {by!r} predicts here.", hint=did_you_mean(by, self.by))
        return own[by]

    def predict(
        self,
        subject: Subject,
        prepared: Prepared | None = None,
        *,
        inputs: tuple[Contrast, ...] | None = None,
        by: str = MODEL,
    ) -> Prediction:
        """Synthetic FDG of the subject.

        Args:
            subject: whose facts are told to models that ask for them.
            prepared: another session in place of the subject's own (changed on purpose).
            inputs: contrasts to show; None = all that there are.
            by: who predicts, among ``by``.

        Raises:
            ModelError, ContrastError, QuantityError: as ``Synthesizer.predict``.
        """
        session = self.prepared(subject) if prepared is None else prepared
        return self.maker(subject, by).predict(session, inputs, person=subject.facts)

    def require_own(self) -> None:
        """Refuse a model of twins, where what is shown must be the person.

        Raises:
            ModelError: it learned from some diagnoses alone.
        """
        people = self.checkpoint.recipe.people
        if people != "all":
            raise ModelError(
                f"{self.name} learned from {people} alone: it shows a twin, not the person.",
                hint="Name a model that learned from everybody.",
            )

    def truth(self, prepared: Prepared) -> Volume:
        """The acquired FDG of a session.

        Raises:
            ContrastError: it has none.
            QuantityError: it was divided by another region than the model's reference.
        """
        volume = prepared.require(Contrast.FDG)
        seen = volume.array[self.atlas.reference(self.checkpoint.reference)]
        level = float(np.nanmean(seen)) if np.isfinite(seen).any() else float("nan")
        if not abs(level - 1) <= REFERENCE_TOLERANCE:
            raise QuantityError(
                f"The FDG of {prepared.key} has mean {level:.2f} in {self.checkpoint.reference}, "
                "the model's reference region, not 1.",
                hint="Prepare the dataset with the reference region of the model.",
            )
        return volume

    def regions(
        self, volume: Volume, *, atlas: Atlas | None = None, reference: str | None = None
    ) -> NDArray[np.float64]:
        """(R,) mean SUVR of every region; NaN where nothing was seen.

        Args:
            volume: SUVR on the dataset's grid.
            atlas: another one on that grid; None = the trial's.
            reference: another reference region of the trial's atlas to divide by.
        """
        means = sampling.means(volume.array, sampling.places(atlas or self.atlas))
        if reference is None or reference == self.checkpoint.reference:
            return means
        level = volume.array[self.atlas.reference(reference)]
        seen = level[np.isfinite(level)].astype(np.float64)
        return means / seen.mean() if len(seen) and seen.mean() > 0 else means * np.nan

    def limited(self, n: int) -> "Trial":
        """The same over ``n`` of the subjects, taken in turn from every diagnosis."""
        ranks: dict[str, int] = {}
        turns = []
        for place, subject in enumerate(self.subjects):
            ranks[subject.diagnosis] = ranks.get(subject.diagnosis, 0) + 1
            turns.append((ranks[subject.diagnosis], place))
        chosen = sorted(place for _, place in sorted(turns)[:n])
        return replace(self, subjects=tuple(self.subjects[i] for i in chosen))

    def taught(self) -> Iterator[Prepared]:
        """Sessions of people that the checkpoint saw, held out or not; none when not at hand."""
        seen = set(self.checkpoint.people)
        for session in pairs(self.training or self.dataset):
            if person_digest(session.key.person) in seen:
                yield session

    def prepared_digest(self, subject: Subject) -> str:
        """Changes when the session is prepared anew; empty where nothing is kept."""
        record = SessionShelf(self.dataset, subject.key).record("prepared") or {}
        return str(record.get("digest", ""))
