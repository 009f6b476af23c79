"""A set of cases that gives nothing away, and forms that come back to it."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ContrastError, DatasetError, ModelError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io.blinded import write_blinded
from tracerless.publish import reader_kit as pictures
from tracerless.workspace.reader_kit import (
    FORM,
    _require_apart,
    _write_key,
    _write_texts,
    dealt,
    reading_order,
)
from tracerless.workspace.reader_kit_forms import analyze, returned
from tracerless.workspace.trial import Subject


def subjects(n=12):
    return tuple(
        Subject(
            SessionKey(Pseudonym(f"p{k:03d}"), "01"), ("CN", "AD")[k % 2],
            PersonFacts(("CN", "AD")[k % 2]),
        )
        for k in range(n)
    )  # fmt: skip


class Asked:
    """What of a trial the texts of a set ask for."""

    domain = "simulated"


def written(tmp_path, n=12):
    cases = sorted(dealt(subjects(n), "1"), key=lambda case: case.code)
    _write_texts(Asked, tmp_path / "kit", cases, n_readers=2, seed="1")
    return cases, _write_key(tmp_path / "key", cases)


def filled(tmp_path, cases, reader="reader-1", said=None):
    path = tmp_path / "kit" / FORM.format(reader=reader)
    form = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("case")
    for case in cases:
        form.loc[case.code, ["diagnosis", "certainty", "looks_synthetic"]] = [
            said or case.subject.diagnosis, "4", "no" if case.kind != "mr" else "",
        ]  # fmt: skip
    form.to_csv(path)
    return path


@pytest.fixture
def brain():
    grid = Grid((20, 24, 18), np.diag([8.0, 8.0, 8.0, 1.0]))
    inside = np.zeros(grid.shape, np.float32)
    inside[3:-3, 3:-3, 3:-3] = 1
    return Volume(inside, grid, Quantity.LABEL, Contrast.UNKNOWN)


def pet(brain, contrast, seed):
    noise = generator("kit", seed).normal(1.3, 0.2, brain.grid.shape)
    return Volume(noise.astype(np.float32), brain.grid, Quantity.SUVR, contrast)


def test_everybody_comes_once_a_block_and_every_block_holds_as_many_of_each_kind():
    cases = dealt(subjects(12), "1")
    assert len({case.code for case in cases}) == 36
    for block in range(3):
        own = [case for case in cases if case.block == block]
        assert len({case.subject.person for case in own}) == len(own) == 12
        assert set(Counter(case.kind for case in own).values()) == {4}


def test_codes_and_orders_tell_nothing_of_kind_or_person():
    cases = sorted(dealt(subjects(60), "1"), key=lambda case: case.code)
    kinds = [case.kind for case in cases]
    repeats = sum(a == b for a, b in itertools.pairwise(kinds)) / len(kinds)
    assert repeats == pytest.approx(1 / 3, abs=0.12)
    orders = [[c.code for c in reading_order(cases, "1", f"reader-{k}")] for k in (1, 2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    blocks = [case.block for case in reading_order(cases, "1", "reader-1")]
    assert blocks == sorted(blocks, key=blocks.index)
    assert [c.code for c in dealt(subjects(60), "1")] == [c.code for c in dealt(subjects(60), "1")]


def test_what_the_readers_get_holds_nothing_that_the_key_says(tmp_path):
    cases, key = written(tmp_path)
    given = "".join(p.read_text("utf-8") for p in sorted((tmp_path / "kit").iterdir()))
    for case in cases:
        assert str(case.subject.person) not in given
        assert case.code in key.read_text("utf-8")
    assert "mr+" not in given
    assert pictures.SOME_SYNTHETIC_EN in given
    assert pictures.SOME_SYNTHETIC_ZH in given
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["", "kit", "kit/inside"])
def test_the_key_never_lies_with_the_cases(tmp_path, where):
    with pytest.raises(DatasetError, match="one place"):
        _require_apart(tmp_path / "kit", tmp_path / where)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "mine.txt").write_text("x")
    with pytest.raises(DatasetError, match="not empty"):
        _require_apart(tmp_path / "kit", tmp_path / "key")


def test_acquired_and_synthetic_pictures_differ_in_nothing_but_their_numbers(brain, tmp_path):
    mr = {Contrast.T1W: pet(brain, Contrast.T1W, "t1")}
    same = [pet(brain, kind, "one") for kind in (Contrast.FDG, Contrast.SYNTHETIC_FDG)]
    drawn = [
        pictures.case_picture("case-001", mr, pictures.blinded(each, brain), brain, top=2.0)
        for each in same
    ]
    assert drawn[0] == drawn[1]
    for number, each in enumerate(same):
        write_blinded(tmp_path / f"{number}.nii.gz", pictures.blinded(each, brain))
    assert (tmp_path / "0.nii.gz").read_bytes() == (tmp_path / "1.nii.gz").read_bytes()
    other = pictures.blinded(pet(brain, Contrast.FDG, "two"), brain)
    assert pictures.case_picture("case-001", mr, other, brain, top=2.0) != drawn[0]


def test_both_kinds_of_pet_end_where_either_ends(brain):
    cut = pet(brain, Contrast.FDG, "one")
    array = cut.array.copy()
    array[:, :, :9] = np.nan
    cut = replace(cut, array=array)
    whole = pet(brain, Contrast.SYNTHETIC_FDG, "two")
    both = pictures.common_field(pictures.blinded(cut, brain), pictures.blinded(whole, brain))
    assert np.array_equal(np.isfinite(both[0].array), np.isfinite(both[1].array))


def test_a_picture_that_was_not_blinded_is_refused(brain):
    raw = pet(brain, Contrast.SYNTHETIC_FDG, "one")
    with pytest.raises(ContrastError, match="would say what it is"):
        pictures.case_picture("case-001", {}, raw, brain, top=2.0)
    with pytest.raises(QuantityError):
        pictures.blinded(replace(raw, quantity=Quantity.COUNTS), brain)


def test_forms_come_back_to_their_cases(tmp_path):
    cases, key = written(tmp_path)
    forms = [filled(tmp_path, cases, f"reader-{k}") for k in (1, 2)]
    table, notes = analyze(key, forms, to=tmp_path / "out")
    right = table[(table["what"] == "accuracy") & (table["reader"] == "all")]
    assert set(right["value"]) == {1.0}
    assert len(right) == 3
    assert not any("unread" in note for note in notes)
    assert (tmp_path / "out" / "reader_study.tsv").is_file()


def test_an_unfinished_form_is_counted(tmp_path):
    cases, key = written(tmp_path)
    back = returned(key.parent, [filled(tmp_path, cases[:10])])
    assert back.unread == ("reader-1 left 26 of 36 cases unread.",)
    assert len(back.readings.table) == 10


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"said": "flu"}, ModelError, "is none of this set"),
        ({"replace": (",4,", ",7,")}, ModelError, "is not 1, 2, 3, 4 or 5"),
        ({"replace": (",no", ",maybe")}, ModelError, "neither yes nor no"),
        ({"replace": ("case-0", "scan-0")}, DatasetError, "no case of this set"),
        ({"replace": ("case,", "name,")}, DatasetError, "no column"),
    ],
)
def test_a_form_with_something_strange_in_it_is_refused(tmp_path, change, error, words):
    cases, key = written(tmp_path)
    path = filled(tmp_path, cases, said=change.get("said"))
    old, new = change.get("replace", ("", ""))
    if old:
        path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(error, match=words):
        returned(key, [path])


def test_the_instructions_ask_nothing_of_any_network():
    page = pictures.instructions(["case-001"], ["CN", "AD"], kinds=("MR alone",), simulated=True)
    assert "default-src 'none'" in page
    assert "SIMULATED" in page
    assert "http" not in page.replace("http-equiv", "")
