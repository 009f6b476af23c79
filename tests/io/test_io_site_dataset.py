"""The site file on its way: into a dataset, past the border, and beside a simulated hospital."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from pydicom import Dataset

from phantoms import head, oblique, write_mr, write_nm, write_pt
from tracerless.cli.deidentify import command
from tracerless.core.errors import QuantityError
from tracerless.core.volume import Contrast
from tracerless.io.dicom_read import Rejection, read
from tracerless.io.recognise import native_series
from tracerless.io.site import Site, of_rules
from tracerless.io.site import read as read_site
from tracerless.workspace.clean import source_series

SMALL = (6, 5, 4)
RULES = """
# asked of Dr. PLANTED on the phone
[[rule]]
match = { Manufacturer = "GE*", Contrast = "asl" }
set = { LabelingDuration = 1.45, AslScale = 32 }

[[rule]]
match = { Modality = "PT", TracerRadionuclide = "F18" }
declare = "FDG"
"""


def _ge(file: Dataset, _: int) -> None:
    """Labeling whose private block dies at the border."""
    file.Manufacturer = "GE MEDICAL SYSTEMS"
    file.SeriesDescription = "3D pCASL"
    file.InversionTime = 2025


def _fluorine(file: Dataset, _: int) -> None:
    item = file.RadiopharmaceuticalInformationSequence[0]
    del item.RadiopharmaceuticalCodeSequence, item.Radiopharmaceutical
    file.SeriesDescription = "WB"


def _invoke(place: Path, *more: str) -> Result:
    arguments = [str(place / "in"), str(place / "data"), "--vault", str(place / "vault"),
                 "--profile", "seed", *more]  # fmt: skip
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    small = head(SMALL)
    write_mr(tmp_path / "in", np.stack([small] * 8, -1), oblique(), contrast="asl", edit=_ge)
    write_pt(tmp_path / "in", small.astype(np.float32) / 50, oblique(), edit=_fluorine)
    (tmp_path / "rules.toml").write_text(RULES)
    return tmp_path


def test_the_site_file_lets_a_series_in_and_is_kept_without_its_comments(hospital: Path) -> None:
    assert "1 series kept out" in _invoke(hospital).stdout
    done = _invoke(hospital, "--site", str(hospital / "rules.toml"))
    assert done.exit_code == 0, done.stdout
    kept = (hospital / "data" / "site.toml").read_text()
    assert "PLANTED" not in kept
    assert read_site(hospital / "data" / "site.toml") == Site.from_toml(RULES)
    assert {each.contrast for each in source_series(hospital / "data")} == {
        Contrast.ASL, Contrast.FDG}  # fmt: skip


def test_the_kept_site_file_holds_for_later_batches(hospital: Path) -> None:
    _invoke(hospital, "--site", str(hospital / "rules.toml"))
    again = _invoke(hospital, "--json")
    assert json.loads(again.stdout)["series"] == {"blocked": 0, "skipped": 2, "written": 0}


def test_a_bad_site_file_stops_the_command_before_anything_is_made(hospital: Path) -> None:
    bad = hospital / "bad.toml"
    bad.write_text(RULES.replace("1.45", "1450"))
    with pytest.raises(QuantityError, match="Write it in s"):
        _invoke(hospital, "--site", str(bad))
    assert not (hospital / "data").exists()


def test_facts_that_die_at_the_border_are_there_past_it_with_their_origin(hospital: Path) -> None:
    _invoke(hospital, "--site", str(hospital / "rules.toml"))
    (asl,) = [e for e in source_series(hospital / "data") if e.contrast is Contrast.ASL]
    assert asl.technical == {"ArterialSpinLabelingType": "PCASL", "PostLabelingDelay": 2.025}
    header = read(asl.files[0])
    assert not isinstance(header, Rejection)
    assert "pCASL" not in str(header.get("SeriesDescription"))
    site = read_site(hospital / "data" / "site.toml")
    stated = native_series(asl.files, asl.contrast, asl.technical, site).sidecar
    assert stated["ArterialSpinLabelingType"] == "PCASL"
    assert stated["AslScale"] == 32
    origins = stated["ValueOrigins"]
    assert origins["ArterialSpinLabelingType"] == "header before the border"
    assert origins["LabelingDuration"] == "site file"
    assert origins["PostLabelingDelay"] == "header"


def test_what_was_read_before_the_border_counts_in_the_digest(hospital: Path) -> None:
    _invoke(hospital)
    (asl,) = source_series(hospital / "data")
    (record,) = (hospital / "data" / "sourcedata").rglob("series.json")
    told = json.loads(record.read_text())
    assert told["confidence"] == "certain"
    told["technical"]["PostLabelingDelay"] = 1.8
    record.write_text(json.dumps(told))
    (other,) = source_series(hospital / "data")
    assert other.digest != asl.digest


def _without_side(file: Dataset, _: int) -> None:
    """As objects look that lost the sequence in which the direction of slices is written."""
    del file.DetectorInformationSequence


@pytest.mark.parametrize(("axes", "sign"), [("LPS", -1.0), ("RPS", 1.0)])
def test_a_gamma_camera_that_stores_no_side_gets_it_from_the_site(
    tmp_path: Path, axes: str, sign: float
) -> None:
    affine = np.diag([-4.0, -4.0, 4.0, 1.0])
    made = write_nm(tmp_path, head((8, 9, 7)), affine, edit=_without_side)
    bare = native_series(made.files, Contrast.ECD, {}, Site())
    assert bare.sidecar["SideUnverified"] is True
    rule = {"match": {"Modality": "SPECT"}, "set": {"VolumeAxes": axes}}
    laid = native_series(made.files, Contrast.ECD, {}, of_rules([rule]))
    assert "SideUnverified" not in laid.sidecar
    assert laid.sidecar["ValueOrigins"]["VolumeAxes"] == "site file"
    np.testing.assert_allclose(np.diag(laid.grid.affine)[:3], [4 * sign, -4, 4])
    np.testing.assert_array_equal(laid.volumes[0].array, bare.volumes[0].array)


def test_axes_are_those_of_the_files_frames_whichever_way_they_are_stored(tmp_path: Path) -> None:
    def against(file: Dataset, index: int) -> None:
        _without_side(file, index)
        file.SpacingBetweenSlices = -4

    affine = np.diag([-4.0, -4.0, 4.0, 1.0])
    made = write_nm(tmp_path, head((8, 9, 7)), affine, edit=against)
    rule = {"match": {"Modality": "SPECT"}, "set": {"VolumeAxes": "LPS"}}
    laid = native_series(made.files, Contrast.ECD, {}, of_rules([rule]))
    upward = laid.volumes[0].array[:, :, :: int(np.sign(laid.grid.affine[2, 2]))]
    np.testing.assert_array_equal(upward, made.voxels)  # frames were written from below
