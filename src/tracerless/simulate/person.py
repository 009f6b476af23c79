"""One simulated person, and what any scanner would find at any point of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import PointMap, Points
from tracerless.simulate.anatomy import Anatomy
from tracerless.simulate.brain import with_wider_sulci
from tracerless.simulate.fields import Field, Stack, sample_stack
from tracerless.simulate.function import Levels, draw_fields, draw_lesions, draw_levels
from tracerless.simulate.ground import Ground, ground, nearest_labels
from tracerless.simulate.identity import Identity, draw_identity, draw_visit
from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.scores import draw_scores
from tracerless.simulate.shape import Shape, draw_shape
from tracerless.simulate.traits import Traits, draw_diagnosis, draw_traits

TISSUES = (
    "grey", "deep_grey", "white", "lesion", "csf", "fat", "muscle", "bone", "air", "eye",
)  # fmt: skip
"""Tissues that a person is made of; at every point their fractions sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What there is at (...) points.

    Args:
        tissues: fraction 0-1 of each of ``TISSUES``, (...) float32; they sum to 1.
        cbf_grey: flow that pure grey matter has there, mL/100 g/min.
        cbf_white: flow that pure white matter has there, mL/100 g/min.
        fdg_grey: FDG that pure grey matter holds there, SUV.
        fdg_white: FDG that pure white matter holds there, SUV.
        transit_s: arterial transit time to grey matter, s.
        t1_factor: multiplies the T1 of every tissue, about 1.
    """

    tissues: Mapping[str, Field]
    cbf_grey: Field
    cbf_white: Field
    fdg_grey: Field
    fdg_white: Field
    transit_s: Field
    t1_factor: Field


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One simulated person; equal seed, head and parameters make an equal person.

    Args:
        key: name of the seed.
        visit_date: day of the scans, ``YYYYMMDD``; the age holds on it.
        traits: diagnosis, age, sex, severities.
        scores: ``MMSE``, ``CASI``, ``CDR``, ``CDRSB`` in points.
        identity: invented; never shown by repr.
        shape: the maps between their head and the base head.
        levels: global flow and metabolism.
        fields: their own smooth fields over the template.
        lesions: share of white matter that is lesion.
        ground: what all people share.
    """

    key: str
    visit_date: str = field(repr=False)
    traits: Traits
    scores: Mapping[str, float]
    identity: Identity = field(repr=False)
    shape: Shape = field(repr=False)
    levels: Levels
    fields: Stack = field(repr=False)
    lesions: Stack = field(repr=False)
    ground: Ground = field(repr=False)

    @property
    def diagnosis(self) -> Diagnosis:
        """What the clinic says."""
        return self.traits.diagnosis

    @property
    def age(self) -> float:
        """Years at the visit."""
        return self.traits.age

    @property
    def sex(self) -> str:
        """``F`` or ``M``."""
        return self.traits.sex

    @property
    def education_years(self) -> float:
        """Completed years of schooling."""
        return self.traits.education_years

    @property
    def severity(self) -> float:
        """Of the pathology, 0 none to 1 full."""
        return self.traits.severity

    @property
    def is_mimic(self) -> bool:
        """Whether a clinical AD or MCI lacks the topography of AD."""
        return self.traits.is_mimic

    @property
    def to_template(self) -> PointMap:
        """Native mm to template mm."""
        return self.shape.to_template

    @property
    def to_native(self) -> PointMap:
        """Template mm to native mm."""
        return self.shape.to_native


def make_person(
    anatomy: Anatomy,
    parameters: PeopleParameters,
    *,
    seed: str,
    diagnosis: Diagnosis | None = None,
) -> Person:
    """The person of that seed; each aspect has random numbers of its own.

    Args:
        anatomy: the base head.
        parameters: what people are drawn from.
        seed: name of the person; the family ``holdout-*`` is never used to tune anything.
        diagnosis: None draws one by the declared prevalences.
    """
    return person_on(ground(anatomy, parameters), seed=seed, diagnosis=diagnosis)


def person_on(base: Ground, *, seed: str, diagnosis: Diagnosis | None = None) -> Person:
    """The person of that seed on a ground that is made already; see ``make_person``."""
    parameters = base.parameters

    def rng(aspect: str) -> np.random.Generator:
        return generator("person", seed, aspect)

    label = diagnosis or draw_diagnosis(parameters, rng("diagnosis"))
    traits = draw_traits(parameters, Diagnosis(label), rng("traits"))
    visit_date = draw_visit(parameters, rng("visit"))
    return Person(
        key=seed,
        visit_date=visit_date,
        traits=traits,
        scores=draw_scores(parameters.scores, traits, rng("scores")),
        identity=draw_identity(parameters, traits, visit_date, rng("identity")),
        shape=draw_shape(base, traits, rng("shape")),
        levels=draw_levels(base, traits, rng("levels")),
        fields=draw_fields(base, traits, rng("fields")),
        lesions=draw_lesions(base, traits, rng("lesions")),
        ground=base,
    )


def sample(person: Person, points: Points) -> Sample:
    """What there is at (..., 3) native mm, linearly interpolated; air beyond the head."""
    return sample_template(person, person.to_template(points))


def sample_template(person: Person, points: Points) -> Sample:
    """What there is at (..., 3) template mm, without the person's shape."""
    base, levels = person.ground, person.levels
    regional = sample_stack(base.levels, points)
    own = sample_stack(person.fields, points)
    tissues = sample_stack(base.tissues, points)
    lesion = sample_stack(person.lesions, points)["lesion"]
    shape = points.shape[:-1]
    return Sample(
        tissues=_thinned(tissues, own["thinning"] * regional["thinning"], lesion),
        cbf_grey=levels.flow_grey * regional["cbf"] * own["cbf"],
        cbf_white=np.broadcast_to(np.float32(levels.flow_white), shape),
        fdg_grey=levels.metabolism_grey * regional["fdg"] * own["fdg"],
        fdg_white=np.broadcast_to(np.float32(levels.metabolism_white), shape),
        transit_s=own["transit_s"],
        t1_factor=own["t1_factor"],
    )


def labels_native(person: Person, grid: Grid) -> NDArray[np.int16]:
    """True Desikan-Killiany and aseg labels on a grid in the person's space, (I, J, K)."""
    return nearest_labels(person.ground.anatomy, person.to_template(points_mm(grid)))


def _thinned(tissues: Mapping[str, Field], thinning: Field, lesion: Field) -> Mapping[str, Field]:
    """Let CSF gain on brain tissue, and turn a share of white matter into lesion."""
    known = with_wider_sulci(tissues, thinning)
    white = known["white"]
    known |= {"white": white * (1 - lesion), "lesion": white * lesion}
    known["air"] = known["air"] + np.maximum(1 - sum(tissues.values()), 0)
    return MappingProxyType({name: known[name] for name in TISSUES})
