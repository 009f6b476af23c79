"""Invented instances of every class: the fast way takes them, and makes what the slow way makes."""

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from deid_cases import CLASSES, ENHANCED_MR, MR, PT, base, code, plant, stored
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from splice_cases import NAMES, OTHER, PERSON, PROFILES, agree, outcome, spliced

import phantoms
from phantom_parts import Who
from tracerless.core.errors import ProfileError
from tracerless.deidentify import (
    CleanIdentity,
    Refusal,
    refuse,
    splice,
    splice_desk,
    splice_lost,
    splice_meta,
    splice_scope,
    splice_vendor,
)
from tracerless.deidentify.known import known_values
from tracerless.deidentify.refuse import refusal, undecodable
from tracerless.deidentify.splice_gate import ASKED, SOP_INSTANCE
from tracerless.deidentify.splice_gate import CLASSES as CROSSING
from tracerless.io import dicom_gate

RESEARCH = PROFILES["research"]
WRITERS = {
    "mr": lambda folder: phantoms.write_mr(folder, phantoms.head(), phantoms.oblique()),
    "pt": lambda folder: phantoms.write_pt(
        folder, phantoms.head().astype(np.float32), phantoms.oblique()
    ),
    "nm": lambda folder: phantoms.write_nm(folder, phantoms.head(), phantoms.oblique()),
    "enhanced": lambda folder: phantoms.write_enhanced(
        folder, phantoms.head((8, 8, 6)), phantoms.oblique()
    ),
}


