"""Headers become series: grouped, split where one UID holds two things, ordered, and judged."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from tracerless.core.source import Problem, SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.arrange import Stack, arrange, by_geometry
from tracerless.io.dicom_copies import SeriesKey, across, dropped, same_pixels, without_copies
from tracerless.io.header_spool import HeaderSpool
from tracerless.io.headers import Header
from tracerless.io.joining import piece, together
from tracerless.io.series_problems import judged
from tracerless.io.slices import Slice


def group(
    headers: Iterable[Header], truncated: Mapping[SeriesKey, int] | None = None
) -> tuple[SourceSeries, ...]:
    """Every series, by person, study date, study and series number.

    Args:
        headers: of all files, in any order.
        truncated: files of a series that were cut short and left out.
    """
    with HeaderSpool() as spool:
        for each in headers:
            spool.add(each)
        return grouped(spool, truncated or {})[0]


def grouped(
    spool: HeaderSpool, truncated: Mapping[SeriesKey, int]
) -> tuple[tuple[SourceSeries, ...], int]:
    """Every series that a spool of headers holds, and how many files are copies of others."""
    crossing, copies, n_copies = across(spool.shared(), spool.members)
    people = {person: n for n, person in enumerate(dict.fromkeys(key[0] for key in spool))}
    found: dict[SeriesKey, list[SourceSeries]] = {}
    pieces = []
    for key in (key for key in spool if key not in copies):
        parts, n = _parts(spool.members(key), crossing.get(key, []))
        n_cut, is_whole = truncated.get(key, 0), len(parts) == 1
        found[key] = [_series(part, n_cut, is_whole=is_whole) for part in parts]
        n_copies += n
        whole = piece(key, parts[0].members) if len(parts) == 1 else None
        if whole is not None and not _is_useless(parts[0].members[0]):
            pieces.append(whole)
    for keys in together(pieces):
        joined = _joined(spool, keys, [p for key in keys for p in crossing.get(key, [])])
        if joined is not None:
            n_cut = sum(truncated.get(key, 0) for key in keys)
            for key in keys:
                found[key] = [_series(joined, n_cut)] if key == keys[0] else []
    series = sorted(
        (each for many in found.values() for each in many),
        key=lambda s: (people[s.person], s.study_date, s.study, s.series_number, s.contrast),
    )
    return tuple(series), n_copies


def _joined(
    spool: HeaderSpool, keys: Sequence[SeriesKey], crossing: Sequence[Problem]
) -> "_Part | None":
    """The one volume that series form together; None where they do not."""
    members = [each for key in keys for each in spool.members(key)]
    members.sort(key=lambda each: each.series_number)
    parts, _ = _parts(members, crossing)
    stack = parts[0].stack
    if len(parts) > 1 or isinstance(stack, Problem) or len(stack.frames) > 1:
        return None
    if any(each.blocking for each in (*stack.problems, *parts[0].problems)):
        return None
    told = Problem("geometry", f"One volume lay in {len(keys)} series and was joined.")
    return replace(parts[0], problems=(*parts[0].problems, told))


@dataclass(frozen=True, slots=True)
class _Part:
    """Headers that form one series of one contrast and geometry."""

    members: tuple[Header, ...]
    stack: Stack | Problem
    problems: tuple[Problem, ...]


def _parts(members: Sequence[Header], crossing: Sequence[Problem]) -> tuple[list[_Part], int]:
    """The headers of one UID, split by contrast, echo and geometry; and how many were copies."""
    unique, n_copies, problems = without_copies(members)
    problems = [*problems, *crossing, *_whose(unique)]
    by_look: dict[tuple[Contrast, float], list[Header]] = defaultdict(list)
    for each in unique:
        by_look[each.contrast, each.echo_ms].append(each)
    parts = []
    for look in by_look.values():
        geometries = [look] if _is_useless(look[0]) else _geometries(look)
        for geometry in geometries:
            part = _part(geometry, tuple(problems), n_geometries=len(geometries))
            parts += _split_ge_asl(part)
    return parts, n_copies


def _whose(members: Sequence[Header]) -> list[Problem]:
    """Whether the files of one series say that they are of one person."""
    claims = {each.claim for each in members}
    if not any(a.contradicts(b) for a in claims for b in claims):
        return []
    text = "Files of one series name different people (name or birth date)."
    return [Problem("identity", text, blocking=True)]


def _is_useless(header: Header) -> bool:
    """Whether it is known to be of no use here (a localizer, diffusion): nobody mends it."""
    return header.contrast is Contrast.UNKNOWN and not header.ask


def _geometries(members: Sequence[Header]) -> list[list[Header]]:
    """Headers by geometry; a file that holds several cannot be split and stands alone."""
    home: dict[Path, Header] = {each.path: each for each in members}
    scattered = [each for each in members if len(by_geometry(each.slices)) > 1]
    odd = {each.path for each in scattered}
    whole = chain.from_iterable(each.slices[:1] for each in members if each.path not in odd)
    groups = [[home[s.path] for s in geometry] for geometry in by_geometry(whole)]
    unplaced = [each for each in members if not each.slices]
    return [*groups, *([each] for each in scattered), *([unplaced] if unplaced else [])]


def _part(members: Sequence[Header], problems: tuple[Problem, ...], *, n_geometries: int) -> _Part:
    slices = tuple(chain.from_iterable(each.slices for each in members))
    if not slices:
        stack: Stack | Problem = Problem("geometry", "Tiles cannot be laid out.", blocking=True)
    elif len(by_geometry(slices)) > 1:
        text = "One file holds slices of several directions or sizes."
        stack = Problem("geometry", text, blocking=True)
    else:
        stack = arrange(slices)
    if isinstance(stack, Stack) and stack.extra:
        members, stack, more = _without_equals(members, stack)
        problems = (*problems, *more)
    if n_geometries > 1:
        clean = isinstance(stack, Stack) and not stack.problems and stack.shape[2] > 2
        text = f"One series held {n_geometries} geometries and was split."
        problems = (*problems, Problem("geometry", text, blocking=not clean))
    return _Part(tuple(members), stack, problems)


def _without_equals(
    members: Sequence[Header], stack: Stack
) -> tuple[Sequence[Header], Stack | Problem, tuple[Problem, ...]]:
    """Leave out slices whose place, time and pixels repeat another's, if all extra ones do."""
    kept = {_place(each): each for frame in stack.frames for each in frame if each is not None}
    for each in stack.extra:
        twin = kept.get(_place(each))
        if twin is None or not same_pixels(twin.path, each.path):
            return members, stack, ()
    copies = {each.path for each in stack.extra}
    members = [each for each in members if each.path not in copies]
    stack_again = arrange(tuple(chain.from_iterable(each.slices for each in members)))
    return members, stack_again, (dropped(len(copies)),)


