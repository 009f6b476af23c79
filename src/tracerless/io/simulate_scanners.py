"""The tables that say what the simulated hospital's scanners do, read from this package.

They are turned into frozen values one floor up, by ``simulate.catalog``: this floor may not know
the simulator.
"""

import csv
import importlib.resources
import io
import tomllib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ScannerTables:
    """``tissues``: one row a tissue, texts by column; ``settings``: machines, sizes, constants."""

    tissues: tuple[dict[str, str], ...]
    settings: dict[str, Any]


def scanner_tables() -> ScannerTables:
    """The scanner tables that this package carries."""
    folder = importlib.resources.files("tracerless") / "data" / "simulate"
    tissues = (folder / "scanners_tissues.csv").read_text(encoding="utf-8")
    settings = (folder / "scanners.toml").read_text(encoding="utf-8")
    return ScannerTables(tuple(csv.DictReader(io.StringIO(tissues))), tomllib.loads(settings))
