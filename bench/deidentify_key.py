"""The answer key in the SQLite schema of the MIDI-B challenge's scorer, and its two crosswalks.

The scorer (CBIIT/MIDI_validation_script) reads table ``answer_data``: one row per instance with its
original UIDs and, as JSON, the checks that it has to pass; values stand between angle brackets,
attributes are named by their path. Facts of the schema only; nothing of its code is used here.
"""

import csv
import hashlib
import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.tag import Tag

from bench.deidentify_corpus import Corpus, read
from bench.deidentify_plant import Planted, Token
from bench.deidentify_technical import leaves

TABLE = "answer_data"

_MUST_BE_THERE = ("SOPClassUID", "Modality", "Rows", "Columns")
_UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")

Check = dict[str, Any]


def write_key(corpus: Corpus, path: Path) -> None:
    """Write the answer key of a corpus; an older one is replaced."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reader, about what was planted
        database.execute(
            f"CREATE TABLE {TABLE} (StudyInstanceUID TEXT, SeriesInstanceUID TEXT, "
            "SOPInstanceUID TEXT, Modality TEXT, PatientID TEXT, AnswerData TEXT)"
        )
        for file in corpus.files:
            row = _row(corpus, file)
            database.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608
    database.close()


def _row(corpus: Corpus, file: Planted) -> tuple[str, ...]:
    dataset = corpus.read(file)
    checks = {str(n): check for n, check in enumerate(_checks(corpus, file, dataset))}
    named = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality", "PatientID")
    values = (str(dataset[keyword].value) for keyword in named)
    return (*values, json.dumps(checks, ensure_ascii=False))


def write_crosswalks(
    corpus: Corpus, outputs: Mapping[int, Sequence[Path]], folder: Path
) -> tuple[Path, Path]:
    """Write which UID and which patient ID became which, as the scorer asks of every tool."""
    uids: dict[str, str] = {}
    people: dict[str, str] = {}
    for number, paths in outputs.items():
        before, after = corpus.read(corpus.files[number]), read(paths[0])
        people[str(before.PatientID)] = str(after.get("PatientID", ""))
        for keyword in _UIDS:
            uids[str(before[keyword].value)] = str(after.get(keyword, ""))
    made = folder / "uid_mapping.csv", folder / "patid_mapping.csv"
    for path, pairs in zip(made, (uids, people), strict=True):
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(("id_old", "id_new"))
            writer.writerows(pairs.items())
    return made


def _checks(corpus: Corpus, file: Planted, dataset: Dataset) -> Iterator[Check]:
    for keyword in _MUST_BE_THERE:
        value = str(dataset[keyword].value)
        yield _check((int(dataset[keyword].tag),), "tag_retained", value, "")
        yield _check((int(dataset[keyword].tag),), "text_notnull", value, "")
    for (path, vr), value in leaves(dataset).items():
        if len(path) == 1 and vr != "TM" and "\\" not in value:
            tag = int(dataset[str(path[0])].tag)
            yield _check((tag,), "text_retained", value, value)
    for token in corpus.tokens_of(file.number):
        if token.path:
            yield _of_token(token)
    for keyword in _UIDS:
        value = str(dataset[keyword].value)
        yield _check((int(dataset[keyword].tag),), "uid_consistent", value, "")
    patient = str(dataset.PatientID)
    yield _check((int(dataset["PatientID"].tag),), "patid_consistent", patient, "")
    pixels = hashlib.md5(dataset.PixelData, usedforsecurity=False).hexdigest()
    action = "pixels_hidden" if file.is_burned else "pixels_retained"
    yield _check((0x7FE00010,), action, "", pixels)


def _of_token(token: Token) -> Check:
    vr = dictionary_VR(token.path[-1])
    action = {"DA": "date_shifted", "DT": "date_shifted", "UI": "uid_changed"}.get(vr)
    return _check(token.path, action or "text_removed", token.text, "" if action else token.text)


def _check(path: tuple[int, ...], action: str, value: str, text: str) -> Check:
    return {
        "tag": f"<{_label(path[-1])}>",
        "tag_ds": "[<0000>]".join(f"<{_label(tag)}>" for tag in path),
        "tag_name": f"<{dictionary_description(path[-1])}>",
        "value": f"<{value}>",
        "action": f"<{action}>",
        "action_text": f"<{text}>",
        "answer_category": "",
        "answer_category_v2": {},
    }


def _label(tag: int) -> str:
    """``(0018,115e)``: the scorer's pydicom (2.2.1) writes small letters."""
    return f"({Tag(tag).group:04x},{Tag(tag).element:04x})"
