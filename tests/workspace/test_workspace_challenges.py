"""The sections that change people on purpose, on a model whose every answer is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from challenge_heads import ATLAS, BRAIN, GRID, TEMPLATE, people, person, without
from tracerless import synthesize
from tracerless.core.assessment import TABLES
from tracerless.core.cohort import Cohort, PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.prediction import Prediction, Reach
from tracerless.core.recipe import PrepareRecipe, Recipe, SynthesizeRecipe
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume
from tracerless.evaluate.strange import STRANGE
from tracerless.evaluate.stress import STRESSES
from tracerless.synthesize import Checkpoint
from tracerless.workspace import challenges, challenges_parity
from tracerless.workspace.challenges_outcome import has_mr, known, knowns, outcome, scored
from tracerless.workspace.challenges_parity import largest_difference
from tracerless.workspace.challenges_planted import planted_tables
from tracerless.workspace.challenges_stress import strange_tables, stress_tables
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import write_cohort
from tracerless.workspace.trial import Subject, Trial

N_UNSEEN = 12


@dataclass(frozen=True, eq=False)
class FlowReader:
    """Uptake follows flow by a fixed share; no T1w like the template's, no answer without flow."""

    uptake: np.ndarray
    flow: np.ndarray
    share: float
    name: str = "flow-reader"

    def predict(
        self,
        prepared: Prepared,
        inputs: tuple[Contrast, ...] | None = None,
        person: PersonFacts | None = None,
        n_samples: int = 0,
    ) -> Prediction:
        flow = prepared.require(Contrast.CBF).array
        if not np.nanmax(flow) > 0:
            raise ModelError("The cbf holds no picture.")
        t1w = np.nan_to_num(prepared.require(Contrast.T1W).array[BRAIN])
        alike = np.corrcoef(t1w, TEMPLATE.t1.array[BRAIN])[0, 1]
        ratio = np.nan_to_num(flow / self.flow, nan=1.0)
        suvr = np.where(BRAIN, self.uptake * (1 + self.share * (ratio - 1)), np.nan)
        return Prediction(
            key=prepared.key,
            volume=Volume(suvr, GRID, Quantity.SUVR, Contrast.SYNTHETIC_FDG),
            inputs=MR_INPUTS,
            model=self.name,
            reference="pons",
            training_domain="simulated",
            fingerprint="f",
            half_widths=dict.fromkeys(ATLAS.keys, 0.5),
            reach=Reach("inside" if alike > 0.8 else "outside", float(alike > 0.8)),
        )


def maps(sessions: list[Prepared]) -> tuple[np.ndarray, np.ndarray]:
    """Mean uptake and mean flow."""
    uptake, flow = (
        np.mean([s.volumes[c].array for s in sessions], axis=0)
        for c in (Contrast.FDG, Contrast.CBF)
    )
    return uptake, np.maximum(flow, 0.05)


@pytest.fixture(scope="module")
def unseen() -> list[Prepared]:
    return people(N_UNSEEN, GRID, family="unseen")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, unseen: list[Prepared]) -> Dataset:
    root = tmp_path_factory.mktemp("challenges") / "dataset"
    made = Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=6.0)))
    for session in unseen:
        SessionShelf(made, session.key).save("prepared", session, "digest")
    rows = {
        str(s.key.person): {"diagnosis": ("CN", "AD")[i % 2], "age": 70.0 + i, "sex": "FM"[i % 2]}
        for i, s in enumerate(unseen)
    }
    write_cohort(made, Cohort(pd.DataFrame.from_dict(rows, orient="index")))
    return made


def taught(network: str, n: int) -> Checkpoint:
    return synthesize.fit(
        people(n, GRID),
        template=TEMPLATE,
        atlas=ATLAS,
        recipe=SynthesizeRecipe(network=network, voxel_mm=6.0, held_out=0.3),
        reference="pons",
        training_domain="simulated",
    )


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return taught("none", 6)


@pytest.fixture(scope="module")
def trial_of(
    dataset: Dataset, unseen: list[Prepared], checkpoint: Checkpoint
) -> Callable[[float], Trial]:
    """A trial of a reader that takes over so much of a change of flow."""
    subjects = tuple(
        Subject(s.key, "AD" if i % 2 else "CN", PersonFacts("AD" if i % 2 else "CN", 70.0 + i, "F"))
        for i, s in enumerate(unseen)
    )

    def trial(share: float) -> Trial:
        uptake, flow = maps(people(8, GRID))
        return Trial(
            name="reader",
            dataset=dataset,
            checkpoint=checkpoint,
            synthesizer=FlowReader(uptake, flow, share),
            rivals={"mean": FlowReader(uptake, flow, 0.0, "mean")},
            subjects=subjects,
            template=TEMPLATE,
            atlas=ATLAS,
            domain="simulated",
        )

    return trial


