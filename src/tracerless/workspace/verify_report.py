"""Whether a report is the vault's, and still true of the dataset beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.io.vault import Vault, verify_signature
from tracerless.workspace import verify_files as files_of
from tracerless.workspace.verify import PAGE, REPORT, SIGNATURE, dataset_digest

__all__ = ["PAGE", "Standing", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a report stands.

    Args:
        report: what it says.
        is_signed: whether its signature fits its text and the key that it names.
        is_ours: whether that key is the vault's; None when no vault was asked.
        is_current: whether the dataset is byte for byte the one that was proven.
    """

    report: dict[str, Any]
    is_signed: bool
    is_ours: bool | None
    is_current: bool

    @property
    def holds(self) -> bool:
        """Whether the report can be relied upon, and found nothing."""
        is_trusted = self.is_signed and self.is_ours is not False and self.is_current
        return is_trusted and not self.report["n_failures"]


def standing(root: Path, vault: Path | None = None) -> Standing:
    """Check the report of a dataset.

    Args:
        root: of the dataset.
        vault: whose signature it should be; None leaves that open.

    Raises:
        DatasetError: there is no report, or it cannot be read.
        VaultError: the vault cannot be used.
    """
    folder = root / files_of.FOLDER
    try:
        content = (folder / REPORT).read_bytes()
        signature = bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii").strip())
        report = json.loads(content)
        key = bytes.fromhex(report["public_key"])
        digest, people, _ = report["dataset_digest"], report["people"], report["n_failures"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DatasetError(
            f"{root} holds no whole report of a verification.",
            hint="Run `tracerless verify DATASET --vault VAULT` first.",
        ) from None
    is_ours = None
    if vault is not None:
        with Vault.open(vault, dataset=root) as opened:
            is_ours = opened.public_key == key
    return Standing(
        report=report,
        is_signed=verify_signature(key, signature, content),
        is_ours=is_ours,
        is_current=dataset_digest(root, people) == digest,
    )
