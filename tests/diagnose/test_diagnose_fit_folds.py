"""People over folds: whole, every class in each, and the same again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import ModelError
from tracerless.diagnose.folds import deal, require_apart

visits = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=40, max_size=120)


@settings(max_examples=50, deadline=None)
@given(visits, st.integers(2, 5))
def test_no_person_lies_in_two_folds_and_folds_are_equal_up_to_one(rows, n_folds):
    people = [f"p{number}" for number, _ in rows]
    first = {}
    for person, (_, label) in zip(people, rows, strict=True):
        first.setdefault(person, label)
    sizes = [list(first.values()).count(label) for label in set(first.values())]
    labels = [label for _, label in rows]
    if min(sizes) < n_folds:
        with pytest.raises(ModelError, match="cannot be dealt"):
            deal(labels, people, n_folds, "a")
        return
    fold = deal(labels, people, n_folds, "a")
    require_apart(fold, people)
    per_fold = [
        len({p for p, f in zip(people, fold, strict=True) if f == k}) for k in range(n_folds)
    ]
    assert max(per_fold) - min(per_fold) <= 1
    for label in set(first.values()):
        own = [
            len({p for p, f in zip(people, fold, strict=True) if f == k and first[p] == label})
            for k in range(n_folds)
        ]
        assert max(own) - min(own) <= 1


def test_equal_seeds_deal_alike_and_others_do_not():
    people, labels = [f"p{k}" for k in range(40)], [k % 2 for k in range(40)]
    once, again = (deal(labels, people, 5, "a", 0) for _ in range(2))
    assert (once == again).all()
    assert (once != deal(labels, people, 5, "a", 1)).any()


def test_the_order_of_rows_does_not_change_who_is_together():
    people, labels = [f"p{k}" for k in range(40)], [k % 2 for k in range(40)]
    fold = deal(labels, people, 5, "a")
    turned = deal(labels[::-1], people[::-1], 5, "a")
    assert (turned[::-1] == fold).all()


def test_a_person_on_both_sides_is_refused():
    with pytest.raises(ModelError, match="one person lie in two folds"):
        require_apart(np.array([0, 1]), ["p", "p"])