def test_a_planted_loss_comes_back_only_where_flow_shows_it(trial_of) -> None:
    tables, notes = planted_tables(trial_of(0.5), n_people=3)
    table = tables["planted"]
    assert tuple(table.columns) == TABLES["planted"]
    everywhere = table[table["region"] == "all"].set_index(["correlate", "loss"])["recovered"]
    assert (everywhere["none"] == 0).all()
    assert everywhere["thinning"].abs().max() < 1e-6
    assert everywhere["flow"].between(0.35, 0.55).all()
    assert (table["n"] == 3).all()
    shown = next(note for note in notes if "flow is lost by the same share" in note)
    assert any(f" {share}% in " in shown for share in range(35, 56))


def test_a_model_that_ignores_mr_gives_nothing_back(trial_of) -> None:
    tables, _ = planted_tables(trial_of(0.0), n_people=3)
    assert tables["planted"]["recovered"].abs().max() < 1e-9


def test_stress_hurts_a_reader_of_flow_where_flow_is_hurt_and_nowhere_else(trial_of) -> None:
    tables, notes = stress_tables(trial_of(1.0).limited(4))
    table = tables["stress"]
    assert tuple(table.columns) == TABLES["stress"]
    assert set(table["stress"]) == {"none", *STRESSES}
    skill = table.set_index(["stress", "level"])["skill"]
    usual = skill["none"].iloc[0]
    assert skill["slices"].round(6).eq(round(usual, 6)).all()
    assert skill["few-pairs"][0.1] < skill["few-pairs"][0.5] < usual
    assert skill["short-delay"][1.2] < usual
    assert (table["n"] == 4).all()
    assert any("few-pairs" in note or "late-label" in note for note in notes)


def test_strange_heads_are_counted_as_flagged_or_refused(trial_of) -> None:
    tables, notes = strange_tables(trial_of(1.0).limited(4))
    table = tables["strange"].set_index("case")
    assert set(table.index) == {"none", *STRANGE}
    assert table.loc["none", "flagged"] == 0
    assert table.loc["none", "refused"] == 0
    assert table.loc["empty-flow", "refused"] == 1
    assert table.loc["empty-flow", "flagged"] == 0
    assert table.loc["only-noise", "flagged"] == 1
    assert (table["flagged"] + table["refused"] <= 1).all()
    assert any(note.startswith("mirrored") for note in notes)
    assert not any(note.startswith("empty-flow") for note in notes)


def test_a_refusal_counts_in_no_skill(trial_of, unseen: list[Prepared]) -> None:
    trial = trial_of(1.0)
    of = known(trial, trial.subjects[0])
    flow = of.session.volumes[Contrast.CBF]
    empty = replace(flow, array=np.zeros(GRID.shape, np.float32))
    refused = outcome(
        trial, of, replace(of.session, volumes={**of.session.volumes, Contrast.CBF: empty})
    )
    assert refused.refused
    assert refused.flagged is None
    spoken = outcome(trial, of, of.session)
    assert scored([spoken, refused], "x")[0] == scored([spoken], "x")[0]
    assert np.isnan(scored([refused], "x")[0])


def test_a_session_without_mr_is_passed_over(
    trial_of, dataset: Dataset, unseen: list[Prepared]
) -> None:
    bare = without(person(0, 0.0, GRID, family="bare"), *MR_INPUTS)
    SessionShelf(dataset, bare.key).save("prepared", bare, "digest")
    trial = trial_of(1.0).limited(2)
    longer = replace(trial, subjects=(Subject(bare.key, "CN", PersonFacts()), *trial.subjects))
    assert not has_mr(dataset, bare.key)
    assert [of.subject for of in knowns(longer)] == list(trial.subjects)


def test_sections_tell_how_far_they_are(trial_of) -> None:
    told: list[tuple[int, int]] = []
    few = trial_of(1.0).limited(2)
    challenges.strange_heads(few, progress=lambda done, total, _: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.slow
def test_the_model_itself_answers_alike_by_every_engine(trial_of) -> None:
    checkpoint = taught("ridge", 24)
    predictor = synthesize.synthesizer(checkpoint, TEMPLATE, ATLAS)
    trial = replace(trial_of(1.0), synthesizer=predictor, checkpoint=checkpoint).limited(2)
    tables, notes = challenges_parity.parity(trial)
    table = tables["parity"].set_index("what")
    assert tuple(tables["parity"].columns) == TABLES["parity"]
    assert (table["verdict"] == "pass").all(), (table, notes)
    assert table.loc["the same session again", "largest_suvr"] == 0
    assert table.loc["ONNX Runtime", "largest_suvr"] < 0.005


def test_a_model_differs_from_itself_by_nothing_and_from_another_by_what_it_does(trial_of) -> None:
    trial = trial_of(0.5).limited(2)
    assert largest_difference(trial, trial_of(0.5).synthesizer, voxels=True) == 0
    apart = [
        largest_difference(trial, trial_of(0.7).synthesizer, voxels=each) for each in (True, False)
    ]
    assert 0 < apart[1] < apart[0]


@pytest.mark.slow
def test_another_model_does_not_pass_as_the_same(trial_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges_parity, "N_PARITY", 1)
    tables, notes = challenges_parity.parity(trial_of(1.0))
    table = tables["parity"].set_index("what")
    assert table.loc["the same session again", "verdict"] == "fail"
    assert table.loc["weights written and read", "verdict"] == "fail"
    assert len(notes) == (table["verdict"] == "not measured").sum()
