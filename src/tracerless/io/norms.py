"""Norms as JSON: exact to the bit, readable by anybody."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tracerless.core.errors import ModelError
from tracerless.core.norm import Calibration, Ceiling, Design, Measured, Norm, NormModel
from tracerless.io.atomic import write_json

FORMAT = 2
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
            "design": plain_design(norm.design),
            "models": {name: _plain(model) for name, model in norm.models.items()},
            **{name: getattr(norm, name) for name in _NUMBERS},
            "data_driven": list(norm.data_driven),
            "people": list(norm.people),
            "turned": list(norm.turned),
            "shapes": {name: list(shape) for name, shape in norm.shapes.items()},
            "calibration": None if norm.calibration is None else _fields(norm.calibration),
            "ceilings": {name: _fields(each) for name, each in norm.ceilings.items()},
        },
    )


def plain_design(design: Design) -> dict[str, Any]:
    """A design as JSON keeps it."""
    return {
        name: dict(value) if name in {"center", "low", "high"} else list(value)
        for name, value in _fields(design).items()
    }


def design_of(record: dict[str, Any]) -> Design:
    """What `plain_design` made."""
    return Design(
        covariates=tuple(record["covariates"]),
        center=record["center"],
        knots=tuple(record["knots"]),
        low=record["low"],
        high=record["high"],
        sexes=tuple(record["sexes"]),
    )


def read(path: Path) -> Norm:
    """The norm in that file.

    Raises:
        ModelError: the file is absent, damaged, or of another format.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] not in {1, FORMAT}:
            raise ModelError(
                f"{path.name} has format {record['format']}; {FORMAT} is read.",
                hint="Fit the norm again.",
            )
        return _norm({**_SINCE_2, **record})
    except (KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path.name} is not a norm ({type(error).__name__}).",
            hint="Fit it again with `tracerless norms fit`.",
        ) from None


_NUMBERS = ("n", "n_local", "family_cut", "confirmed_years", "seed", "robust")


_SINCE_2: dict[str, Any] = {
    "robust": False,
    "turned": [],
    "shapes": {},
    "calibration": None,
    "ceilings": {},
}
"""What a norm of format 1 did not say."""


def _norm(record: dict[str, Any]) -> Norm:
    told = record["calibration"]
    return Norm(
        key=record["key"],
        measured=Measured(**record["measured"]),
        names=tuple(record["names"]),
        design=design_of(record["design"]),
        models={name: _model(each) for name, each in record["models"].items()},
        data_driven=tuple(record["data_driven"]),
        people=tuple(record["people"]),
        turned=tuple(record["turned"]),
        shapes={name: tuple(shape) for name, shape in record["shapes"].items()},
        calibration=Calibration(**{**told, "pit": tuple(told["pit"])}) if told else None,
        ceilings={
            name: Ceiling(each["limit"], each["share"], tuple(each["residuals"]))
            for name, each in record["ceilings"].items()
        },
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
