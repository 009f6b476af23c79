"""Nothing planted survives, every row of the table is obeyed, and what measures stays."""

import csv
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from deid_cases import (
    CLASSES,
    ENHANCED_MR,
    MR,
    NM,
    PT,
    UID_ROOT,
    base,
    code,
    plant,
    reread,
    stored,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import BaseTag
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless

from tracerless.core.errors import ProfileError
from tracerless.core.volume import Contrast
from tracerless.deidentify import (
    CleanIdentity,
    CleanInstance,
    Keys,
    Profile,
    Refusal,
    instance,
    to_bytes,
)
from tracerless.deidentify.keys import hash_uid, pseudonym
from tracerless.deidentify.profile import Action, Rule
from tracerless.io import profiles

SEED = Profile.parse("seed", profiles.read("seed"))
KEYS = Keys.from_secret(b"\x01" * 32)
PERSON = CleanIdentity(pseudonym(KEYS.person, "A123456789"), "01", shift_days=-77)


def clean(dataset: Dataset, *, keys: Keys = KEYS, contrast: Contrast = Contrast.T1W) -> Dataset:
    made = instance(dataset, profile=SEED, keys=keys, person=PERSON, contrast=contrast)
    assert isinstance(made, CleanInstance), made
    return reread(to_bytes(made.dataset))


def refused(dataset: Dataset) -> str:
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, Refusal)
    return made.kind


PROFILES = {name: Profile.parse(name, profiles.read(name)) for name in profiles.names()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("sop_class", CLASSES)
def test_nothing_planted_survives_in_any_byte(sop_class: str, profile: str) -> None:
    dataset = base(sop_class)
    secrets = plant(dataset)
    before = stored(dataset)
    assert len(secrets) >= 40
    assert all(secret in before for secret in secrets)
    policy = PROFILES[profile]
    made = instance(reread(before), profile=policy, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance)
    content = to_bytes(made.dataset)
    assert [s for s in secrets if s in content] == []
    remembered = "\n".join(text for _, text in made.removed)
    assert [s for s in secrets if s.decode() not in remembered] == []
    assert content[:128] == b"\0" * 128
    assert reread(content).pixel_array.tobytes() == dataset.PixelData


@pytest.mark.parametrize("row", SEED.rows, ids=lambda row: row.keyword)
def test_the_table_is_obeyed_row_by_row(row: Rule) -> None:
    dataset = base()
    value = _example(row.tag)
    dataset[row.tag] = value
    out = clean(dataset)
    if row.action is Action.REMOVE:
        if row.keyword in ("PatientName", "PatientID"):
            assert str(out[row.tag].value) == str(PERSON.pseudonym)
        elif row.keyword == "SeriesDescription":
            assert out.SeriesDescription == "T1w"
        elif row.keyword in TYPE_2:
            assert out[row.tag].is_empty
        else:
            assert row.tag not in out
    elif row.action is Action.HASH_UID:
        assert out[row.tag].value == hash_uid(KEYS.uid, str(value.value))
    elif value.VR == "SQ":
        assert len(out[row.tag].value) == 1
    else:
        assert out[row.tag].value == value.value


TYPE_2 = {
    "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "PatientSex", "StudyID",
}  # fmt: skip


def _example(tag: int) -> DataElement:
    vr = dictionary_VR(tag)
    fixed = {0x00080016: MR, 0x00280002: 1, 0x00280010: 4, 0x00280011: 6, 0x00280100: 16,
             0x00280101: 16, 0x00280102: 15, 0x00280103: 0, 0x00280008: 1}  # fmt: skip
    values = {
        "AS": "061Y", "CS": "WORD", "DA": "20180504", "DS": "1.5", "IS": "7", "LO": "Some text",
        "LT": "Some text", "PN": "Wu^Somebody", "SH": "Some text", "TM": "101112.5",
        "UI": f"{UID_ROOT}55", "UL": 3, "US": 5, "SQ": [code("T-A0100", "SRT", "Brain")],
    }  # fmt: skip
    return DataElement(tag, vr, fixed.get(tag, values[vr]))


def test_the_packaged_table_is_the_specification(scans: Path) -> None:
    path = scans.parent / "spec" / "deid_tags.csv"
    if not path.is_file():
        pytest.skip("the specification lies elsewhere")
    words = {"Keep": "keep", "Remove": "remove", "Hashuid": "hash_uid"}
    with path.open(encoding="utf-8") as stream:
        rows = [(int(r["tag"], 16), r["name"], words[r["action"]]) for r in csv.DictReader(stream)]
    assert [(r.tag, r.keyword, r.action.value) for r in SEED.rows] == rows


def test_what_the_table_does_not_list_is_removed() -> None:
    dataset = base()
    dataset.ImageComments = "unlisted"
    dataset.add_new(0x00080001, "UL", 12)
    assert "ImageComments" not in clean(dataset)
    assert 0x00080001 not in clean(dataset)


GEOMETRY_AND_UNITS = {
    MR: ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"],
    PT: ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Units",
         "DecayCorrection", "RescaleSlope", "FrameReferenceTime", "ActualFrameDuration",
         "SeriesTime", "SeriesDate"],
    NM: ["FrameIncrementPointer", "SliceVector", "NumberOfSlices", "SpacingBetweenSlices"],
}  # fmt: skip


