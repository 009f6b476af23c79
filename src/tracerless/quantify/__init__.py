"""Regional numbers: ``table`` for a volume, ``session`` for a visit, ``cohort_table`` for all."""

from tracerless.quantify.cohort import cohort_table
from tracerless.quantify.tables import session, table

__all__ = ["cohort_table", "session", "table"]
