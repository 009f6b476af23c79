"""What each visit shows by region in every kind of image: what the arms are made of."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless import quantify
from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import TracerlessError
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.io.assessments import plain
from tracerless.io.atomic import write_json, write_text
from tracerless.synthesize.predict import NetworkSynthesizer
from tracerless.workspace.scanners import scanners
from tracerless.workspace.section import Advance
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort
from tracerless.workspace.trial import Subject, Trial

ACQUIRED, SYNTHETIC, VOLUME = "acquired", "synthetic", "volume"
STRUCTURAL = (Contrast.T1W, Contrast.T2W)
WHOLE_BRAIN = "whole_brain"
"""Reference region that T1 and T2 are scaled by; all regions of an atlas that has none."""
_IQR_OF_UNIT_NORMAL = 1.3489795

Columns = Mapping[str, float]
"""By region key; NaN where nothing was seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One visit with everything that an arm may see of it.

    Args:
        key: whose, and which.
        facts: age, sex, diagnosis.
        education_years: NaN where unknown.
        shown: regions by kind: ``T1w``, ``T2w``, ``cbf``, ``volume``, ``synthetic``, ``acquired``.
        scanner: of the MR; empty where unknown.
        pet_scanner: of the acquired FDG; empty where unknown.
        widths: half-widths of the prediction's intervals by region, SUVR; empty with none.
        reach: verdict of the synthesizer on the scans; empty where it gives none.
        maker: name of the synthesizer.
        teachers: ``person_digest`` of everyone whom that synthesizer saw.
    """

    key: SessionKey
    facts: PersonFacts
    education_years: float
    shown: Mapping[str, Columns]
    scanner: str = ""
    pet_scanner: str = ""
    widths: Columns = field(default_factory=dict)
    reach: str = ""
    maker: str = ""
    teachers: frozenset[str] = frozenset()


def shown(prepared: Prepared, synthetic: Volume, atlas: Atlas) -> dict[str, Columns]:
    """Regions of one visit by kind of image, all measured by the same function.

    Args:
        prepared: MR and acquired FDG in template space.
        synthetic: SUVR of the same visit on the same grid.
        atlas: on that grid.

    Returns:
        FDG as SUVR, flow as relative CBF, T1 and T2 as robust z within the brain (what the
        synthesizer sees), ``volume`` as shares of grey matter by region and of each tissue in the
        head, where the T1 was segmented.

    Raises:
        ContrastError: the visit has no acquired FDG.
        GeometryError: volumes and atlas lie on different grids.
    """
    found: dict[str, Columns] = {
        ACQUIRED: _means(prepared.require(Contrast.FDG), atlas),
        SYNTHETIC: _means(synthetic, atlas),
    }
    for contrast in STRUCTURAL:
        if contrast in prepared.volumes:
            found[str(contrast)] = _means(_scaled(prepared.volumes[contrast], atlas), atlas)
    if Contrast.CBF in prepared.volumes:
        found[str(Contrast.CBF)] = _means(prepared.volumes[Contrast.CBF], atlas)
    if prepared.anatomy is not None:
        found[VOLUME] = dict(_volumes(prepared, atlas))
    return found


def _means(volume: Volume, atlas: Atlas) -> Columns:
    table = quantify.table(volume, atlas, reference="", fingerprint="")
    return {str(key): float(value) for key, value in table.means.items()}


def _scaled(volume: Volume, atlas: Atlas) -> Volume:
    """Arbitrary units as distance from the middle of the brain, in its own spread."""
    brain = atlas.references.get(WHOLE_BRAIN, atlas.labels > 0)
    inside = volume.array[brain].astype(np.float64)
    low, middle, high = np.percentile(inside[np.isfinite(inside)], (25, 50, 75))
    spread = max((high - low) / _IQR_OF_UNIT_NORMAL, 1e-9)
    return with_array(volume, ((volume.array - middle) / spread).astype(np.float32))


def _volumes(prepared: Prepared, atlas: Atlas) -> Iterator[tuple[str, float]]:
    """Share of grey matter in each region, and of each tissue among all three."""
    anatomy = prepared.anatomy
    if anatomy is None:
        return
    grey = resample(anatomy.grey, atlas.grid, prepared.to_native)
    yield from _means(with_array(grey, np.nan_to_num(grey.array)), atlas).items()
    tissues = {"grey": anatomy.grey, "white": anatomy.white, "csf": anatomy.csf}
    sums = {name: float(np.nansum(each.array, dtype=np.float64)) for name, each in tissues.items()}
    total = max(sum(sums.values()), 1e-9)
    for name, amount in sums.items():
        yield f"total_{name}", amount / total


FOLDER = "visits-{name}"
"""Under the derivatives: what was predicted for the people of a trial."""
TABLE = "predictions.tsv"
MEANINGS: Mapping[str, str] = {
    "participant_id": "pseudonym",
    "session_id": "visit",
    "diagnosis": "of participants.tsv",
    "model": "the synthesizer, which never saw this person",
    "reach": "whether the scans look like those that it learned from",
    "region": "key of the region",
    "synthetic": "mean of the SYNTHETIC FDG, SUVR",
    "half_width": "of its 90 % interval, SUVR",
    "acquired": "mean of the acquired FDG, SUVR",
}
"""Columns of the table of predictions."""


def visits_of(trial: Trial, advance: Advance | None = None) -> tuple[list[Visit], list[str]]:
    """Every visit of a trial, predicted and measured; and a sentence for each kind of refusal.

    What a stopped run has measured is taken over. The table of predictions is written at the end.
    """
    folder = trial.dataset.derivatives / FOLDER.format(name=trial.name)
    schooling = read_cohort(trial.dataset).table.get("education_years", pd.Series(dtype=float))
    visits: list[Visit] = []
    refused: dict[str, int] = {}
    for done, subject in enumerate(trial.subjects, start=1):
        record = _kept(trial, subject, folder)
        if "refused" in record:
            refused[record["refused"]] = refused.get(record["refused"], 0) + 1
        else:
            years = schooling.get(str(subject.person), float("nan"))
            visits.append(_visit(trial, subject, record, float(years)))
        if advance:
            advance(done, len(trial.subjects), "predict")
    write_predictions(folder, visits)
    return visits, [f"{n} visits were not predicted: {why}" for why, n in sorted(refused.items())]


def write_predictions(folder: Path, visits: Sequence[Visit]) -> Path:
    """One row a visit and region, and what the columns mean; the table's path."""
    rows = [
        (
            f"sub-{visit.key.person}", f"ses-{visit.key.visit}", visit.facts.diagnosis or None,
            visit.maker, visit.reach or None, region, value,
            visit.widths.get(region, float("nan")), visit.shown[ACQUIRED].get(region),
        )
        for visit in visits
        for region, value in visit.shown[SYNTHETIC].items()
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(MEANINGS))
    path = folder / TABLE
    write_json(path.with_suffix(".json"), {"Columns": dict(MEANINGS), "Synthetic": True})
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
    return path


