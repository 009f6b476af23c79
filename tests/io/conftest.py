"""One small good file of every encoding, to be cut, bent and mutated."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from phantoms import head, oblique, write_enhanced, write_mosaic, write_mr, write_nm, write_pt

SMALL = (6, 5, 4)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("seeds")
    small, affine = head(SMALL), oblique()
    made = {
        "mr": write_mr(place / "mr", small, affine).files[1],
        "pt": write_pt(place / "pt", small.astype(np.float32) / 50, affine).files[0],
        "nm": write_nm(place / "nm", small, affine).files[0],
        "mosaic": write_mosaic(place / "mo", np.stack([small, small], -1), affine).files[0],
        "enhanced": write_enhanced(place / "en", small, affine).files[0],
    }
    for name, syntax in (("implicit", ImplicitVRLittleEndian), ("big", ExplicitVRBigEndian),
                         ("deflated", DeflatedExplicitVRLittleEndian)):  # fmt: skip
        made[name] = _as_syntax(made["mr"], place / name, syntax)
    rle = dcmread(made["mr"])
    rle.compress(RLELossless, generate_instance_uid=False)
    made["rle"] = place / "rle"
    rle.save_as(made["rle"])
    return made


def _as_syntax(path: Path, to: Path, syntax: str) -> Path:
    source = dcmread(path)
    dataset = Dataset()
    dataset.update({element.tag: element for element in source})  # forgets the old encoding
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.update(source.file_meta)
    dataset.file_meta.TransferSyntaxUID = syntax
    is_big = syntax == ExplicitVRBigEndian
    if is_big:
        dataset.PixelData = np.frombuffer(source.PixelData, "<i2").astype(">i2").tobytes()
    dataset.save_as(
        to,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=not is_big,
        enforce_file_format=True,
    )
    return to
