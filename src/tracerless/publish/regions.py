"""The region table of a session page: every number as it stands in its region table."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tracerless.core.atlas import Atlas, Region, RoiTable
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.volume import Contrast
from tracerless.publish import texts
from tracerless.publish.against import Against, z_column
from tracerless.publish.markup import cell, cell_zh, measure, row, table, text, zh
from tracerless.publish.plots import Marks, by_lobe, regional_plot

ACQUIRED = (Contrast.FDG, Contrast.ECD, Contrast.HMPAO)
"""Acquired uptake, in the order in which one is chosen to stand beside the synthetic."""

_LOW_COVERAGE = 0.9
_LEAST_COVERAGE = 0.5
"""Flow of a region of which less was seen is not shown: a few voxels are no region."""


@dataclass(frozen=True, slots=True)
class _Column:
    head: tuple[str, str]
    values: pd.Series
    signed: bool = False
    share: bool = False


def require_one_atlas(tables: Mapping[Contrast, RoiTable], atlas: Atlas) -> None:
    """Check that all tables speak of the same regions and that ratios share a denominator.

    Raises:
        RecipeMismatchError: a table is of another atlas, or synthetic and acquired FDG were
            divided by different reference regions.
    """
    for contrast, each in tables.items():
        if each.atlas != atlas.key:
            raise RecipeMismatchError(
                f"The {contrast} table is of atlas {each.atlas!r}, not {atlas.key!r}.",
                hint="Run `tracerless quantify` again with one atlas.",
            )
    pair = [tables[c].reference for c in (Contrast.SYNTHETIC_FDG, Contrast.FDG) if c in tables]
    if len(set(pair)) > 1:
        raise RecipeMismatchError(
            f"Synthetic SUVR is relative to {pair[0]}, acquired to {pair[1]}.",
            hint="Quantify both with one reference region before comparing them.",
        )


def acquired(tables: Mapping[Contrast, RoiTable]) -> RoiTable | None:
    """The table of acquired uptake, if there is one."""
    return next((tables[c] for c in ACQUIRED if c in tables), None)


def region_table(
    tables: Mapping[Contrast, RoiTable],
    atlas: Atlas,
    against: Sequence[Against] = (),
    half_widths: Mapping[str, float] | None = None,
) -> str:
    """All regions grouped by lobe: uptake, z, difference, relative CBF, and coverage of each.

    ``half_widths`` are those of the synthetic PET's intervals, by region key.
    """
    columns = _columns(tables, against, half_widths or {})
    head = [("Region", "腦區"), ("Chinese name", "中文名"), ("Side", "側")]
    head += [column.head for column in columns]
    rows = _rows(atlas, columns, len(head))
    return table(head, rows, key="regions", n_words=3)


def uptake_plot(
    tables: Mapping[Contrast, RoiTable],
    atlas: Atlas,
    training_mean: pd.Series | None,
    half_widths: Mapping[str, float] | None = None,
) -> str:
    """Dots of synthetic and acquired uptake per region; empty when neither was measured."""
    marks = []
    if Contrast.SYNTHETIC_FDG in tables:
        means = tables[Contrast.SYNTHETIC_FDG].means
        marks.append(
            Marks("synthetic (not acquired)", means, "#d1491b", "hollow", half_widths or {})
        )
    measured = acquired(tables)
    if measured is not None:
        name = f"acquired {texts.title(measured.contrast)}"
        marks.append(Marks(name, measured.means, "#17417e", "filled"))
    if training_mean is not None:
        marks.append(Marks("mean of the training people", training_mean, "#6b7280", "tick"))
    if not marks:
        return ""
    shown = tables.get(Contrast.SYNTHETIC_FDG, measured)
    reference = shown.reference if shown is not None else "as trained"
    return regional_plot(atlas, marks, f"SUVR (reference {reference})")


def agreement_line(tables: Mapping[Contrast, RoiTable], training_mean: pd.Series | None) -> str:
    """How far synthetic is from acquired FDG in this person; empty unless both were measured."""
    if not {Contrast.SYNTHETIC_FDG, Contrast.FDG} <= set(tables):
        return ""
    truth = tables[Contrast.FDG].means
    apart = (tables[Contrast.SYNTHETIC_FDG].means - truth).abs().dropna()
    said = (
        f"Mean absolute difference over {len(apart)} regions: {apart.mean():.3f} SUVR "
        f"(largest: {apart.max():.3f})."
    )
    if training_mean is None:
        return said
    plain = (training_mean - truth).abs().dropna()
    return f"{said} Showing the mean of the training people instead: {plain.mean():.3f} SUVR."


def _columns(
    tables: Mapping[Contrast, RoiTable],
    against: Sequence[Against],
    half_widths: Mapping[str, float],
) -> list[_Column]:
    columns = []
    synthetic, measured = tables.get(Contrast.SYNTHETIC_FDG), acquired(tables)
    if synthetic is not None:
        columns.append(_Column(("SUVR synthetic", "人工合成"), synthetic.means))
        if half_widths:
            widths = pd.Series(dict(half_widths), dtype=float)
            columns.append(_Column(("± 90 %", "90 % 區間半寬"), widths))
        columns += _z(against, Contrast.SYNTHETIC_FDG, "z synthetic")
    if measured is not None:
        columns.append(_Column(("SUVR acquired", "實測"), measured.means))
        columns += _z(against, measured.contrast, "z acquired")
    if synthetic is not None and measured is not None:
        apart = synthetic.means - measured.means
        columns.append(_Column(("Difference", "差異"), apart, signed=True))
    uptake = [each.values["coverage"] for each in (synthetic, measured) if each is not None]
    if uptake:
        smallest = pd.concat(uptake, axis=1).min(axis=1)
        columns.append(_Column(("Coverage PET", "涵蓋率"), smallest, share=True))
    if Contrast.CBF in tables:
        flow = tables[Contrast.CBF]
        seen = flow.values["coverage"]
        shown = flow.means.where(seen >= _LEAST_COVERAGE)
        columns.append(_Column(("Relative CBF", "相對腦血流"), shown))
        columns.append(_Column(("Coverage CBF", "涵蓋率"), seen, share=True))
    return columns


def _z(against: Sequence[Against], contrast: Contrast, head: str) -> list[_Column]:
    values = z_column(against, contrast)
    return [] if values is None else [_Column((head, "與常模差距"), values, signed=True)]


def _rows(atlas: Atlas, columns: list[_Column], width: int) -> Iterator[str]:
    for lobe, regions in by_lobe(atlas).items():
        name = f'<td colspan="{width}">{text(lobe)}{zh(texts.LOBES.get(lobe, ""))}</td>'
        yield row([name], kind="lobe")
        for region in regions:
            yield row(_cells(region, columns))


def _cells(region: Region, columns: list[_Column]) -> Iterator[str]:
    yield cell(region.name_en)
    yield cell_zh(region.name_zh)
    yield cell(texts.HEMISPHERES.get(region.hemisphere, region.hemisphere))
    for column in columns:
        value = float(column.values.get(region.key, math.nan))
        yield _share(value) if column.share else measure(value, signed=column.signed)


def _share(value: float) -> str:
    """A coverage cell; red where too little was seen to trust the number beside it."""
    shown = f"{value:.0%}" if math.isfinite(value) else "–"
    return cell(shown, kind="num low" if value < _LOW_COVERAGE else "num", sort=value)
