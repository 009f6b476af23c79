"""The benchmark finds what it planted, and the engine lets none of it cross."""

import io
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from bench.deidentify_bases import TUNE, Series
from bench.deidentify_corpus import Corpus, build
from bench.deidentify_key import write_key
from bench.deidentify_leaks import Ordered, sweep, wilson
from bench.deidentify_people import Invent, national_id
from bench.deidentify_places import STRATA
from bench.deidentify_retain import links, retained
from hypothesis import given
from hypothesis import strategies as st

from phantoms import head, oblique, write_enhanced, write_mr, write_nm, write_pt
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, CleanInstance, Keys, Profile, instance, to_bytes
from tracerless.deidentify.keys import pseudonym, shift_days
from tracerless.io import dicom_read, profiles

KEYS = Keys.from_secret(b"\x02" * 32)

_WRITERS = {"mr": write_mr, "pt": write_pt, "nm": write_nm, "enhanced": write_enhanced}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two or three files of four classes, each of another invented person."""
    folder = tmp_path_factory.mktemp("bench")
    series = []
    for name, write in _WRITERS.items():
        shape = (12, 14, 3)
        array = head(shape).astype(np.float32) if name == "pt" else head(shape)
        made = write(folder / name, array, oblique())
        series.append(Series(name, name, tuple(made.files)))
    return build(folder / "planted", series, TUNE, burn=False)


def cleaned(corpus: Corpus, folder: Path, name: str) -> dict[int, list[Path]]:
    profile = Profile.parse(name, profiles.read(name))
    outputs = {}
    for file in corpus.files:
        dataset = dicom_read.read(file.path, pixels=True)
        who = pseudonym(KEYS.person, str(file.person))
        person = CleanIdentity(who, "01", shift_days(KEYS.date, who))
        made = instance(dataset, profile=profile, keys=KEYS, person=person, contrast=Contrast.T1W)
        assert isinstance(made, CleanInstance), made
        path = folder / f"{file.number}.dcm"
        path.write_bytes(to_bytes(made.dataset))
        outputs[file.number] = [path]
    return outputs


def test_every_planted_value_is_found_again_in_a_plain_copy(corpus: Corpus) -> None:
    outputs = {file.number: [file.path] for file in corpus.files}
    swept = sweep(corpus, outputs, corpus.scans)
    missed = {(t.stratum, t.place) for t in corpus.tokens} - {
        (leak.token.stratum, leak.token.place) for leak in swept.leaks
    }
    assert not missed
    assert len(swept.leaks) == len(corpus.tokens) > 100 * len(corpus.files)
    assert set(swept.by_stratum()) == set(STRATA)


@pytest.mark.parametrize("name", ["seed", "research"])
def test_nothing_planted_crosses_outside_ordered_rows(
    corpus: Corpus, tmp_path: Path, name: str
) -> None:
    outputs = cleaned(corpus, tmp_path, name)
    ordered = Ordered(Profile.parse(name, profiles.read(name)))
    assert sweep(corpus, outputs, tmp_path, ordered).places() == []
    kept, tied = retained(corpus, outputs), links(corpus, outputs)
    assert kept.lost == {}
    assert kept.technical == kept.technical_of > 100
    assert kept.pixels == len(corpus.files)
    assert tied.people_steady == tied.people_of == len(corpus.people)
    assert tied.references_closed == tied.references_of > 0
    assert tied.is_one_to_one


def test_a_value_left_in_one_clean_file_is_seen_with_its_place(
    corpus: Corpus, tmp_path: Path
) -> None:
    outputs = cleaned(corpus, tmp_path, "research")
    token = next(t for t in corpus.tokens if t.place == "PatientAddress" and t.file == 0)
    path = outputs[0][0]
    dataset = pydicom.dcmread(path)
    dataset.PatientAddress = token.text
    dataset.save_as(path)
    ordered = Ordered(Profile.parse("research", profiles.read("research")))
    found = sweep(corpus, outputs, tmp_path, ordered).places()
    assert found == [(1, "standard: PatientAddress", "PatientAddress")]


def test_the_answer_key_has_the_columns_that_the_scorer_reads(
    corpus: Corpus, tmp_path: Path
) -> None:
    write_key(corpus, tmp_path / "answers.db")
    with sqlite3.connect(tmp_path / "answers.db") as database:
        table = pd.read_sql("SELECT * FROM answer_data", database)
    database.close()
    assert len(table) == len(corpus.files)
    assert {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "AnswerData"} <= set(table)
    checks = pd.concat(
        pd.read_json(io.StringIO(text), orient="index") for text in table["AnswerData"]
    )
    wanted = {"tag", "tag_ds", "tag_name", "value", "action", "action_text", "answer_category_v2"}
    assert wanted <= set(checks)
    actions = {
        "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted",
        "uid_changed", "uid_consistent", "patid_consistent", "pixels_retained",
    }  # fmt: skip
    assert set(checks["action"]) == {f"<{action}>" for action in actions}


@given(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), st.text("0123456789", min_size=8, max_size=8))
def test_a_national_id_passes_its_own_check_and_no_other_digit_does(
    letter: str, digits: str
) -> None:
    made = national_id(letter, digits)
    codes = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True))
    tens, ones = divmod(codes[letter], 10)
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    numbers = (tens, ones, *(int(d) for d in made[1:]))
    assert sum(w * n for w, n in zip(weights, numbers, strict=True)) % 10 == 0
    assert len(made) == 10
    assert made[1] in "12"


def test_known_national_id_has_the_known_check_digit() -> None:
    assert national_id("A", "12345678") == "A123456789"


def test_invented_values_do_not_repeat() -> None:
    invent = Invent(np.random.default_rng(1))
    names = [invent.name() for _ in range(500)]
    assert len(set(names)) == 500


def test_interval_of_no_leak_in_forty_people_reaches_nine_percent() -> None:
    low, high = wilson(0, 40)
    assert low == 0.0
    assert high == pytest.approx(0.0876, abs=1e-3)
