"""The wiring of the house, proved; and a resolver that repeats nothing."""

from inspect import signature
from typing import Any, get_type_hints

from tracerless import flow
from tracerless.core.atlas import Atlas
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.session import Template
from tracerless.io.site import Site
from tracerless.workspace.clean import CleanSession
from tracerless.workspace.shelf import KINDS

ROOTS = {
    "clean": CleanSession,
    "template": Template,
    "atlas": Atlas,
    "prepare_recipe": PrepareRecipe,
    "quantify_recipe": QuantifyRecipe,
    "site": Site,
    "predictor": flow.Predictor,
    "mean_predictor": flow.Predictor,
}


def test_every_need_is_a_root_or_a_step_of_the_same_type() -> None:
    made = {name: get_type_hints(step)["return"] for name, step in flow.STEPS.items()}
    for name, step in flow.STEPS.items():
        hints = get_type_hints(step)
        for need in signature(step).parameters:
            assert hints[need] == {**ROOTS, **made}[need], f"{name} needs {need}"


def test_what_the_shelf_keeps_is_what_the_flow_makes() -> None:
    assert set(flow.STEPS) - set(KINDS) == {"mean_uptake"}, "quicker made than kept"
    assert not set(KINDS) - set(flow.STEPS)


class Memory:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def load(self, name: str, digest: str) -> Any:
        return self.kept.get((name, digest))

    def save(self, name: str, value: Any, digest: str) -> None:
        self.kept[name, digest] = value


class Counting:
    """Steps that count how often they run."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def steps(self) -> flow.Steps:
        def dough(flour: int, water: int) -> int:
            self.runs.append("dough")
            return flour + water

        def bread(dough: int, heat: int) -> int:
            self.runs.append("bread")
            return dough * heat

        return {"dough": dough, "bread": bread}


def bake(counting: Counting, shelf: Memory, **roots: int) -> int:
    digests = {name: str(value) for name, value in roots.items()}
    return int(flow.resolve("bread", dict(roots), digests, shelf, counting.steps()))


def test_what_is_kept_is_not_made_again() -> None:
    counting, shelf = Counting(), Memory()
    assert bake(counting, shelf, flour=1, water=2, heat=10) == 30
    assert bake(counting, shelf, flour=1, water=2, heat=10) == 30
    assert counting.runs == ["dough", "bread"]


def test_a_changed_root_makes_anew_only_what_depends_on_it() -> None:
    counting, shelf = Counting(), Memory()
    bake(counting, shelf, flour=1, water=2, heat=10)
    assert bake(counting, shelf, flour=1, water=2, heat=5) == 15
    assert counting.runs == ["dough", "bread", "bread"]
    assert bake(counting, shelf, flour=2, water=2, heat=5) == 20
    assert counting.runs[3:] == ["dough", "bread"]


def test_a_value_at_hand_is_taken_without_asking_the_shelf() -> None:
    counting, shelf = Counting(), Memory()
    have = {"dough": 7, "heat": 2}
    roots = {"dough": "d", "heat": "2"}
    assert flow.resolve("bread", have, roots, shelf, counting.steps()) == 14
    assert counting.runs == ["bread"]
