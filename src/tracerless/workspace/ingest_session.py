"""One visit crosses: every series is staged, looked at, and only then do all take their places."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tracerless.deidentify import Refusal
from tracerless.io.atomic import disk_errors, flush_all
from tracerless.io.bids import session_folder
from tracerless.workspace import ingest_face, ingest_pixels
from tracerless.workspace.ingest_series import (
    SIDECAR,
    add_to_record,
    discard,
    folder_of,
    n_files,
    record_of,
    said,
    stage,
    unchanged,
)
from tracerless.workspace.ingest_values import Border, Crossing, SessionWork


def stage_session(work: SessionWork, border: Border) -> list[Crossing]:
    """What becomes of the series of one visit; those written now wait for their places.

    Raises:
        StorageError: the disk refused; nothing that waits is left.
    """
    session = session_folder(border.sourcedata, work.key)
    staged: list[Crossing] = []
    with disk_errors(border.sourcedata):
        there = _there(work, border)
        face, again = ingest_face.before(session, _present(session, work, there))
        there = {name: each for name, each in there.items() if name not in again}
        taken = [each.folder for each in there.values() if each.folder]
        try:
            for named in (each for each in work.series if each.identity not in there):
                folder = folder_of(named, work.key, border, taken)
                taken.append(folder)
                staged.append(_screened(stage(named, work.key, border, folder), border))
            if border.profile.faces == "remove":
                staged = ingest_face.without_faces(staged, session, face)
            for each in staged:
                if each.staging is not None:
                    add_to_record(each.staging, said(each.staging))
                    flush_all(each.staging)
        except BaseException:
            discard(staged)
            raise
    return [*there.values(), *staged]


def refused(crossing: Crossing, refusal: Refusal) -> Crossing:
    """A staged series that stays outside after all."""
    discard([crossing])
    return Crossing(crossing.named, refusal=refusal)


def _present(session: Path, work: SessionWork, there: Iterable[str]) -> set[str]:
    """Identities of the session's series that are whole and not about to be written again."""
    folders = [path.parent for path in session.glob(f"*/{SIDECAR}")]
    records = ((record_of(folder), n_files(folder)) for folder in folders)
    whole = {str(r.get("identity")) for r, n in records if r.get("n_instances") == n}
    return whole - ({each.identity for each in work.series} - set(there))


def _there(work: SessionWork, border: Border) -> dict[str, Crossing]:
    """Series that are over the border already, by identity."""
    found: dict[str, Crossing] = {}
    taken: list[Path] = []
    for named in work.series:
        folder = folder_of(named, work.key, border, taken)
        taken.append(folder)
        sources = work.sources.get(named.identity, "")
        crossing = unchanged(named, folder, border, sources)
        if crossing is not None:
            found[named.identity] = crossing
    return found


def _screened(crossing: Crossing, border: Border) -> Crossing:
    """The staged series without text in its pixels."""
    if crossing.staging is None:
        return crossing
    found = ingest_pixels.cleaned(crossing.staging, border.profile.pixels)
    if isinstance(found, Refusal):
        return refused(crossing, found)
    if not found:
        return crossing
    files = crossing.named.series.files
    if len(crossing.facts) != len(files) or crossing.is_unrolled:
        return refused(crossing, Refusal("burned_in", "Text lies in the pixels of a mosaic."))
    add_to_record(crossing.staging, {"cleaned_boxes": [list(each) for each in found]})
    return replace(crossing, facts=ingest_pixels.facts_again(files, crossing.facts, found))
