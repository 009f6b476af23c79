"""Norms as JSON: exact to the bit, readable by anybody."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tracerless.core.errors import ModelError
from tracerless.core.norm import Design, Measured, Norm, NormModel
from tracerless.io.atomic import write_json

FORMAT = 1
_ARRAYS = (
    "coefficients", "sd", "sd_slope", "leverage", "dof", "shift", "extra", "ratio", "correlation",
)  # fmt: skip


def write(path: Path, norm: Norm) -> None:
    """Write a norm; equal norms give equal bytes."""
    write_json(
        path,
        {
            "format": FORMAT,
            "key": norm.key,
            "measured": _fields(norm.measured),
            "names": list(norm.names),
            "design": {
                name: dict(value) if name in {"center", "low", "high"} else list(value)
                for name, value in _fields(norm.design).items()
            },
            "models": {name: _plain(model) for name, model in norm.models.items()},
            **{name: getattr(norm, name) for name in _NUMBERS},
            "data_driven": list(norm.data_driven),
            "people": list(norm.people),
        },
    )


def read(path: Path) -> Norm:
    """The norm in that file.

    Raises:
        ModelError: the file is absent, damaged, or of another format.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ModelError(
                f"{path.name} has format {record['format']}; {FORMAT} is read.",
                hint="Fit the norm again.",
            )
        return _norm(record)
    except (KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path.name} is not a norm ({type(error).__name__}).",
            hint="Fit it again with `tracerless norms fit`.",
        ) from None


_NUMBERS = ("n", "n_local", "family_cut", "confirmed_years", "seed")


def _norm(record: dict[str, Any]) -> Norm:
    design = record["design"]
    return Norm(
        key=record["key"],
        measured=Measured(**record["measured"]),
        names=tuple(record["names"]),
        design=Design(
            covariates=tuple(design["covariates"]),
            center=design["center"],
            knots=tuple(design["knots"]),
            low=design["low"],
            high=design["high"],
            sexes=tuple(design["sexes"]),
        ),
        models={name: _model(each) for name, each in record["models"].items()},
        data_driven=tuple(record["data_driven"]),
        people=tuple(record["people"]),
        **{name: record[name] for name in _NUMBERS},
    )


def _plain(model: NormModel) -> dict[str, Any]:
    arrays = {name: getattr(model, name).tolist() for name in _ARRAYS}
    return {**arrays, "max_leverage": model.max_leverage}


def _model(record: dict[str, Any]) -> NormModel:
    arrays = {name: np.array(record[name], dtype=np.float64) for name in _ARRAYS}
    return NormModel(**arrays, max_leverage=float(record["max_leverage"]))


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
