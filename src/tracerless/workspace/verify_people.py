"""People who should be in a dataset and are not, and rows of its table that are nobody's."""

import csv
from collections.abc import Iterator
from pathlib import Path

from tracerless.deidentify.keys import is_pseudonym
from tracerless.deidentify.proof_findings import FAILURE, WARNING, Finding
from tracerless.io.vault import Opened

TABLE = "participants.tsv"


def absent(root: Path, here: set[str], opened: Opened, domain: str) -> Iterator[Finding]:
    """Who is listed, or known to the vault in this linkage, and of whom there is no file.

    A vault can serve several datasets, so one whom only the vault knows is a warning.

    Args:
        root: of the dataset.
        here: pseudonyms of everybody who has a file.
        opened: the vault.
        domain: linkage that the dataset records; empty for all.
    """
    rows = list(_rows(root / TABLE))
    listed = {row for row in rows if is_pseudonym(row)}
    known = {e.pseudonym for e in opened.crosswalk() if not domain or e.domain == domain}
    for person in sorted((listed | known) - here):
        level = FAILURE if person in listed else WARNING
        yield Finding("complete", "missing-person", "", person, "", level)
    if len(listed) < len(rows):
        yield Finding("complete", "row-of-nobody", TABLE, "participant_id")


def _rows(path: Path) -> Iterator[str]:
    """The first cell of every row, its ``sub-`` left out; what is no such text is empty."""
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    for row in list(csv.reader(text.splitlines(), delimiter="\t"))[1:]:
        name = row[0] if row else ""
        yield name.removeprefix("sub-") if name.startswith("sub-") else ""
