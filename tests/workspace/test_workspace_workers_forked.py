"""Forked workers share what was built once; what becomes of a session does not depend on them."""

import os
import sys

import pytest

from tracerless.core.errors import DatasetError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.workspace.workers_forked import forked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")

KEYS = [SessionKey(Pseudonym(f"person{n}"), "01") for n in range(8)]
REFUSED, DEADLY = KEYS[3], KEYS[4]
BUILT: list[int] = []


def task(key: SessionKey) -> tuple[int, int]:
    """The process that built what all share, and the one that worked."""
    if not BUILT:
        BUILT.append(os.getpid())
    if key == REFUSED:
        message = "Person 3 holds no scan."
        raise DatasetError(message)
    if key == DEADLY:
        os._exit(9)
    return BUILT[0], os.getpid()


def test_workers_share_one_start_and_one_that_dies_takes_only_what_it_still_had():
    """The foreman does the first; the workers have 1, 4, 7 and 2, 5 and 3, 6."""
    done = {each.key: each for each in forked(task, KEYS, 3)}
    assert set(done) == set(KEYS)
    assert done[REFUSED].problem == "Person 3 holds no scan."
    lost = {key for key, each in done.items() if "fewer --workers" in each.problem}
    assert lost == {DEADLY, KEYS[7]}
    values = [each.value for each in done.values() if not each.problem]
    assert len({builder for builder, _ in values}) == 1
    assert len({worker for _, worker in values}) == 4
    assert os.getpid() not in {worker for _, worker in values}
