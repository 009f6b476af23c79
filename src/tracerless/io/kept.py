"""Fitted values as JSON: exact to the bit, readable by anybody, no code inside."""

import dataclasses
import enum
import hashlib
import json
import math
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tracerless.core.errors import ModelError
from tracerless.io.atomic import write_json

FORMAT = 1
_KIND, _ARRAY, _FLOAT = "$class", "$array", "$float"


def encode(value: Any) -> Any:
    """JSON of a frozen dataclass and all it holds.

    A dataclass names its kind; an array keeps its shape; other sequences become lists; numbers
    that JSON lacks (NaN, infinity) are told as words.

    Raises:
        ModelError: something in it cannot be kept.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return {
            _KIND: type(value).__name__,
            **{name: encode(each) for name, each in fields.items()},
        }
    if isinstance(value, np.ndarray):
        return {_ARRAY: list(value.shape), "values": [encode(float(x)) for x in value.ravel()]}
    if isinstance(value, Mapping):
        return {str(name): encode(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [encode(each) for each in value]
    return _scalar(value)


def decode(record: Any, kinds: Mapping[str, type]) -> Any:
    """The value behind a record; sequences come back as tuples.

    Args:
        record: of `encode`.
        kinds: classes by name; no other is ever made.

    Raises:
        ModelError: a kind is unknown, or its fields are not those of this version.
    """
    if isinstance(record, list):
        return tuple(decode(each, kinds) for each in record)
    if not isinstance(record, dict):
        return record
    if _FLOAT in record:
        return float(record[_FLOAT])
    if _ARRAY in record:
        values = [decode(each, kinds) for each in record["values"]]
        return np.array(values, dtype=np.float64).reshape(record[_ARRAY])
    parts = {name: decode(each, kinds) for name, each in record.items() if name != _KIND}
    return parts if _KIND not in record else _made(str(record[_KIND]), parts, kinds)


def digest(value: Any) -> str:
    """16 hex digits over the value: the hash that locks it."""
    return _digest(encode(value))


def write(path: Path, value: Any) -> str:
    """Write a value with its hash, which is returned; equal values give equal bytes."""
    record = encode(value)
    locked = _digest(record)
    write_json(path, {"format": FORMAT, "hash": locked, "value": record})
    return locked


def read(path: Path, kinds: Mapping[str, type]) -> Any:
    """The value in that file.

    Raises:
        ModelError: the file is absent, damaged, of another format, or was changed after it was
            locked.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ModelError(
                f"{path.name} has format {content['format']}; {FORMAT} is read.",
                hint="Fit the model again.",
            )
        if content["hash"] != _digest(content["value"]):
            raise ModelError(
                f"{path.name} is not what was locked under {content['hash']}.",
                hint="Fit the model again, or take the untouched file.",
            )
        return decode(content["value"], kinds)
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path.name} is not a model ({type(error).__name__}).", hint="Fit it again."
        ) from None


def _made(kind: str, parts: dict[str, Any], kinds: Mapping[str, type]) -> Any:
    if kind not in kinds:
        raise ModelError(f"A model file holds an unknown kind {kind!r}.", hint="Fit it again.")
    made = kinds[kind]
    hints = typing.get_type_hints(made)
    for name, part in parts.items():
        hint = hints.get(name)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            parts[name] = hint(part)
    return made(**parts)


def _scalar(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {_FLOAT: repr(number)}
    raise ModelError(f"A {type(value).__name__} cannot be kept in a model file.")


def _digest(record: Any) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
