"""Models trained again: a new scanner comes closer with its pairs, cognition tells on itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from challenge_heads import ATLAS, GRID, TEMPLATE, person
from tracerless import synthesize
from tracerless.core.assessment import TABLES
from tracerless.core.cohort import Cohort, PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe, SynthesizeRecipe
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast, with_array
from tracerless.workspace.adaptation import POLICIES, adaptation, covariate_policy, paired
from tracerless.workspace.adaptation_sites import scanners_to_leave_out, site_of
from tracerless.workspace.challenges_outcome import Outcome
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import write_cohort
from tracerless.workspace.trial import Subject, Trial

RECIPE = SynthesizeRecipe(network="ridge", voxel_mm=6.0, held_out=0.2)


def facts(n: int, site: str, *, first: int = 0) -> dict[SessionKey, PersonFacts]:
    return {
        SessionKey(Pseudonym(f"p{i:03d}"), "1"): PersonFacts("CN", 70.0, "F", 29.0, site)
        for i in range(first, first + n)
    }


def test_a_scanner_is_left_out_only_if_it_and_the_others_have_enough_people() -> None:
    known = {**facts(30, "A"), **facts(14, "B", first=30), **facts(4, "C", first=44)}
    chosen = scanners_to_leave_out(known)
    assert {name: len(people) for name, people in chosen.items()} == {"B": 14}
    assert scanners_to_leave_out(facts(40, "A")) == {}
    assert scanners_to_leave_out(facts(40, "")) == {}


def test_small_sites_of_one_scanner_model_are_taken_together() -> None:
    known = {}
    for i in range(20):
        known |= facts(2, f"maker{i % 2} model site-{i:03d}", first=2 * i)
    assert set(scanners_to_leave_out(known)) == {"maker0 model", "maker1 model"}


def test_people_who_judge_are_never_among_those_who_are_given(tmp_path: Path) -> None:
    dataset = Dataset.create_or_open(tmp_path / "dataset")
    subjects = [Subject(key, "CN", each) for key, each in facts(30, "A").items()]
    site = site_of("A", dataset, subjects)
    assert site is not None
    assert not {s.person for s in site.pool} & {s.person for s in site.judged}
    assert len(site.pool) == 20
    assert len(site.judged) == 10
    assert site_of("A", dataset, subjects[:9]) is None
    again = site_of("A", dataset, subjects)
    assert again is not None
    assert again.pool == site.pool


def outcomes(errors: np.ndarray) -> list[Outcome]:
    """One person a row, 4 regions; the truth is 1, the mean 1.2."""
    one, nothing = np.ones(4), np.full(4, np.nan)
    return [
        Outcome(f"p{i}", one, 1.2 * one, one + e, nothing, refused=False, flagged=None)
        for i, e in enumerate(errors)
    ]


def test_the_paired_gain_is_what_the_policy_saves_of_the_means_error() -> None:
    images, policy = outcomes(np.full(12, 0.1)), outcomes(np.full(12, 0.05))
    gain, p = paired(policy, images)
    assert gain == pytest.approx(0.25)
    assert p < 0.005
    same, p_same = paired(images, images)
    assert same == 0
    assert p_same == 1


def saved(root: Path, sessions: list[Prepared], sites: list[str], mmse: list[float]) -> Dataset:
    made = Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=6.0)))
    rows = {}
    for i, (session, site) in enumerate(zip(sessions, sites, strict=True)):
        kept = replace(session, sources={"scanner": site})
        SessionShelf(made, session.key).save("prepared", kept, f"digest{i}")
        rows[str(session.key.person)] = {
            "diagnosis": ("CN", "AD")[i % 2],
            "age": 60.0 + (7 * i) % 25,
            "sex": "FM"[i // 2 % 2],
            "MMSE": mmse[i],
        }
    write_cohort(made, Cohort(pd.DataFrame.from_dict(rows, orient="index")))
    return made


def cohort(n: int, family: str) -> tuple[list[Prepared], list[float]]:
    """People whose MMSE tells how ill they are."""
    severities = [0.3 + 0.05 * (i % 15) if i % 2 else 0.0 for i in range(n)]
    made = [person(i, s, GRID, family=family) for i, s in enumerate(severities)]
    return made, [round(29 - 12 * s) for s in severities]


def louder(session: Prepared) -> Prepared:
    """Of a scanner whose PET reads more in the outer brain."""
    fdg = session.volumes[Contrast.FDG]
    more = with_array(fdg, fdg.array * (1 + 0.08 * TEMPLATE.grey.array))
    return replace(session, volumes={**session.volumes, Contrast.FDG: more})


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    root = tmp_path_factory.mktemp("adaptation")
    taught, mmse = cohort(40, "taught")
    sites = ["B" if i % 3 == 0 else "A" for i in range(40)]
    training = saved(root / "training", taught, sites, mmse)
    unseen, theirs = cohort(26, "unseen")
    unseen = [louder(each) for each in unseen]
    here = saved(root / "here", unseen, ["C"] * 26, theirs)
    model = synthesize.fit(
        taught,
        template=TEMPLATE,
        atlas=ATLAS,
        recipe=RECIPE,
        reference="pons",
        training_domain="acquired",
    )
    return Trial(
        name="ridge",
        dataset=here,
        checkpoint=model,
        synthesizer=synthesize.synthesizer(model, TEMPLATE, ATLAS),
        rivals={"mean": synthesize.mean_predictor(model, TEMPLATE, ATLAS)},
        subjects=tuple(
            Subject(s.key, ("CN", "AD")[i % 2], PersonFacts("", 60.0 + (7 * i) % 25, "F", mmse))
            for i, (s, mmse) in enumerate(zip(unseen, theirs, strict=True))
        ),
        template=TEMPLATE,
        atlas=ATLAS,
        domain="acquired",
        training=training,
    )


@pytest.mark.slow
def test_a_new_scanner_comes_closer_with_pairs_of_its_own(trial: Trial) -> None:
    tables, notes = adaptation(trial)
    table = tables["adaptation"]
    assert tuple(table.columns) == TABLES["adaptation"]
    here = table[table["site"] == "this dataset"].set_index("n_adapted")["skill"]
    assert list(here.index) == [0, 5, 10]
    assert here[5] > here[0]
    assert here[10] > here[0] + 0.1
    left_out = table[table["site"] == "B"]
    assert list(left_out["n_adapted"]) == [0, 5]
    assert (left_out["n"] >= 8).all()
    assert any("adapted to" in note for note in notes)


@pytest.mark.slow
def test_cognition_without_images_knows_the_disease_and_is_told_on(trial: Trial) -> None:
    plain, mmse = cohort(12, "judges")
    judges = saved(trial.dataset.root.parent / "judges", plain, ["A"] * 12, mmse)
    subjects = tuple(
        Subject(s.key, "", PersonFacts("", 70.0, "F", m)) for s, m in zip(plain, mmse, strict=True)
    )
    tables, notes = covariate_policy(replace(trial, dataset=judges, subjects=subjects))
    table = tables["covariate_policy"].set_index("policy")
    assert tuple(tables["covariate_policy"].columns) == TABLES["covariate_policy"]
    assert set(table.index) == set(POLICIES)
    assert table.loc["cognition", "skill"] > 0.1
    assert table.loc["cognition", "skill"] > table.loc["age-sex", "skill"] + 0.1
    assert table.loc["images", "against_images"] == 0
    assert any("MMSE without any MR" in note for note in notes)


@pytest.mark.slow
def test_without_the_training_people_nothing_is_trained_again(trial: Trial) -> None:
    alone = replace(trial, training=None)
    with pytest.raises(ModelError, match="not at hand") as refused:
        covariate_policy(alone)
    assert "--training" in refused.value.hint
    crossed = replace(trial, own=lambda _: {"model": trial.synthesizer})
    with pytest.raises(ModelError, match="cross-fitted"):
        adaptation(crossed)
