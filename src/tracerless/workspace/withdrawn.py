"""The tombstones of a dataset: that somebody was taken out, when, and how much; never who."""

import json
from collections.abc import Mapping
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.io.atomic import write_json, write_text
from tracerless.workspace.dataset import Dataset

FILE = "withdrawn.json"
"""In a dataset: who was taken out of it, as digests."""

Stone = dict[str, Any]
"""``withdrawn_on`` (date), ``state`` (``removing`` or ``done``), ``files``, ``entries``,
``models``."""


def read(dataset: Dataset) -> dict[str, Stone]:
    """Tombstones by ``person_digest``.

    Raises:
        DatasetError: they cannot be read.
    """
    path = dataset.root / FILE
    if not path.is_file():
        return {}
    try:
        stones = json.loads(path.read_text(encoding="utf-8"))["people"]
        return {str(digest): dict(stone) for digest, stone in stones.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DatasetError(
            f"{FILE} of the dataset is damaged.", hint="Restore it from a backup of the dataset."
        ) from None


def write(dataset: Dataset, stones: Mapping[str, Stone]) -> None:
    """Write all tombstones."""
    keep_from_bids(dataset, FILE)
    write_json(dataset.root / FILE, {"people": dict(stones)})


def keep_from_bids(dataset: Dataset, name: str) -> None:
    """List a file of ours in ``.bidsignore``."""
    path = dataset.root / ".bidsignore"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if name not in text.splitlines():
        write_text(path, f"{text}{name}\n")
