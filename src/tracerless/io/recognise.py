"""What headers leave open, settled by the site file or the pixels, and what pixels contradict.

Headers decide first (`contrast`). Where they do not know, the site file may declare what a series
shows. Where it says nothing either, the pixels are looked at: what they make likely counts; what
they only let guess is told, and a person declares it. Nothing overrules a header that does know; a
series whose pixels cannot be what its header says carries that as a doubt.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tracerless.core.errors import TracerlessError
from tracerless.core.session import NativeSeries
from tracerless.core.source import Problem, SourceSeries
from tracerless.core.volume import Contrast, Quantity
from tracerless.io import dicom_read, look, pixels, sidecar
from tracerless.io.contrast import confidence
from tracerless.io.dicom_scan import Inventory
from tracerless.io.facts import Fact, facts
from tracerless.io.look import Look
from tracerless.io.site import Site, of_rules
from tracerless.io.site_rules import is_technical
from tracerless.io.suv_note import Judge

MOST_BYTES = 256 * 2**20
"""Files of a series that together are larger are not looked at."""
M0_BRIGHTNESS = {1: 0.9, 2: 1.5}
"""By its number of volumes: how many times brighter than control and label of its sequence M0 is at
least. One volume of an unsuppressed sequence is as bright; two may be a control and a label."""
M0_PAIR, M0_STEP = 2, 0.03
"""Two volumes of M0 that differ by more than this share may be a control and a label: those of a
real series so named differ by 6 %."""

_STRUCTURAL = (Contrast.T1W, Contrast.T2W, Contrast.FLAIR)
_KIND = ("te", "flip", "acquisition", "sequence", "sequence_name")
"""Facts that an M0 shares with its ASL series."""
_FIRST_HALF, _SECOND_HALF = "first half of a GE ASL", "second half of a GE ASL"
"""How reasons begin of a series that was split by order: GE stores the difference first, scaled so
that it stays fainter than M0."""
_PLAIN = "proton density weighted"
"""How the table calls an M0 without a name."""

_DRAFTED = ("Manufacturer", "ManufacturersModelName", "Modality", "TracerRadionuclide",
            "SequenceName")  # fmt: skip
"""What a drafted rule asks for."""

_log = logging.getLogger(__name__)


def recognized(inventory: Inventory, site: Site) -> Inventory:
    """The inventory with every series settled that the site file or the pixels can settle.

    Raises:
        ContrastError: two rules of the site file declare one series differently.
    """
    series = [_settled(each, site) if _is_open(each) else each for each in inventory.series]
    return replace(inventory, series=tuple(_with_halves(_with_m0(series))))


def summary(inventory: Inventory) -> dict[str, Any]:
    """What the inventory says of itself, of each series how sure its contrast is, and drafts.

    ``rules`` are drafts for a site file, one for each kind of series that is still open.
    """
    told = inventory.summary()
    for row in told["series"]:
        row["confidence"] = confidence(Contrast(row["contrast"]), row["reason"])
    drafts = (_draft(each) for each in inventory.series if _is_open(each))
    told["rules"] = list(dict.fromkeys(draft for draft in drafts if draft))
    return told


def _draft(series: SourceSeries) -> str:
    """A rule that would fit the series, with what it declares left to a person."""
    header = _header(series)
    if header is None:
        return ""
    asked = _asked(header)
    match = {name: asked[name] for name in _DRAFTED if is_technical(asked.get(name))}
    site = of_rules([{"match": match, "declare": str(Contrast.FDG)}])
    return site.to_toml().replace(f'"{Contrast.FDG}"', '"..."').strip()


def _asked(header: Dataset) -> dict[str, Any]:
    """What a rule may ask of a header that does not know what it shows."""
    fields = sidecar.of_series(header, Contrast.UNKNOWN, Quantity.SIGNAL)
    nuclide = next(iter(_words(facts(header)["nuclide"])), "")
    if nuclide not in {"", "NONE", "OTHER"}:
        fields["TracerRadionuclide"] = nuclide
    return fields


def native_series(
    files: Sequence[Path],
    contrast: Contrast,
    technical: Mapping[str, Any],
    site: Site,
    *,
    suv: Judge | None = None,
) -> NativeSeries:
    """A converted series with all facts about it, and a doubt where its pixels say otherwise.

    Args:
        files: of one series.
        contrast: what it shows, decided before.
        technical: fields that were read before the border.
        site: what the site states.
        suv: judges SUV from a PET header (`pixels.load`).

    Raises:
        DicomError: the pixels cannot be read.
        GeometryError: the slices form no stack.
        QuantityError: two rules of the site file state one field differently.
    """
    series = site.applied(pixels.load(files, contrast, suv=suv), technical)
    against = _against(series)
    if not against:
        return series
    doubt = f"The header says {contrast}, but {against}."
    return replace(series, sidecar={**series.sidecar, "ContrastDoubt": doubt})


def _against(series: NativeSeries) -> str:
    """What the voxels say against the contrast; empty where nothing."""
    if series.contrast is Contrast.M0 and len(series.volumes) == M0_PAIR:
        first, second = (look.brightness(volume) for volume in series.volumes)
        step = abs(first - second) / max(first, second, 1e-6)
        return f"its two volumes differ by {step:.0%}, as control and label do" * bool(
            step > M0_STEP
        )
    if series.contrast not in _STRUCTURAL:
        return ""
    found = look.look(series.volumes)
    return found.reason * look.contradicts(found, series.contrast)


def _is_open(series: SourceSeries) -> bool:
    """Whether headers do not know what it shows, and somebody should say."""
    return any(each.kind == "unknown" for each in series.problems)


def _settled(series: SourceSeries, site: Site) -> SourceSeries:
    header = _header(series)
    if header is None:
        return series
    declared = site.declared(_asked(header))
    if declared is not None:
        return _as(series, declared, "declared by the site file")
    found = _look(series)
    if found.confidence == "likely":
        return _as(series, found.candidates[0], f"likely by its pixels: {found.reason}")
    return _told(series, found)


def _as(series: SourceSeries, contrast: Contrast, reason: str) -> SourceSeries:
    """The series as that contrast, no longer open."""
    rest = tuple(each for each in series.problems if each.kind != "unknown")
    return replace(series, contrast=contrast, reason=reason, problems=rest)


def _told(series: SourceSeries, found: Look) -> SourceSeries:
    """The series still open, with what its pixels look like and the next move."""
    seen = f" It looks like {' or '.join(found.candidates)}: {found.reason}." * bool(
        found.candidates
    )
    more = f"{seen} Declare it in a site file (--site)."
    problems = tuple(
        Problem(each.kind, each.text + more, blocking=each.blocking)
        if each.kind == "unknown"
        else each
        for each in series.problems
    )
    return replace(series, problems=problems)


def _look(series: SourceSeries) -> Look:
    if series.modality != "MR":
        return Look()
    volumes = _loaded(series)
    return look.look(volumes.volumes) if volumes is not None else Look()


def _loaded(series: SourceSeries) -> NativeSeries | None:
    """The volumes, or None where they are too large or cannot be read."""
    try:
        if sum(path.stat().st_size for path in series.files) > MOST_BYTES:
            return None
        return pixels.load(series.files, Contrast.UNKNOWN)
    except (TracerlessError, OSError) as error:
        _log.debug("A series could not be looked at (%s).", type(error).__name__)
        return None


def _with_m0(series: Sequence[SourceSeries]) -> list[SourceSeries]:
    """The same, where short series that are the M0 of an ASL series beside them say so."""
    settled = list(series)
    studies: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, each in enumerate(series):
        may_be = each.contrast is Contrast.ASL or _is_open(each) or each.reason == _PLAIN
        if each.modality == "MR" and may_be:
            studies[each.person, each.study].append(place)
    for places in studies.values():
        members = {place: series[place] for place in places}
        for place in _m0_among(members):
            reason = "likely by its pixels: one sequence with the ASL beside it, too few for pairs"
            settled[place] = _as(series[place], Contrast.M0, reason)
    return settled


def _with_halves(series: Sequence[SourceSeries]) -> list[SourceSeries]:
    """The same, where the halves of a GE labeling series were taken the wrong way around."""
    settled = list(series)
    for place, (one, two) in enumerate(pairwise(series)):
        is_split = one.reason.startswith(_FIRST_HALF) and two.reason.startswith(_SECOND_HALF)
        halves = {(each.person, each.study, each.series_number) for each in (one, two)}
        if not is_split or len(halves) > 1:
            continue
        first, second = _loaded(one), _loaded(two)
        if first is None or second is None:
            continue
        if look.brightness(first.volumes[0]) > look.brightness(second.volumes[0]):
            reason = "likely by its pixels: the brighter half of a GE ASL series"
            settled[place] = _as(one, Contrast.M0, reason)
            settled[place + 1] = _as(two, Contrast.DELTAM, reason.replace("brighter", "fainter"))
    return settled


def _m0_among(members: Mapping[int, SourceSeries]) -> Iterator[int]:
    """Places of the series of one study that are the M0 of another one."""
    asl = [place for place, each in members.items() if each.contrast is Contrast.ASL]
    if not asl or len(members) == 1:
        return
    kinds = {place: _kind(each) for place, each in members.items()}
    alike = [p for p in members if any(kinds[p] == kinds[q] for q in asl if q != p)]
    loaded = {place: _loaded(members[place]) for place in {*alike, *asl}} if alike else {}
    read = {place: native for place, native in loaded.items() if native is not None}
    for place in sorted(read):
        beside = (read[q] for q in asl if q in read and q != place and kinds[q] == kinds[place])
        if any(_is_m0_of(read[place], native) for native in beside):
            yield place


def _is_m0_of(one: NativeSeries, asl: NativeSeries) -> bool:
    """Whether the first has volumes too few for pairs, and bright enough, on one grid."""
    least = M0_BRIGHTNESS.get(len(one.volumes))
    if least is None or len(asl.volumes) <= max(M0_BRIGHTNESS) or one.grid != asl.grid:
        return False
    levels = [look.brightness(native.volumes[-1]) for native in (one, asl)]
    return bool(levels[0] > least * levels[1])


def _kind(series: SourceSeries) -> tuple[object, ...]:
    """What an M0 shares with its ASL series; of an unreadable file, something of its own."""
    header = _header(series)
    if header is None:
        return (series.files[0],)
    found = facts(header)
    kind = found["type"]
    is_derived = isinstance(kind, tuple) and "DERIVED" in kind
    return (is_derived, *(found[name] for name in _KIND))


def _words(found: Fact) -> tuple[str, ...]:
    return found if isinstance(found, tuple) else ()


def _header(series: SourceSeries) -> Dataset | None:
    found = dicom_read.read(series.files[0])
    return None if isinstance(found, dicom_read.Rejection) else found