def _place(each: Slice) -> tuple[float, ...]:
    return tuple(round(mm, 1) for mm in each.position or ())


def _split_ge_asl(part: _Part) -> list[_Part]:
    """GE writes the ASL difference and then its M0 into one series; nothing but the order tells."""
    first = part.members[0]
    stack = part.stack
    if not (first.is_ge and first.contrast in (Contrast.ASL, Contrast.DELTAM)):
        return [part]
    if isinstance(stack, Problem) or len(stack.frames) != 2:
        return [part]
    halves = []
    looks = (
        (Contrast.DELTAM, "first half of a GE ASL series: the difference"),
        (Contrast.M0, "second half of a GE ASL series: proton density"),
    )
    for frame, (contrast, reason) in zip(stack.frames, looks, strict=True):
        paths = {each.path for each in frame if each is not None}
        members = tuple(
            replace(each, contrast=contrast, reason=reason)
            for each in part.members
            if each.path in paths
        )
        halves.append(replace(part, members=members, stack=replace(stack, frames=(frame,))))
    return halves


def _series(part: _Part, n_truncated: int, *, is_whole: bool = True) -> SourceSeries:
    first = part.members[0]
    problems = list(part.problems)
    if isinstance(part.stack, Problem):
        problems.append(part.stack)
        files = tuple(sorted(each.path for each in part.members))
    else:
        problems += part.stack.problems
        files = _in_order(part.stack)
    if n_truncated:
        problems.append(Problem("truncated", f"{n_truncated} files are cut short and left out."))
    problems += judged(part.members, part.stack, is_whole=is_whole)
    if _is_useless(first):
        problems = []
    reason, _ = Counter(each.reason for each in part.members).most_common(1)[0]
    return SourceSeries(
        files=files,
        contrast=first.contrast,
        reason=reason,
        modality=first.modality,
        sop_class=first.sop_class,
        series_number=first.series_number,
        n_frames=sum(each.n_frames for each in part.members if each.path in set(files)),
        person=first.person,
        study=first.study,
        study_date=first.study_date,
        problems=tuple(problems),
    )


def _in_order(stack: Stack) -> tuple[Path, ...]:
    """Files by place, then time; each once."""
    places = zip(*stack.frames, strict=True)
    return tuple(dict.fromkeys(each.path for place in places for each in place if each is not None))