@pytest.mark.parametrize("sop_class", GEOMETRY_AND_UNITS)
def test_geometry_and_units_survive(sop_class: str) -> None:
    dataset = base(sop_class)
    out = clean(dataset)
    for keyword in GEOMETRY_AND_UNITS[sop_class]:
        assert out[keyword].value == dataset[keyword].value, keyword


def test_the_injection_survives_but_not_who_gave_it() -> None:
    dataset = base(PT)
    dataset.RadiopharmaceuticalInformationSequence[0].OperatorsName = "Somebody"
    tracer = clean(dataset).RadiopharmaceuticalInformationSequence[0]
    assert tracer.RadiopharmaceuticalStartTime == "081500"
    assert float(tracer.RadionuclideTotalDose) == 370e6
    assert tracer.RadionuclideCodeSequence[0].CodeValue == "C-111A1"
    assert "OperatorsName" not in tracer


@pytest.mark.parametrize("sop_class", [c for c in CLASSES if c not in GEOMETRY_AND_UNITS])
def test_frames_keep_place_time_and_scale(sop_class: str) -> None:
    out = clean(base(sop_class))
    frame = out.PerFrameFunctionalGroupsSequence[1]
    assert frame.PlanePositionSequence[0].ImagePositionPatient == [0, 0, 3]
    assert frame.FrameContentSequence[0].DimensionIndexValues == [1, 2]
    assert frame.FrameContentSequence[0].FrameAcquisitionDateTime == "20180503092000"
    assert frame.PixelValueTransformationSequence[0].RescaleSlope == 2
    shared = out.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].PixelSpacing == [1.5, 1.5]
    organized = out.DimensionOrganizationSequence[0].DimensionOrganizationUID
    assert organized == out.DimensionIndexSequence[0].DimensionOrganizationUID


def test_nm_volume_keeps_its_place_inside_the_detector() -> None:
    detector = clean(base(NM)).DetectorInformationSequence[0]
    assert detector.ImagePositionPatient == [-10.5, 20.25, 3]


def test_references_follow_the_instances_they_point_to() -> None:
    first, second = base(number=1), base(number=2)
    step = Dataset()
    step.ReferencedSOPClassUID = MR
    step.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second.ReferencedPerformedProcedureStepSequence = [step]
    target, source = clean(first), clean(second)
    reference = source.ReferencedPerformedProcedureStepSequence[0]
    assert reference.ReferencedSOPInstanceUID == target.SOPInstanceUID
    assert reference.ReferencedSOPClassUID == MR
    assert target.file_meta.MediaStorageSOPInstanceUID == target.SOPInstanceUID
    assert source.StudyInstanceUID == target.StudyInstanceUID
    assert source.SOPInstanceUID != target.SOPInstanceUID


def test_another_key_gives_other_uids() -> None:
    other = Keys.from_secret(b"\x02" * 32)
    assert clean(base()).StudyInstanceUID != clean(base(), keys=other).StudyInstanceUID


def test_the_source_is_left_as_it_was_and_the_bytes_repeat() -> None:
    dataset = base(ENHANCED_MR)
    plant(dataset)
    before = stored(dataset)
    again = [stored(clean(dataset)) for _ in range(2)]
    assert stored(dataset) == before
    assert again[0] == again[1]


