"""What a site knows and its headers do not say: ``site.toml``, rules matched by technical tags.

    [[rule]]
    match = { Manufacturer = "SIEMENS*", Contrast = "asl", MagneticFieldStrength = [2.8, 3.1] }
    set = { PostLabelingDelay = 1.8, LabelingDuration = 1.8 }

    [[rule]]
    match = { Manufacturer = "CPS", Modality = "PT" }
    declare = "FDG"

A rule fits a series when every field of its ``match`` does: a text with ``*`` for anything, a list
for any of several, a number, or two numbers for a range. ``set`` states sidecar fields (`fields`);
``declare`` says what a series shows that its headers leave open. Two rules that state one field
differently for one series are refused. A file holds nothing but technical words: its comments do
not reach a dataset, and a text with a long number in it is refused.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from tracerless.core.errors import ContrastError, QuantityError, RecipeError
from tracerless.core.grid import Grid
from tracerless.core.recipe import fingerprint
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Volume
from tracerless.io import fields
from tracerless.io.site_rules import Rule, require_known, rule_of

NAME = "site.toml"
"""What the file is called in a dataset and beside a simulated hospital."""

_STEPS = {"R": (0, 1.0), "L": (0, -1.0), "A": (1, 1.0), "P": (1, -1.0),
          "S": (2, 1.0), "I": (2, -1.0)}  # fmt: skip
"""Direction: axis of RAS+ and sign."""
_OPPOSITE = str.maketrans("RLAPSI", "LRPAIS")


@dataclass(frozen=True, slots=True)
class Site:
    """The rules of a site, in order; none is the empty site."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The site that a TOML text states.

        Raises:
            RecipeError: no TOML, an unknown key, or a text that is not technical.
            QuantityError: a field that cannot be set, or a value out of its range.
            ContrastError: a declared contrast that does not exist.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"The site file is not valid TOML: {error}.") from None
        require_known("The site file", tables, ("rule",))
        found = tables.get("rule", [])
        if not isinstance(found, list):
            raise RecipeError("The site file has one [rule].", hint="Write [[rule]].")
        return cls(tuple(rule_of(number, table) for number, table in enumerate(found, start=1)))

    def to_toml(self) -> str:
        """TOML that reads back to an equal site; comments of the original are not in it."""
        lines: list[str] = []
        for rule in self.rules:
            lines += ["[[rule]]", f"match = {_inline(rule.match)}"]
            lines += [f"set = {_inline(rule.states)}"] if rule.states else []
            lines += [f"declare = {json.dumps(str(rule.declares))}"] if rule.declares else []
            lines.append("")
        return "\n".join(lines)

    @property
    def digest(self) -> str:
        """Changes with any rule."""
        return fingerprint("site", self.to_toml())

    def declared(self, found: Mapping[str, Any]) -> Contrast | None:
        """What the site says that a series shows; None when no rule says so.

        Args:
            found: sidecar fields of the series.

        Raises:
            ContrastError: two rules disagree.
        """
        said = {r.declares for r in self.rules if r.declares is not None and r.fits(found)}
        if len(said) > 1:
            raise ContrastError(
                f"Rules of the site file declare one series as {' and '.join(sorted(said))}.",
                hint="Narrow the match of one of them.",
            )
        return next(iter(said), None)

    def applied(
        self, series: NativeSeries, technical: Mapping[str, Any] = MappingProxyType({})
    ) -> NativeSeries:
        """The series with every fact there is about it, and the origin of each.

        The site file counts before the header, the header before what was read of it before the
        border. Axes that the site states are taken only where the file itself stores none.

        Args:
            series: as converted.
            technical: fields that were read before the border; None where headers contradicted.

        Raises:
            QuantityError: two rules state one field differently.
        """
        stated = self._stated({**_known(technical), **series.sidecar})
        if "VolumeAxes" in stated and not series.sidecar.get("SideUnverified"):
            del stated["VolumeAxes"]
        sidecar, origins = _merged(series.sidecar, technical, stated)
        axes = str(stated.get("VolumeAxes", ""))
        if axes:
            sidecar.pop("SideUnverified", None)
            origins.pop("SideUnverified", None)
            sidecar["SideDeclared"] = True
        sidecar["ValueOrigins"] = dict(sorted(origins.items()))
        axes = _as_sorted(axes, series.sidecar)
        volumes = tuple(_laid(v, axes) for v in series.volumes) if axes else series.volumes
        return replace(series, volumes=volumes, sidecar=sidecar)

    def _stated(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Every field that rules which fit state."""
        stated: dict[str, Any] = {}
        for number, rule in enumerate(self.rules, start=1):
            if not rule.fits(found):
                continue
            for name, value in rule.states.items():
                if stated.setdefault(name, value) != value:
                    raise QuantityError(
                        f"Rules of the site file set {name} to {stated[name]} and, rule {number}, "
                        f"to {value} for one series.",
                        hint="Narrow the match of one of them.",
                    )
        return stated


def of_rules(tables: Iterable[Mapping[str, Any]]) -> Site:
    """The site of rules as TOML would give them (``match``, ``set``, ``declare``).

    Raises:
        RecipeError: one of them is no rule.
        QuantityError: a value is out of range.
        ContrastError: a declared contrast does not exist.
    """
    return Site(tuple(rule_of(number, table) for number, table in enumerate(tables, start=1)))


def read(path: Path) -> Site:
    """The site that a file states; the empty one where there is no file.

    Raises:
        RecipeError: the file is no site file.
        QuantityError: a value in it is out of range.
        ContrastError: it declares a contrast that does not exist.
    """
    if not path.is_file():
        return Site()
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RecipeError("The site file is not a text in UTF-8.") from None
    return Site.from_toml(text)


def _known(technical: Mapping[str, Any]) -> dict[str, Any]:
    """What was read before the border, as far as it is of fields that we know."""
    return {
        name: value
        for name, value in technical.items()
        if name in fields.FIELDS and value is not None and fields.is_plausible(name, value)
    }


def _merged(
    sidecar: Mapping[str, Any], technical: Mapping[str, Any], stated: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Fields and where each comes from."""
    contradicted = {name for name, value in technical.items() if value is None}
    header = {
        name: each
        for name, each in sidecar.items()
        if name not in contradicted or isinstance(each, list)  # one value a volume is no quarrel
    }
    before = _known(technical)
    merged = {**before, **header, **stated}
    origins = dict.fromkeys(before, "header before the border")
    origins |= {name: "header" for name in header if name in fields.FIELDS}
    origins |= dict.fromkeys(stated, "site file")
    overruled = {
        name: was
        for name, was in {**before, **header}.items()
        if name in stated and was != stated[name]
    }
    if overruled:
        merged["ValuesOverruled"] = overruled
    return merged, origins


def _as_sorted(axes: str, sidecar: Mapping[str, Any]) -> str:
    """Axes of the volume from those of the file, whose frames were sorted against their order."""
    is_against = (sidecar.get("SpacingBetweenSlices") or 0) < 0
    return axes[:-1] + axes[-1:].translate(_OPPOSITE) if is_against else axes


def _laid(volume: Volume, axes: str) -> Volume:
    """The volume with its axes as stated, about its own center."""
    affine, spacing = volume.grid.affine, volume.grid.spacing_mm
    middle = (np.array(volume.grid.shape) - 1) / 2
    center = affine[:3, :3] @ middle + affine[:3, 3]
    laid = np.eye(4)
    laid[:3, :3] = 0
    for column, (letter, step) in enumerate(zip(axes, spacing, strict=True)):
        row, sign = _STEPS[letter]
        laid[row, column] = sign * step
    laid[:3, 3] = center - laid[:3, :3] @ middle
    return replace(volume, grid=Grid(volume.grid.shape, laid))


def _inline(table: Mapping[str, Any]) -> str:
    """A mapping as one inline table of TOML."""
    return "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in table.items()) + " }"
