"""Constants of people without pictures, as one checked, frozen value.

The regional part was derived from the voxel simulator (`tables_physics`); the rest lies in
``data/simulate/tables*`` with its sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.core.recipe import fingerprint
from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.scanners import Scanners
from tracerless.simulate.tables_kernels import TRACERS, Array
from tracerless.simulate.tables_physics import SETS

TABLES = (
    "tables_uptake", "tables_foci", "tables_loadings", "tables_subtypes", "tables_machines",
    "tables_battery",
)  # fmt: skip
"""CSV files below ``data/simulate`` that the model is made from, besides ``tables.toml``."""

SECTIONS = (
    "physics", "informant", "behind", "mimic", "response", "cognition", "domains", "uptake",
    "machines", "course", "exit",
)  # fmt: skip

_TEXTS = {
    "tracer", "measure", "kernel", "disease", "subtype", "field", "foci", "model", "source",
    "code", "tool", "domain", "leak", "latent", "scale",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subtype:
    """One subtype of a disease: its share within the disease, and what it adds."""

    disease: Diagnosis
    name: str
    share: float
    patches: float
    ad_share: float
    asymmetry: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A scanner.

    Args:
        model: maker and model.
        fwhm_mm: resolution.
        noise: coefficient of variation in grey matter.
        background: what is not subtracted of scatter, over the mean of the brain.
        left: size of the smooth factor that scatter and attenuation correction leave; the base
            machine has none.
    """

    model: str
    fwhm_mm: float
    noise: float
    background: float
    left: float = 0.0

    @property
    def text(self) -> str:
        """What the cohort's table calls it."""
        return f"{self.model}, {self.fwhm_mm:.2f} mm"


@dataclass(frozen=True, slots=True, eq=False)
class TableModel:
    """What people without pictures are drawn from.

    Args:
        parameters: of people, as of the voxel simulator.
        alphas: constant of retention by perfusion tracer.
        measures: regions, composites, ``ref_…``, in the order of arrays; SPECT has the head last.
        uptake: by tracer, then column, (M,).
        foci: by set of kernels, (subtypes, M, 2): left and right.
        loadings: by field and set of kernels, (M, modes); both sets of one field share the modes.
        subtypes: in the order of ``foci``.
        machines: by tracer, the base one first.
        battery: one row a score.
        settings: sections of ``tables.toml``.
        fingerprint: of everything above.
    """

    parameters: PeopleParameters
    alphas: Mapping[str, float]
    measures: tuple[str, ...]
    uptake: Mapping[str, Mapping[str, Array]]
    foci: Mapping[str, Array]
    loadings: Mapping[tuple[str, str], Array]
    subtypes: tuple[Subtype, ...]
    machines: Mapping[str, tuple[Machine, ...]]
    battery: pd.DataFrame
    settings: Mapping[str, Any]
    fingerprint: str


def table_model(
    tables: Mapping[str, Any], parameters: PeopleParameters, scanners: Scanners
) -> TableModel:
    """The model that the data files declare.

    Args:
        tables: ``tables`` (nested TOML) and each of ``TABLES`` (rows, text by column).
        parameters: of people.
        scanners: constants of retention.

    Raises:
        RecipeError: a section or its source is missing, or a table does not fit another.
    """
    settings = tables["tables"]
    for name in SECTIONS:
        _require_source(settings.get(name), name)
    frames = {name: _frame(tables[name]) for name in TABLES}
    uptake = frames["tables_uptake"]
    measures = tuple(uptake.loc[uptake["tracer"] == "FDG", "measure"])[:-1]
    subtypes = tuple(_subtype(row) for row in frames["tables_subtypes"].to_dict("records"))
    emission = scanners.emission
    return TableModel(
        parameters=parameters,
        alphas={"ECD": emission.lassen_ecd, "HMPAO": emission.lassen_hmpao},
        measures=measures,
        uptake={tracer: _columns(uptake, tracer) for tracer in TRACERS},
        foci={kind: _foci(frames["tables_foci"], kind, subtypes) for kind in ("FDG", "SPECT")},
        loadings=MappingProxyType(_loadings(frames["tables_loadings"])),
        subtypes=subtypes,
        machines={tracer: _machines(frames["tables_machines"], tracer) for tracer in TRACERS},
        battery=frames["tables_battery"].set_index("code"),
        settings=MappingProxyType({name: settings[name] for name in SECTIONS}),
        fingerprint=fingerprint(
            "tables", parameters.fingerprint, {k: repr(v) for k, v in sorted(tables.items())}
        ),
    )


def moved(machine: Machine, base: Machine, shift: float) -> Machine:
    """A machine that differs from the base one by ``shift`` times what is declared."""
    return Machine(
        machine.model,
        base.fwhm_mm + shift * (machine.fwhm_mm - base.fwhm_mm),
        base.noise + shift * (machine.noise - base.noise),
        base.background + shift * (machine.background - base.background),
        0.0 if machine == base else shift,
    )


def kernel(tracer: str) -> str:
    """Set of kernels that a tracer is seen through: FDG or SPECT."""
    return SETS[tracer]


def _require_source(section: Mapping[str, Any] | None, name: str) -> None:
    if section is None:
        raise RecipeError(f"tables.toml has no section [{name}].")
    parts = [section] if "source" in section or name != "domains" else list(section.values())
    if not all(part.get("source") for part in parts):
        raise RecipeError(f"Section [{name}] does not say where its numbers come from.")


def _frame(rows: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Texts as texts, everything else as numbers; an empty number is NaN."""
    table = pd.DataFrame(rows)
    for name in table.columns:
        if name not in _TEXTS:
            table[name] = pd.to_numeric(table[name].replace("", np.nan))
    return table


def _columns(uptake: pd.DataFrame, tracer: str) -> Mapping[str, Array]:
    rows = uptake[uptake["tracer"] == tracer]
    numbers = [name for name in uptake.columns if name not in _TEXTS]
    return MappingProxyType({name: rows[name].to_numpy(dtype=np.float64) for name in numbers})


def _foci(table: pd.DataFrame, kind: str, subtypes: Sequence[Subtype]) -> Array:
    rows = table[table["kernel"] == kind]
    parts = []
    for each in subtypes:
        own = rows[(rows["disease"] == each.disease) & (rows["subtype"] == each.name)]
        if own.empty:
            raise RecipeError(f"tables_foci.csv has no rows for {each.disease} {each.name}.")
        parts.append(own[["left", "right"]].to_numpy(dtype=np.float64))
    return np.stack(parts)


def _loadings(table: pd.DataFrame) -> dict[tuple[str, str], Array]:
    modes = [name for name in table.columns if name.startswith("m") and name[1:].isdigit()]
    found = {}
    for (field, kind), rows in table.groupby(["field", "kernel"], sort=False):
        values = rows[modes].to_numpy(dtype=np.float64)
        found[str(field), str(kind)] = values[:, ~np.isnan(values).all(axis=0)]
    return found


def _subtype(row: Mapping[Any, Any]) -> Subtype:
    return Subtype(
        Diagnosis(row["disease"]),
        str(row["subtype"]),
        float(row["share"]),
        float(row["patches"]),
        float(row["ad_share"]),
        float(row["asymmetry"]),
    )


def _machines(table: pd.DataFrame, tracer: str) -> tuple[Machine, ...]:
    rows = table[table["tracer"] == tracer]
    numbers = rows[["fwhm_mm", "noise", "background"]].to_numpy(dtype=np.float64)
    return tuple(
        Machine(str(name), *map(float, row))
        for name, row in zip(rows["model"], numbers, strict=True)
    )
