"""What a series shows: technical tags first, names second, and "don't know" with its reason."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydicom import Dataset

from phantoms import MR_TAGS, TRACERS
from tracerless.core.volume import Contrast
from tracerless.io.contrast import decide, rules

MR, PT, NM = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("4", "128", "20"))


def _header(sop_class: str, tags: Mapping[str, Any]) -> Dataset:
    header = Dataset()
    header.SOPClassUID = sop_class
    for keyword, value in tags.items():
        setattr(header, keyword, value)
    return header


def _injected(*, drug: str = "", nuclide: str = "", half_life: float | None = None) -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = drug
    if nuclide:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = nuclide, "SCT"
        item.RadionuclideCodeSequence = [code]
    if half_life:
        item.RadionuclideHalfLife = half_life
    return item


def _emission(sop_class: str, name: str = "", **injected: Any) -> Dataset:
    tags: dict[str, Any] = {"SeriesDescription": name, "ImageType": ["ORIGINAL", "PRIMARY"]}
    if sop_class == NM:
        tags["ImageType"] = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    if injected:
        tags["RadiopharmaceuticalInformationSequence"] = [_injected(**injected)]
    return _header(sop_class, tags)


MPRAGE = MR_TAGS["T1w"]
LABEL = "Philips MR Imaging DD 005"

MR_CASES: list[tuple[str, dict[str, Any], Contrast]] = [
    ("MPRAGE", MPRAGE, Contrast.T1W),
    ("MPRAGE whose TI is lost", {**MPRAGE, "InversionTime": None}, Contrast.T1W),
    ("GE BRAVO", {"ScanningSequence": "GR", "SequenceVariant": ["SS", "SP", "SK"],
                  "MRAcquisitionType": "3D", "RepetitionTime": 8.9, "EchoTime": 3.16,
                  "InversionTime": 450}, Contrast.T1W),
    ("spoiled gradient echo", {"ScanningSequence": "GR", "SequenceVariant": "SP",
                               "MRAcquisitionType": "3D", "RepetitionTime": 7.5, "EchoTime": 3.1,
                               "FlipAngle": 12}, Contrast.T1W),
    ("spin echo T1", {"ScanningSequence": "SE", "RepetitionTime": 500, "EchoTime": 12},
     Contrast.T1W),
    ("TSE T2", MR_TAGS["T2w"], Contrast.T2W),
    ("3D SPACE T2", {"ScanningSequence": "SE", "SequenceVariant": ["SK", "SP"],
                     "MRAcquisitionType": "3D", "RepetitionTime": 3200, "EchoTime": 408},
     Contrast.T2W),
    ("FLAIR", MR_TAGS["FLAIR"], Contrast.FLAIR),
    ("proton density", {"ScanningSequence": "SE", "RepetitionTime": 3000, "EchoTime": 15},
     Contrast.UNKNOWN),
    ("STIR", {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 4000, "EchoTime": 60,
              "InversionTime": 150}, Contrast.UNKNOWN),
    ("time of flight", {"ScanningSequence": "GR", "SequenceVariant": "SP", "AngioFlag": "Y",
                        "MRAcquisitionType": "3D", "RepetitionTime": 12, "EchoTime": 3.4,
                        "FlipAngle": 18}, Contrast.UNKNOWN),
    ("localizer", {**MPRAGE, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Contrast.UNKNOWN),
    ("phase image", {**MPRAGE, "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, Contrast.UNKNOWN),
    ("T1 after contrast agent", {**MPRAGE, "ContrastBolusAgent": "Gadobutrol"}, Contrast.UNKNOWN),
    ("diffusion", {"ScanningSequence": "EP", "SequenceName": "*ep_b1000#1", "EchoTime": 90,
                   "RepetitionTime": 6000}, Contrast.UNKNOWN),
    ("BOLD", {"ScanningSequence": "EP", "RepetitionTime": 2000, "EchoTime": 30}, Contrast.UNKNOWN),
    ("T2*", {"ScanningSequence": "GR", "SequenceVariant": "SP", "MRAcquisitionType": "2D",
             "RepetitionTime": 700, "EchoTime": 20, "FlipAngle": 20}, Contrast.UNKNOWN),
    ("raw ASL", MR_TAGS["asl"], Contrast.ASL),
    ("ASL difference", {**MR_TAGS["asl"], "ImageType": ["DERIVED", "PRIMARY", "PERFUSION", "ASL",
                                                        "SUB"]}, Contrast.DELTAM),
    ("relative CBF", MR_TAGS["cbf"], Contrast.CBF),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "contrast"), [case[1:] for case in MR_CASES],
                         ids=[case[0] for case in MR_CASES])  # fmt: skip
def test_mr_is_told_from_technical_tags_alone(tags: dict[str, Any], contrast: Contrast) -> None:
    header = _header(MR, {**tags, "SeriesDescription": "", "ProtocolName": ""})
    found, reason = decide(header, False)
    assert found is contrast
    assert reason


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("T1", Contrast.T1W), ("t1_mprage_sag_p2", Contrast.T1W), ("AX T2 TSE", Contrast.T2W),
        ("t2_space_flair", Contrast.FLAIR), ("pcasl_2d", Contrast.ASL),
        ("pcasl_2d_m0", Contrast.M0), ("T1 POST GD", Contrast.UNKNOWN),
        ("localizer", Contrast.UNKNOWN), ("t2_star", Contrast.UNKNOWN),
        ("TOF_3D", Contrast.UNKNOWN), ("relCBF", Contrast.CBF), ("knee", Contrast.UNKNOWN),
    ],
)  # fmt: skip
def test_names_decide_where_tags_are_silent_and_only_when_allowed(
    name: str, contrast: Contrast
) -> None:
    header = _header(MR, {"SeriesDescription": name})
    assert decide(header)[0] is contrast
    assert decide(header, False)[0] is Contrast.UNKNOWN


def test_technical_tags_beat_a_wrong_name() -> None:
    header = _header(MR, {**MR_TAGS["T2w"], "SeriesDescription": "t1_mprage"})
    assert decide(header)[0] is Contrast.T2W


def test_an_asl_label_in_a_private_element_is_found_by_its_creator() -> None:
    header = _header(MR, {"ScanningSequence": "SE", "EchoTime": 12, "RepetitionTime": 4200})
    assert decide(header, False)[0] is Contrast.UNKNOWN
    header.private_block(0x2005, "Somebody else", create=True).add_new(0x29, "CS", "CONTROL")
    assert decide(header, False)[0] is Contrast.UNKNOWN
    header.private_block(0x2005, LABEL, create=True).add_new(0x29, "CS", "CONTROL")
    assert decide(header, False)[0] is Contrast.ASL


EMISSION_CASES = [
    ("FDG by code", _emission(PT, drug="FDG -- fluorodeoxyglucose"), Contrast.FDG),
    ("FDG stated in words", _emission(PT, drug="Fluorodeoxyglucose F^18^"), Contrast.FDG),
    ("FDG by name only", _emission(PT, "FDG brain"), Contrast.FDG),
    ("PET without tracer", _emission(PT, "PET brain"), Contrast.UNKNOWN),
    ("fluorine without tracer", _emission(PT, "brain", nuclide="77004003"), Contrast.UNKNOWN),
    ("amyloid", _emission(PT, "brain", drug="Florbetaben F^18^"), Contrast.UNKNOWN),
    ("ECD", _emission(NM, drug="Tc-99m ECD"), Contrast.ECD),
    ("HMPAO", _emission(NM, drug="99mTc HMPAO", nuclide="72454006"), Contrast.HMPAO),
    ("SPECT stored as PET", _emission(PT, drug="Tc-99m bicisate"), Contrast.ECD),
    ("SPECT without tracer", _emission(NM, "brain", nuclide="72454006"), Contrast.UNKNOWN),
    ("transporter scan", _emission(NM, "brain", drug="Tc-99m TRODAT-1"), Contrast.UNKNOWN),
    ("FDG name on a technetium scan", _emission(PT, "FDG?", nuclide="72454006"), Contrast.UNKNOWN),
]


@pytest.mark.parametrize(("header", "contrast"), [case[1:] for case in EMISSION_CASES],
                         ids=[case[0] for case in EMISSION_CASES])  # fmt: skip
def test_emission_is_told_from_the_tracer_never_from_modality(
    header: Dataset, contrast: Contrast
) -> None:
    assert decide(header)[0] is contrast


@pytest.mark.parametrize("label", sorted(TRACERS))
def test_a_tracer_is_recognized_by_code_without_text(label: str) -> None:
    item, code = _injected(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator = TRACERS[label][1], "SCT"
    item.RadiopharmaceuticalCodeSequence = [code]
    header = _emission(PT)
    header.RadiopharmaceuticalInformationSequence = [item]
    assert decide(header)[0] is Contrast(label)


def test_a_half_life_names_the_nuclide() -> None:
    reason = decide(_emission(PT, "brain", half_life=6586.2))[1]
    assert "fluorine-18" in reason
    assert "technetium" in decide(_emission(PT, "brain", half_life=21624.0))[1]


def test_a_pet_without_attenuation_correction_is_not_fdg() -> None:
    header = _emission(PT, drug="FDG")
    header.CorrectedImage = ["DECY", "NORM"]
    assert decide(header)[0] is Contrast.UNKNOWN
    header.CorrectedImage = ["DECY", "ATTN"]
    assert decide(header)[0] is Contrast.FDG


def test_projections_are_not_a_volume() -> None:
    header = _emission(NM, drug="Tc-99m ECD")
    header.ImageType = ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]
    assert decide(header)[0] is Contrast.UNKNOWN


def test_every_rule_has_a_reason_and_only_unknowns_ask() -> None:
    assert all(rule.reason for rule in rules())
    assert all(rule.contrast is Contrast.UNKNOWN for rule in rules() if rule.ask)
    assert {rule.contrast for rule in rules()} == set(Contrast) - {Contrast.SYNTHETIC_FDG}
    assert all(any(fact == "name" for fact, _, _ in rule.conditions) == rule.uses_names
               for rule in rules())  # fmt: skip
