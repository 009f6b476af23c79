"""A user's own tables are audited as ours are, whatever they are called and however written."""

import json

import audit_trials as made
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tracerless.cli.diagnose_audit import audit as command
from tracerless.core.errors import DatasetError
from tracerless.workspace.audit import defining_names
from tracerless.workspace.audit_tables import of_tables

CLEAN = ("--norm", "none", "--synthesizer", "none")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Predictions, features and chosen columns of a clean trial."""
    folder = tmp_path_factory.mktemp("own")
    trial, _ = made.clean("own", n=90)
    who = pd.Series(trial.person)
    visit = [f"ses-{n + 1:02d}" for n in who.groupby(who).cumcount()]
    predictions = pd.DataFrame(
        {"participant_id": "sub-" + who, "session_id": visit, "fold": trial.fold[0],
         "diagnosis": trial.truth}
    )  # fmt: skip
    features = pd.concat([predictions[["participant_id", "session_id"]], trial.features], axis=1)
    pairs = [(fold, name) for fold, names in trial.selected.items() for name in names]
    predictions.to_csv(folder / "predictions.tsv", sep="\t", index=False)
    features.to_csv(folder / "features.csv", index=False, na_rep="n/a", encoding="utf-8-sig")
    pd.DataFrame(pairs, columns=["fold", "feature"]).to_csv(folder / "selected.csv", index=False)
    return folder


def run(*words):
    done = CliRunner().invoke(command, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def own(folder, predictions="predictions.tsv", *more):
    return run(
        "--predictions", folder / predictions, "--features", folder / "features.csv",
        "--selected", folder / "selected.csv", *CLEAN, *more,
    )  # fmt: skip


def test_a_clean_table_passes_with_exit_code_0(tables):
    done = own(tables)
    assert done.exit_code == 0
    assert "6 checks: leaks 0, not looked for 0." in done.output


def test_a_split_by_row_is_a_leak_with_exit_code_1_and_names_nobody(tables):
    table = pd.read_csv(tables / "predictions.tsv", sep="\t")
    table["fold"] = np.arange(len(table)) % 5
    table.to_csv(tables / "rows.tsv", sep="\t", index=False)
    done = own(tables, "rows.tsv", "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert found["leaks"] == 1
    assert "ownp0" not in done.output


def test_one_split_by_words_and_people_only_is_read(tables):
    table = pd.read_csv(tables / "predictions.tsv", sep="\t").drop_duplicates("participant_id")
    table["split"] = np.where(table["fold"] == 0, "test", "train")
    table = table.rename(columns={"participant_id": "ID"})[["ID", "split"]]
    table.to_csv(tables / "people.csv", index=False)
    found = {each.check: each for each in of_tables(tables / "people.csv")}
    assert found["row split"].verdict == "pass"
    assert found["selection"].verdict == "not checked"


def test_repeats_are_splits_of_their_own(tables):
    table = pd.read_csv(tables / "predictions.tsv", sep="\t")
    again = table.assign(fold=(table["fold"] + 1) % 5, repeat=2)
    both = pd.concat([table.assign(repeat=1), again])
    both.to_csv(tables / "repeats.tsv", sep="\t", index=False)
    assert own(tables, "repeats.tsv").exit_code == 0


def test_features_of_another_visit_are_refused(tables):
    features = pd.read_csv(tables / "features.csv")
    features.loc[0, "session_id"] = "ses-99"
    features.to_csv(tables / "other.csv", index=False)
    with pytest.raises(DatasetError, match=r"1 of \d+ rows have no features"):
        of_tables(tables / "predictions.tsv", features=tables / "other.csv")


def test_two_rows_of_features_for_one_scan_are_refused(tables):
    features = pd.read_csv(tables / "features.csv")
    pd.concat([features, features.head(3)]).to_csv(tables / "twice.csv", index=False)
    with pytest.raises(DatasetError, match="3 rows of features have the same person and visit"):
        of_tables(tables / "predictions.tsv", features=tables / "twice.csv")


def test_a_chosen_column_that_is_not_there_is_named(tables):
    (tables / "typo.txt").write_text("region_1\nregion_99\n")
    with pytest.raises(DatasetError, match="region_99"):
        of_tables(
            tables / "predictions.tsv",
            features=tables / "features.csv",
            selected=tables / "typo.txt",
        )


def test_a_table_without_folds_is_refused_by_name(tables):
    with pytest.raises(DatasetError, match="no column fold"):
        of_tables(tables / "features.csv")


@pytest.mark.parametrize("words", [(), ("--features", "f"), ("x", "--evaluation", "a", "--model")])
def test_a_call_that_asks_for_nothing_or_too_much_is_a_usage_error(tables, words):
    words = [tables / "features.csv" if word == "f" else word for word in words]
    done = run(*words, *(["b"] if words[-1:] == ["--model"] else []))
    assert done.exit_code == 2


def test_staging_scores_of_the_registries_are_known():
    assert {"CDR", "CDRSB", "FAQ"} <= set(defining_names())
    assert not {"MMSE", "MOCA", "CASI"} & set(defining_names())