def encoded(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    return stored(dataset)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", WRITERS)
def test_phantoms_come_out_the_same_in_both_encodings(tmp_path: Path, kind: str, name: str) -> None:
    files = WRITERS[kind](tmp_path / "in").files
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        memo = splice.Memo()
        for path in files[:6]:
            content = encoded(pydicom.dcmread(path), syntax)
            assert agree(content, tmp_path, PROFILES[name], memo)


@pytest.mark.parametrize("open_items", [False, True])
@pytest.mark.parametrize("sop_class", CLASSES)
def test_planted_instances_come_out_the_same_and_hold_no_secret(
    tmp_path: Path, sop_class: str, open_items: bool
) -> None:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        dataset = base(sop_class)
        secrets = plant(dataset)
        if open_items:
            _open(dataset)
        content = encoded(dataset, syntax)
        memo = splice.Memo()
        for _ in range(3):
            assert agree(content, tmp_path, RESEARCH, memo)
        made = spliced(content, RESEARCH, memo)
        assert isinstance(made, splice.Spliced)
        assert [secret for secret in secrets if secret in content]
        assert not [secret for secret in secrets if secret in made.content]


def _open(dataset: Dataset) -> None:
    """Let delimiters end every sequence and item instead of lengths."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _open(item)


def test_an_uptake_factor_is_carried_for_every_slice(tmp_path: Path) -> None:
    memo = splice.Memo()
    factors = set()
    for number in range(1, 7):
        dataset = base(PT, number)
        dataset.PatientWeight, dataset.CorrectedImage = 61.5, ["DECY", "ATTN"]
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20180503", "093000"
        dataset.RescaleSlope = f"{1 + number / 7:.6f}"
        assert agree(stored(dataset), tmp_path, PROFILES["seed"], memo)
        made = spliced(stored(dataset), PROFILES["seed"], memo)
        out = pydicom.dcmread(_bytes(made))
        mapping = out.RealWorldValueMappingSequence[-1]
        factors.add(round(mapping.RealWorldValueSlope / float(out.RescaleSlope), 15))
    assert len(factors) == 1


def _bytes(made: object) -> pydicom.filebase.DicomBytesIO:
    assert isinstance(made, splice.Spliced)
    return pydicom.filebase.DicomBytesIO(made.content)


def test_nothing_passes_from_one_person_or_policy_to_another(tmp_path: Path) -> None:
    content = stored(base(MR))
    memo = splice.Memo()
    for _ in range(3):
        spliced(content, RESEARCH, memo)
    names = {PERSON.pseudonym: PERSON, OTHER.pseudonym: OTHER}
    for person in names.values():
        made = spliced(content, RESEARCH, memo, person)
        alone = spliced(content, RESEARCH, splice.Memo(), person)
        assert isinstance(made, splice.Spliced)
        assert isinstance(alone, splice.Spliced)
        assert made.content == alone.content
        assert str(person.pseudonym).encode() in made.content
        strangers = set(names) - {person.pseudonym}
        assert not any(str(each).encode() in made.content for each in strangers)
    for name in NAMES:
        assert agree(content, tmp_path, PROFILES[name], memo)


def test_a_kept_text_is_judged_by_the_names_of_its_own_file(tmp_path: Path) -> None:
    memo = splice.Memo()
    texts = []
    for name in ("Okonkwo^Ada", "Lindqvist^Maja", "Okonkwo^Ada"):
        dataset = base(MR)
        dataset.PatientName, dataset.Manufacturer = name, "OKONKWO Works"
        assert agree(stored(dataset), tmp_path, PROFILES["seed"], memo)
        made = spliced(stored(dataset), PROFILES["seed"], memo)
        texts.append(str(pydicom.dcmread(_bytes(made)).get("Manufacturer") or ""))
    assert texts[0] == texts[2] != texts[1]


def test_a_memory_that_is_too_small_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, limit in (
        (splice_scope, "MOST"), (splice_lost, "MOST"), (splice_vendor, "MOST"),
        (splice_desk, "MOST_CASES"), (splice_desk, "MOST_SCOPES"), (splice_meta, "MOST"),
    ):  # fmt: skip
        monkeypatch.setattr(module, limit, 1)
    monkeypatch.setattr(splice, "MOST_DESKS", 1)
    memo = splice.Memo()
    for number in range(1, 5):
        for sop_class in (MR, PT):
            dataset = base(sop_class, number)
            plant(dataset)
            for name in ("research", "seed"):
                assert agree(stored(dataset), tmp_path, PROFILES[name], memo)


def test_a_wrong_answer_in_the_memo_would_be_seen(tmp_path: Path) -> None:
    content = stored(base(MR))
    memo = splice.Memo()
    agree(content, tmp_path, RESEARCH, memo)
    (scope,) = memo._scopes.values()
    raw = next(raw for raw in scope._memo[0] if raw.startswith(b"\x20\x00\x13\x00"))
    scope._memo[0][raw] = (raw + b"PLANTED!", (), frozenset())
    with pytest.raises(AssertionError):
        agree(content, tmp_path, RESEARCH, memo)


UNUSUAL = {
    "big endian": lambda d: setattr(d.file_meta, "TransferSyntaxUID", ExplicitVRBigEndian),
    "no uid": lambda d: delattr(d, "SOPInstanceUID"),
    "color": lambda d: setattr(d, "SamplesPerPixel", 3),
    "no rows": lambda d: delattr(d, "Rows"),
    "short pixels": lambda d: setattr(d, "PixelData", d.PixelData[:-2]),
    "capture class": lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_the_slow_way(name: str) -> None:
    dataset = base(MR)
    UNUSUAL[name](dataset)
    if name == "no uid":
        dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    content = stored(dataset)
    assert spliced(content, RESEARCH, splice.Memo()) is None


def test_burned_in_text_is_refused_in_the_same_words(tmp_path: Path) -> None:
    dataset = base(MR)
    dataset.BurnedInAnnotation = "YES"
    content = stored(dataset)
    made = spliced(content, RESEARCH, splice.Memo())
    assert isinstance(made, Refusal)
    assert made == outcome(content, tmp_path, RESEARCH)
    short = content[:-2]
    assert spliced(short, RESEARCH, splice.Memo()) is None


def test_a_policy_that_moves_dates_wants_a_distance() -> None:
    still = CleanIdentity(PERSON.pseudonym, "01", shift_days=0)
    with pytest.raises(ProfileError):
        spliced(stored(base(MR)), RESEARCH, splice.Memo(), still)


def test_every_mosaic_is_left_to_those_who_know_its_slices(tmp_path: Path) -> None:
    voxels = np.repeat(phantoms.head((6, 6, 4))[..., None], 2, axis=3)
    files = phantoms.write_mosaic(tmp_path, voxels, phantoms.oblique(), who=Who(number=9)).files
    assert all(spliced(f.read_bytes(), RESEARCH, splice.Memo()) is None for f in files)


class _Watched(Dataset):
    """Remembers which elements were asked for."""

    asked: set[int]

    def get(self, key: object, default: object = None) -> object:
        self.asked.add(int(tag_for_keyword(str(key)) or 0))
        return super().get(key, default)  # type: ignore[call-overload]

    def __getattr__(self, name: str) -> object:
        if tag_for_keyword(name):
            self.asked.add(int(tag_for_keyword(name) or 0))
        return super().__getattr__(name)

    def __contains__(self, name: object) -> bool:
        tag = tag_for_keyword(name) if isinstance(name, str) else name
        object.__getattribute__(self, "__dict__").setdefault("asked", set()).add(int(tag or 0))
        return super().__contains__(name)  # type: ignore[arg-type]


def test_the_questions_of_the_border_ask_only_what_the_fast_way_looks_at() -> None:
    watched = _Watched()
    watched.__dict__["asked"] = set()
    watched.update(base(MR))
    watched.file_meta = base(MR).file_meta
    watched.asked.clear()
    refusal(watched, RESEARCH)
    undecodable(watched)
    pixels = {int(tag_for_keyword(each) or 0) for each in refuse._PIXELS}
    assert watched.asked - {0} <= ASKED | pixels | {SOP_INSTANCE}
    assert tag_for_keyword("BurnedInAnnotation") in watched.asked


def test_classes_are_those_of_the_door_for_files() -> None:
    assert set(dicom_gate.MODALITY) == CROSSING


def test_known_values_come_from_the_hunted_elements_alone() -> None:
    dataset = base(ENHANCED_MR)
    plant(dataset)
    dataset.AnatomicRegionSequence = [code("1", "99X", "Zanzibar")]
    few = Dataset()
    for tag in RESEARCH.hunted:
        if tag in dataset:
            few.add(dataset[tag])
    assert known_values(dataset, RESEARCH.hunted) == known_values(few, RESEARCH.hunted)


def test_answers_show_nothing_of_a_person() -> None:
    made = spliced(stored(base(MR)), RESEARCH, splice.Memo())
    assert isinstance(made, splice.Spliced)
    assert made.removed
    assert not re.search("Planted|A123456789|removed", repr(made))
