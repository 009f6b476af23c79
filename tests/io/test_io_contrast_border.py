"""What a series shows is the same on both sides of the border, and a site file settles the rest."""

import csv
import importlib.resources
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset

from phantoms import (
    MR_TAGS,
    Phantom,
    Who,
    head,
    oblique,
    write_enhanced,
    write_mosaic,
    write_mr,
    write_nm,
    write_pt,
)
from tracerless import deidentify
from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify.keys import Keys
from tracerless.io import profiles
from tracerless.io.contrast import CONFIDENCE, confidence, decide, rules
from tracerless.io.dicom_scan import scan
from tracerless.io.recognise import native_series, recognized, summary
from tracerless.io.site import Site, of_rules, read
from tracerless.workspace.simulate_run import write_hospital

SMALL = (6, 5, 4)
NAMES = ("SeriesDescription", "ProtocolName", "StudyDescription")
POLICY = deidentify.Profile.parse("seed", profiles.read("seed"), ())
NOBODY = deidentify.CleanIdentity(Pseudonym("TEST0001"), "1", 3)


def _cleaned(header: Dataset, contrast: Contrast) -> Dataset:
    """The header past the border, by the specification's own table and its technical lists."""
    keys = Keys.from_secret(bytes(32))
    made = deidentify.instance(header, profile=POLICY, keys=keys, person=NOBODY, contrast=contrast)
    assert not isinstance(made, deidentify.Refusal), made
    return made.dataset


def _literal(header: Dataset) -> Dataset:
    """Nothing but what the specification's own table keeps: no ImageType, no tracer, no name."""
    table = importlib.resources.files("tracerless").joinpath("data/profiles/base/seed.csv")
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    kept = {int(row["tag"], 16) for row in rows if row["action"] in {"keep", "hash_uid"}}
    bare = Dataset()
    for element in header:
        if element.tag in kept or element.tag.group in {0x0028, 0x7FE0}:
            bare.add(element)
    bare.SOPClassUID, bare.SOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    bare.file_meta = FileMetaDataset()
    bare.file_meta.update(header.file_meta)
    return bare


def _phantoms(place: Path) -> Iterator[tuple[str, Phantom]]:
    small, affine = head(SMALL), oblique()
    for label in MR_TAGS:
        yield label, write_mr(place / label, small, affine, contrast=label)
    pair = np.stack([small, small], -1)
    yield "asl", write_mosaic(place / "mosaic", pair, affine)
    yield "T1w", write_enhanced(place / "enhanced", small, affine)
    yield "FDG", write_pt(place / "pt", small.astype(np.float32) / 50, affine)
    for tracer in ("ECD", "HMPAO"):
        yield tracer, write_nm(place / tracer, small, affine, tracer=tracer)


def test_every_phantom_is_the_same_before_and_after_the_border(tmp_path: Path) -> None:
    for label, phantom in _phantoms(tmp_path):
        header = dcmread(phantom.files[0])
        before, _ = decide(header)
        clean = _cleaned(header, before)
        assert before.value == label
        assert decide(clean)[0] is before, label
        without_label = decide(clean, False)[0]
        by_name = confidence(*decide(header)) == "likely"
        assert without_label is (Contrast.UNKNOWN if by_name else before), label


def test_the_bare_table_leaves_structural_series_recognizable(tmp_path: Path) -> None:
    for label in ("T1w", "T2w", "FLAIR"):
        made = write_mr(tmp_path / label, head(SMALL), oblique(), contrast=label)
        assert decide(_literal(dcmread(made.files[0])), False)[0].value == label


def test_every_decision_says_how_sure_it_is() -> None:
    for rule in rules():
        assert confidence(rule.contrast, rule.reason) == rule.confidence
        assert (rule.confidence == "unknown") is rule.ask
        assert rule.confidence != "certain" or not rule.uses_names
    assert confidence(Contrast.DELTAM, "first half of a GE ASL series: the difference") == "likely"
    assert confidence(Contrast.FDG, "declared by the site file") == "certain"
    assert confidence(Contrast.T1W, "somebody said so") == CONFIDENCE[-1]


def _fluorine(file: Dataset, _: int) -> None:
    """A PET that names the nuclide and no tracer."""
    item = file.RadiopharmaceuticalInformationSequence[0]
    del item.RadiopharmaceuticalCodeSequence, item.Radiopharmaceutical
    file.SeriesDescription = "PET WB"


def test_a_pet_without_its_tracer_stays_open_until_the_site_declares_it(tmp_path: Path) -> None:
    write_pt(tmp_path, head(SMALL).astype(np.float32) / 50, oblique(), edit=_fluorine)
    found = scan(tmp_path)
    (left,) = recognized(found, Site()).series
    assert left.contrast is Contrast.UNKNOWN
    assert "Declare it in a site file" in left.problems[0].text
    site = of_rules([{"match": {"Modality": "PT", "TracerRadionuclide": "F18"}, "declare": "FDG"}])
    settled = recognized(found, site)
    assert settled.series[0].contrast is Contrast.FDG
    assert not settled.series[0].problems
    assert summary(settled)["series"][0]["confidence"] == "certain"
    other = of_rules([{"match": {"TracerRadionuclide": "C11"}, "declare": "FDG"}])
    assert recognized(found, other).series[0].contrast is Contrast.UNKNOWN


