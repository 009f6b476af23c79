"""`tracerless diagnose evaluate` on a dataset: stopped and resumed, locked, and refused."""

import json
from dataclasses import replace

import pytest
from assess_dataset import written
from click.testing import CliRunner

from tracerless.cli.diagnose import command
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.study import Arm
from tracerless.diagnose import Settings
from tracerless.io import assessments
from tracerless.workspace import diagnosis, diagnosis_evaluation, diagnosis_external
from tracerless.workspace.diagnosis_steps import Options, arms_of
from tracerless.workspace.study import study

QUICK = Settings(models=("elastic_net",), features="ratio", folds=3, inner_folds=2)
FEW = Options(n_splits=1, n_sentinel=2, shares=())


class StoppedError(Exception):
    """Somebody pulled the plug."""


def run(dataset, key="one", advance=None, settings=QUICK, options=FEW):
    return diagnosis_evaluation.evaluate(
        dataset, contrast="ECD", key=key, settings=settings, options=options, advance=advance
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return written(tmp_path_factory.mktemp("assess") / "dataset")


@pytest.fixture(scope="module")
def made(dataset):
    return run(dataset)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_an_evaluation_of_a_dataset_holds_what_a_reader_needs(made):
    assessment, folder = made
    tables = {path.stem for path in folder.glob("*.tsv")}
    assert {"performance", "increments", "single_split", "sentinel", "findings"} <= tables
    assert {f"out_of_fold-{arm}" for arm in Arm} <= tables
    assert assessment.facts["domain"] == "simulated"
    assert assessment.facts["sentinel"]["holds"]
    assert "scanner left out" in set(assessment.tables["subgroups"]["by"])
    assert not (folder / "parts").exists()
    assert set(assessment.tables["findings"]["verdict"]) <= {"pass", "not checked"}


def test_a_stopped_evaluation_goes_on_and_comes_to_the_same_bytes(made, dataset, monkeypatch):
    done = []

    def stop_at(limit):
        def advance(step, total, what):
            if step == limit:
                raise StoppedError
            done.append(what)

        return advance

    for limit in (2, 6, 8):
        with pytest.raises(StoppedError):
            run(dataset, "two", advance=stop_at(limit))
        assert not (diagnosis_evaluation.folder_of(dataset, "two") / assessments.FILE).exists()
    _, folder = run(dataset, "two")
    one, two = files(made[1]), files(folder)
    assert set(one) == set(two)
    assert {name for name in one if one[name] != two[name]} == {assessments.FILE}
    record = json.loads(one[assessments.FILE])
    assert {**record, "key": "two"} == json.loads(two[assessments.FILE])


def test_a_finished_evaluation_is_read_and_not_made_again(made, dataset):
    steps = []
    again, _ = run(dataset, advance=lambda *told: steps.append(told))
    assert not steps
    assert again.facts["digest"] == made[0].facts["digest"]
    other = digest = made[0].facts["digest"]
    assert (
        digest
        != diagnosis_evaluation.Run(made[1], study(dataset, "ECD"), Settings(seed="2"), FEW).digest
    )
    assert other == digest


def test_an_arm_that_adds_nothing_to_another_is_left_out_with_a_sentence(dataset):
    people = study(dataset, "none")
    arms, notes = arms_of(people)
    assert arms == (Arm.DEMOGRAPHICS, Arm.COGNITION, Arm.LEAKY)
    assert notes[0] == "Arm image has no other predictors than demographics: left out."


def test_a_locked_model_is_judged_elsewhere_and_not_at_home(dataset, tmp_path):
    _, path = diagnosis.fit(dataset, contrast="ECD", arm=Arm.BOTH, name="m", settings=QUICK)
    away = written(tmp_path / "away", 80, "other", names="q", image=1.0)
    shown = CliRunner().invoke(command, ["evaluate", str(away.root), "--model", str(path.parent)])
    assert shown.exit_code == 0, shown.output
    assert "people it never saw: AUC" in shown.output
    assert (away.reports / "diagnosis-external-m.html").is_file()
    facts = assessments.read(diagnosis_evaluation.folder_of(away, "external-m")).facts
    assert facts["hash"] == json.loads(path.read_text())["hash"]
    assert facts["validation"] == "external"
    with pytest.raises(ModelError, match="learned from"):
        diagnosis_external.evaluate(dataset, "m")


@pytest.mark.slow
def test_the_command_prints_intervals_first_and_writes_a_page(made, dataset):
    args = ["--of", "ECD", "--key", "cli", "--quick", "--splits", "0", "--features", "ratio"]
    shown = CliRunner().invoke(command, ["evaluate", str(dataset.root), *args])
    assert shown.exit_code == 0, shown.output
    assert "95 % interval" in shown.output
    assert (dataset.reports / "diagnosis-cli.html").is_file()


def test_a_prevalence_that_is_none_is_refused(dataset):
    args = ["evaluate", str(dataset.root), "--prevalence", "clinic=40"]
    shown = CliRunner().invoke(command, args)
    assert shown.exit_code == 2
    assert "between 0 and 1" in shown.output


@pytest.mark.parametrize(
    "options",
    [{"n_splits": -1}, {"n_sentinel": 1}, {"prevalences": {"clinic": 1.0}}],
    ids=lambda options: next(iter(options)),
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ModelError):
        Options(**options)


def test_a_name_that_leaves_the_folder_is_refused(dataset):
    with pytest.raises(ModelError, match="cannot name an evaluation"):
        run(dataset, "../elsewhere")


def test_a_class_of_nobody_is_refused_before_anything_is_written(dataset):
    settings = Settings(classes=("CN", "DLB"))
    with pytest.raises(ModelError, match="Class DLB has 0 people; 10 are needed"):
        run(dataset, "dlb", settings=settings)
    assert not diagnosis_evaluation.folder_of(dataset, "dlb").exists()


def test_z_without_normal_people_is_refused_and_leaves_nothing(tmp_path):
    ill = written(tmp_path / "ill", 60, classes=("AD", "DLB"))
    with pytest.raises(DatasetError, match="normal people"):
        run(ill, "z", settings=replace(QUICK, features="z"))
    assert not diagnosis_evaluation.folder_of(ill, "z").exists()
