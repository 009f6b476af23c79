"""Labeling facts read out of headers before they die: right places, right units, no known traps."""

import re
import struct
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from phantoms import head, oblique, write_mr
from tracerless.core.volume import Contrast, Quantity
from tracerless.io import csa, fields, sidecar
from tracerless.io.asl_facts import before_border, of_header
from tracerless.io.pixels import load
from tracerless.io.site import Site


def _header(maker: str, **tags: Any) -> Dataset:
    header = Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    header.Manufacturer = maker
    for keyword, value in tags.items():
        setattr(header, keyword, value)
    return header


def _siemens(sequence: str, lines: Mapping[str, object], **tags: Any) -> Dataset:
    """A header with a protocol such as scanners write, person and weight in it."""
    header = _header("SIEMENS", **tags)
    shown = {"tSequenceFileName": f'""%SiemensSeq%\\{sequence}""', **lines}
    text = "\n".join(f"{key}\t = \t{value}" for key, value in shown.items())
    body = (
        f'<XProtocol> "PLANTED^Name"\n### ASCCONV BEGIN object=MrProtDataImpl ###\n{text}\n'
        "flUsedPatientWeight = 81.6\n### ASCCONV END ###"
    ).encode()
    raw = b"SV10\x04\x03\x02\x01" + struct.pack("<II", 0, 77) + body
    header.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x20, "OB", raw)
    return header


