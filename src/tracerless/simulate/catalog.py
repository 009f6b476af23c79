"""Scanners from tables: every number that a value needs must be there, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from tracerless.core.errors import RecipeError
from tracerless.simulate.protocols import AslProtocol, PetProtocol, T1wProtocol, T2wProtocol
from tracerless.simulate.scanners import (
    Emission,
    Perfusion,
    PetMrScanner,
    Placement,
    Scanners,
    Sizes,
    SpectScanner,
    Staff,
    Tissue,
)

T = TypeVar("T")

_PROTOCOLS: Mapping[str, type] = {
    "t1w": T1wProtocol,
    "t2w": T2wProtocol,
    "asl": AslProtocol,
    "pet": PetProtocol,
}


def catalog(tissues: Iterable[Mapping[str, str]], settings: Mapping[str, Any]) -> Scanners:
    """The scanners that the tables describe.

    Args:
        tissues: one row a tissue, texts by column; an empty number means "the person has his own".
        settings: tables ``session``, ``perfusion``, ``emission``, ``sizes`` and the lists
            ``petmr`` and ``spect``; each carries a ``source``.

    Raises:
        RecipeError: a value is missing, unknown, of the wrong kind, or without a source.
    """
    rows = [_value(Tissue, _numbers(row), f"tissue {row.get('key')}") for row in tissues]
    sizes = {
        name: _value(Sizes, table, f"size {name}") for name, table in settings["sizes"].items()
    }
    return Scanners(
        tissues={row.key: row for row in rows},
        petmr=tuple(_petmr(table) for table in settings["petmr"]),
        spect=tuple(_value(SpectScanner, t, f"camera {t.get('key')}") for t in settings["spect"]),
        sizes=sizes,
        placement=_value(Placement, settings["session"], "session"),
        staff=_value(Staff, settings["staff"], "staff"),
        perfusion=_value(Perfusion, settings["perfusion"], "perfusion"),
        emission=_value(Emission, settings["emission"], "emission"),
    )


def _petmr(table: Mapping[str, Any]) -> PetMrScanner:
    where = f"machine {table.get('key')}"
    made = dict(table)
    for name, kind in _PROTOCOLS.items():
        made[name] = _value(kind, table.get(name, {}), f"{where} {name}")
    return _value(PetMrScanner, made, where)


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    texts = {"key", "source"}
    return {k: v if k in texts else float(v) if v else float("nan") for k, v in row.items()}


def _value(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    if not table.get("source"):
        raise RecipeError(f"Scanner table, {where}: no source is given for its numbers.")
    types = get_type_hints(kind)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    given = set(table) - {"source"}
    if given != names:
        odd = min(given ^ names)
        raise RecipeError(f"Scanner table, {where}: {odd!r} is missing or unknown.")
    return kind(**{name: _typed(types[name], table[name], f"{where}, {name}") for name in names})


def _typed(wanted: Any, value: Any, where: str) -> Any:
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        if not isinstance(value, list) or len(value) != len(kinds):
            raise RecipeError(f"Scanner table, {where}: {value!r} should be {len(kinds)} numbers.")
        return tuple(_typed(kind, each, where) for kind, each in zip(kinds, value, strict=True))
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise RecipeError(f"Scanner table, {where}: {value!r} should be of type {wanted.__name__}.")
    return value
