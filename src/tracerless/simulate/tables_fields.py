"""Fields in which people differ, as regional means: what stays, is of the day, or is lost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tracerless.core.cohort import Diagnosis
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import TableModel
from tracerless.simulate.tables_physics import REFERENCE_AGE
from tracerless.simulate.tables_traits import Traits

SETS = ("FDG", "SPECT")
_PATCH_EDGE = 1.7
"""A logistic curve is close to a normal distribution of this many times its scale."""


class Fields:
    """Draws regional means of smooth fields, the same field through both sets of kernels."""

    def __init__(self, model: TableModel, rng: np.random.Generator, n: int) -> None:
        self._model, self._rng, self._n = model, rng, n

    def draw(self, field: str) -> dict[str, Array]:
        """(n, M) by set."""
        modes = self._model.loadings[field, "SPECT"].shape[1]
        scores = self._rng.standard_normal((self._n, modes))
        return {kind: scores @ self._model.loadings[field, kind].T for kind in SETS}

    def within(self, field: str) -> dict[str, Array]:
        """(M,) variance of the field within each measure, which its mean does not show."""
        return {kind: 1 - (self._model.loadings[field, kind] ** 2).sum(axis=1) for kind in SETS}


@dataclass(frozen=True, slots=True, eq=False)
class Stable:
    """Fields of a person that two visits share; (n, M) by set."""

    shared: Mapping[str, Array]
    flow: Mapping[str, Array]
    metabolism: Mapping[str, Array]


def draw_stable(model: TableModel, n: int, rng: np.random.Generator) -> Stable:
    """What makes healthy people differ from one another for good."""
    fields = Fields(model, rng, n)
    return Stable(fields.draw("person"), fields.draw("person"), fields.draw("person"))


def visit(model: TableModel, stable: Stable, n: int, rng: np.random.Generator) -> Stable:
    """What they look like on one day: a part is of the day; the variance stays one."""
    kept = model.settings["uptake"]["reliability"]
    fields = Fields(model, rng, n)

    def of_day(field: Mapping[str, Array]) -> dict[str, Array]:
        today = fields.draw("person")
        return {
            kind: np.sqrt(kept) * field[kind] + np.sqrt(1 - kept) * today[kind] for kind in SETS
        }

    return Stable(of_day(stable.shared), of_day(stable.flow), of_day(stable.metabolism))


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """What disease and age take; (n, M) by set."""

    flow: Mapping[str, Array]
    metabolism: Mapping[str, Array]
    thinning: Mapping[str, Array]


def draw_losses(model: TableModel, traits: Traits, rng: np.random.Generator) -> Losses:
    """The person's own topography of the disease; flow, uptake and anatomy share a part of it."""
    spread, n = model.parameters.covariance, len(traits)
    fields = Fields(model, rng, n)
    texture, patches = fields.draw("topography"), fields.draw("patches")
    within = fields.within("topography")
    own = (spread.flow_own_sd, spread.metabolism_own_sd, spread.atrophy_own_sd)
    sides = (traits.asymmetry, traits.metabolic_asymmetry, traits.asymmetry)
    flow, metabolism, focal = (
        {
            kind: _struck(model, traits.subtype, side, kind)
            * _texture(spread.topography_sd, texture[kind], sd, mine[kind], within[kind])
            for kind in SETS
        }
        for side, sd, mine in zip(sides, own, [fields.draw("topography") for _ in own], strict=True)
    )
    parts = model.parameters
    flow = {k: parts.flow.disease_drop * traits.perfusion[:, None] * v for k, v in flow.items()}
    drop = model.settings["response"]["fdg_loss"] * parts.metabolism.disease_drop
    metabolism = {k: drop * traits.metabolic[:, None] * v for k, v in metabolism.items()}
    flow, metabolism = _with_patches(model, traits, flow, metabolism, patches, fields)
    return Losses(flow, metabolism, _thinning(model, traits, focal, fields, rng))


def _struck(model: TableModel, subtype: NDArray[np.intp], asymmetry: Array, kind: str) -> Array:
    """(n, M) how hard the foci of everybody's subtype strike; AD is added where it lies beside."""
    foci = model.foci[kind]
    typical = next(i for i, each in enumerate(model.subtypes) if each.disease is Diagnosis.AD)
    beside = np.array([each.ad_share for each in model.subtypes])
    foci = foci + beside[:, None, None] * foci[typical]
    lean = np.clip(asymmetry, -0.9, 0.9)[:, None]
    struck: Array = foci[subtype, :, 0] * (1 + lean) + foci[subtype, :, 1] * (1 - lean)
    return struck


def _texture(sd: float, common: Array, own_sd: float, own: Array, within: Array) -> Array:
    """Log-normal factor on a topography; what varies within a measure raises its mean."""
    return np.exp(sd * common + own_sd * own + (sd**2 + own_sd**2) * np.maximum(within, 0) / 2)


def _with_patches(
    model: TableModel,
    traits: Traits,
    flow: dict[str, Array],
    metabolism: dict[str, Array],
    patches: Mapping[str, Array],
    fields: Fields,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Vascular disease: weaker foci, and places of each person's own where arteries failed."""
    about = model.parameters.vascular
    is_vascular = np.array([each.disease is Diagnosis.VAD for each in model.subtypes])
    amount = np.array([each.patches for each in model.subtypes])[traits.subtype] * traits.severity
    rows = is_vascular[traits.subtype][:, None]
    within = fields.within("patches")
    for kind in SETS:
        spread = np.sqrt(np.maximum(within[kind], 0) + (_PATCH_EDGE * about.patch_edge) ** 2)
        share = ndtr((patches[kind] - about.patch_threshold) / spread) * amount[:, None]
        flow[kind] = np.where(
            rows, about.flow_foci * flow[kind] + about.flow_patches * share, flow[kind]
        )
        foci = about.metabolism_foci * metabolism[kind] + about.metabolism_patches * share
        metabolism[kind] = np.where(rows, foci, metabolism[kind])
    return flow, metabolism


def _thinning(
    model: TableModel,
    traits: Traits,
    focal: Mapping[str, Array],
    fields: Fields,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """(n, M) log-odds of CSF beyond the usual control."""
    about = model.parameters.thinning
    person = about.per_year * (traits.age - REFERENCE_AGE) + about.global_per_severity * (
        traits.atrophy
    )
    person = person + rng.normal(0, about.person_sd, len(traits))
    local = fields.draw("thinning")
    struck = about.focal * np.maximum(traits.atrophy, 0)[:, None]
    return {
        kind: person[:, None] + about.local_sd * local[kind] + struck * focal[kind] for kind in SETS
    }


def frontal(model: TableModel) -> dict[str, Array]:
    """(M,) frontal share by set; the whole head stands last among SPECT's."""
    n = len(model.measures)
    return {
        "FDG": model.uptake["FDG"]["frontal"][:n],
        "SPECT": model.uptake["ECD"]["frontal"],
    }
