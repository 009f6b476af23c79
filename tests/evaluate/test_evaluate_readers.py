"""Forms of readers whose eyes are known: what they see comes back, and what they do not."""

import numpy as np
import pandas as pd
import pytest

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.evaluate.readers import (
    ACQUIRED,
    COLUMNS,
    KINDS,
    MR,
    SYNTHETIC,
    Readings,
    kappa,
    results,
)

RIGHT = {MR: 0.6, SYNTHETIC: 0.9, ACQUIRED: 0.9}
"""Share of right diagnoses by kind."""


def readings(n=60, readers=2, right=RIGHT, sees=0.5, seed="a"):
    """Readers who are right that often, and know a synthetic PET that often."""
    random = generator("readers", seed)
    rows = []
    for person in range(n):
        truth = "AD" if person % 2 else "CN"
        for kind in KINDS:
            for reader in range(readers):
                is_right = random.random() < right[kind]
                said = truth if is_right else ("CN" if truth == "AD" else "AD")
                knows = random.random() < sees
                guess = "" if kind == MR else "yes" if (kind == SYNTHETIC) == knows else "no"
                certainty = int(random.integers(3, 6) if is_right else random.integers(1, 4))
                case = f"case-{person}-{kind}"
                rows.append((f"r{reader}", case, f"p{person}", kind, truth, said, certainty, guess))
    return Readings(pd.DataFrame(rows, columns=COLUMNS))


def line(table, what, kind, reader="all"):
    own = (table["what"] == what) & (table["kind"] == kind) & (table["reader"] == reader)
    (row,) = table[own].to_dict("records")
    return row


def test_kappa_is_that_of_the_textbook():
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert kappa(one, other)[0] == pytest.approx(0.4)
    assert kappa(one, one)[0] == pytest.approx(1.0)
    assert np.isnan(kappa(["yes"] * 5, ["yes"] * 5)[0])


def test_readers_who_do_as_well_with_synthetic_are_said_to():
    table = results(readings())
    assert line(table, "accuracy", SYNTHETIC)["value"] == pytest.approx(0.9, abs=0.08)
    gain = line(table, "accuracy difference", f"{SYNTHETIC} less {MR}")
    assert gain["low"] > 0.1
    same = line(table, "accuracy difference", f"{SYNTHETIC} less {ACQUIRED}")
    assert same["low"] < 0 < same["high"]
    assert line(table, "auc", SYNTHETIC)["value"] > line(table, "auc", MR)["value"]


def test_a_synthetic_scan_that_misleads_is_found_out():
    table = results(readings(right={MR: 0.6, SYNTHETIC: 0.5, ACQUIRED: 0.95}))
    assert line(table, "accuracy difference", f"{SYNTHETIC} less {ACQUIRED}")["high"] < -0.2
    within = line(table, "kappa within a reader", f"{SYNTHETIC} and {ACQUIRED}")
    assert within["high"] < 0.5


def test_readers_who_agree_by_chance_have_no_kappa():
    by_chance = results(readings(right=dict.fromkeys(KINDS, 0.5)))
    surely = results(readings(right=dict.fromkeys(KINDS, 0.97)))
    low = line(by_chance, "kappa between readers", MR)
    assert low["value"] < 0.2
    assert low["low"] < 0.1
    assert line(surely, "kappa between readers", MR)["low"] > 0.7


@pytest.mark.parametrize(("sees", "is_blind"), [(0.5, True), (0.85, False)])
def test_it_is_said_how_blind_the_readers_were(sees, is_blind):
    told = line(results(readings(sees=sees)), "told apart", "PET")
    assert told["value"] == pytest.approx(sees, abs=0.08)
    assert (told["low"] < 0.5 < told["high"]) is is_blind


def test_the_order_of_the_rows_changes_nothing():
    whole = readings(n=20)
    turned = Readings(whole.table.iloc[::-1])
    pd.testing.assert_frame_equal(results(whole), results(turned))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"certainty": 9}, "certainty"),
        ({"kind": "pet"}, "shows 'pet'"),
        ({"case": "case-0-mr"}, "twice"),
    ],
)
def test_what_no_form_may_hold_is_refused(change, words):
    table = readings(n=4).table.assign(**change)
    with pytest.raises(ModelError, match=words):
        Readings(table)


def test_no_reading_is_no_study():
    with pytest.raises(ModelError, match="No case was read"):
        Readings(pd.DataFrame(columns=COLUMNS))