def test_an_earlier_claim_is_replaced() -> None:
    dataset = base()
    dataset.PatientIdentityRemoved = "NO"
    dataset.DeidentificationMethod = ["another tool", "did everything"]
    dataset.DeidentificationMethodCodeSequence = [code("113100")]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    out = clean(dataset, contrast=Contrast.FLAIR)
    assert out.PatientIdentityRemoved == "YES"
    assert "another tool" not in str(out.DeidentificationMethod)
    assert f"profile seed, digest {SEED.digest}" in out.DeidentificationMethod
    assert "DeidentificationMethodCodeSequence" not in out
    assert out.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert out.SeriesDescription == "FLAIR"
    assert out.SpecificCharacterSet == "ISO_IR 192"


def test_a_synthetic_series_stays_marked() -> None:
    dataset = base(PT)
    dataset.SyntheticData = "YES"
    assert clean(dataset).SyntheticData == "YES"


@pytest.mark.parametrize(
    "text",
    [
        "MR of CHEN planted",
        "chen, planted",
        "ｃｈｅｎ",
        "頭部 陳大文",
        "no A123456789",
        "A-123-456-789",
    ],
)
def test_a_kept_text_that_repeats_the_person_is_emptied(text: str) -> None:
    dataset = base()
    dataset.RequestedProcedureDescription = text
    assert clean(dataset)["RequestedProcedureDescription"].is_empty


def test_a_kept_text_that_repeats_an_earlier_identity_is_emptied() -> None:
    for text in ("Head, OLD-77123", "Head, Kowalska", "Head, 55-001-22"):
        dataset = base()
        other, original, modified = Dataset(), Dataset(), Dataset()
        other.PatientID = "OLD77123"
        modified.PatientName, modified.PatientID = "Kowalska^Anna", "5500122"
        original.ModifiedAttributesSequence = [modified]
        dataset.OtherPatientIDsSequence = [other]
        dataset.OriginalAttributesSequence = [original]
        dataset.RequestedProcedureDescription = text
        assert clean(dataset)["RequestedProcedureDescription"].is_empty


def test_a_kept_text_that_repeats_nobody_is_kept() -> None:
    dataset = base()
    dataset.RequestedProcedureDescription = "Kitchen, 頭部檢查, phase 123"
    assert clean(dataset).RequestedProcedureDescription == "Kitchen, 頭部檢查, phase 123"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("StudyTime", "091500 Chen"), ("StudyDate", "Mr Chen"), ("ImageType", "陳"), ("SAR", "Chen")],
)
def test_a_field_that_is_not_of_its_type_is_emptied(keyword: str, value: str) -> None:
    dataset = base()
    vr = dictionary_VR(keyword)
    raw = value.encode().ljust(len(value.encode()) + len(value.encode()) % 2)
    tag = BaseTag(tag_for_keyword(keyword) or 0)
    ours = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
    parsed = reread(stored(dataset))
    parsed[keyword] = ours
    out = instance(parsed, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(out, CleanInstance)
    assert b"Chen" not in to_bytes(out.dataset)
    assert value.encode() not in to_bytes(out.dataset)
    assert out.audit.plain()["invalid"] == {keyword: 1}


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("StudyDate", "LO", "Chen"),
        ("StudyTime", "OB", b"Chen"),
        ("Rows", "LT", "Chen"),
        ("StudyDate", "SQ", None),
        ("StudyInstanceUID", "LO", "Chen"),
        ("AnatomicRegionSequence", "LT", "Chen"),
        ("SAR", "UT", "Chen"),
    ],
)
def test_a_field_that_lies_about_its_type_is_emptied(keyword: str, vr: str, value: object) -> None:
    dataset = base()
    item = Dataset()
    item.RequestedProcedureDescription = "Chen"
    tag = BaseTag(tag_for_keyword(keyword) or 0)
    dataset._dict[tag] = DataElement(tag, vr, [item] if vr == "SQ" else value)
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance | Refusal)
    if isinstance(made, CleanInstance):
        assert b"Chen" not in to_bytes(made.dataset)
        assert made.audit.plain()["invalid"] == {keyword: 1}


def test_a_date_declared_as_text_crosses_when_it_is_a_date() -> None:
    dataset = base()
    tag = BaseTag(0x00080020)
    dataset._dict[tag] = DataElement(tag, "LO", "20180503")
    assert clean(dataset).StudyDate == "20180503"


