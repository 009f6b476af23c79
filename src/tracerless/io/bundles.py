"""Bundles on disk: a model as one folder in the layout of MONAI, with a digest of every file."""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path

from tracerless.core.errors import ModelError
from tracerless.io.atomic import PARTIAL_PREFIX, write_bytes
from tracerless.io.wheels import package_data

LICENSE = "LICENSE"
METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
WEIGHTS = "models/model.safetensors"
GRAPH = "models/model.onnx"
"""Every member; its weights are those of `WEIGHTS`."""
MEMBER_GRAPH = "models/answer.onnx"
"""One member without weights: what this package runs."""
GRAPH_RECORD = "models/answer.json"
CARD = "docs/README.md"
MANIFEST = "docs/manifest.json"
EVALUATION = "docs/evaluation"
CALIBRATION = "tables/calibration.csv"
INTERVALS = "tables/intervals.csv"
SUMS = "SHA256SUMS"
"""As ``sha256sum`` writes it: ``sha256sum -c SHA256SUMS`` checks a bundle without this package."""

_PICKLES = {".pt", ".pth", ".ts", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib"}
_LICENSE = "SPDX-License-Identifier: Apache-2.0\n"
_CHUNK = 1 << 20


def write(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write a bundle, its list of digests last; what another version left there goes.

    Args:
        folder: new, empty, or a bundle.
        files: content by path from the folder, ``/`` between its parts.

    Returns:
        SHA-256 of the list of digests: equal for equal bundles.

    Raises:
        ModelError: the folder holds something that is no bundle.
    """
    there = _files(folder)
    if there and SUMS not in there:
        raise ModelError(
            f"{folder} holds {len(there)} files and no {SUMS}: it is no bundle.",
            hint="Name a new folder.",
        )
    (folder / SUMS).unlink(missing_ok=True)
    for name in sorted(there - set(files) - {SUMS}):
        (folder / name).unlink()
    for name, content in files.items():
        write_bytes(folder / name, content)
    listed = _listed({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    write_bytes(folder / SUMS, listed)
    return hashlib.sha256(listed).hexdigest()


def read(folder: Path, name: str) -> bytes:
    """One file of a bundle.

    Raises:
        ModelError: there is none.
    """
    path = folder / name
    if not path.is_file():
        raise ModelError(f"The bundle has no {name}.", hint="Copy it again, or pack it again.")
    return path.read_bytes()


def digest(folder: Path) -> str:
    """SHA-256 of the list of digests.

    Raises:
        ModelError: there is no list.
    """
    return hashlib.sha256(read(folder, SUMS)).hexdigest()


def differences(folder: Path) -> tuple[str, ...]:
    """Files that are missing, changed, or not listed, one sentence each; none = whole.

    Raises:
        ModelError: there is no list.
    """
    listed = read(folder, SUMS)
    there = _files(folder) - {SUMS}
    found = {name: _sha256(folder / name) for name in there}
    if _listed(found) == listed:
        return ()
    stated = _stated(listed)
    said = [f"{name} is missing" for name in sorted(set(stated) - there)]
    said += [f"{name} is not listed" for name in sorted(there - set(stated))]
    said += [f"{n} was changed" for n in sorted(there & set(stated)) if stated[n] != found[n]]
    return tuple(said) or (f"{SUMS} was changed",)


def require_whole(folder: Path) -> None:
    """Refuse a bundle that is not as it was packed, or holds what could run code.

    Raises:
        ModelError: a file is missing, changed, not listed, or a pickle; or there is no list.
    """
    found = [f"{name} could run code when opened" for name in pickles(folder)]
    found = found or list(differences(folder))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ModelError(
            f"The bundle {folder} is not as it was packed: {found[0]}{more}.",
            hint="Copy it again from where it came, or pack it again; nothing of it was used.",
        )


def is_bundle(folder: Path) -> bool:
    """Whether a bundle was written there to its end."""
    return (folder / SUMS).is_file()


def remove(folder: Path) -> None:
    """Take a bundle away, its list of digests first; what is no bundle stays."""
    if not is_bundle(folder):
        return
    listed = _files(folder) & set(_stated(read(folder, SUMS)))
    (folder / SUMS).unlink()
    for name in listed:
        (folder / name).unlink()
    for each in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        _drop_empty(each)
    _drop_empty(folder)


def pickles(folder: Path) -> tuple[str, ...]:
    """Files that could run code when a framework loads them, by suffix or first bytes."""
    return tuple(name for name in sorted(_files(folder)) if _is_pickle(folder / name))


def license_text() -> bytes:
    """The license of this package; its identifier where the package was not installed."""
    try:
        content = importlib.metadata.distribution("tracerless").read_text("licenses/LICENSE")
    except importlib.metadata.PackageNotFoundError:
        content = None
    return (content or _LICENSE).encode()


def default_folder() -> Path | None:
    """Where the default model lies in this package; None in an installation without one."""
    folder = Path(str(package_data("models", "default")))
    return folder if (folder / WEIGHTS).is_file() else None


def _drop_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _files(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    paths = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(PARTIAL_PREFIX))
    return {path.relative_to(folder).as_posix() for path in paths}


def _listed(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def _stated(listed: bytes) -> dict[str, str]:
    lines = (line.partition("  ") for line in listed.decode("utf-8", "replace").splitlines())
    return {name: stated for stated, _, name in lines}


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(_CHUNK):
            total.update(piece)
    return total.hexdigest()


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as content:
        start = content.read(4)
    is_zip = start == b"PK\x03\x04"  # what torch.save writes
    is_plain = len(start) > 1 and start[0] == 0x80 and start[1] < 8
    told = (is_zip or is_plain) and path.suffix != ".safetensors"  # that begins with a length
    return told or path.suffix in _PICKLES
