"""Pixels that were changed on purpose: what may differ then, and what may not."""

from pathlib import Path

import numpy as np
from deid_cases import MR, base, stored
from PIL import Image, ImageDraw
from pydicom import Dataset

from tracerless.deidentify.proof_facts import facts_in, facts_of
from tracerless.deidentify.proof_measure import Declared, Promised, compare, compare_blocks
from tracerless.deidentify.proof_mosaic import compare_tiles
from tracerless.deidentify.proof_scan import scan
from tracerless.workspace.verify_pixels import text_findings

UIDS = {"uid": "2.25.1", "series": "2.25.2"}


def mosaic(edge: int = 4, n_tiles: int = 3) -> Dataset:
    dataset = base(MR)
    dataset.Rows = dataset.Columns = 2 * edge
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", n_tiles)
    sheet = np.arange(4 * edge * edge, dtype="<u2").reshape(2 * edge, 2 * edge)
    dataset["PixelData"].value = sheet.tobytes()
    return dataset


def tile(dataset: Dataset, index: int, edge: int = 4) -> Dataset:
    sheet = np.frombuffer(dataset.PixelData, "<u2").reshape(2 * edge, 2 * edge)
    row, column = divmod(index, 2)
    made = base(MR)
    made.Rows = made.Columns = edge
    made.ImagePositionPatient = [-10.5 + edge * 1.5 / 2, 20.25 + edge * 1.5 / 2, 3 + 3 * index]
    part = sheet[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge]
    made["PixelData"].value = part.tobytes()
    return made


def test_slices_are_held_against_the_tiles_of_their_mosaic() -> None:
    sheet = mosaic()
    before = [facts_of(stored(sheet), **UIDS)]
    after = {f"{k}.dcm": facts_of(stored(tile(sheet, k)), **UIDS).values for k in range(3)}
    assert not list(compare_tiles(before, after, "folder"))
    lost = dict(list(after.items())[:2])
    assert [f.what for f in compare_tiles(before, lost, "folder")] == ["tiles"]
    swapped = dict(zip(after, [*list(after.values())[::-1]], strict=True))
    found = list(compare_tiles(before, swapped, "folder"))
    assert {f.file for f in found if f.kind == "pixels"} == {"0.dcm", "2.dcm"}
    assert {f.kind for f in compare_tiles(before, swapped, "folder")} == {"pixels", "geometry"}
    moved = {**after, "2.dcm": {**after["2.dcm"], "position_mm": [-7.5, 23.25, 9.001]}}
    assert [(f.kind, f.file) for f in compare_tiles(before, moved, "folder")] == [
        ("geometry", "2.dcm")
    ]
    spoiled = tile(sheet, 1)
    spoiled["PixelData"].value = b"\7" + spoiled.PixelData[1:]
    after["1.dcm"] = facts_of(stored(spoiled), **UIDS).values
    assert {f.file for f in compare_tiles(before, after, "folder")} == {"1.dcm"}


def test_slices_without_their_faces_are_held_against_their_tiles_by_blocks() -> None:
    sheet = mosaic(edge=8, n_tiles=4)
    before = [facts_of(stored(sheet), **UIDS, blocks=True)]
    after = {}
    for k in range(4):
        one = tile(sheet, k, edge=8)
        one["PixelData"].value = b"\0" * 32 + one.PixelData[32:]
        content = stored(one)
        after[f"{k}.dcm"] = facts_in(scan(content).body, content, blocks=4)
    assert not list(compare_tiles(before, after, "folder", is_defaced=True))
    assert list(compare_tiles(before, after, "folder"))
    swapped = dict(zip(after, [*list(after.values())[::-1]], strict=True))
    found = compare_tiles(before, swapped, "folder", is_defaced=True)
    assert "more than a face" in {f.what for f in found}


def test_blanked_boxes_may_change_and_nothing_else_may() -> None:
    boxes = ((0, 0, 2, 3),)
    declared, promised = Declared(boxes=boxes), Promised(suv=False)
    dataset = base(MR)
    before = facts_of(stored(dataset), **UIDS, boxes=boxes)
    pixels = np.frombuffer(dataset.PixelData, "<u2").reshape(4, 6).copy()
    pixels[:2, :3] = 0
    dataset["PixelData"].value = pixels.tobytes()
    after = facts_of(stored(dataset), **UIDS, boxes=boxes).values
    assert not list(compare(before, after, "f", declared=declared, promised=promised))
    assert list(compare(before, after, "f", declared=Declared(), promised=promised))
    pixels[3, 5] += 1
    dataset["PixelData"].value = pixels.tobytes()
    after = facts_of(stored(dataset), **UIDS, boxes=boxes).values
    found = [f.kind for f in compare(before, after, "f", declared=declared, promised=promised)]
    assert found == ["pixels"]


def test_a_face_may_go_and_a_head_may_not() -> None:
    dataset = base(MR)
    dataset.Rows = dataset.Columns = 64
    rng = np.random.default_rng(1)
    pixels = rng.integers(1, 900, (64, 64)).astype("<u2")
    dataset["PixelData"].value = pixels.tobytes()
    before = facts_of(stored(dataset), **UIDS, blocks=True).values

    def after(rows: int) -> object:
        changed = pixels.copy()
        changed[:rows] = 0
        dataset["PixelData"].value = changed.tobytes()
        return facts_of(stored(dataset), **UIDS, blocks=True).values

    assert not list(compare_blocks([(before, after(20))], "folder"))
    assert [f.what for f in compare_blocks([(before, after(64))], "folder")] == ["more than a face"]
    assert [f.what for f in compare_blocks([({}, after(20))], "folder")] == ["blocks"]


def test_text_that_was_burned_in_is_read(tmp_path: Path) -> None:
    for name, text in (("clean", ""), ("marked", "CHEN DAWENLONG 1962")):
        canvas = Image.new("L", (320, 160), 20)
        ImageDraw.Draw(canvas).text((20, 60), text, fill=250, font_size=24)
        dataset = base(MR)
        dataset.Rows, dataset.Columns = 160, 320
        dataset["PixelData"].value = np.asarray(canvas, "<u2").tobytes()
        (tmp_path / name).mkdir()
        (tmp_path / name / "0001.dcm").write_bytes(stored(dataset))
    assert not list(text_findings(tmp_path / "clean", tmp_path))
    (found,) = text_findings(tmp_path / "marked", tmp_path)
    assert (found.check, found.kind, found.file) == ("ocr", "text-in-pixels", "[2]/0001.dcm")
