"""Runs in dicognito's own environment: what its command does at defaults, one file at a time.

    python deidentify_driver_dicognito.py IN OUT

Its installed command fails at start (0.19.0), so this calls the parts that the command calls.
"""

import logging
import sys
from pathlib import Path

import pydicom
from dicognito.anonymizer import Anonymizer
from dicognito.filters import BurnedInAnnotationGuard, SaveToSOPInstanceUID
from dicognito.pipeline import Pipeline


def main() -> int:
    """Anonymize a folder into another; how many files failed goes to the standard output."""
    source, target = Path(sys.argv[1]), sys.argv[2]
    logging.disable(logging.CRITICAL)
    anonymizer = Anonymizer()
    pipeline = Pipeline()
    pipeline.add(BurnedInAnnotationGuard("if-yes", "fail"))
    pipeline.add(SaveToSOPInstanceUID(target))
    pipeline.before_any()
    n_failed = 0
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        try:
            with pydicom.dcmread(path, force=False) as dataset:
                pipeline.before_each(dataset)
                anonymizer.anonymize(dataset)
                pipeline.after_each(dataset)
        except Exception:  # noqa: BLE001
            n_failed += 1
    pipeline.after_all()
    print(n_failed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
