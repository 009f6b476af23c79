"""Scans of a cohort as tables of ratios: who was scanned on which machine, and what it showed."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.seeds import generator
from tracerless.simulate.tables_fields import draw_losses, draw_stable, visit
from tracerless.simulate.tables_kernels import REFERENCE, TRACERS, Array
from tracerless.simulate.tables_model import Machine, TableModel, kernel
from tracerless.simulate.tables_traits import Traits
from tracerless.simulate.tables_uptake import Hospital, brains, measured

OWN_REFERENCE: Mapping[str, str] = {"FDG": "pons", "ECD": "cerebellum", "HMPAO": "cerebellum"}
"""Region that each tracer's values are divided by, as recipes do."""

Draws = Callable[[str], np.random.Generator]


def scan_all(
    model: TableModel,
    traits: Traits,
    names: NDArray[np.str_],
    *,
    machines: Mapping[str, Sequence[Machine]],
    retest: float,
    rng: Draws,
) -> dict[str, pd.DataFrame]:
    """Tables of ratios by tracer: first visits of everybody, then retests.

    Args:
        model: constants.
        traits: people.
        names: their pseudonyms.
        machines: of each tracer.
        retest: share of people who are scanned again.
        rng: a generator for each aspect.
    """
    n = len(traits)
    stable = draw_stable(model, n, rng("stable"))
    losses = draw_losses(model, traits, rng("losses"))
    again = np.sort(rng("retest").permutation(n)[: round(retest * n)])
    hospitals = {t: _hospital(model, t, machines[t], n, rng) for t in TRACERS}
    parts: dict[str, list[pd.DataFrame]] = {tracer: [] for tracer in TRACERS}
    levels = _levels(rng)
    for number, rows in (("01", np.arange(n)), ("02", again)):
        if len(rows):
            day = visit(model, stable, n, rng(f"day-{number}"))
            seen = brains(model, traits, day, losses, levels())
            for tracer in TRACERS:
                draws, where = rng(f"scan-{number}-{tracer}"), hospitals[tracer]
                shown = measured(model, seen, tracer=tracer, hospital=where, rng=draws)
                scanner = [where.machines[place].text for place in where.which[rows]]
                head = {"participant": names[rows], "visit": number, "scanner": scanner}
                parts[tracer].append(ratios(model, tracer, shown[rows], head))
    return {tracer: pd.concat(found, ignore_index=True) for tracer, found in parts.items()}


def ratios(
    model: TableModel, tracer: str, shown: Array, head: Mapping[str, object]
) -> pd.DataFrame:
    """(n, M) activities as ratios to the tracer's own reference."""
    own = shown[:, model.measures.index(REFERENCE + OWN_REFERENCE[tracer])]
    table = pd.DataFrame(shown / own[:, None], columns=list(model.measures))
    return pd.concat([pd.DataFrame(head), table], axis=1)


def _levels(rng: Draws) -> Callable[[], np.random.Generator]:
    """Global levels and head size belong to the person: every visit draws the same."""
    return lambda: rng("levels")


def _hospital(
    model: TableModel, tracer: str, machines: Sequence[Machine], n: int, rng: Draws
) -> Hospital:
    """The machines, and everybody's own; what a machine leaves is the same in every cohort."""
    modes = model.loadings["scanner", kernel(tracer)][: len(model.measures)]
    sd = model.settings["machines"]["field_sd"]
    draws = [generator("machine", tracer, each.model) for each in machines]
    fields = np.stack([modes @ each.standard_normal(modes.shape[1]) for each in draws])
    sizes = sd * np.array([each.left for each in machines])[:, None]
    which = rng("where").integers(0, len(machines), n)
    return Hospital(machines, np.exp(sizes * fields), which)


__all__ = ["OWN_REFERENCE", "ratios", "scan_all"]
