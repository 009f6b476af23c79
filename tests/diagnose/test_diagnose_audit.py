"""Six leaks, each planted and caught; nothing cried where nothing is."""

import dataclasses

import audit_trials as made
import numpy as np
import pandas as pd
import pytest

from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.seeds import generator
from tracerless.diagnose.audit import CHECKS, Known, Trial, audit, table


def row_split(trial, known):
    """Every scan dealt by itself."""
    fold = generator("audit rows").permutation(np.arange(len(trial.person)) % made.N_FOLDS)
    return dataclasses.replace(trial, fold=fold.astype(str)[None]), known


def selection(trial, known):
    """The leading columns of all rows, among many that say nothing."""
    noise = generator("audit noise").standard_normal((len(trial.person), 200))
    wide = pd.concat(
        [trial.candidates, pd.DataFrame(noise, columns=[f"noise_{n}" for n in range(200)])], axis=1
    )
    best = made.leading(wide, np.array(trial.truth), 15)
    chosen = dict.fromkeys(trial.selected, best)
    return dataclasses.replace(trial, candidates=wide, selected=chosen), known


def norm_people(trial, known):
    """Half of the normal people are those behind the norm."""
    normal = [p for p, d in zip(trial.person, trial.truth, strict=True) if d == "CN"][::2]
    digests = frozenset(person_digest(Pseudonym(p)) for p in normal)
    return trial, dataclasses.replace(known, norms={"norm-FDG": digests})


def label_defining_score(trial, known):
    """The sum of boxes, under its name in another registry."""
    shown = trial.features.assign(cdr_sb=known.scores["CDRSB"])
    return dataclasses.replace(trial, features=shown), known


def duplicate_person(trial, known):
    """One person's scan comes again under another pseudonym, prepared a second time."""
    table = trial.features.copy()
    again = 1 + 0.002 * generator("audit twice").standard_normal(made.N_REGIONS)
    table.loc[0, list(made.REGIONS)] = table.loc[len(table) - 1, list(made.REGIONS)] * again
    return dataclasses.replace(trial, features=table, candidates=table), known


def synthesizer(trial, known):
    """One person of the trial helped to train what made the scans."""
    seen = frozenset({person_digest(Pseudonym(trial.person[7]))})
    return trial, dataclasses.replace(known, synthesizers={"unet": seen})


PLANTS = (row_split, selection, norm_people, label_defining_score, duplicate_person, synthesizer)


def verdicts(trial, known):
    return {each.check: str(each.verdict) for each in audit(trial, known)}


@pytest.mark.parametrize("plant", PLANTS, ids=[each.__name__ for each in PLANTS])
def test_each_planted_leak_is_caught_by_its_own_check_and_by_no_other(plant):
    check = list(CHECKS)[PLANTS.index(plant)]
    found = verdicts(*plant(*made.clean("plant", n=120)))
    assert [name for name, verdict in found.items() if verdict == "finding"] == [check]


@pytest.mark.parametrize("block", range(4))
def test_twenty_clean_trials_raise_no_alarm(block):
    for seed in range(5 * block, 5 * block + 5):
        found = verdicts(*made.clean(f"holdout-{seed}", n=110))
        assert set(found.values()) == {"pass"}, (seed, found)


def test_what_nobody_told_is_not_called_clean():
    bare = Trial(("a", "b", "c"), ("", "", ""), np.array([["1", "2", "1"]]))
    found = verdicts(bare, Known())
    assert found.pop("row split") == "pass"
    assert set(found.values()) == {"not checked"}


def test_people_whose_names_are_no_pseudonyms_cannot_be_looked_for():
    trial, known = made.clean("names", n=40)
    strange = tuple(f"{person} (ward 7)" for person in trial.person)
    found = verdicts(dataclasses.replace(trial, person=strange), known)
    assert found["norm people"] == found["synthesizer"] == "not checked"


def test_a_norm_of_people_who_are_only_learned_from_is_no_leak():
    trial, known = made.clean("train", n=60)
    fold = np.where(trial.fold == "0", "0", "")
    learned = {p for p, f in zip(trial.person, fold[0], strict=True) if f == ""}
    norm = frozenset(person_digest(Pseudonym(p)) for p in learned)
    trial = dataclasses.replace(trial, fold=fold, selected={"0": trial.selected["0"]})
    found = verdicts(trial, dataclasses.replace(known, norms={"own": norm}))
    assert found["norm people"] == "pass"


def test_a_locked_model_tested_on_people_it_learned_from_is_caught():
    trial, known = made.clean("locked", n=40)
    learned = frozenset({person_digest(Pseudonym(trial.person[3]))})
    assert verdicts(trial, dataclasses.replace(known, learned=learned))["row split"] == "finding"