def _kept(trial: Trial, subject: Subject, folder: Path) -> dict[str, Any]:
    """What a visit shows, from an earlier run under the same digest, or measured now."""
    path = folder / "parts" / f"{subject.key}.json"
    made = SessionShelf(trial.dataset, subject.key).record("prepared") or {}
    maker = trial.maker(subject)
    digest = fingerprint(
        "visit", maker.name, str(made.get("digest")), trial.atlas.fingerprint, repr(subject.facts)
    )
    if path.is_file():
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record["digest"] == digest:
            return record
    record = {"digest": digest, "maker": maker.name, **_measured(trial, subject)}
    write_json(path, plain(record))
    return record


def _measured(trial: Trial, subject: Subject) -> dict[str, Any]:
    prepared = trial.prepared(subject)
    try:
        made: Prediction = trial.predict(subject, prepared)
        kinds = shown(prepared, made.volume, trial.atlas)
    except TracerlessError as error:
        return {"refused": error.message.replace(str(subject.key), "the visit")}
    return {
        "shown": kinds,
        "widths": dict(made.half_widths),
        "reach": made.reach.verdict if made.reach else "",
    }


def _visit(
    trial: Trial, subject: Subject, record: Mapping[str, Any], education_years: float
) -> Visit:
    known = scanners(trial.dataset.root, subject.key)
    maker = trial.maker(subject)
    seen = maker.checkpoint if isinstance(maker, NetworkSynthesizer) else trial.checkpoint
    return Visit(
        key=subject.key,
        facts=subject.facts,
        education_years=education_years,
        shown={kind: _numbers(columns) for kind, columns in record["shown"].items()},
        scanner=subject.facts.site,
        pet_scanner=known.get(Contrast.FDG, subject.facts.site),
        widths=_numbers(record["widths"]),
        reach=str(record["reach"]),
        maker=str(record["maker"]),
        teachers=frozenset(seen.people),
    )


def _numbers(columns: Mapping[str, float | None]) -> dict[str, float]:
    return {key: float("nan") if value is None else float(value) for key, value in columns.items()}
