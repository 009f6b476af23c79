"""What benches plant is what they say: pairs that are wrong, groups that err, inputs that tell."""

import numpy as np
import pytest
from bench import intervals_people, pairs_planted
from bench.intervals_people import Cohort, needed, telling

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast
from tracerless.synthesize.calibration import skill
from tracerless.synthesize.pairing import Look
from tracerless.synthesize.pairing_finding import DOUBT, REFUSE, PairFinding

T1W, FDG = Contrast.T1W, Contrast.FDG
KEYS = [SessionKey(Pseudonym(f"p{i:02d}"), "01") for i in range(24)]
LOOKS = [
    Look(key, (), {}, {}, {c: np.full(3, i, np.float16) for c in (T1W, FDG)}, {FDG: f"{i}"})
    for i, key in enumerate(KEYS)
]
FACTS = {
    key.person: PersonFacts(diagnosis="AD" if i % 3 else "CN", age=60 + i // 6, sex="FM"[i % 2])
    for i, key in enumerate(KEYS)
}


def owners(looks) -> list[int]:
    """Whose PET each has; MR stays."""
    assert [int(each.maps[T1W][0]) for each in looks] == list(range(len(looks)))
    assert [each.digests[FDG] for each in looks] == [f"{each.maps[FDG][0]:g}" for each in looks]
    return [int(each.maps[FDG][0]) for each in looks]


PLANTS = {
    "chosen": (lambda: pairs_planted.exchanged(LOOKS, np.array([20, 3, 11])), 3),
    "block": (lambda: pairs_planted.block(LOOKS), 14),
    "alike": (lambda: pairs_planted.alike(LOOKS, FACTS), 6),
}


@pytest.mark.parametrize("name", PLANTS)
def test_exactly_those_are_called_wrong_that_have_the_pet_of_another(name: str) -> None:
    plant, n = PLANTS[name]
    made = plant()
    owner = owners(made.looks)
    assert sorted(owner) == list(range(len(LOOKS)))
    assert {KEYS[i] for i, other in enumerate(owner) if other != i} == made.wrong
    assert len(made.wrong) == n


def test_a_block_stands_a_row_further_down() -> None:
    owner = owners(pairs_planted.block(LOOKS).looks)
    assert owner[8:22] == [21, *range(8, 21)]


def test_those_exchanged_among_alike_are_alike() -> None:
    for i, other in enumerate(owners(pairs_planted.alike(LOOKS, FACTS).looks)):
        one, two = FACTS[KEYS[i].person], FACTS[KEYS[other].person]
        assert (one.sex, one.diagnosis) == (two.sex, two.diagnosis)
        assert abs(one.age - two.age) <= 1


def test_a_tally_counts_sessions_by_what_is_wrong_with_them_and_what_is_said() -> None:
    said = [(0, FDG, REFUSE), (1, FDG, DOUBT), (2, T1W, REFUSE), (3, FDG, DOUBT), (3, FDG, REFUSE)]
    findings = [PairFinding(KEYS[i], c, "other-person", verdict, "") for i, c, verdict in said]
    findings.append(PairFinding(KEYS[4], FDG, "mirrored", REFUSE, ""))
    found = pairs_planted.tally(LOOKS, findings, "other-person", {KEYS[0], KEYS[1], KEYS[5]})
    assert found.cells == ("1 of 21", "1 of 21", "1 of 3", "2 of 3")
    assert pairs_planted.tally(LOOKS, findings).cells == ("4 of 24", "5 of 24", "", "")
    assert (found + found).cells == ("2 of 42", "2 of 42", "2 of 6", "4 of 6")


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_widths_of_one_who_knows_the_truth_hold_the_group_that_errs_most(shared: float) -> None:
    cohort = Cohort("", {"a": 3000, "b": 3000}, {"b": 1.5})
    truth, predicted = cohort.drawn(generator("test", "bench-needed"), shared=shared)
    inside = np.abs(truth - predicted) <= needed(cohort)
    assert inside[cohort.groups == "b"].mean() == pytest.approx(0.9, abs=0.01)
    assert inside[cohort.groups == "a"].mean() > 0.95


@pytest.mark.parametrize("wanted", [0.05, 0.1])
def test_inputs_tell_as_much_as_they_should(wanted: float) -> None:
    drawn = telling(wanted).drawn(6000, generator("test", "bench-telling"))
    assert skill(*drawn) == pytest.approx(wanted, abs=0.01)


def test_inputs_that_tell_nothing_are_unrelated_to_the_truth() -> None:
    truth, predicted = telling(0).drawn(6000, generator("test", "bench-telling"))
    assert predicted.std() == pytest.approx(intervals_people.UNTOLD * truth.std(), rel=0.05)
    assert abs(np.corrcoef(truth.ravel(), predicted.ravel())[0, 1]) < 0.02
