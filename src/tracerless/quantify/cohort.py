"""Region tables of many scans: one row a scan for models, one row a region for readers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.people import SessionKey
from tracerless.quantify.asymmetry import asymmetry
from tracerless.quantify.flags import MEANINGS, flags, summary

NO_CORRECTION = "none"
ASYMMETRY, REFERENCE = "AI_", "ref_"


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One measured scan: whose, which visit, its table, and the verdict of its session.

    ``verdict`` is ``pass``, ``review`` or ``fail``, empty where it is not known; ``scanner`` is its
    maker and model, likewise.
    """

    key: SessionKey
    table: RoiTable
    verdict: str = ""
    scanner: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table holds; ``levels`` are the words it may hold."""

    meaning: str
    unit: str = ""
    levels: Mapping[str, str] | None = None

    def plain(self) -> dict[str, Any]:
        """As a JSON sidecar of BIDS says it."""
        said: dict[str, Any] = {"Description": self.meaning}
        if self.unit:
            said["Units"] = self.unit
        if self.levels:
            said["Levels"] = dict(self.levels)
        return said


_RATIO = "as quantity says"
_VERDICTS = {
    "pass": "nothing found",
    "review": "look at it before use; the record of the session says why",
    "fail": "must not enter norms or models",
}
_METHODS = {
    NO_CORRECTION: "as measured",
    "gtm": "geometric transfer matrix, region by region",
    "mg": "Mueller-Gaertner, voxel by voxel",
}

SCAN: Mapping[str, Column] = {
    "participant_id": Column("pseudonym of the person"),
    "session_id": Column("visit"),
    "contrast": Column("what was measured; synthFDG was predicted from MR and never acquired"),
    "quantity": Column("what the values of the regions are"),
    "atlas": Column("which regions"),
    "reference": Column("region that the values were divided by; n/a where they are no ratio"),
    "pvc": Column("partial-volume correction", levels=_METHODS),
}
"""What says which scan a row is of; in both tables."""

WHOLE_SCAN: Mapping[str, Column] = {
    "absolute_unit": Column("unit of a value times absolute_factor; n/a: known as a ratio only"),
    "absolute_factor": Column("brings every ratio of the row to absolute_unit"),
}

END: Mapping[str, Column] = {
    "qc": Column("verdict of the session's quality control", levels=_VERDICTS),
    "scanner": Column("maker, model and declared resolution; n/a: not known"),
    "flags": Column("regions to be careful with: flag and names; see regions.tsv"),
    "fingerprint": Column("of everything that made the values; compare equal ones only"),
}

LONG: Mapping[str, Column] = {
    "region": Column("region, or composite that lies across regions (meta_...)"),
    "n_voxels": Column("voxels seen"),
    "volume_ml": Column("of the whole region: of the atlas, with pvc the person's own", "mL"),
    "coverage": Column("share of the region inside the field of view, 0-1"),
    "mean": Column("mean over the voxels seen", _RATIO),
    "median": Column("median over the voxels seen; n/a with pvc gtm", _RATIO),
    "sd": Column("standard deviation over the voxels seen; n/a with pvc gtm", _RATIO),
    "flag": Column("what to be careful with; n/a: nothing", levels=MEANINGS),
}


def cohort_table(scans: Iterable[Scan]) -> pd.DataFrame:
    """One row a scan, in the order given: the input of models.

    Columns: ``SCAN``, ``WHOLE_SCAN``, the mean of every region and composite, ``AI_<pair>``
    (percent, + = more on the left), ``ref_<reference>`` (mean over the reference region), ``END``.
    Scans of another atlas leave each other's columns empty.

    Raises:
        RecipeMismatchError: one contrast of one session comes twice with one correction.
    """
    rows = [_wide(scan) for scan in _once(scans)]
    middle: dict[str, None] = {}
    for part in ("regions", "composites", "asymmetries", "references"):
        middle |= dict.fromkeys(name for row in rows for name in row[part])
    columns = [*SCAN, *WHOLE_SCAN, *middle, *END]
    flat = [
        {**row.pop("head"), **{k: v for p in row.values() for k, v in p.items()}} for row in rows
    ]
    return pd.DataFrame(flat, columns=columns)


def region_table(scans: Iterable[Scan]) -> pd.DataFrame:
    """One row a scan and region, composites after regions, in the order given.

    Raises:
        RecipeMismatchError: one contrast of one session comes twice with one correction.
    """
    parts = [_long(scan) for scan in _once(scans)]
    columns = [*SCAN, *LONG, "fingerprint"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def described(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What every column of a ``cohort_table`` or ``region_table`` holds, as a BIDS sidecar."""
    known = {**SCAN, **WHOLE_SCAN, **LONG, **END}
    return {
        str(name): (known[str(name)] if name in known else _of_region(str(name))).plain()
        for name in table.columns
    }


def _of_region(name: str) -> Column:
    if name.startswith(ASYMMETRY):
        what = name.removeprefix(ASYMMETRY)
        return Column(f"200 (left - right) / (left + right) of {what}; + = more on the left", "%")
    if name.startswith(REFERENCE):
        what = name.removeprefix(REFERENCE)
        meaning = f"mean over the reference region {what}; a value divided by it is its ratio to it"
        return Column(meaning, _RATIO)
    return Column(f"mean over {name}", _RATIO)


def _once(scans: Iterable[Scan]) -> Iterator[Scan]:
    seen: set[tuple[SessionKey, str, str]] = set()
    for scan in scans:
        mark = (scan.key, str(scan.table.contrast), scan.table.pvc)
        if mark in seen:
            raise RecipeMismatchError(
                f"{scan.key} has two region tables of {scan.table.contrast}.",
                hint="Keep the tables of one recipe only.",
            )
        seen.add(mark)
        yield scan


def _head(scan: Scan) -> dict[str, Any]:
    measured = scan.table
    return {
        "participant_id": f"sub-{scan.key.person}",
        "session_id": f"ses-{scan.key.visit}",
        "contrast": str(measured.contrast),
        "quantity": str(measured.quantity),
        "atlas": measured.atlas,
        "reference": measured.reference or None,
        "pvc": measured.pvc or NO_CORRECTION,
    }


def _wide(scan: Scan) -> dict[str, dict[Any, Any]]:
    measured, scale = scan.table, scan.table.scale
    return {
        "head": {
            **_head(scan),
            "absolute_unit": None if scale is None else str(scale.quantity),
            "absolute_factor": None if scale is None else scale.factor,
            "qc": scan.verdict or None,
            "scanner": scan.scanner or None,
            "flags": summary(measured) or None,
            "fingerprint": measured.fingerprint,
        },
        "regions": measured.means.to_dict(),
        "composites": measured.composites["mean"].to_dict(),
        "asymmetries": asymmetry(measured.means).add_prefix(ASYMMETRY).to_dict(),
        "references": {REFERENCE + name: value for name, value in measured.references.items()},
    }


def _long(scan: Scan) -> pd.DataFrame:
    values = scan.table.values
    if len(scan.table.composites):
        values = pd.concat([values, scan.table.composites])
    return pd.DataFrame(
        {
            **_head(scan),
            "region": values.index,
            **{name: values[name].to_numpy() for name in ROI_COLUMNS},
            "flag": flags(values).replace("", None).to_numpy(),
            "fingerprint": scan.table.fingerprint,
        },
        columns=[*SCAN, *LONG, "fingerprint"],
    )