@pytest.mark.parametrize("name", ["CDRSB", "cdr.global", "z_CDR-SB", "NACC CDRGLOB", "Dx", "faq"])
def test_a_defining_score_is_known_by_whatever_surrounds_its_name(name):
    trial, known = made.clean("names", n=40)
    shown = trial.features.assign(**{name: 0.5})
    found = verdicts(dataclasses.replace(trial, features=shown), known)
    assert found["label-defining score"] == "finding"


@pytest.mark.parametrize("name", ["cdrom_left", "labeled", "precuneus_left", "MMSE", "targeting"])
def test_a_harmless_name_is_let_through(name):
    trial, known = made.clean("names", n=40)
    shown = trial.features.assign(**{name: 0.5})
    found = verdicts(dataclasses.replace(trial, features=shown), known)
    assert found["label-defining score"] == "pass"


def test_a_defining_score_is_known_again_under_another_name_and_scale():
    trial, known = made.clean("renamed", n=60)
    shown = trial.features.assign(column_7=np.log1p(-3 * known.scores["CDRSB"] + 60))
    found = verdicts(dataclasses.replace(trial, features=shown), known)
    assert found["label-defining score"] == "finding"


def test_a_column_that_parts_the_classes_without_an_error_is_taken_for_the_label():
    trial, known = made.clean("code", n=120)
    code = pd.Series(trial.truth).map({"CN": 3.0, "MCI": 1.0, "AD": 2.0})
    noisy = code + 0.3 * generator("audit code").random(len(code))
    found = verdicts(dataclasses.replace(trial, features=trial.features.assign(site=noisy)), known)
    assert found["label-defining score"] == "finding"


def test_one_set_in_every_fold_near_the_leading_columns_must_say_where_it_comes_from():
    trial, known = made.clean("fixed1", n=120, k=12, effect=2.0)
    chosen = dict.fromkeys(trial.selected, made.REGIONS[: made.ILL])
    found = verdicts(dataclasses.replace(trial, selected=chosen), known)
    assert found["selection"] == "not checked"


def test_one_set_that_any_part_of_the_rows_gives_leaks_nothing():
    trial, known = made.clean("fixed0", n=120, k=12, effect=3.0)
    chosen = dict.fromkeys(trial.selected, made.REGIONS[: made.ILL])
    found = verdicts(dataclasses.replace(trial, selected=chosen), known)
    assert found["selection"] == "pass"


def test_one_set_in_every_fold_that_no_ranking_gives_passes():
    trial, known = made.clean("atlas", n=120, effect=0.4)
    chosen = dict.fromkeys(trial.selected, made.REGIONS[20:32])
    found = verdicts(dataclasses.replace(trial, selected=chosen), known)
    assert found["selection"] == "pass"


def test_several_visits_of_one_person_are_no_duplicates():
    who, diagnosis = made.people(60, "visits", second=1.0)
    shown = made.features(who, diagnosis, "visits")
    shown.iloc[1] = shown.iloc[0]
    trial = Trial(
        tuple(who), tuple(diagnosis), made.dealt(who, "visits")[None], features=shown,
        regions=made.REGIONS,
    )  # fmt: skip
    assert who[0] == who[1]
    assert verdicts(trial, Known())["duplicate person"] == "pass"


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_the_same_scan_under_several_pseudonyms_is_found(copies):
    trial, known = made.clean("copies", n=80)
    shown, regions = trial.features.copy(), list(made.REGIONS)
    places = [n for n, p in enumerate(trial.person) if p != trial.person[-1]][:copies]
    noise = generator("audit copies").standard_normal((copies, made.N_REGIONS))
    shown.loc[places, regions] = shown[regions].iloc[-1].to_numpy() * (1 + 0.002 * noise)
    found = audit(dataclasses.replace(trial, features=shown, candidates=shown), known)[4]
    assert found.verdict == "finding"
    assert trial.person[-1] not in found.what


def test_scores_alone_cannot_tell_people_apart():
    trial, known = made.clean("scores", n=60)
    shown = trial.features[list(made.TESTS)]
    bare = dataclasses.replace(trial, features=shown, candidates=None, selected=None, regions=())
    found = verdicts(bare, known)
    assert found["duplicate person"] == "not checked"


def test_findings_make_the_table_of_an_evaluation():
    rows = table(audit(*made.clean("table", n=40)))
    assert tuple(rows.columns) == TABLES["findings"]
    assert list(rows["check"]) == list(CHECKS)


def test_a_trial_whose_parts_do_not_fit_is_refused():
    with pytest.raises(ModelError, match="2 rows of people, 3 of"):
        Trial(("a", "b"), ("", ""), np.array([["1", "2", "3"]]))
    with pytest.raises(ModelError, match="in which fold"):
        Trial(("a", "b"), ("", ""), np.array([["", ""]]))
