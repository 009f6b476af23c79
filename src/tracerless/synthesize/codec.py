"""Tensors and facts as bytes and back: safetensors with a digest inside; never a pickle."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tracerless.core.errors import ModelError

Tensors = Mapping[str, NDArray[Any]]
_KEY = "tracerless"


def digest(tensors: Tensors, facts: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes, numbers and facts, 64 hex digits."""
    total = hashlib.sha256(_text(facts).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def pack(kind: str, tensors: Tensors, facts: Mapping[str, Any]) -> bytes:
    """One safetensors file; equal in, equal bytes.

    Args:
        kind: what it is, with a version, e.g. ``checkpoint 1``.
        tensors: by name.
        facts: plain JSON values.
    """
    arrays = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    header = {"kind": kind, "digest": digest(arrays, facts), "facts": dict(facts)}
    content: bytes = save(arrays, metadata={_KEY: _text(header)})
    return content


def unpack(kind: str, content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """(tensors, facts) as they were packed.

    Raises:
        ModelError: the bytes are cut, changed, of another kind or version, or not ours.
    """
    try:
        tensors = dict(load(content))
        length = int.from_bytes(content[:8], "little")
        header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_KEY])
        found, expected, facts = header["kind"], header["digest"], header["facts"]
        is_whole = digest(tensors, facts) == expected
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(kind, len(content)) from error
    if found != kind:
        raise ModelError(
            f"The file holds a {found!r}, not a {kind!r}.",
            hint="Choose a file that this version wrote, or train again.",
        )
    if not is_whole:
        raise _damaged(kind, len(content))
    return tensors, facts


def _damaged(kind: str, n_bytes: int) -> ModelError:
    return ModelError(
        f"{n_bytes} bytes are no whole {kind.rsplit(' ', 1)[0]}: they are cut, changed or foreign.",
        hint="Copy the file again from where it was made, or train again.",
    )


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
