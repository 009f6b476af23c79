"""CI runs no benchmark, so a name that moved away from under them must be seen here."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*(ROOT / "bench").glob("*.py"), *(ROOT / "docs").glob("*.py")])


def borrowed(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of everything a script takes from the package or from another benchmark."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, each.name) for each in node.names)


def is_there(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name) or _is_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_name_that_a_script_takes_from_the_package_is_there(script: Path) -> None:
    taken = borrowed(ast.parse(script.read_text(encoding="utf-8")))
    ours = {(module, name) for module, name in taken if module.split(".")[0] == "tracerless"}
    assert not [each for each in sorted(ours) if not is_there(*each)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_name_that_a_script_takes_from_another_is_defined_there(script: Path) -> None:
    taken = borrowed(ast.parse(script.read_text(encoding="utf-8")))
    for module, name in taken:
        if module.split(".")[0] != "bench":
            continue
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        if module == "bench":
            assert (ROOT / "bench" / f"{name}.py").is_file(), name
        else:
            assert name in defined(ast.parse(path.read_text(encoding="utf-8"))), (module, name)


def defined(tree: ast.Module) -> set[str]:
    """Names at the top of a module."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(each.asname or each.name).split(".")[0] for each in node.names}
    return names


def test_a_name_that_is_nowhere_is_seen() -> None:
    ((module, name),) = borrowed(ast.parse("from tracerless.core.grid import NoSuchGrid"))
    assert not is_there(module, name)
    assert not is_there("tracerless.no_such_room", "Grid")
    assert is_there("tracerless.core.grid", "Grid")
    assert is_there("tracerless.core", "grid")
