"""One row a scan for models, one row a region for readers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless import quantify
from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import Contrast, Quantity, Scale
from tracerless.quantify.asymmetry import pairs
from tracerless.quantify.cohort import Scan
from tracerless.quantify.flags import flags

KEY = SessionKey(Pseudonym("P01"), "1")
LATER = SessionKey(Pseudonym("P01"), "2")
REGIONS = ("insula_left", "insula_right", "pallidum")


def rows(*means: float, coverage: float = 1.0, sd: float = 0.1) -> pd.DataFrame:
    index = pd.Index(REGIONS[: len(means)], name="region")
    table = pd.DataFrame(dict.fromkeys(ROI_COLUMNS, 1.0), index=index)
    return table.assign(mean=means, coverage=coverage, sd=sd, n_voxels=100)[list(ROI_COLUMNS)]


def a_table(contrast: Contrast = Contrast.FDG, **others: object) -> RoiTable:
    composite = rows(1.3).rename(index={"insula_left": "meta_AD"})
    plain = RoiTable(
        contrast,
        Quantity.SUVR,
        "some",
        "pons",
        "f1",
        rows(1.2, 1.0, 0.9),
        composite,
        {"pons": 1.0, "cerebellum": 1.25},
    )
    return replace(plain, **others)


def test_one_row_a_scan_holds_regions_composites_asymmetries_and_references() -> None:
    scale = Scale(Quantity.SUV, 3.5)
    scans = [Scan(KEY, a_table(scale=scale), "pass"), Scan(KEY, a_table(Contrast.ECD), "review")]
    table = quantify.cohort_table([*scans, Scan(LATER, a_table(), "fail")])
    assert len(table) == 3
    first = table.iloc[0]
    assert first["participant_id"] == "sub-P01"
    assert first["session_id"] == "ses-1"
    assert first[list(REGIONS)].tolist() == [1.2, 1.0, 0.9]
    assert first["meta_AD"] == 1.3
    assert first["AI_insula"] == pytest.approx(200 * 0.2 / 2.2)
    assert (first["ref_pons"], first["ref_cerebellum"]) == (1.0, 1.25)
    assert (first["absolute_unit"], first["absolute_factor"]) == ("SUV", 3.5)
    assert (first["reference"], first["pvc"], first["fingerprint"]) == ("pons", "none", "f1")
    assert table["qc"].tolist() == ["pass", "review", "fail"]
    assert table["absolute_factor"].isna().tolist() == [False, True, True]


def test_corrected_and_uncorrected_tables_of_one_scan_stand_side_by_side() -> None:
    scans = [Scan(KEY, a_table()), Scan(KEY, a_table(pvc="gtm"))]
    assert quantify.cohort_table(scans)["pvc"].tolist() == ["none", "gtm"]


def test_long_table_has_one_row_a_scan_and_region() -> None:
    table = quantify.region_table([Scan(KEY, a_table()), Scan(LATER, a_table())])
    assert len(table) == 2 * (len(REGIONS) + 1)
    picked = table.query("session_id == 'ses-2' and region == 'pallidum'").iloc[0]
    assert (picked["mean"], picked["quantity"]) == (0.9, "SUVR")
    assert table["region"].tolist()[3] == "meta_AD"


@pytest.mark.parametrize("make", [quantify.cohort_table, quantify.region_table])
def test_one_scan_twice_is_refused(make: object) -> None:
    with pytest.raises(RecipeMismatchError, match="two region tables of FDG"):
        make([Scan(KEY, a_table()), Scan(KEY, a_table())])


@pytest.mark.parametrize("make", [quantify.cohort_table, quantify.region_table])
def test_nobody_gives_an_empty_table_with_its_columns(make: object) -> None:
    empty = make([])
    assert empty.empty
    assert {"participant_id", "contrast", "fingerprint"} <= set(empty.columns)


def test_another_atlas_leaves_its_own_columns_and_no_zeros() -> None:
    other = rows(1.5).rename(index={"insula_left": "striatum"})
    table = quantify.cohort_table([Scan(KEY, a_table()), Scan(LATER, a_table(values=other))])
    assert np.isnan(table.loc[0, "striatum"])
    assert np.isnan(table.loc[1, "insula_left"])


def test_every_column_is_described_and_the_description_is_plain_json() -> None:
    scans = [Scan(KEY, a_table())]
    for table in (quantify.cohort_table(scans), quantify.region_table(scans)):
        said = json.loads(json.dumps(quantify.described(table)))
        assert list(said) == list(table.columns)
        assert all(len(each["Description"]) > 3 for each in said.values())


def test_undescribed_word_of_a_level_is_never_written() -> None:
    scans = [Scan(KEY, a_table(pvc=pvc), verdict) for pvc, verdict in (("", "pass"), ("mg", ""))]
    table = quantify.cohort_table(scans)
    said = quantify.described(table)
    for name in ("pvc", "qc"):
        assert set(table[name].dropna()) <= set(said[name]["Levels"])


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"coverage": 0.9}, "cut"),
        ({"coverage": 0.0, "mean": np.nan, "sd": np.nan, "n_voxels": 0}, "unseen"),
        ({"mean": 0.0, "sd": 0.0}, "constant"),
        ({"mean": -0.5}, "negative"),
        ({"sd": np.nan}, ""),
        ({}, ""),
    ],
)
def test_flag_says_what_is_wrong_with_a_region(changed: dict[str, float], flag: str) -> None:
    table = rows(1.0, 1.0)
    table.loc["insula_left", list(changed)] = list(changed.values())
    assert flags(table).tolist() == [flag, ""]


def test_flags_of_a_scan_name_their_regions() -> None:
    values = rows(1.2, 1.0, 0.9)
    values.loc["insula_right", "coverage"] = 0.5
    values.loc["pallidum", ["coverage", "mean"]] = (0.0, np.nan)
    row = quantify.cohort_table([Scan(KEY, a_table(values=values))]).iloc[0]
    assert row["flags"] == "unseen: pallidum; cut: insula_right"
    assert quantify.cohort_table([Scan(KEY, a_table())])["flags"].isna().all()


@given(left=st.floats(0.01, 10), right=st.floats(0.01, 10), factor=st.floats(0.1, 10))
def test_asymmetry_turns_with_the_sides_and_forgets_the_scale(
    left: float, right: float, factor: float
) -> None:
    one = quantify.asymmetry(pd.Series({"a_left": left, "a_right": right}))["a"]
    mirrored = quantify.asymmetry(pd.Series({"a_left": right, "a_right": left}))["a"]
    scaled = quantify.asymmetry(pd.Series({"a_left": left * factor, "a_right": right * factor}))
    assert -200 <= one <= 200
    assert one == pytest.approx(-mirrored, abs=1e-9)
    assert scaled["a"] == pytest.approx(one, abs=1e-9)


def test_a_tenth_more_on_the_left_is_an_asymmetry_of_ten_percent() -> None:
    means = pd.Series({"a_left": 1.05, "a_right": 0.95})
    assert quantify.asymmetry(means)["a"] == pytest.approx(10)


def test_asymmetry_of_an_unseen_side_is_nan_and_a_single_side_is_no_pair() -> None:
    means = pd.Series({"a_left": np.nan, "a_right": 1.0, "b_left": 1.0, "c": 2.0})
    made = quantify.asymmetry(means)
    assert list(made.index) == ["a"]
    assert made.isna().all()


def test_pairs_follow_the_order_of_the_table() -> None:
    assert pairs(["b_right", "c", "a_left", "b_left", "a_right"]) == ("a", "b")
