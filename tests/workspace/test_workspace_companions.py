"""What lies beside a session for people and other tools."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from derivative_cases import (
    KEY,
    World,
    new_dataset,
    predicted,
)
from PIL import Image

from tracerless.core.grid import points_mm, with_spacing
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast
from tracerless.io.xfm import read_itk
from tracerless.workspace.companions import regions_of
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.derivatives import accompany, prediction_of, sheet_of
from tracerless.workspace.shelf import SessionShelf


def test_label_map_lies_on_the_person_and_its_sizes_are_its_own(
    dataset: Dataset, session: Prepared, where: World
) -> None:
    volume = regions_of(session, where.atlas)
    assert volume is not None
    assert session.anatomy is not None
    on_grey = session.anatomy.grey.array[volume.array > 0].mean()
    moved = np.roll(volume.array, 4, axis=1) > 0
    assert on_grey > 0.5
    assert on_grey > session.anatomy.grey.array[moved].mean() + 0.05, "moved, it fits worse"
    path = next(dataset.derivatives.rglob("*_seg-fdg36_morph.tsv"))
    sizes = pd.read_csv(path, sep="\t", index_col="name")
    region = where.atlas.regions[7]
    n_voxels = int((volume.array == region.index).sum())
    assert sizes.loc[region.key, "n_voxels"] == n_voxels
    assert sizes.loc[region.key, "volume_mm3"] == pytest.approx(n_voxels * 64.0)


def test_maps_for_other_tools_take_points_as_ours_do(dataset: Dataset, session: Prepared) -> None:
    """The file that brings volumes from T1 to template takes points from template to T1."""
    assert session.anatomy is not None
    ways = {
        ("T1w", session.template): (session.to_native, session.grid),
        (session.template, "T1w"): (session.to_template, session.anatomy.grid),
        ("FDG", "T1w"): (session.alignments[Contrast.FDG], session.anatomy.grid),
    }
    for (start, end), (ours, grid) in ways.items():
        (path,) = dataset.derivatives.rglob(f"*_from-{start}_to-{end}_mode-image_xfm.*")
        theirs = read_itk(path, source=ours.source, target=ours.target)
        points = points_mm(grid)[5:40:5, 5:40:5, 5:40:5]
        np.testing.assert_allclose(theirs(points), ours(points), atol=2e-3)
        assert np.abs(ours(points) - points).max() > 1, "the map moves something"


def test_companions_are_made_once_and_again_when_the_session_changes(
    session: Prepared, where: World, tmp_path: Path
) -> None:
    dataset = new_dataset(tmp_path / "d")
    accompany(dataset, KEY)
    assert not list(dataset.root.rglob("*.png")), "nothing was prepared"
    shelf = SessionShelf(dataset, KEY)
    shelf.save("prepared", session, "p")
    first = sheet_of(dataset, KEY)
    (path,) = dataset.derivatives.rglob("*_desc-contact_qc.png")
    stamp = path.stat().st_mtime_ns
    assert sheet_of(dataset, KEY) == first
    assert path.stat().st_mtime_ns == stamp
    shelf.save("synthetic", predicted(where), "s")
    taller = Image.open(io.BytesIO(sheet_of(dataset, KEY))).height
    assert taller > Image.open(io.BytesIO(first)).height, "the synthetic volume has rows now"


def test_a_prediction_of_the_session_as_it_was_before_is_not_shown(
    session: Prepared, where: World, tmp_path: Path
) -> None:
    dataset = new_dataset(tmp_path / "d")
    shelf = SessionShelf(dataset, KEY)
    shelf.save("prepared", session, "p")
    old = {"template": session.template, "prepared": "another way"}
    shelf.save("synthetic", replace(predicted(where), provenance=old), "s")
    assert prediction_of(shelf, session) is None
    other = resample(predicted(where).volume, with_spacing(session.grid, 5.0))
    shelf.save("synthetic", replace(predicted(where), volume=other), "of another grid")
    assert prediction_of(shelf, session) is None
    accompany(dataset, KEY)
    (path,) = dataset.derivatives.rglob("*_desc-contact_qc.png")
    n_rows = Image.open(io.BytesIO(path.read_bytes())).height
    shelf.save("synthetic", predicted(where), "of this one")
    assert prediction_of(shelf, session) is not None
    assert prediction_of(shelf, replace(session, verdict="fail", reasons=("x",))) is None
    accompany(dataset, KEY)
    assert Image.open(io.BytesIO(path.read_bytes())).height > n_rows
