"""What describes the derivatives of a dataset as a whole, and which sessions a model may see.

``describe`` makes the folder a BIDS dataset of its own: description with versions and settings,
quality of every session, the atlas, and the names that BIDS does not know. What lies beside one
session is written by ``accompany`` (`workspace.companions`).
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tracerless import __version__
from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import bids, bids_rules, nifti, resources
from tracerless.io.atomic import write_json, write_text
from tracerless.prepare.quality import LIMITS
from tracerless.workspace.companions import (
    LOOKUP,
    accompany,
    lookup,
    prediction_of,
    sheet_of,
    tsv,
)
from tracerless.workspace.dataset import BIDS_VERSION, DESCRIPTION, Dataset
from tracerless.workspace.provenance import provenance
from tracerless.workspace.shelf import SessionShelf

__all__ = ["QC_SUMMARY", "accompany", "describe", "failed", "prediction_of", "sheet_of"]

QC_SUMMARY = "desc-qc_summary"
"""Stem of the table that says of every session whether it may be used."""

README = """\
# Derivatives by tracerless

Volumes in template space (`space-…_res-…`), tissues and regions in the T1's space (`space-T1w`),
maps between both (`_xfm`), regional numbers (`_kinpar.tsv`, `_cbf.tsv`, `_desc-regions_…`), and a
contact sheet of every session (`_desc-contact_qc.png`). `desc-qc_summary.tsv` says which sessions
may be used. Files whose names hold `desc-synth` are synthetic: predicted from MR, never acquired;
`desc-synthwidth` is the half-width of their interval, `desc-synthsample…` plausible volumes around
them, from which no number may be taken. Their sidecars say whether the model may speak of these
scans (`Reach`) and what else it looked at (`CovariatesUsed`). Research use only.
"""


def failed(dataset: Dataset) -> tuple[SessionKey, ...]:
    """Prepared sessions that failed quality control, and that no model or norm may see."""
    records = {key: SessionShelf(dataset, key).record("prepared") for key in dataset.sessions()}
    return tuple(key for key, each in records.items() if each and each["verdict"] == "fail")


def describe(dataset: Dataset) -> None:
    """Describe the derivatives as a whole: once, after all sessions of a command.

    Raises:
        StorageError: the disk refused.
    """
    root = dataset.derivatives
    if not root.is_dir():
        return
    _ignore(dataset)
    write_text(root / ".bidsignore", bids_rules.DERIVED_IGNORE)
    write_text(root / "README.md", README)
    rows = list(_quality_rows(dataset))
    _write_quality(dataset, rows)
    _write_atlas(dataset)
    made = provenance(dataset)
    hashes = sorted({row["pipeline_hash"] for row in rows} - {"n/a"})
    description = {
        "Name": "Brain scans in template space, regional numbers and their quality",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {"Name": "tracerless", "Version": __version__, "Description": "Research use only."}
        ],
        "DatasetLinks": {bids.RAW: "../.."},
        "PipelineHash": hashes,
        "Template": made["template"],
        "Atlas": made["atlas"],
        "Settings": made["settings"],
        "Software": made["software"],
        "Seed": made["seed"],
        "Threads": made["threads"],
    }
    write_json(root / DESCRIPTION, description)


def _ignore(dataset: Dataset) -> None:
    """Name in the dataset's ``.bidsignore`` what BIDS does not know; lines of others stay."""
    path = dataset.root / ".bidsignore"
    there = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    missing = [line for line in bids_rules.RAW_IGNORE.splitlines() if line not in there]
    if missing:
        write_text(path, "\n".join((*there, *missing, "")))


def _write_atlas(dataset: Dataset) -> None:
    recipe = dataset.recipe.prepare
    atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root)
    stem = bids.atlas_stem(dataset.derivatives, recipe.template, atlas.key, recipe.voxel_mm)
    volume = Volume(atlas.labels.astype(np.float32), atlas.grid, Quantity.LABEL, Contrast.UNKNOWN)
    extra = {
        "Resolution": f"{recipe.voxel_mm:g} mm isotropic",
        "Atlas": atlas.key,
        "Fingerprint": atlas.fingerprint,
        **LOOKUP,
    }
    path = stem.with_name(stem.name + ".nii.gz")
    beside = nifti.read_sidecar(path) if nifti.is_complete(path) else {}
    if beside.get("Fingerprint") != atlas.fingerprint:
        nifti.write_volume(path, volume, space=recipe.template, extra=extra)
        write_text(stem.with_name(stem.name + ".tsv"), tsv(lookup(atlas)))


def _quality_rows(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for key in dataset.sessions():
        record = SessionShelf(dataset, key).record("prepared")
        row = {"participant_id": f"sub-{key.person}", "session_id": f"ses-{key.visit}"}
        if record is None:
            told = dataset.derivatives / "problems" / f"{key}_desc-prepare.json"
            if told.is_file():
                problem = json.loads(told.read_text(encoding="utf-8"))["problem"]
                yield {**row, "verdict": "none", "pipeline_hash": "n/a", "reasons": problem}
            continue
        yield {
            **row,
            "verdict": record["verdict"],
            "pipeline_hash": record["fingerprint"],
            "reasons": " ".join(record["reasons"]) or "n/a",
            **record["qc"],
        }


def _write_quality(dataset: Dataset, rows: list[dict[str, Any]]) -> None:
    first = ["participant_id", "session_id", "verdict", "pipeline_hash", "reasons"]
    numbers = sorted({name for row in rows for name in row} - set(first))
    table = pd.DataFrame(rows, columns=[*first, *numbers])
    write_text(dataset.derivatives / f"{QC_SUMMARY}.tsv", tsv(table))
    columns: dict[str, Any] = {
        "verdict": {
            "Description": "whether the session may be used; fail keeps it out of every model",
            "Levels": {
                "pass": "every number lies within its limits",
                "review": "look at the contact sheet before use",
                "fail": "not to be used",
                "none": "could not be prepared",
            },
        },
        "pipeline_hash": {"Description": "digest of the settings, template and atlas"},
        "reasons": {"Description": "one sentence for each thing that is not pass"},
        **{name: _meaning(name) for name in numbers},
    }
    write_json(dataset.derivatives / f"{QC_SUMMARY}.json", columns)


def _meaning(name: str) -> dict[str, Any]:
    limit = LIMITS.get(name) or LIMITS.get(name.partition("_")[0])
    if limit is None:
        return {"Description": "told only; not held to a limit"}
    return {"Description": limit.what, "Pass": limit.span}
