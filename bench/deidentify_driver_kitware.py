"""Runs in the environment of Kitware's dicom-anonymizer: its command's defaults, file by file.

python deidentify_driver_kitware.py IN OUT
"""

import logging
import sys
import warnings
from pathlib import Path

from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file


def main() -> int:
    """Anonymize a folder into another; names of files stay, as the command leaves them."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    n_failed = 0
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / path.name
        try:
            anonymize_dicom_file(str(path), str(place), {}, True)  # noqa: FBT003
        except Exception:  # noqa: BLE001
            n_failed += 1
            place.unlink(missing_ok=True)
    print(n_failed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
