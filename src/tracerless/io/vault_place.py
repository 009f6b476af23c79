"""Where a vault lies, to whom it is open, and which vault and linkage domain a dataset records."""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tracerless.core.errors import VaultError
from tracerless.io import openers, sealed, vault_key

RECORD = Path("sourcedata") / "deidentification.json"
"""In a dataset: which vault (its public id), linkage domain and policy made it."""

HOME_DOMAIN = "inhouse"
"""The linkage domain of a dataset that records none."""

LOCK_FILE = "lock"

_DOMAIN = re.compile(r"inhouse|nchc|release-[a-z0-9]+(-[a-z0-9]+)*")


def recorded(dataset: Path) -> dict[str, str]:
    """``vault_key`` and ``domain`` that a dataset records; empty when it records none.

    Raises:
        VaultError: the record cannot be read.
    """
    path = dataset / RECORD
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {
            "vault_key": str(record["vault_key"]),
            "domain": str(record.get("domain", HOME_DOMAIN)),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise VaultError(
            f"{RECORD} does not say which vault the dataset belongs to.",
            hint="Restore that file from a backup of the dataset.",
        ) from None


def recorded_key_id(dataset: Path) -> str:
    """Public id of the vault that the dataset was made with; empty when it records none.

    Raises:
        VaultError: the record cannot be read.
    """
    return recorded(dataset).get("vault_key", "")


def require_domain(domain: str) -> str:
    """The domain, if it is one.

    Raises:
        VaultError: it is not ``inhouse``, ``nchc`` or ``release-`` with a name.
    """
    if not _DOMAIN.fullmatch(domain):
        raise VaultError(
            f"{domain!r} is no linkage domain.",
            hint="Use inhouse, nchc, or release- with a name in small letters.",
        )
    return domain


def require_dataset(dataset: Path, path: Path, key_id: str, domain: str) -> str:
    """The linkage domain in which a vault works for a dataset.

    Args:
        dataset: records its vault and its domain, unless it is new.
        path: of the vault.
        key_id: of the vault.
        domain: wanted; empty for the one that the dataset records.

    Raises:
        VaultError: the dataset was made with another vault, or in another domain.
    """
    record = recorded(dataset)
    if record and record["vault_key"] != key_id:
        raise VaultError(
            f"The dataset was made with vault {record['vault_key']}; {path} is vault {key_id}.",
            hint="Name the vault that this dataset was made with.",
        )
    own = record.get("domain", domain or HOME_DOMAIN)
    if domain and domain != own:
        raise VaultError(
            f"The dataset was made in linkage domain {own}, not in {domain}.",
            hint="Name a new dataset for each linkage domain.",
        )
    return require_domain(own)


def require_apart(path: Path, dataset: Path) -> None:
    """Refuse a vault and a dataset that lie one inside the other.

    Raises:
        VaultError: they do.
    """
    vault, root = path.resolve(), dataset.resolve()
    if vault == root or root in vault.parents or vault in root.parents:
        raise VaultError(
            f"The vault {path} and the dataset {dataset} lie one inside the other.",
            hint="Name a vault outside the dataset.",
        )


def require_new(path: Path, dataset: Path | None) -> None:
    """Refuse to make a vault where something lies, or for a dataset that has one.

    Raises:
        VaultError: the folder is not empty, or the dataset was made with another vault.
    """
    known = recorded_key_id(dataset) if dataset else ""
    if known:
        raise VaultError(
            f"The dataset was made with vault {known}, and {path} holds no vault.",
            hint="Name the vault that this dataset was made with.",
        )
    remains = [p for p in path.iterdir() if p.name != LOCK_FILE] if path.is_dir() else []
    if any(not sealed.is_partial(p) for p in remains):
        raise VaultError(
            f"{path} holds {len(remains)} entries but no vault.", hint="Name a new folder."
        )


def require_private(path: Path) -> None:
    """Refuse a vault that others may read.

    Raises:
        VaultError: there is none, or a file of it lets others in.
    """
    if not vault_key.exists(path):
        raise VaultError(
            f"{path} holds no vault ({vault_key.FILE} is missing).",
            hint="Name the vault that this dataset was made with.",
        )
    for place in (path, *sorted(path.rglob("*"))):
        openers.require_private(place)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other command out of the vault.

    Raises:
        VaultError: another command is using it.
    """
    handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise VaultError(
            f"Another command is using the vault {path}.", hint="Wait for it, then run this again."
        ) from None
    finally:
        os.close(handle)