def test_a_site_file_never_overrules_a_header_that_knows(tmp_path: Path) -> None:
    write_mr(tmp_path, head(SMALL), oblique(), contrast="T2w")
    site = of_rules([{"match": {"Modality": "MR"}, "declare": "T1w"}])
    assert recognized(scan(tmp_path), site).series[0].contrast is Contrast.T2W


def _brain(fluid: float) -> np.ndarray:
    """A head whose ventricles are dark or bright, 3 mm voxels."""
    axes = [np.linspace(-90, 90, 61)] * 3
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 75) ** 2 + (y / 88) ** 2 + (z / 80) ** 2)
    array = np.where(radius < 1, 700.0, 5.0)
    array[radius < 0.92] = 60
    array[radius < 0.85] = 800
    array[np.sqrt((x / 14) ** 2 + (y / 34) ** 2 + (z / 16) ** 2) < 1] = fluid
    return np.round(array).astype(np.int16)


def test_a_guess_is_told_and_blocks(tmp_path: Path) -> None:
    def bare(file: Dataset, _: int) -> None:
        for keyword in ("ScanningSequence", "SequenceVariant", "MRAcquisitionType", *NAMES,
                        "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle"):  # fmt: skip
            if keyword in file:
                delattr(file, keyword)

    write_mr(tmp_path, _brain(150), np.diag([-3.0, -3.0, 3.0, 1.0]), edit=bare)
    (left,) = recognized(scan(tmp_path), Site()).series
    assert left.contrast is Contrast.UNKNOWN
    assert left.is_blocked
    assert "It looks like T1w or FLAIR: fluid is darker than the brain." in left.problems[0].text


def test_pixels_against_the_header_are_a_doubt_and_change_nothing_else(tmp_path: Path) -> None:
    affine = np.diag([-3.0, -3.0, 3.0, 1.0])
    true = write_mr(tmp_path / "true", _brain(150), affine)
    false = write_mr(tmp_path / "false", _brain(1900), affine)
    good = native_series(true.files, Contrast.T1W, {}, Site())
    bad = native_series(false.files, Contrast.T1W, {}, Site())
    assert "ContrastDoubt" not in good.sidecar
    assert bad.sidecar["ContrastDoubt"] == (
        "The header says T1w, but fluid is brighter than the brain."
    )
    assert bad.contrast is Contrast.T1W


@pytest.mark.parametrize(("step", "is_doubted"), [(0.0, False), (0.02, False), (0.06, True)])
def test_two_volumes_of_m0_that_differ_like_a_pair_are_doubted(
    tmp_path: Path, step: float, *, is_doubted: bool
) -> None:
    brain = _brain(800)[::2, ::2, ::2].astype(np.float64)
    pair = np.stack([np.round(brain), np.round(brain * (1 - step))], -1).astype(np.int16)
    made = write_mosaic(tmp_path, pair, np.diag([-6.0, -6.0, 6.0, 1.0]))
    sidecar = native_series(made.files, Contrast.M0, {}, Site()).sidecar
    assert ("ContrastDoubt" in sidecar) is is_doubted


def _labeled(place: Path, edit: Callable[[Dataset, int], None]) -> None:
    """Echo-planar control and label without a sign of it, and its M0, in one study."""
    rng = np.random.default_rng(4)
    brain = _brain(800)[::2, ::2, ::2].astype(np.float64)
    levels = 0.4 * (1 + 0.02 * (np.arange(16) % 2) + rng.normal(0, 0.002, 16))
    frames = np.stack([np.round(brain * level) for level in levels], -1).astype(np.int16)
    affine = np.diag([-6.0, -6.0, 6.0, 1.0])
    write_mosaic(place / "asl", frames, affine, edit=edit)
    m0 = np.round(brain[..., None]).astype(np.int16)
    write_mosaic(place / "m0", m0, affine, who=Who(number=10), edit=edit)


def test_control_label_and_m0_are_found_without_a_word_of_them(tmp_path: Path) -> None:
    def plain(file: Dataset, _: int) -> None:
        file.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        file.SeriesDescription, file.SequenceName = "", "epfid2d1_72"

    _labeled(tmp_path, plain)
    found = recognized(scan(tmp_path), Site())
    assert {each.contrast for each in found.series} == {Contrast.ASL, Contrast.M0}
    assert {row["confidence"] for row in summary(found)["series"]} == {"likely"}
    assert not any(each.problems for each in found.series)


@pytest.mark.parametrize(("levels", "order"), [((0.2, 1.0), ["deltam", "m0scan"]),
                                               ((1.0, 0.2), ["m0scan", "deltam"])])  # fmt: skip
