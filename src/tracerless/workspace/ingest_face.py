"""Faces of a session's series, and what is known of the face for series that come later.

``face.json`` in the session's folder holds numbers alone. It is written before any series takes its
place and names the series that were handled together: a command that was killed in between finds
some of them missing, handles all of them again with what was known before, and so comes to the
same bytes.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracerless.deidentify import Refusal
from tracerless.io.atomic import write_bytes, write_text
from tracerless.workspace.ingest_series import add_to_record, discard
from tracerless.workspace.ingest_values import Crossing

FILE, PICTURE = "face.json", "face.png"

Known = Mapping[str, Any] | None
"""Plain numbers of a known face."""


def before(session: Path, present: Iterable[str]) -> tuple[Known, frozenset[str]]:
    """What is known of the face, and the series that have to be handled again with it.

    Args:
        session: folder of the session.
        present: identities of its series that are whole, unchanged and in their places.
    """
    record = _read(session)
    together = frozenset(record.get("together", ()))
    if together <= set(present):
        return record.get("known"), frozenset()
    return record.get("before"), together


def without_faces(staged: Sequence[Crossing], session: Path, known: Known) -> list[Crossing]:
    """The staged series of a session without its person's face, or refused.

    Args:
        staged: series that wait for their places, and refused ones.
        session: folder of the session.
        known: of an earlier batch.
    """
    from tracerless.workspace import deface_session as faces  # noqa: PLC0415 - heavy

    waiting = [each for each in staged if each.staging is not None]
    if not waiting:
        return list(staged)
    face = faces.KnownFace.from_plain(known) if known else None
    outcome = faces.deface(
        [
            faces.StagedSeries(each.staging, each.named.series.contrast)
            for each in waiting
            if each.staging is not None
        ],
        known=face,
    )
    verdicts = dict(zip((each.named.identity for each in waiting), outcome.series, strict=True))
    done = [_judged(each, verdicts.get(each.named.identity)) for each in staged]
    together = sorted(each.named.identity for each in done if each.staging is not None)
    record = {
        "known": outcome.known.plain() if outcome.known else None,
        "before": known,
        "together": together,
        "outcome": outcome.summary(),
    }
    if outcome.picture:
        write_bytes(session / PICTURE, outcome.picture)
    write_text(session / FILE, json.dumps(record, sort_keys=True) + "\n")
    return done


def _judged(crossing: Crossing, verdict: Any) -> Crossing:
    """A staged series after its face was looked for."""
    if verdict is None or crossing.staging is None:
        return crossing
    if verdict.verdict == "refused":
        discard([crossing])
        return Crossing(crossing.named, refusal=Refusal("face", verdict.reason))
    numbers = {
        "verdict": verdict.verdict,
        "n_voxels": verdict.n_voxels,
        "brain_touched": None if math.isnan(verdict.brain_touched) else verdict.brain_touched,
        "placed": verdict.placed,
    }
    is_changed = verdict.verdict == "defaced"
    add_to_record(crossing.staging, {"defaced": is_changed, "face": numbers})
    return crossing


def _read(session: Path) -> Mapping[str, Any]:
    path = session / FILE
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return record if isinstance(record, dict) else {}
