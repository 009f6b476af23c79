"""Regional numbers.

``table`` measures a volume, ``session`` a visit, ``corrected`` its emission without partial-volume
effects; ``cohort_table`` and ``region_table`` join all visits.
"""

from tracerless.quantify.asymmetry import asymmetry
from tracerless.quantify.cohort import Scan, cohort_table, described, region_table
from tracerless.quantify.pvc import corrected
from tracerless.quantify.tables import session, table

__all__ = [
    "Scan",
    "asymmetry",
    "cohort_table",
    "corrected",
    "described",
    "region_table",
    "session",
    "table",
]
