"""Regional uptake of many people at once, from what the voxel simulator says of regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.simulate.emission import retention
from tracerless.simulate.tables_fields import SETS, Losses, Stable, frontal
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import Machine, TableModel, kernel
from tracerless.simulate.tables_physics import REFERENCE_AGE
from tracerless.simulate.tables_traits import Traits

_LARGEST_LOSS = 0.8
_LEAST = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Brains:
    """What scanners would find in n people: everything that stays between two visits, and levels.

    Args:
        flow, uptake: by set of kernels, (n, M) factor on regional flow and metabolism.
        thinning: by set, (n, M) log-odds of CSF beyond the usual.
        white_ratio: (n,) of FDG.
        level: (n,) metabolism of grey matter over its usual level.
        enlarged: (n,) template mm a mm.
    """

    flow: Mapping[str, Array]
    uptake: Mapping[str, Array]
    thinning: Mapping[str, Array]
    white_ratio: Array
    level: Array
    enlarged: Array


def brains(
    model: TableModel, traits: Traits, day: Stable, losses: Losses, rng: np.random.Generator
) -> Brains:
    """What there is to be seen in everybody."""
    parts, spread = model.parameters, model.parameters.covariance
    years, share_frontal = traits.age - REFERENCE_AGE, frontal(model)
    n = len(traits)
    flow, uptake = {}, {}
    for kind in SETS:
        aged = parts.flow.frontal_log_per_year * years[:, None] * share_frontal[kind]
        log_flow = spread.shared_sd * day.shared[kind] + spread.flow_sd * day.flow[kind] + aged
        flow[kind] = np.exp(log_flow) * (1 - np.clip(losses.flow[kind], 0, _LARGEST_LOSS))
        share = 1 + parts.metabolism.frontal_excess * share_frontal[kind]
        log_uptake = (
            spread.shared_into_metabolism * spread.shared_sd * day.shared[kind]
            + spread.metabolism_sd * day.metabolism[kind]
            + parts.metabolism.log_per_year * years[:, None] * share
        )
        kept = 1 - np.clip(losses.metabolism[kind], 0, _LARGEST_LOSS)
        uptake[kind] = np.exp(log_uptake) * kept
    flow_log = rng.normal(0, parts.flow.log_sd, n)
    own = rng.normal(0, parts.metabolism.log_sd, n)
    shape = parts.shape
    size = np.where(traits.sex == "F", shape.size_women, shape.size_men)
    return Brains(
        flow=flow,
        uptake=uptake,
        thinning=losses.thinning,
        white_ratio=rng.normal(parts.metabolism.white_ratio, parts.metabolism.white_ratio_sd, n),
        level=np.exp(parts.metabolism.share_of_flow_level * flow_log + own),
        enlarged=np.exp(rng.normal(0, shape.size_sd, n)) / size,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Hospital:
    """The machines of one tracer.

    Args:
        machines: the base one first.
        left: (machines, M) what each leaves uncorrected, as a factor.
        which: (n,) everybody's machine.
    """

    machines: Sequence[Machine]
    left: Array
    which: NDArray[np.intp]

    def of_person(self, name: str) -> Array:
        """(n,) a setting of everybody's machine."""
        return np.array([getattr(each, name) for each in self.machines])[self.which]


def measured(
    model: TableModel,
    seen: Brains,
    *,
    tracer: str,
    hospital: Hospital,
    rng: np.random.Generator,
) -> Array:
    """(n, M) activity in every measure, as each person's machine shows it; any unit.

    Args:
        model: regional constants.
        seen: people.
        tracer: one of `tables_kernels.TRACERS`.
        hospital: who is scanned where.
        rng: of noise and registration.
    """
    parts = _parts(model, seen, tracer, _wider(model, seen, tracer, hospital.of_person("fwhm_mm")))
    total = parts["grey"] + parts["white"] + parts["other"]
    whole = total[:, model.measures.index("ref_whole_brain")]
    total = total + (hospital.of_person("background") * whole)[:, None]
    errors = _errors(model, tracer, hospital, rng)
    return np.maximum(total * hospital.left[hospital.which] * (1 + errors), _LEAST)


def _parts(model: TableModel, seen: Brains, tracer: str, wider: Array) -> dict[str, Array]:
    """Contributions of grey, white and everything else, (n, M) each."""
    kind, n = kernel(tracer), len(model.measures)
    about = {name: values[:n] for name, values in model.uptake[tracer].items()}
    thin = np.clip(seen.thinning[kind][:, :n], -2.0, 3.5)
    share = {
        name: np.maximum(about[name] + wider * about[f"{name}_per_mm"], 0.0)
        for name in ("grey", "white", "other")
    }
    for name in ("grey", "white"):
        slope = about[f"{name}_thin1"] * thin + about[f"{name}_thin2"] * thin**2
        share[name] = share[name] * np.exp(slope)
    share["other"] = share["other"] * np.maximum(1 + about["other_thin1"] * thin, 0.2)
    if tracer == "FDG":
        return {
            "grey": share["grey"] * seen.uptake[kind][:, :n] * seen.level[:, None],
            "white": share["white"] * (seen.white_ratio * seen.level)[:, None],
            "other": share["other"],
        }
    return _perfusion(model, seen, tracer, share)


def _perfusion(
    model: TableModel, seen: Brains, tracer: str, share: Mapping[str, Array]
) -> dict[str, Array]:
    """Retention saturates; it is relative to the person's own mean flow of grey matter."""
    n, alpha = len(model.measures), model.alphas[tracer]
    usual = model.uptake[tracer]["flow"][:n]
    own = seen.flow["SPECT"]
    head = own[:, -1:]
    flow = model.parameters.flow
    white = flow.white / flow.grey / model.uptake[tracer]["flow"][-1]
    return {
        "grey": share["grey"] * _kept(usual * own[:, :n] / head, alpha) / _kept(usual, alpha),
        "white": share["white"] * _kept(white / head, alpha),
        "other": share["other"],
    }


def _kept(flow: Array, alpha: float) -> Array:
    kept: Array = np.asarray(retention(flow, alpha))  # type: ignore[arg-type]
    return kept


def _wider(model: TableModel, seen: Brains, tracer: str, fwhm_mm: Array) -> Array:
    """(n, 1) mm by which a picture is wider than at the base resolution, template mm."""
    about = model.settings["physics"]
    kind = kernel(tracer).lower()
    between = about[f"interpolation_fwhm_{kind}"]
    found = np.sqrt((fwhm_mm * seen.enlarged) ** 2 + between**2)
    return np.asarray(found - about[f"{kind}_fwhm_mm"])[:, None]


def _errors(model: TableModel, tracer: str, hospital: Hospital, rng: np.random.Generator) -> Array:
    """(n, M) relative errors of image noise and registration."""
    kind, n = kernel(tracer), len(hospital.which)
    off = model.settings["uptake"][f"residual_mm_{kind.lower()}"]
    noise = hospital.of_person("noise")[:, None]
    total = np.zeros((n, len(model.measures)))
    for field, size in (("grain", noise), ("residual", off)):
        modes = model.loadings[field, kind]
        total = total + size * (rng.standard_normal((n, modes.shape[1])) @ modes.T)
    return total
