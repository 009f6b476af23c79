"""A region table of a user's own: it works, or it says in which line what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from tracerless.core.errors import DatasetError, RecipeError
from tracerless.io import resources

HEAD = "index\tname\tgroup\themisphere\tlabels"
GOOD = (
    "1\tstriatum\tsubcortical\tL\t11,12",
    "5\tstriatum\tsubcortical\tR\t50,51",
    "300\thippocampus\tmemory\tB\t17,53",
)


def written(folder: Path, *rows: str, head: str = HEAD, name: str = "atlas-mine.tsv") -> str:
    (folder / name).write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return name


def test_three_rows_make_an_atlas_that_measures(tmp_path: Path) -> None:
    atlas = resources.atlas(written(tmp_path, *GOOD), 2.0, tmp_path)
    assert atlas.key == "mine"
    assert atlas.keys == ("striatum_left", "striatum_right", "hippocampus")
    assert [region.index for region in atlas.regions] == [1, 5, 300]
    assert set(atlas.references) == set(resources.atlas("fdg36", 2.0).references)
    preset = resources.atlas("fdg36", 2.0)
    index = {region.key: region.index for region in preset.regions}
    same = np.isin(preset.labels, [index["caudate_left"], index["putamen_left"]])
    assert ((atlas.labels == 1) == same).all()


def test_coarse_grid_keeps_large_indices(tmp_path: Path) -> None:
    atlas = resources.atlas(written(tmp_path, *GOOD), 4.0, tmp_path)
    assert (atlas.labels == 300).sum() * 0.064 == pytest.approx(11.7, rel=0.2)


def test_changed_table_changes_the_fingerprint_at_once(tmp_path: Path) -> None:
    one = resources.atlas(written(tmp_path, *GOOD), 4.0, tmp_path)
    two = resources.atlas(written(tmp_path, *GOOD[:2]), 4.0, tmp_path)
    assert len(two.regions) == 2
    assert one.fingerprint != two.fingerprint


def test_band_of_heights_parts_a_label(tmp_path: Path) -> None:
    head = HEAD + "\toutside_z_mm\tinside_z_mm\tname_zh"
    rows = ("1\tpons\tstem\tB\t16\t\t-46:-22\t橋腦", "2\trest\tstem\tB\t16\t-46:-22\t\t")
    atlas = resources.atlas(written(tmp_path, *rows, head=head), 2.0, tmp_path)
    z_mm = np.argwhere(atlas.labels == 1)[:, 2] * 2.0 - 72.0
    assert (z_mm.min(), z_mm.max()) == (-46, -22)
    assert [region.name_zh for region in atlas.regions] == ["橋腦", "rest"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("0\tx\tg\tB\t17", "index='0' is not a whole number of 1-32767"),
        ("one\tx\tg\tB\t17", "index='one'"),
        ("9\tx\tg\tl\t17", "hemisphere='l' is not L, R or B"),
        ("9\tx\tg\tB\t9999", "no label 9999"),
        ("9\tx\tg\tB\t17;18", "labels='17;18' are not whole numbers"),
        ("9\tx\tg\tB\t", "labels='' are not whole numbers"),
        ("9\ttwo words\tg\tB\t17", "name='two words' is not made of letters"),
        ("9\tAI_x\tg\tB\t17", "is a column of the cohort table"),
        ("9\tqc\tg\tB\t17", "is a column of the cohort table"),
        ("9\tx_left\tg\tR\t53", "says another side than hemisphere='R'"),
        ("9\tx\tg\tB", "not as many cells"),
        ("9\tx\tg\tB\t17\tmore", "not as many cells"),
    ],
)
def test_bad_cell_is_named_with_its_line(tmp_path: Path, row: str, told: str) -> None:
    name = written(tmp_path, GOOD[0], row)
    with pytest.raises(RecipeError) as caught:
        resources.atlas(name, 4.0, tmp_path)
    assert told in str(caught.value)
    assert "line 3 of the region table" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1\tother\tg\tR\t50", "share the index 1"),
        ("9\tstriatum_left\tg\tL\t10", "share the name striatum_left"),
        ("9\tother\tg\tL\t11", "share the label 11"),
    ],
)
def test_two_regions_never_share_a_name_an_index_or_a_label(
    tmp_path: Path, row: str, told: str
) -> None:
    with pytest.raises(RecipeError, match=told):
        resources.atlas(written(tmp_path, GOOD[0], row), 4.0, tmp_path)


def test_labels_of_the_wrong_side_are_refused(tmp_path: Path) -> None:
    name = written(tmp_path, "1\tstriatum\tsubcortical\tL\t50,51")
    with pytest.raises(RecipeError, match=r"says hemisphere='L', but its labels lie at \+"):
        resources.atlas(name, 4.0, tmp_path)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("index,name,group,hemisphere,labels", "lacks the column 'index'"),
        (HEAD.replace("labels", "label"), "lacks the column 'labels'"),
        (HEAD + "\tname_cn", "unknown column 'name_cn'"),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, head: str, told: str) -> None:
    row = GOOD[0] + ("\tx" if head.endswith("cn") else "")
    with pytest.raises(RecipeError, match=told):
        resources.atlas(written(tmp_path, row, head=head), 4.0, tmp_path)


def test_table_without_a_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="holds no region"):
        resources.atlas(written(tmp_path), 4.0, tmp_path)


@pytest.mark.parametrize("name", ["../atlas-mine.tsv", "mine.tsv", "atlas-my_own.tsv"])
def test_table_of_another_name_or_place_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="is not called atlas-<letters or digits>"):
        resources.atlas(name, 4.0, tmp_path)


def test_absent_table_is_asked_for(tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        with pytest.raises(DatasetError, match="not in the dataset's root"):
            resources.atlas("atlas-mine.tsv", 4.0, folder)


def test_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "atlas-mine.tsv").write_bytes("名稱".encode("big5"))
    with pytest.raises(RecipeError, match="not UTF-8"):
        resources.atlas("atlas-mine.tsv", 4.0, tmp_path)
