"""Regional uptake of people without pictures: constants derived from the voxel simulator's physics.

Writes nothing: `bench/tables.py` writes what is found here into ``data/simulate/tables_*.csv``.
What is left out: white-matter lesions, head shape beyond size, cuts of the field of view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import Diagnosis
from tracerless.simulate.anatomy import Anatomy
from tracerless.simulate.emission import retention
from tracerless.simulate.fields import Field, axes_mm, blur
from tracerless.simulate.ground import FIELD_GRID, ground
from tracerless.simulate.parameters import Focus, PeopleParameters
from tracerless.simulate.scanners import Scanners
from tracerless.simulate.tables_kernels import (
    HEAD,
    TRACERS,
    Array,
    Kernels,
    Matter,
    alphas,
    grey_of,
    grey_signal,
    head_flow,
    kernels,
    matter,
    on_grid,
    other_signal,
    sums,
    usual_thinning,
    white_signal,
)

REFERENCE_AGE = 70.0
"""Age of the usual control, years."""

SETS = MappingProxyType({"FDG": "FDG", "ECD": "SPECT", "HMPAO": "SPECT"})
"""Which set of kernels a tracer is seen through."""

_STEPS = (-1.5, 1.5, 3.0)
"""Log-odds of CSF beyond the usual, at which partial volume is looked at."""

_WIDER_MM = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Physics:
    """A usual control seen through two resolutions.

    Args:
        parameters: of people.
        scanners: constants of uptake.
        anatomy: base head.
        usual: the control at ``REFERENCE_AGE``.
        seen: kernels by set, at the base resolution.
        wider: the same, ``_WIDER_MM`` wider.
        thinner: the control with sulci at each of ``_STEPS``.
    """

    parameters: PeopleParameters
    scanners: Scanners
    anatomy: Anatomy
    usual: Matter
    seen: Mapping[str, Kernels]
    wider: Mapping[str, Kernels]
    thinner: tuple[Matter, ...]


def physics(
    anatomy: Anatomy,
    parameters: PeopleParameters,
    scanners: Scanners,
    atlas: Atlas,
    *,
    fwhm_mm: Mapping[str, float],
) -> Physics:
    """Everything that the tables are derived from.

    Args:
        anatomy: the base head.
        parameters: of people.
        scanners: constants of uptake.
        atlas: on a 2 mm grid.
        fwhm_mm: base resolution of ``FDG`` and ``SPECT`` in template mm, interpolation included.
    """
    base = ground(anatomy, parameters)
    at = usual_thinning(parameters, REFERENCE_AGE)
    return Physics(
        parameters=parameters,
        scanners=scanners,
        anatomy=anatomy,
        usual=matter(base, atlas.grid, at),
        seen={name: kernels(atlas, mm) for name, mm in fwhm_mm.items()},
        wider={name: kernels(atlas, mm + _WIDER_MM) for name, mm in fwhm_mm.items()},
        thinner=tuple(matter(base, atlas.grid, at + step) for step in _STEPS),
    )


def uptake_table(made: Physics) -> pd.DataFrame:
    """What each measure consists of, one row a tracer and measure.

    Columns: ``grey``, ``white`` (share of white matter under the kernel), ``other``: contributions
    in the usual control; ``flow`` relative flow of the grey matter seen; ``frontal`` its frontal
    share; ``…_thin1``, ``…_thin2`` change of the logarithm a log-odds of CSF and its square
    (``other`` linear); ``…_per_mm`` change a mm of resolution.
    """
    frames = [_uptake(made, tracer) for tracer in TRACERS]
    return pd.concat(frames, ignore_index=True)


def _uptake(made: Physics, tracer: str) -> pd.DataFrame:
    seen, wider = made.seen[SETS[tracer]], made.wider[SETS[tracer]]
    usual = _parts(made, made.usual, tracer)
    weights = grey_weights(made, tracer)
    frontal = on_grid(_frontal(), seen.grid)
    flow = made.usual.level["cbf"] / np.float32(head_flow(made.usual))
    columns: dict[str, Array] = {name: sums(seen.blurred, usual[name]) for name in usual}
    columns |= {"flow": sums(weights, flow), "frontal": sums(weights, frontal)}
    thinner = [_parts(made, each, tracer) for each in made.thinner]
    for name in usual:
        ratios = [sums(seen.blurred, each[name]) / columns[name] for each in thinner]
        columns |= _curve(name, ratios)
        wide = sums(wider.blurred, usual[name])
        columns[f"{name}_per_mm"] = (wide - columns[name]) / _WIDER_MM
    table = pd.DataFrame({"tracer": tracer, "measure": seen.names, **columns})
    return pd.concat([table, _head_row(made, tracer)], ignore_index=True)


def _head_row(made: Physics, tracer: str) -> pd.DataFrame:
    """The whole head's grey matter: its flow over that of mean cortex, and its frontal share."""
    frontal = sums(_head_weights(made, tracer)[None], on_grid(_frontal(), made.seen["FDG"].grid))
    flow = head_flow(made.usual)
    return pd.DataFrame({"tracer": tracer, "measure": [HEAD], "flow": [flow], "frontal": frontal})


