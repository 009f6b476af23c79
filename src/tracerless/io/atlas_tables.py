"""Region tables: which labels make a region. Those of this package, and a user's own.

A table of a user's own is a TSV with the columns ``index``, ``name``, ``group``, ``hemisphere`` and
``labels``, and where wanted ``name_zh``, ``outside_z_mm`` and ``inside_z_mm``.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tracerless.core.atlas import Region
from tracerless.core.errors import RecipeError, did_you_mean

REQUIRED = ("index", "name", "group", "hemisphere", "labels")
OPTIONAL = ("name_zh", "outside_z_mm", "inside_z_mm")

SIDES: Mapping[str, str] = {"L": "_left", "R": "_right", "B": ""}
"""How the key of a region ends, by hemisphere."""

_MOST_INDEX = 32767
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_TAKEN = re.compile(
    r"(participant_id|session_id|contrast|quantity|atlas|reference|pvc|absolute_.*|qc|flags"
    r"|fingerprint|meta_.*|AI_.*|ref_.*)\Z"
)
"""Names that are columns of the cohort table already."""

Band = tuple[float, float]
"""Lowest and highest z, RAS+ mm."""


@dataclass(frozen=True, slots=True)
class Row:
    """A region, the labels it is merged from, and the band of z that it is cut by."""

    region: Region
    labels: tuple[int, ...]
    outside_z_mm: Band | None
    inside_z_mm: Band | None

    @property
    def where(self) -> tuple[Band | None, Band | None]:
        """Which part of its labels it takes."""
        return self.outside_z_mm, self.inside_z_mm


def preset_rows(text: str) -> tuple[Row, ...]:
    """The rows of a table of this package."""
    return tuple(_preset_row(cells) for cells in _cells(text))


def user_rows(text: str, known: frozenset[int]) -> tuple[Row, ...]:
    """The rows of a user's table, checked.

    Args:
        text: the TSV.
        known: labels that the label volume holds.

    Raises:
        RecipeError: a column is missing or unknown, a cell cannot be used, or two regions share a
            name, an index or a label. The message names the line.
    """
    cells = _cells(text)
    _require_columns(cells)
    rows = []
    for line, each in enumerate(cells, start=2):
        try:
            rows.append(_user_row(each, known))
        except RecipeError as error:
            error.add_note(f"line {line} of the region table")
            raise
    _require_apart(rows)
    return tuple(rows)


def _cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def _preset_row(cells: Mapping[str, str]) -> Row:
    names = ("hemisphere", "lobe", "name_en", "name_zh")
    region = Region(cells["key"], int(cells["index"]), *(cells[name] for name in names))
    return Row(region, _labels(cells), _band(cells, "outside_z_mm"), _band(cells, "inside_z_mm"))


def _require_columns(cells: list[dict[str, str]]) -> None:
    if not cells:
        raise RecipeError(
            "The region table holds no region.",
            hint=f"Write one row a region, under the columns {', '.join(REQUIRED)}.",
        )
    have = [name for name in cells[0] if name is not None]
    missing = [name for name in REQUIRED if name not in have]
    if missing:
        raise RecipeError(
            f"The region table lacks the column {missing[0]!r}; it has {', '.join(have)}.",
            hint=f"Separate columns by tabs and name them {', '.join(REQUIRED)}.",
        )
    unknown = [name for name in have if name not in (*REQUIRED, *OPTIONAL)]
    if unknown:
        raise RecipeError(
            f"The region table has an unknown column {unknown[0]!r}.",
            hint=did_you_mean(unknown[0], (*REQUIRED, *OPTIONAL)),
        )


def _user_row(cells: Mapping[str, str | None], known: frozenset[int]) -> Row:
    if None in cells.values() or None in cells:
        raise RecipeError(
            "A row of the region table has not as many cells as the table has columns.",
            hint="Separate cells by one tab each; leave an optional cell empty.",
        )
    full = {name: (text or "").strip() for name, text in cells.items()}
    labels = _labels(full)
    strange = [label for label in labels if label not in known]
    if strange:
        raise RecipeError(
            f"The label volume has no label {strange[0]}.",
            hint="Use Desikan-Killiany and aseg labels: 10xx left, 20xx right, 17 hippocampus.",
        )
    key = _key(full["name"], full["hemisphere"])
    told = key.replace("_", " ")
    region = Region(
        key,
        _index(full["index"]),
        full["hemisphere"],
        full["group"],
        told,
        full.get("name_zh") or told,
    )
    return Row(region, labels, _band(full, "outside_z_mm"), _band(full, "inside_z_mm"))


def _key(name: str, hemisphere: str) -> str:
    """The name, ending in its side."""
    if hemisphere not in SIDES:
        raise RecipeError(
            f"hemisphere={hemisphere!r} is not L, R or B.", hint="Write B for both sides."
        )
    if not _NAME.match(name):
        raise RecipeError(
            f"name={name!r} is not made of letters, digits and underscores.",
            hint="Start with a letter, such as dorsolateral_frontal.",
        )
    if _TAKEN.match(name):
        raise RecipeError(
            f"name={name!r} is a column of the cohort table.", hint="Choose another name."
        )
    side = next((end for end in ("_left", "_right") if name.endswith(end)), "")
    if side and side != SIDES[hemisphere]:
        raise RecipeError(
            f"name={name!r} says another side than hemisphere={hemisphere!r}.",
            hint="Leave the side out of the name, or mend the hemisphere.",
        )
    return name if side else name + SIDES[hemisphere]


def _index(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_INDEX:
        raise RecipeError(f"index={text!r} is not a whole number of 1-{_MOST_INDEX}.")
    return int(text)


def _labels(cells: Mapping[str, str]) -> tuple[int, ...]:
    text = cells["labels"]
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise RecipeError(
            f"labels={text!r} are not whole numbers.", hint="Separate them by commas: 1012,1014."
        )
    return tuple(int(part) for part in parts)


def _band(cells: Mapping[str, str], name: str) -> Band | None:
    text = cells.get(name) or ""
    if not text:
        return None
    low, _, high = text.partition(":")
    try:
        band = float(low), float(high)
    except ValueError:
        raise RecipeError(
            f"{name}={text!r} is not a band of heights.", hint="Write low:high in mm, -46:-22."
        ) from None
    if not band[0] < band[1]:
        raise RecipeError(f"{name}={text!r} does not rise.", hint="Write the lower end first.")
    return band


def _require_apart(rows: list[Row]) -> None:
    """No name, index or label stands for two regions; bands may part a label."""
    owner: dict[tuple[str, object], str] = {}
    for row in rows:
        key = row.region.key
        marks = [("name", key), ("index", row.region.index)]
        marks += [("label", (label, row.where)) for label in row.labels]
        marks += [("label", label) for label in row.labels if row.where == (None, None)]
        for what, value in marks:
            if (what, value) in owner:
                shown = value[0] if isinstance(value, tuple) else value
                raise RecipeError(
                    f"{key} and {owner[what, value]} share the {what} {shown}.",
                    hint="Give each region labels, an index and a name of its own.",
                )
            owner[what, value] = key
