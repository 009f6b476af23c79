"""What BIDS demands of a converted series, and what it does not know of: data for the names.

A raw PET cannot be valid BIDS here: the dose and the times of day that BIDS demands do not cross
the border, and nothing is invented in their place. It stands in ``.bidsignore``, as does SPECT,
which BIDS does not know, and any perfusion series whose timing nobody declared.
"""

from collections.abc import Mapping
from typing import Any

from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast
from tracerless.io.bids import UNDECLARED

RAW_IGNORE = f"""\
sourcedata
derivatives
models
reports
verification
quarantine.json
consent.json
withdrawn.json
tracerless.toml
site.toml
atlas-*.tsv
SIMULATED.txt
truth
phenotype/dictionary.csv
**/pet/
**/perf/*_acq-{UNDECLARED}_*
**/perf/*_cbf.*
**/perf/*_deltam.*
"""
"""``.bidsignore`` of a dataset. The validator takes a folder's name without a stroke behind it."""

DERIVED_IGNORE = """\
*_desc-native.json
*_desc-prepared.json
*_desc-uptake.json
*_desc-corrected.json
*_desc-synthetic.json
*_desc-syntheticnative.json
*_desc-syntheticuptake.json
*_desc-companions.json
*_xfm.*
*_qc.png
*_morph.*
*_kinpar.*
*_tacs.*
*_cbf.*
*_desc-regions_*
desc-qc_summary.*
cohort_roi.*
regions.*
evaluation
problems
norm-*
cognition_*
diagnosis-*
risk-*
*_statmap.*
*_surface.png
"""
"""``.bidsignore`` of the derivatives: tables and maps that BIDS has no name for yet."""

_ASL = (
    "ArterialSpinLabelingType",
    "PostLabelingDelay",
    "BackgroundSuppression",
    "M0Type",
    "RepetitionTimePreparation",
    "MagneticFieldStrength",
    "MRAcquisitionType",
    "EchoTime",
    "AslContext",
)
_IF = (
    ("ArterialSpinLabelingType", ("PCASL", "CASL"), ("LabelingDuration",)),
    ("ArterialSpinLabelingType", ("PASL",), ("BolusCutOffFlag",)),
    ("BolusCutOffFlag", (True,), ("BolusCutOffTechnique", "BolusCutOffDelayTime")),
    ("MRAcquisitionType", ("2D",), ("SliceTiming",)),
    ("M0Type", ("Estimate",), ("M0Estimate",)),
)
"""A field, the values of it that matter, and what they demand besides."""


def missing(series: NativeSeries) -> tuple[str, ...]:
    """Fields that BIDS demands of an ASL or M0 series and its sidecar lacks, in a fixed order.

    Source:
        BIDS 1.10, "Arterial Spin Labeling perfusion data".
    """
    fields = series.sidecar
    if series.contrast is Contrast.M0:
        return tuple(name for name in _ASL[4:5] if name not in fields)
    if series.contrast is not Contrast.ASL:
        return ()
    wanted = [*_ASL]
    for name, values, more in _IF:
        if fields.get(name) in values:
            wanted += more
    lacking = [name for name in wanted if fields.get(name) in (None, "", [])]
    if not lacking and len(fields["AslContext"]) != len(series.volumes):
        lacking.append("AslContext")
    return tuple(lacking)


def asl_extra(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that BIDS demands of an ASL series and that follow from the others."""
    context = [str(each) for each in fields.get("AslContext", [])]
    return {"TotalAcquiredPairs": max(context.count("label"), context.count("deltam"))}
