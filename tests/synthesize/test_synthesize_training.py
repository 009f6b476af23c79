"""How a run is split, bounded, shared and taken up again."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from one_of_two import trained as trained_alone
from phantom_sessions import GRID, RECIPE, REFERENCE, atlas_of, octants, people, template_of
from torch import nn

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.volume import Contrast, with_array
from tracerless.synthesize import Checkpoint, fit, learn
from tracerless.synthesize.card import card
from tracerless.synthesize.clock import KEPT_FOR_THE_END, Clock
from tracerless.synthesize.distributed import Crew, crew
from tracerless.synthesize.fit import Watch
from tracerless.synthesize.learner import Learner
from tracerless.synthesize.material import gather
from tracerless.synthesize.space import space
from tracerless.synthesize.split import chosen, folds, halves
from tracerless.synthesize.state import TrainingState

SHORT = replace(RECIPE, steps=6)
PEOPLE = people(12, GRID)
SITES = ("Aera", "Aera", "Vida", "Prisma")
FACTS = {
    each.key.person: PersonFacts(
        diagnosis=("CN", "AD", "MCI")[i % 3], age=60.0 + i, sex="FM"[i % 2], site=SITES[i % 4]
    )
    for i, each in enumerate(PEOPLE)
}
WHERE = space(template_of(GRID), atlas_of(GRID), REFERENCE)
MATERIAL = gather(PEOPLE, WHERE, facts=FACTS)
HERE = Watch(device="cpu", check_every=4)


def taught(recipe=SHORT, watch=HERE, material=MATERIAL, **more) -> Checkpoint:
    return learn(material, WHERE, recipe=recipe, training_domain="simulated", watch=watch, **more)


def sites_of(rows) -> set[str]:
    return {MATERIAL.facts[row].site for row in rows}


def test_whole_sites_are_held_out() -> None:
    recipe = replace(SHORT, split_by="site", held_out=0.25)
    trained, out = halves(MATERIAL, recipe)
    assert len(out)
    assert not sites_of(trained) & sites_of(out)
    for part in folds(MATERIAL, recipe):
        rest = np.setdiff1d(np.arange(len(MATERIAL.people)), part)
        assert not sites_of(rest) & sites_of(part)
    made = taught(replace(recipe, network="none"))
    assert made.manifest.split == "site"


def test_one_site_alone_cannot_be_split() -> None:
    alone = MATERIAL.take(MATERIAL.of(p for p, f in FACTS.items() if f.site == "Aera"))
    with pytest.raises(ModelError, match="name 1: Aera"):
        halves(alone, replace(SHORT, split_by="site"))


def test_a_healthy_twin_learns_from_controls_alone() -> None:
    made = taught(replace(SHORT, network="ridge", people="CN"))
    assert dict(made.manifest.diagnoses) == {"CN": 4}
    both = chosen(MATERIAL, "CN+AD")
    assert {f.diagnosis for f in both.facts} == {"CN", "AD"}
    with pytest.raises(RecipeError, match="no diagnosis 'XX'"):
        chosen(MATERIAL, "XX")
    with pytest.raises(ModelError, match="0 sessions are of people with DLB"):
        chosen(MATERIAL, "DLB")


def test_gathered_once_or_read_again_the_model_is_the_same() -> None:
    again = fit(
        iter(PEOPLE),
        template=template_of(GRID),
        atlas=atlas_of(GRID),
        recipe=SHORT,
        reference=REFERENCE,
        training_domain="simulated",
        facts=FACTS,
        watch=HERE,
    )
    assert again.to_bytes() == taught().to_bytes()


@pytest.mark.parametrize(
    ("objective", "at"),
    [("regression", 9), ("flow", 15), pytest.param("flow", 8, marks=pytest.mark.slow)],
)
def test_an_ensemble_that_was_killed_goes_on_to_the_same_bytes(objective: str, at: int) -> None:
    recipe = replace(SHORT, members=2, objective=objective, steps=5, flow_steps=3)
    kept: dict[int, bytes] = {}
    seen = iter(range(1, 1000))
    watch = replace(HERE, save_every=1, save_state=lambda b: kept.update({next(seen): b}))
    whole = taught(recipe, watch)
    state = TrainingState.from_bytes(kept[at])
    assert state.done == at
    assert taught(recipe, resume=state).to_bytes() == whole.to_bytes()
    assert whole.members == 2


class FakeTime:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_budget_is_dealt_out_to_phases_and_a_stopped_run_keeps_what_it_spent() -> None:
    now = FakeTime()
    clock = Clock(100.0, spent_s=20.0, now=now)
    usable = 100 * (1 - KEPT_FOR_THE_END)
    clock.allot(100, 400)
    now.at += (usable - 20) / 8
    assert clock.share() == pytest.approx(0.5)
    later = Clock(100.0, spent_s=0.0, now=now)
    later.take_up(clock.facts())
    assert later.share() == pytest.approx(0.5)
    assert later.left_s == pytest.approx(clock.left_s)
    now.at += 1000
    assert later.share() == 1
    assert (later.left_s, Clock(None, now=now).share()) == (0.0, 0.0)


def test_a_run_that_is_out_of_time_ends_whole() -> None:
    watch = replace(HERE, budget_s=0.5)
    made = taught(replace(SHORT, steps=100_000, members=2), watch)
    assert made.members == 2
    assert set(made.history.losses) == {"0/answer", "1/answer"}
    assert all(made.history.checks.values())
    assert Checkpoint.from_bytes(made.to_bytes()).digest == made.digest


def site_pairs(louder: float) -> list:
    """Six people of another site, whose scanner shows the regions so much brighter."""
    shown = np.where(octants(GRID) > 0, louder, 1)
    made = []
    for i, each in enumerate(people(6, GRID, family="site")):
        pet = each.volumes[Contrast.FDG]
        volumes = {**each.volumes, Contrast.FDG: with_array(pet, pet.array * shown)}
        made.append(replace(each, key=SessionKey(Pseudonym(f"site{i}"), "1"), volumes=volumes))
    return made


def test_few_pairs_of_a_site_move_the_map_and_not_the_weights(trained) -> None:
    few = site_pairs(1.2)
    made = taught(material=gather(few, WHERE), base=trained)
    assert made.base == trained.name
    assert set(trained.people) < set(made.people)
    assert person_digest(few[0].key.person) in made.people
    assert all(np.array_equal(made.weights[n], w) for n, w in trained.weights.items())
    regions = WHERE.brain & (octants(GRID) > 0)
    assert made.mean[regions].mean() / trained.mean[regions].mean() == pytest.approx(1.2, abs=0.05)
    assert made.calibration["T1w+T2w+cbf"].works


def test_a_site_like_the_base_leaves_its_map_where_it_was(trained) -> None:
    made = taught(material=gather(site_pairs(1.0), WHERE), base=trained)
    assert np.nanmax(np.abs(made.mean - trained.mean)) < 0.05


def test_more_pairs_go_on_from_the_weights_at_a_lower_rate(trained) -> None:
    many = gather(people(24, GRID, family="more"), WHERE)
    made = taught(replace(RECIPE, steps=3), material=many, base=trained)
    fresh = taught(replace(RECIPE, steps=3), material=many)
    names = [name for name, w in trained.weights.items() if w.size > 50]
    moved = [np.abs(made.weights[n] - trained.weights[n]).mean() for n in names]
    strange = [np.abs(fresh.weights[n] - trained.weights[n]).mean() for n in names]
    assert 0 < max(moved) < 0.1 * min(strange)
    assert made.recipe.learning_rate < RECIPE.learning_rate


def test_people_that_the_base_saw_neither_tune_nor_judge_it(trained) -> None:
    old = people(4, GRID)  # the first four of those that the base learned from
    with pytest.raises(ModelError, match="has seen 4 of these 4"):
        taught(material=gather(old, WHERE), base=trained)
    both = taught(material=gather([*old, *site_pairs(1.1)], WHERE), base=trained)
    assert both.n_trained == 6


def test_a_model_of_another_ground_is_not_tuned(trained) -> None:
    with pytest.raises(RecipeMismatchError, match="atlas octants, this training elsewhere"):
        learn(
            MATERIAL,
            replace(WHERE, atlas="elsewhere"),
            recipe=SHORT,
            training_domain="simulated",
            base=trained,
        )


class Constant:
    """An objective of one weight."""

    kept = ("answer",)

    def parts(self, shape) -> dict[str, nn.Module]:
        return {"answer": nn.Linear(1, 1)}


def test_a_loss_that_is_not_finite_moves_nothing_but_the_rate() -> None:
    alone = Crew(0, 1, torch.device("cpu"))
    learner = Learner(Constant(), SHORT, shape=(1, 1, 1), member=0, crew=alone)
    network = learner.parts(("answer",))["answer"]
    assert learner.learn({"answer": network(torch.ones(1, 1)).square().sum()}, 0.5) is not None
    before = learner.average
    assert learner.learn({"answer": (network(torch.ones(1, 1)) / 0).sum()}, 0.6) is None
    assert learner.eased == 1
    assert all(np.array_equal(learner.average[name], w) for name, w in before.items())
    assert np.allclose(network.weight.detach().numpy(), before["answer/weight"])


def test_a_loss_that_is_never_finite_ends_the_run() -> None:
    values = MATERIAL.values.copy()
    values[:] = np.inf
    with pytest.raises(ModelError, match="not finite at step"):
        taught(replace(SHORT, steps=20, augment=0.0), material=replace(MATERIAL, values=values))


def test_half_precision_learns_much_the_same() -> None:
    whole, half = taught(), taught(replace(SHORT, precision="bfloat16"))
    assert half.history.losses["0/answer"] != whole.history.losses["0/answer"]
    assert half.history.losses["0/answer"] == pytest.approx(whole.history.losses["0/answer"], 0.05)


def test_machines_that_are_not_there_are_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(RecipeError, match="no CUDA device"):
            taught(watch=Watch(device="cuda"))
    with pytest.raises(RecipeError, match="shared evenly by 3"):
        Crew(0, 3, torch.device("cpu")).require_batch(4)
    with pytest.raises(RecipeError, match="none of auto"), crew("tpu"):
        pass


def test_a_model_of_acquired_people_says_what_it_owes_to_simulated_ones(trained) -> None:
    few = gather(site_pairs(1.1), WHERE)
    made = learn(
        few, WHERE, recipe=SHORT, training_domain="acquired", base=trained, watch=HERE
    )  # fmt: skip
    assert (made.training_domain, made.origin) == ("acquired", "simulated")
    text = card(Checkpoint.from_bytes(made.to_bytes()))
    first = text.splitlines()[0]
    assert "learned from simulated people only; 6 acquired people moved the expected map" in first
    assert f"fine-tuned from {trained.name}, which knew 40 other people; its networks did" in text
    assert "**Trained on simulation only" in card(trained).splitlines()[0]
    many = replace(made, n_trained=20, n_held_out=5)
    assert "began on simulated people and went on with 25" in card(many).splitlines()[0]
    assert Checkpoint.from_bytes(trained.to_bytes()).digest == trained.digest


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script, target = Path(__file__).with_name("one_of_two.py"), tmp_path / "two"
    started = [
        subprocess.Popen(
            [sys.executable, str(script), str(target)],
            env=os.environ
            | {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
            | {"MASTER_PORT": str(port), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [each.wait(timeout=300) for each in started] == [0, 0]
    two, one = Checkpoint.from_bytes(target.read_bytes()), trained_alone()
    assert two.history.processes == 2
    assert two.history.losses["0/answer"] == pytest.approx(one.history.losses["0/answer"], 1e-5)
    for name, weight in one.weights.items():
        assert np.allclose(two.weights[name], weight, atol=1e-3)
