"""Codes of Table E.1-1, with options and the types of the object, become one action."""

from typing import NamedTuple

import pytest

from tracerless.core.errors import ProfileError
from tracerless.deidentify.actions import Action, Dates
from tracerless.deidentify.confidentiality import Options, dated, options, resolve

STUDY_DATE, STUDY_TIME, STUDY_UID = 0x00080020, 0x00080030, 0x0020000D
DESCRIPTION, REFERENCED, WEIGHT = 0x00081030, 0x00081140, 0x00101030
KNOWN = {
    "113100": "", "113101": "", "113105": "descriptors", "113106": "full_dates",
    "113107": "modified_dates", "113108": "patient",
}  # fmt: skip


class Case(NamedTuple):
    tag: int
    cells: dict[str, str]
    codes: tuple[str, ...]
    kind: str
    is_technical: bool
    action: Action


CASES = [
    Case(STUDY_DATE, {"basic": "Z"}, (), "2", True, Action.EMPTY),
    Case(STUDY_DATE, {"basic": "Z"}, (), "", True, Action.EMPTY),
    Case(STUDY_DATE, {"basic": "X/D"}, (), "", True, Action.REMOVE),
    Case(STUDY_DATE, {"basic": "X/D"}, (), "1", True, Action.DUMMY),
    Case(STUDY_DATE, {"basic": "X"}, (), "2", True, Action.EMPTY),
    Case(STUDY_DATE, {"basic": "X", "modified_dates": "C"}, ("113107",), "", True, Action.SHIFT),
    Case(STUDY_TIME, {"basic": "X", "modified_dates": "C"}, ("113107",), "", True, Action.KEEP),
    Case(STUDY_DATE, {"basic": "X", "full_dates": "K"}, ("113106",), "", True, Action.KEEP),
    Case(DESCRIPTION, {"basic": "X", "descriptors": "C"}, ("113105",), "", False, Action.CLEAN),
    Case(DESCRIPTION, {"basic": "X", "descriptors": "C"}, ("113108",), "", False, Action.REMOVE),
    Case(WEIGHT, {"basic": "X", "patient": "K"}, ("113108",), "2", False, Action.KEEP),
    Case(STUDY_UID, {"basic": "U"}, (), "1", True, Action.HASH_UID),
    Case(REFERENCED, {"basic": "X/Z/U*"}, (), "", True, Action.KEEP),
    Case(REFERENCED, {"basic": "X/Z/U*"}, (), "", False, Action.REMOVE),
]


@pytest.mark.parametrize("case", CASES)
def test_a_row_becomes_one_action(case: Case) -> None:
    cells = {name: "" for name in KNOWN.values() if name} | case.cells
    chosen = options(case.codes, KNOWN, None)
    action, _ = resolve(case.tag, cells, chosen, kind=case.kind, is_technical=case.is_technical)
    assert action is case.action


def test_a_year_takes_the_dates_that_modified_dates_would_move() -> None:
    chosen = options(("113100",), KNOWN, Dates.YEAR)
    cells = {"basic": "X", "modified_dates": "C"}
    assert resolve(STUDY_DATE, cells, chosen, kind="", is_technical=True)[0] is Action.YEAR
    assert resolve(STUDY_TIME, cells, chosen, kind="", is_technical=True)[0] is Action.KEEP


def test_options_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ProfileError, match=r"113106 .* and 113107 .* exclude each other"):
        options(("113106", "113107"), KNOWN, None)
    with pytest.raises(ProfileError, match="'113999' is no option"):
        options(("113999",), KNOWN, None)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ProfileError, match="no code 'Q'"):
        resolve(STUDY_DATE, {"basic": "Q"}, Options(), kind="", is_technical=True)


@pytest.mark.parametrize("dates", Dates)
def test_only_dates_are_dated(dates: Dates) -> None:
    assert dated("TM", dates) is Action.KEEP
    assert (dated("DT", dates) is Action.KEEP) == (dates is Dates.KEEP)
