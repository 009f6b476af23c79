"""Runs in Isocenter's environment: ingest, audit, anonymize, export with its default policy.

python deidentify_driver_isocenter.py IN OUT
"""

import sys
import tempfile
from pathlib import Path

from isocenter import Session


def main() -> int:
    """Anonymize a folder into another; how many files it wrote goes to the standard output."""
    with tempfile.TemporaryDirectory() as name, Session(str(Path(name) / "bench.db")) as session:
        session.ingest(sys.argv[1])
        session.anonymize(session.audit())
        summary = session.export(sys.argv[2])
        print(len(summary.written_uids))
    return 0


if __name__ == "__main__":
    sys.exit(main())