def test_values_that_vendors_write_too_long_or_too_small_cross_unchanged() -> None:
    dataset = base()
    with pydicom.config.disable_value_validation():
        dataset.ScanOptions = "cSense"
        dataset.ManufacturerModelName = "a name of many words " * 5
        dataset.ReceiveCoilName = "a coil with a very long name"
        dataset.SliceThickness = "008.000000E+00"
        source = reread(stored(dataset))
    made = instance(source, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance)
    content = to_bytes(made.dataset)
    with pydicom.config.disable_value_validation():
        out = reread(content)
        assert out.ScanOptions == "cSense"
        assert out.SliceThickness.original_string == "008.000000E+00"
        assert out.ManufacturerModelName == ("a name of many words " * 5).strip()
        assert out.ReceiveCoilName == "a coil with a very long name"


def test_bytes_behind_the_last_frame_are_cut_off() -> None:
    dataset = base()
    pixels = dataset.PixelData
    dataset.PixelData = pixels + b"Chen" * 10
    assert clean(dataset).PixelData == pixels


def test_implicit_vr_comes_out_explicit_and_equal() -> None:
    dataset = base(ENHANCED_MR)
    dataset.add_new(0x00280120, "US", 7)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    out = clean(reread(stored(dataset)))
    assert out.PixelPaddingValue == 7
    assert np.array_equal(out.pixel_array, dataset.pixel_array)
    frame = out.PerFrameFunctionalGroupsSequence[1]
    assert frame.PlanePositionSequence[0].ImagePositionPatient == [0, 0, 3]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "class"),
        ({"SOPClassUID": "1.2.3.4"}, "class"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "capture"),
        ({"BurnedInAnnotation": "YES"}, "burned_in"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "capture"),
        ({"SOPInstanceUID": None}, "unreadable"),
        ({"Rows": None}, "unreadable"),
        ({"PixelData": None}, "no_pixels"),
    ],
)
def test_what_cannot_be_understood_stays_outside(change: dict[str, object], kind: str) -> None:
    dataset = base()
    for keyword, value in change.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    assert refused(dataset) == kind


def test_bottomless_nesting_stays_outside() -> None:
    dataset = base(ENHANCED_MR)
    inner = Dataset()
    for _ in range(40):
        outer = Dataset()
        outer.PixelMeasuresSequence = [inner]
        inner = outer
    dataset.SharedFunctionalGroupsSequence = [inner]
    assert refused(dataset) == "unreadable"


def test_the_audit_counts_and_holds_no_value() -> None:
    dataset = base()
    secrets = plant(dataset)
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance)
    plain = made.audit.plain()
    assert plain["pseudonym"] == {"PatientID": 1, "PatientName": 1}
    assert plain["hash_uid"]["ReferencedSOPInstanceUID"] == 1
    assert plain["remove"]["private"] == 4
    assert not [s for s in secrets if s.decode() in str(plain)]
    assert (made.audit + made.audit).plain()["pseudonym"]["PatientID"] == 2


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=3, max_size=30))
def test_no_text_planted_in_an_unlisted_attribute_survives(text: str) -> None:
    marked = f"ZQX{text}XQZ"
    dataset = base()
    dataset.ImageComments = marked
    dataset.PatientComments = marked
    dataset.PatientName = marked.replace("=", "")
    content = stored(clean(dataset))
    assert b"ZQX" not in content
    assert b"XQZ" not in content


def test_a_file_reads_back_as_dicom() -> None:
    out = clean(base())
    assert pydicom.dcmread(io.BytesIO(stored(out))).PatientName == str(PERSON.pseudonym)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_was_done_is_stamped_and_earlier_claims_are_gone(profile: str) -> None:
    dataset, policy = base(PT), PROFILES[profile]
    dataset.DeidentificationMethod = "another tool, all of it"
    dataset.DeidentificationMethodCodeSequence = [code("113112")]
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    made = instance(dataset, profile=policy, keys=KEYS, person=PERSON, contrast=Contrast.FDG)
    assert isinstance(made, CleanInstance)
    out = made.dataset
    done = [str(item.CodeValue) for item in out.get("DeidentificationMethodCodeSequence") or ()]
    assert done == [c for c, _ in policy.codes if c not in ("113101", "113102")]
    assert f"profile {policy.name}" in out.DeidentificationMethod
    assert out.PatientIdentityRemoved == "YES"
    said = {"keep": "UNMODIFIED", "shift": "MODIFIED", "year": "MODIFIED", "remove": "REMOVED"}
    assert out.LongitudinalTemporalInformationModified == said[policy.dates]
    assert out.RecognizableVisualFeatures == "YES"