def test_the_halves_of_a_ge_series_are_told_by_their_pixels(
    tmp_path: Path, levels: tuple[float, float], order: list[str]
) -> None:
    def as_ge(file: Dataset, _: int) -> None:
        file.Manufacturer = "GE MEDICAL SYSTEMS"

    brain = _brain(800)[::2, ::2, ::2]
    halves = np.stack([np.round(brain * level) for level in levels], -1).astype(np.int16)
    write_mr(tmp_path, halves, np.diag([-6.0, -6.0, 6.0, 1.0]), contrast="asl", edit=as_ge)
    found = recognized(scan(tmp_path), Site())
    brightness = {each.contrast.value: native_series(each.files, each.contrast, {}, Site())
                  .volumes[0].array.max() for each in found.series}  # fmt: skip
    assert brightness["m0scan"] > 4 * brightness["deltam"]
    assert {row["confidence"] for row in summary(found)["series"]} == {"likely"}
    assert [each.contrast.value for each in found.series] == order


def test_a_single_volume_of_another_sequence_is_not_m0(tmp_path: Path) -> None:
    def other(file: Dataset, index: int) -> None:
        file.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        file.SeriesDescription = ""
        file.EchoTime = 14 if file.SeriesNumber == 9 else 30

    _labeled(tmp_path, other)
    found = recognized(scan(tmp_path), Site()).series
    assert [each.contrast for each in found] == [Contrast.ASL, Contrast.UNKNOWN]


@pytest.mark.slow
def test_a_simulated_hospital_is_the_same_past_the_border_and_its_site_file_fills_every_gap(
    tmp_path: Path,
) -> None:
    write_hospital(tmp_path, n=3, seed="site-trial")  # one machine of each vendor
    site = read(tmp_path / "site.toml")
    makers = set()
    for series in scan(tmp_path / "dicom").series:
        clean = _cleaned(dcmread(series.files[0]), series.contrast)
        is_split = series.reason.startswith(("first half", "second half"))
        by_name = confidence(series.contrast, series.reason) == "likely" and not is_split
        expected = {Contrast.ASL} if is_split else {series.contrast}
        assert decide(clean)[0] is series.contrast or is_split
        assert by_name or decide(clean, False)[0] in expected
        found = native_series(series.files, series.contrast, {}, site)
        assert "ContrastDoubt" not in found.sidecar
        origins = found.sidecar["ValueOrigins"]
        if series.contrast in {Contrast.ASL, Contrast.DELTAM}:
            makers.add(found.sidecar["Manufacturer"])
            assert {origins[name] for name in ("PostLabelingDelay", "LabelingDuration", "M0Type")
                    } == {"site file"}  # fmt: skip
        if series.modality in {"PT", "NM"}:
            assert origins["PointSpreadFWHM"] == "site file"
    assert len(makers) == 3


@pytest.fixture(scope="module")
def real(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("real")
    for name in ("asl-siemens", "petmr-simulated-pair"):
        with tarfile.open(scans / f"{name}.tar.xz") as archive:
            archive.extractall(place, filter="data")
    folders = ("mr-one-person", "asl-philips-phantom", "fdg-whole-body", "vendor-headers")
    return [place / "asl-siemens", place / "petmr-simulated-pair", *(scans / f for f in folders)]


@pytest.mark.real_data
def test_every_real_series_keeps_its_contrast_past_the_border(real: list[Path]) -> None:
    n_series = 0
    for folder in real:
        for series in scan(folder).series:
            if series.contrast is Contrast.UNKNOWN:
                continue
            header = dcmread(series.files[0])
            clean = _cleaned(header, series.contrast)
            found, _ = decide(clean)
            assert found is series.contrast, (folder.name, series.series_number, found)
            n_series += 1
    assert n_series >= 16


@pytest.mark.real_data
@pytest.mark.slow
def test_real_labeling_without_names_is_found_in_its_pixels(
    real: list[Path], tmp_path: Path
) -> None:
    for n, path in enumerate(sorted(p for p in (real[0] / "pCASL2D").rglob("*") if p.is_file())):
        header = dcmread(path)
        for keyword in NAMES:
            if keyword in header:
                delattr(header, keyword)
        header.save_as(tmp_path / f"{n:04d}")
    found = recognized(scan(tmp_path), Site())
    assert [(s.series_number, s.contrast.value) for s in found.series] == [
        (9, "asl"), (10, "m0scan")]  # fmt: skip


@pytest.mark.real_data
def test_the_real_whole_body_pet_needs_the_site_to_name_its_tracer(scans: Path) -> None:
    found = scan(scans / "fdg-whole-body")
    open_ = [s for s in recognized(found, Site()).series if s.modality == "PT"]
    assert [s.contrast for s in open_] == [Contrast.UNKNOWN]
    rule = {"match": {"Manufacturer": "CPS", "TracerRadionuclide": "F18"}, "declare": "FDG"}
    settled = [s for s in recognized(found, of_rules([rule])).series if s.modality == "PT"]
    assert [(s.contrast, s.is_blocked) for s in settled] == [(Contrast.FDG, False)]
