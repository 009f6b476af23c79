"""What stays outside the dataset, and why: ``quarantine.json``, without identifiers.

A series is known again by its digest: once it is mended and crosses, its entry goes; entries of
series that a batch does not hold stay.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tracerless.core.source import SourceSeries
from tracerless.io.atomic import write_json
from tracerless.workspace.ingest_values import Named

FILE = "quarantine.json"

UNKNOWN, WITHDRAWN = "unknown-contrast", "withdrawn"

NOBODY_MENDS = (UNKNOWN, WITHDRAWN)
"""Kinds that are as they should be; the others wait for somebody who mends them."""


def why_outside(series: SourceSeries) -> tuple[str, str] | None:
    """Why a series may not even be tried: (kind, sentence); None when it may."""
    blocking = [problem for problem in series.problems if problem.blocking]
    if blocking:
        return blocking[0].kind, " ".join(problem.text for problem in blocking)
    if series.contrast == "unknown":
        return UNKNOWN, series.reason
    return None


def entry(named: Named, session: str, kind: str, reason: str) -> dict[str, Any]:
    """One series that stays outside."""
    series = named.series
    return {
        "identity": named.identity,
        "session": session,
        "series_number": series.series_number,
        "contrast": str(series.contrast),
        "modality": series.modality,
        "n_files": len(series.files),
        "kind": kind,
        "reason": reason,
    }


def write(
    root: Path,
    entries: Iterable[Mapping[str, Any]],
    *,
    seen: Iterable[str],
    files: Mapping[str, int],
    notes: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write what stays outside.

    Args:
        root: of the dataset.
        entries: of this batch.
        seen: identities of every series in this batch; older entries of these go.
        files: how many files of this batch belong to no series, by kind.
        notes: what crossed and should be looked into; those of earlier batches stay.
    """
    path = root / FILE
    seen = set(seen)
    older = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = [each for each in older.get("series", ()) if each["identity"] not in seen]
    series = sorted([*kept, *entries], key=lambda each: (each["session"], each["identity"]))
    noted = {json.dumps(each, sort_keys=True) for each in [*older.get("notes", ()), *notes]}
    content = {
        "series": series,
        "files_of_last_batch": dict(sorted(files.items())),
        "notes": [json.loads(each) for each in sorted(noted)],
    }
    write_json(path, content)


def counts(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many series stay outside, by kind."""
    return dict(sorted(Counter(str(each["kind"]) for each in entries).items()))
