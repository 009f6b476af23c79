"""Equal input, equal bits: in another process, with other threads, whatever the global seeds."""

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tracerless

SOURCE = """
import numpy as np
from tracerless.core.grid import Grid
from tracerless.core.volume import Volume
from tracerless.io import resources
from tracerless.prepare import engine

def maps(seed):
    fixed = resources.template(6.0).t1
    affine = fixed.grid.affine.copy()
    affine[:3, 3] += (9.0, -7.0, 4.0)
    moving = Volume(fixed.array[:, ::-1][:, ::-1] * 1.1, Grid(fixed.grid.shape, affine),
                    fixed.quantity, fixed.contrast)
    return engine.deformable(moving, fixed, spaces=("a", "b"), preset="fast", seed=seed)

def arrays(found):
    for chain in found:
        for step in chain.maps:
            yield step.vectors if hasattr(step, "vectors") else step.matrix
"""
PRINTED = """
import hashlib, sys
np.random.seed(int(sys.argv[1]))
digest = hashlib.sha256()
for array in arrays(maps(3)):
    digest.update(np.ascontiguousarray(array).tobytes())
print(digest.hexdigest())
"""


def other_process(*, threads: int, global_seed: int) -> str:
    environment = os.environ | {
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": str(threads),
        "PYTHONHASHSEED": str(global_seed),
    }
    done = subprocess.run(
        [sys.executable, "-c", SOURCE + PRINTED, str(global_seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_another_process_with_other_threads_finds_the_same_bits() -> None:
    here: dict[str, object] = {}
    exec(SOURCE, here)  # noqa: S102 - the same text that the other process runs
    digest = hashlib.sha256()
    found = here["maps"](3)
    for array in here["arrays"](found):
        digest.update(np.ascontiguousarray(array).tobytes())
    assert other_process(threads=2, global_seed=11) == digest.hexdigest()
    other = here["maps"](4)
    assert not np.array_equal(other[0].maps[1].matrix, found[0].maps[1].matrix)


RANDOM = ("ants.registration", "ants.n4_bias_field_correction", "ants.atropos")


def calls(tree: ast.AST) -> list[tuple[str, ast.Call, list[str]]]:
    """Every call of the engine below ``tree``: its name, itself, and the blocks that hold it."""
    found = []

    def walk(node: ast.AST, blocks: list[str]) -> None:
        if isinstance(node, ast.With):
            blocks = [*blocks, *(ast.unparse(item.context_expr) for item in node.items)]
        if isinstance(node, ast.Call):
            found.append((ast.unparse(node.func), node, blocks))
        for child in ast.iter_child_nodes(node):
            walk(child, blocks)

    walk(tree, [])
    return found


def test_nothing_relies_on_the_seed_that_the_engine_ignores() -> None:
    """ANTs swallows ``random_seed=``: its random steps must run under the global switch."""
    n_guarded = 0
    for path in Path(tracerless.__file__).parent.rglob("*.py"):
        for name, call, blocks in calls(ast.parse(path.read_text(encoding="utf-8"))):
            assert "random_seed" not in {each.arg for each in call.keywords}, path.name
            if name.replace("_ants()", "ants") in RANDOM:
                assert any("repeatable(" in block for block in blocks), (path.name, name)
                n_guarded += 1
    assert n_guarded >= 2


def test_the_guard_sees_an_unguarded_call() -> None:
    plain = calls(ast.parse("ants.registration(a, b, random_seed=3)"))
    assert plain[0][0] == "ants.registration"
    assert plain[0][2] == []
    guarded = calls(ast.parse("with repeatable(1):\n    ants.registration(a, b)"))
    assert any(blocks == ["repeatable(1)"] for name, _, blocks in guarded if "ants" in name)
