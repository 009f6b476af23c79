"""The dictionary of tests: complete, in two languages, and open to a site's own rows."""

from pathlib import Path

import pytest

from tracerless.core.cognition import Dictionary, Leak, Test
from tracerless.core.errors import DatasetError
from tracerless.io.cognition import dictionary, extended, rows

DEFINES_THE_DIAGNOSIS = {"CDR", "CDRSB", "AD8", "FAQ", "IADL", "ADL"}
AT_HAND = {"MMSE", "CASI", "MOCA", "MOCA_RAW", "NPI"}
ASKED_FOR = {
    *("MMSE", "CASI", "MOCA", "CDR", "CDRSB", "CVVLT_TOTAL", "CVVLT_30S", "CVVLT_10M"),
    *("TMT_A", "TMT_B", "BNT15", "BNT30", "BNT60", "FLUENCY_ANIMALS", "DSF_SPAN", "DSB_SPAN"),
    *("AD8", "GDS15", "GDS30", "NPI", "IADL", "ADL"),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site.csv"


def test_every_test_that_a_taiwan_clinic_uses_is_there_with_both_names() -> None:
    tests = dictionary().tests
    assert set(tests) >= ASKED_FOR
    for test in tests.values():
        assert test.source
        assert test.version
        assert test.domain
        assert any("\u4e00" <= sign <= "\u9fff" for sign in test.name_zh), test.code


def test_scores_that_make_the_diagnosis_are_never_predictors() -> None:
    tests = dictionary().tests
    assert {code for code, test in tests.items() if test.leak is Leak.HIGH} == DEFINES_THE_DIAGNOSIS
    assert all(tests[code].leak is Leak.LOW for code in AT_HAND)
    assert tests["CVVLT_10M"].leak is Leak.NONE


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NACCMMSE", "MMSE"),
        ("mmscore", "MMSE"),
        ("TRAASCOR", "TMT_A"),
        ("TMT-B", "TMT_B"),
        ("CATANIMSC", "FLUENCY_ANIMALS"),
        ("CDRSUM", "CDRSB"),
        ("知能篩檢測驗", "CASI"),
        ("臨床失智評估量表", "CDR"),
        ("ＭＭＳＥ", "MMSE"),
        ("cvvlt 10min", "CVVLT_10M"),
        ("AD-8", "AD8"),
        ("TMT A (s)", "TMT_A"),
        ("TMT-B時間(秒)", ""),
        ("MMSE總分", "MMSE"),
        ("MoCA total score", "MOCA"),
        ("FAQ total score", "FAQ"),
        ("CDR總分", ""),  # the global rating, or the sum of boxes?
        ("簡易心智量表", "MMSE"),
        ("something else", ""),
        ("BNT", ""),  # 15, 30 or 60 pictures?
    ],
)
def test_other_registries_names_are_understood(name: str, code: str) -> None:
    assert dictionary().code(name) == code


def test_an_unknown_test_is_answered_with_the_closest() -> None:
    with pytest.raises(DatasetError, match="Did you mean 'CVVLT_10M'"):
        dictionary().test("CVVLT_10")


def test_no_missing_code_is_a_possible_score() -> None:
    tests = dictionary().tests
    assert tests["MMSE"].missing["88"] == "not applicable"
    assert tests["TMT_B"].missing["997"] == "other problem"
    assert "88" not in tests["CASI"].missing  # 88 of 100 is a score
    with pytest.raises(DatasetError, match="missing code 5 is a possible score"):
        Test("X", "x", "x", "d", 0, 9, True, "", "high", 9, {"5": "?"}, "", "", Leak.NONE, "")


def test_totals_name_parts_that_exist_and_add_up() -> None:
    tests = dictionary().tests
    sums = {code: test for code, test in tests.items() if test.parts}
    assert set(sums) == {"CASI", "CVVLT_TOTAL", "FLUENCY_FL"}
    for test in sums.values():
        assert sum(tests[part].high for part in test.parts) == test.high


def test_a_name_for_two_tests_is_refused() -> None:
    one = dictionary().tests["MMSE"]
    other = dictionary().tests["CASI"]
    twin = Test(**{name: getattr(other, name) for name in other.__slots__} | {"aliases": ("mmse",)})
    with pytest.raises(DatasetError, match="mmse means MMSE and CASI"):
        Dictionary({"MMSE": one, "CASI": twin})


def test_a_site_adds_tests_and_raises_a_leak(site: Path) -> None:
    site.write_text(
        "code,tool,name_en,name_zh,domain,low,high,better,leak,step\n"
        "HOPKINS,hvlt,Hopkins,霍普金斯,memory,0,36,high,none,1\n"
        "MMSE,,,,,,,,high,\n",
        encoding="utf-8-sig",
    )
    tests = extended(site).tests
    assert tests["HOPKINS"].high == 36
    assert tests["MMSE"].leak is Leak.HIGH
    assert tests["MMSE"].name_en == dictionary().tests["MMSE"].name_en
    assert dictionary().tests["MMSE"].leak is Leak.LOW


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code\n\n", None),
        ("name\nMMSE\n", "no code"),
        ("code,low\nNEW,0\n", "'NEW' has no tool"),
        ("code,low\nMMSE,x\n", "MMSE: low 'x' is not a number"),
        ("code,low\nMMSE,40\n", "MMSE: low 40.0 is not below high 30.0"),
        ("code,leak\nMMSE,much\n", "MMSE: leak 'much' is unknown"),
        ("code,missing\nMMSE,odd\n", "no set of missing codes 'odd'"),
        ("code,better\nMMSE,more\n", "better is 'more'"),
    ],
)
def test_a_dictionary_that_makes_no_test_is_refused_in_one_sentence(
    site: Path, text: str, message: str | None
) -> None:
    site.write_text(text)
    if message is None:
        assert extended(site).tests.keys() == dictionary().tests.keys()
        return
    with pytest.raises(DatasetError, match=message):
        extended(site)


def test_a_dictionary_that_is_no_text_is_refused(site: Path) -> None:
    with pytest.raises(DatasetError, match="not a readable UTF-8 file"):
        extended(site)
    site.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="not a readable UTF-8 file"):
        extended(site)


def test_every_number_in_the_data_has_a_source() -> None:
    assert all(row["source"] for row in [*rows("cutoffs"), *rows("norms"), *rows("missing")])
    named = {row["norm"] for row in rows("norms")}
    assert {row["norm"] for row in [*rows("norms_regression"), *rows("norms_strata")]} == named