def _parts(made: Physics, found: Matter, tracer: str) -> dict[str, Field]:
    """Activity by what it comes from, (I, J, K) each; levels are those of the usual control."""
    signal = grey_signal(made.usual, tracer, made.scanners)
    return {
        "grey": grey_of(found.tissues) * signal,
        "white": found.tissues["white"],
        "other": other_signal(found.tissues, tracer, made.parameters, made.scanners),
    }


def _curve(name: str, ratios: Sequence[Array]) -> dict[str, Array]:
    """Least squares of log ratio (grey, white) or ratio (other) against log-odds, through 0."""
    steps = np.array(_STEPS)
    if name == "other":
        change = np.stack(ratios) - 1
        return {f"{name}_thin1": steps @ change / (steps @ steps)}
    design = np.stack([steps, steps**2], axis=1)
    found = np.linalg.lstsq(design, np.log(np.stack(ratios)), rcond=None)[0]
    return {f"{name}_thin1": found[0], f"{name}_thin2": found[1]}


def grey_weights(made: Physics, tracer: str) -> NDArray[np.float32]:
    """(M, I, J, K) share that every point's grey matter has in a measure; each sums to 1."""
    signal = grey_of(made.usual.tissues) * grey_signal(made.usual, tracer, made.scanners)
    weights = made.seen[SETS[tracer]].blurred * signal
    shares: NDArray[np.float32] = weights / weights.sum(axis=(1, 2, 3), keepdims=True)
    return shares


def _head_weights(made: Physics, tracer: str) -> NDArray[np.float32]:
    level = made.usual.level["fdg" if tracer == "FDG" else "cbf"]
    weights = grey_of(made.usual.tissues) * level
    shares: NDArray[np.float32] = weights / weights.sum()
    return shares


def set_weights(made: Physics, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Names and grey weights of a set of kernels; ``SPECT`` has the whole head at its end."""
    tracer = "FDG" if kind == "FDG" else "ECD"
    names, weights = made.seen[kind].names, grey_weights(made, tracer)
    if kind == "FDG":
        return names, weights
    return (*names, HEAD), np.concatenate([weights, _head_weights(made, tracer)[None]])


def foci_table(made: Physics, subtypes: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """How hard each subtype strikes the grey matter that a measure sees, at full severity.

    Columns: ``kernel`` (FDG, SPECT), ``disease``, ``subtype``, ``measure``, ``left``, ``right``:
    what the foci of either side bring, 0 to about 1.

    Args:
        made: what is seen.
        subtypes: rows of ``tables_subtypes.csv``.
    """
    sets = {kind: set_weights(made, kind) for kind in ("FDG", "SPECT")}
    frames = []
    for row in subtypes:
        left, right = _struck(made, row)
        for kind, (names, weights) in sets.items():
            found = {"left": sums(weights, left), "right": sums(weights, right)}
            head = {"kernel": kind, "disease": row["disease"], "subtype": row["subtype"]}
            frames.append(pd.DataFrame({**head, "measure": names, **found}))
    return pd.concat(frames, ignore_index=True)


def _struck(made: Physics, row: Mapping[str, str]) -> tuple[Field, Field]:
    """The pattern of a subtype where the left, and where the right focus is the stronger."""
    disease = Diagnosis(row["disease"])
    factors = [float(text) for text in row["foci"].split()]
    known = made.parameters.diseases[disease]
    foci = tuple(
        Focus(focus.center_mm, focus.radius_mm, focus.weight * factor)
        for focus, factor in zip(known.foci, factors, strict=True)
    )
    changed = replace(
        made.parameters, diseases={**made.parameters.diseases, disease: replace(known, foci=foci)}
    )
    left, right = ground(made.anatomy, changed).foci[disease]
    grid = made.seen["FDG"].grid
    return on_grid(left * (left >= right), grid), on_grid(right * (right > left), grid)


def _frontal() -> Field:
    """1 in the frontal lobe, 0 behind and below it: where age takes more, as in `function`."""
    _, y, z = axes_mm(FIELD_GRID)
    height = 1 / (1 + np.exp(-(y - 5) / 8.0))
    shape: Field = (height * (z > -20) * np.ones(FIELD_GRID.shape)).astype(np.float32)
    return shape


def blocks(weights: NDArray[np.float32], size: int = 3) -> NDArray[np.float64]:
    """(M, I, J, K) weights summed over blocks of ``size`` voxels, last ones filled with 0."""
    pad = [(0, 0), *((0, -n % size) for n in weights.shape[1:])]
    padded = np.pad(weights, pad).astype(np.float64)
    shape = [len(weights), *(n for full in padded.shape[1:] for n in (full // size, size))]
    return np.asarray(padded.reshape(shape).sum(axis=(2, 4, 6)))


def activity(made: Physics, kind: str) -> Field:
    """Activity of the usual control at the base resolution, (I, J, K), any unit."""
    tracer = "FDG" if kind == "FDG" else "ECD"
    parts = _parts(made, made.usual, tracer)
    white = white_signal(tracer, made.parameters)
    if tracer != "FDG":
        flow = np.array([white / head_flow(made.usual)], dtype=np.float32)
        white = float(retention(flow, alphas(made.scanners)[tracer])[0])
    total = parts["grey"] + np.float32(white) * parts["white"] + parts["other"]
    return blur(total, made.seen[kind].grid, made.seen[kind].fwhm_mm)