CASES: list[tuple[str, Dataset, dict[str, Any]]] = [
    ("Siemens 2D pCASL: delay in us, blocks of 18.4 ms",
     _siemens("ep2d_pcasl_ve11c", {"sWipMemBlock.adFree[2]": 1800000.0,
                                   "sWipMemBlock.adFree[3]": 82.0}, RepetitionTime=4000),
     {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 1.8, "LabelingDuration": 1.5088,
      "RepetitionTimePreparation": 4.0}),
    ("Siemens 3D PASL: cut, readout",
     _siemens("tgse_pasl", {"alTI[0]": 700000, "alTI[2]": 1990000, "sAsl.ulMode": 4}),
     {"ArterialSpinLabelingType": "PASL", "PostLabelingDelay": 1.99, "BolusCutOffFlag": True,
      "BolusCutOffTechnique": "QUIPSSII", "BolusCutOffDelayTime": 0.7}),
    ("Siemens 2D PASL: readout, cut, last cut, hexadecimal",
     _siemens("ep2d_pasl", {"alTI[0]": 1600000, "alTI[1]": 700000, "alTI[2]": 1400000,
                            "sAsl.ulMode": "0x2"}),
     {"ArterialSpinLabelingType": "PASL", "PostLabelingDelay": 1.6, "BolusCutOffFlag": True,
      "BolusCutOffTechnique": "Q2TIPS", "BolusCutOffDelayTime": [0.7, 1.4]}),
    ("Siemens PASL of an unknown mode states its kind alone",
     _siemens("tgse_pasl", {"alTI[0]": 700000, "alTI[2]": 1990000, "sAsl.ulMode": 1}),
     {"ArterialSpinLabelingType": "PASL"}),
    ("Siemens 3D pCASL: what converters take for the label's length is not read",
     _siemens("tgse_pcasl_ve11c", {"sWipMemBlock.adFree[2]": 1200000.0,
                                   "sWipMemBlock.alFree[0]": 1200000}),
     {"ArterialSpinLabelingType": "PCASL"}),
    ("Siemens pCASL product: keys in words",
     _siemens("tgse_pcasl", {"sAsl.ulLabelingDuration": 1800000,
                             "sAsl.sPostLabelingDelay[0]": 2000000}),
     {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 2.0, "LabelingDuration": 1.8}),
    ("Siemens without labeling", _siemens("tfl", {"alTI[0]": 900000}), {}),
    ("a repetition time of zero is none", _header("SIEMENS", RepetitionTime=0), {}),
    ("Philips: the delay as trigger time",
     _header("Philips Medical Systems", TriggerTime=1800, RepetitionTime=4400,
             SeriesDescription="SOURCE - 3D_pCASL"),
     {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 1.8,
      "RepetitionTimePreparation": 4.4}),
    ("Philips: the trigger time of a dynamic series is no delay",
     _header("Philips", TriggerTime=101618), {}),
    ("a name says pulsed", _header("X", SeriesDescription="PASL_standard"),
     {"ArterialSpinLabelingType": "PASL"}),
    ("a flow map that states its unit", _header("X", RescaleType="ml/100g/min"),
     {"FlowUnits": "mL/100g/min"}),
    ("a flow map with another unit", _header("X", RescaleType="US"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("header", "facts"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_labeling_is_read_where_vendors_keep_it(header: Dataset, facts: dict[str, Any]) -> None:
    assert of_header(header) == facts


def _ge(**tags: Any) -> Dataset:
    header = _header("GE MEDICAL SYSTEMS", InversionTime=2025, RepetitionTime=4632, **tags)
    block = header.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0xA3, "CS", "PSEUDOCONTINUOUS")
    block.add_new(0xA5, "IS", "1450")
    return header


def test_ge_states_delay_and_label_and_its_scale_only_with_its_excitations() -> None:
    header = _ge()
    stated = {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 2.025,
              "LabelingDuration": 1.45}  # fmt: skip
    assert of_header(header) == stated
    header.private_block(0x0027, "GEMS_IMAG_01", create=True).add_new(0x62, "FL", 3.0)
    assert of_header(header) == stated | {"AslScale": 96.0}


def test_ge_fields_of_another_creator_are_not_read() -> None:
    header = _header("GE MEDICAL SYSTEMS")
    header.private_block(0x0043, "SOMEBODY", create=True).add_new(0xA5, "IS", "1450")
    assert of_header(header) == {}


def test_the_standard_macro_counts_before_a_vendors_words() -> None:
    slab, cut, label, shared = Dataset(), Dataset(), Dataset(), Dataset()
    slab.ASLPulseTrainDuration = 1800
    cut.ASLBolusCutoffTechnique, cut.ASLBolusCutoffDelayTime = "Q2-TIPS", 700
    label.ArterialSpinLabelingContrast, label.ASLBolusCutoffFlag = "PULSED", "YES"
    label.ASLSlabSequence = Sequence([slab])
    label.ASLBolusCutoffTimingSequence = Sequence([cut])
    shared.MRArterialSpinLabelingSequence = Sequence([label])
    header = _siemens("tgse_pcasl", {"sAsl.ulLabelingDuration": 1500000})
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence([Dataset()])
    assert of_header(header) == {
        "ArterialSpinLabelingType": "PASL", "LabelingDuration": 1.8, "BolusCutOffFlag": True,
        "BolusCutOffTechnique": "Q2TIPS", "BolusCutOffDelayTime": [0.7]}  # fmt: skip


def _xa(sequence: str, lines: str, *, is_enhanced: bool) -> Dataset:
    """A header of the newer software, whose protocol lies in another private block."""
    text = f'### ASCCONV BEGIN ###\ntSequenceFileName = "%SiemensSeq%\\{sequence}"\n{lines}'
    raw = f"{text}\n### ASCCONV END ###".encode()
    header, home = _header("Siemens Healthineers"), Dataset()
    home.private_block(0x0021, "SIEMENS MR SDS 01", create=True).add_new(0x19, "OB", raw)
    if not is_enhanced:
        header.update(home)
        return header
    shared = Dataset()
    block = shared.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    block.add_new(0xFE, "SQ", Sequence([home]))
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence([Dataset()])
    return header


@pytest.mark.parametrize("is_enhanced", [False, True])
def test_newer_siemens_software_keeps_its_protocol_elsewhere(*, is_enhanced: bool) -> None:
    lines = "sAsl.ulLabelingDuration = 1800000 # us\nsAsl.sPostLabelingDelay[0] = 1500000"
    assert of_header(_xa("tgse_pcasl", lines, is_enhanced=is_enhanced)) == {
        "ArterialSpinLabelingType": "PCASL", "LabelingDuration": 1.8,
        "PostLabelingDelay": 1.5}  # fmt: skip


def test_nothing_of_the_person_is_in_the_protocol_lines() -> None:
    header = _siemens("tgse_pasl", {"alTI[0]": 700000, "tPatientName": '"PLANTED"'})
    raw = header.private_block(0x0029, "SIEMENS CSA HEADER")[0x20].value
    lines = csa.protocol(raw, re.compile(r"alTI\[\d\]"))
    assert lines == {"alTI[0]": "700000"}
    assert csa.protocol(raw[: len(raw) // 2], re.compile(".*")) == {}


def test_a_protocol_made_to_take_for_ever_is_read_at_once() -> None:
    began = time.process_time()
    blanks = b"a = " + b" " * 2_000_000 + b"x\n"
    raw = b"### ASCCONV BEGIN ###\n" + blanks + b"b = 1\n### ASCCONV END ###" * 1000
    assert csa.protocol(raw, re.compile("[ab]")) == {"b": "1"}
    assert time.process_time() - began < 5


def test_headers_of_one_series_that_disagree_state_nothing(tmp_path: Path) -> None:
    def edit(header: Dataset, index: int) -> None:
        header.Manufacturer = "Philips Medical Systems"
        header.TriggerTime = 1800 if index == 0 else 2200

    made = write_mr(tmp_path, head((6, 5, 4)), oblique(), contrast="asl", edit=edit)
    assert before_border(made.files, Contrast.ASL)["PostLabelingDelay"] is None
    assert before_border(made.files[:1], Contrast.ASL)["PostLabelingDelay"] == 1.8
    assert before_border(made.files, Contrast.T1W) == {}


def test_a_sidecar_says_that_its_labeling_is_the_headers() -> None:
    stated = sidecar.of_series(_ge(), Contrast.DELTAM, Quantity.SIGNAL)
    assert stated["PostLabelingDelay"] == 2.025
    assert stated["ValueOrigins"]["PostLabelingDelay"] == "header"
    assert "PostLabelingDelay" not in sidecar.of_series(_ge(), Contrast.T1W, Quantity.T1W)


def test_a_delay_for_every_volume_is_a_list_and_no_contradiction(tmp_path: Path) -> None:
    def edit(header: Dataset, index: int) -> None:
        header.Manufacturer = "Philips Medical Systems"
        volume = index // 4
        header.TriggerTime = 600 + 700 * (volume // 2)
        block = header.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x29, "CS", "LABEL" if volume % 2 else "CONTROL")

    frames = np.stack([head((6, 5, 4))] * 6, -1)
    made = write_mr(tmp_path, frames, oblique(), contrast="asl", edit=edit)
    before = before_border(made.files, Contrast.ASL)
    assert before["PostLabelingDelay"] is None
    stated = Site().applied(load(made.files, Contrast.ASL), before).sidecar
    assert stated["PostLabelingDelay"] == [0.6, 0.6, 1.3, 1.3, 2.0, 2.0]
    assert stated["AslContext"] == ["control", "label"] * 3
    assert stated["ValueOrigins"]["PostLabelingDelay"] == "header"


def test_a_header_states_nothing_that_cannot_be() -> None:
    header = _siemens("ep2d_pcasl", {"sWipMemBlock.adFree[2]": 1.8, "sWipMemBlock.adFree[3]": 900})
    assert of_header(header) == {"ArterialSpinLabelingType": "PCASL"}
    assert not fields.is_plausible("PostLabelingDelay", float("inf"))


REAL = {
    "pCASL2D/9_pcasl_2d": {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 0.2,
                           "LabelingDuration": 1.5088, "RepetitionTimePreparation": 2.54},
    "PASL3D/11_pasl_3d": {"ArterialSpinLabelingType": "PASL", "PostLabelingDelay": 1.99,
                          "BolusCutOffFlag": True, "BolusCutOffTechnique": "QUIPSSII",
                          "BolusCutOffDelayTime": 0.7, "RepetitionTimePreparation": 3.6},
}  # fmt: skip
"""As the protocols in the two headers say; the printed sheet of the first agrees."""


@pytest.mark.real_data
def test_real_siemens_series_state_what_their_protocols_say(scans: Path, tmp_path: Path) -> None:
    with tarfile.open(scans / "asl-siemens.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    for place, facts in REAL.items():
        files = sorted((tmp_path / "asl-siemens" / place).iterdir())
        assert before_border(files, Contrast.ASL) == facts, place


@pytest.mark.real_data
def test_a_real_pulsed_map_keeps_its_inversion_time_and_a_real_dynamic_no_false_delay(
    scans: Path,
) -> None:
    facts = before_border([scans / "mr-one-person" / "36747062"], Contrast.CBF)
    assert facts["PostLabelingDelay"] == 1.6
    assert facts["BolusCutOffDelayTime"] == [0.7, 1.4]
    philips = scans / "asl-philips-phantom" / "402_SOURCE_-_3D_pCASL_6mm"
    found = before_border(sorted(philips.iterdir()), Contrast.ASL)
    assert found.get("PostLabelingDelay") is None
    assert found["ArterialSpinLabelingType"] == "PCASL"