@pytest.mark.parametrize("profile", [n for n, p in PROFILES.items() if p.dates == "shift"])
def test_every_date_of_a_person_moves_alike_and_no_time_moves(profile: str) -> None:
    dataset = base(PT)
    dataset.RadiopharmaceuticalInformationSequence[
        0
    ].RadiopharmaceuticalStartDateTime = "20180502235900.5"
    person = CleanIdentity(PERSON.pseudonym, "01", shift_days=-31)
    made = instance(
        dataset, profile=PROFILES[profile], keys=KEYS, person=person, contrast=Contrast.FDG
    )
    assert isinstance(made, CleanInstance)
    assert (made.dataset.SeriesDate, made.dataset.SeriesTime) == ("20180402", "092000.5")
    tracer = made.dataset.RadiopharmaceuticalInformationSequence[0]
    assert tracer.RadiopharmaceuticalStartDateTime == "20180401235900.5"
    assert tracer.RadiopharmaceuticalStartTime == "081500"


def test_dates_that_are_called_moved_do_move() -> None:
    still = CleanIdentity(PERSON.pseudonym, "01")
    with pytest.raises(ProfileError, match="moves dates, but by 0 days"):
        instance(
            base(), profile=PROFILES["research"], keys=KEYS, person=still, contrast=Contrast.T1W
        )


def test_a_local_code_goes_whole_and_a_public_one_keeps_known_words() -> None:
    dataset = base()
    dataset.AnatomicRegionSequence = [code("1", "99LOCAL", "Brain of Somebody")]
    assert "AnatomicRegionSequence" not in clean(dataset)
    dataset.AnatomicRegionSequence = [code("T-A0100", "SRT", "Brain stem")]
    assert clean(dataset).AnatomicRegionSequence[0].CodeMeaning == "Brain stem"
    dataset.AnatomicRegionSequence = [code("T-A0100", "SRT", "Brain of Somebody")]
    assert clean(dataset).AnatomicRegionSequence[0].CodeMeaning == "Brain of"
    dataset.AnatomicRegionSequence = [code("T-A0100", "SRT", "Somebody")]
    assert clean(dataset).AnatomicRegionSequence[0].CodeMeaning == "T-A0100"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("CodingSchemeVersion", "Somebody"),
        ("URNCodeValue", "http://hospital.example/somebody"),
        ("LongCodeValue", "3F-CT01 Somebody and the rest of it"),
        ("CodeValue", "Some Body"),
    ],
)
def test_parts_of_a_code_that_are_not_of_their_form_go(keyword: str, value: str) -> None:
    item = code("T-A0100", "SRT", "Brain")
    setattr(item, keyword, value)
    dataset = base()
    dataset.AnatomicRegionSequence = [item]
    assert keyword not in clean(dataset).AnatomicRegionSequence[0]


def test_a_uid_that_pretends_to_be_the_standards_is_hashed() -> None:
    dataset = base()
    dataset.FrameOfReferenceUID = "1.2.840.10008.48151623.1"
    assert str(clean(dataset).FrameOfReferenceUID).startswith("2.25.")
    dataset.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    assert clean(dataset).FrameOfReferenceUID == "1.2.840.10008.1.4.1.1"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("AcquisitionNumber", "48151623"),
        ("InversionTime", "0912345678"),
        ("BodyPartExamined", "TINGA"),
        ("SoftwareVersions", "VE11 for Dr. Kuo"),
    ],
)
def test_identifiers_in_places_for_numbers_and_codes_are_emptied(keyword: str, value: str) -> None:
    dataset = base()
    dataset.PatientID, dataset.PatientName = "48151623", "Ya^Tinga"
    setattr(dataset, keyword, value)
    assert not clean(dataset)[keyword].value
    dataset.PatientID, dataset.PatientName = "7", "Wu^Bo"
    setattr(
        dataset,
        keyword,
        {"BodyPartExamined": "BRAIN", "SoftwareVersions": "syngo MR E11"}.get(keyword, "481516"),
    )
    assert clean(dataset)[keyword].value


def test_a_comment_inside_a_compressed_frame_does_not_cross() -> None:
    dataset = base()
    dataset.compress(JPEGLSLossless)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    planted = frame[:2] + b"\xff\xfe\x00\x0cSomebody12" + frame[2:]
    dataset.PixelData = encapsulate([planted + b"\0" * (len(planted) % 2)])
    pixels = dataset.pixel_array.copy()
    assert b"Somebody12" in stored(dataset)
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance)
    content = to_bytes(made.dataset)
    assert b"Somebody12" not in content
    assert np.array_equal(reread(content).pixel_array, pixels)
