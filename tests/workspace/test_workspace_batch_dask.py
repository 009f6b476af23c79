"""A Dask cluster gives what one process gives."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from batch_tasks import Bad, drawn, keys

from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.workspace import workers_dask
from tracerless.workspace.workers import Crew, attempts

dask = pytest.importorskip("dask", reason="the extra `cluster` is not installed")
distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@dataclass(frozen=True)
class Elsewhere:
    """A task whose probe answers otherwise in every process."""

    def __call__(self, key: SessionKey) -> str:
        return str(key)

    def probe(self) -> str:
        return str(os.getpid())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers of two threads each, as a site might start them: tasks share a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ports that are taken
        once = dask.config.set({"distributed.scheduler.allowed-failures": 0})
        with (
            once,
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0", silence_logs=50
            ) as made,
        ):
            yield made


def test_a_cluster_gives_what_one_process_gives(cluster: Any) -> None:
    crew = Crew(scheduler=cluster.scheduler_address)
    done = {each.key: each for each in attempts(drawn, keys(6), crew)}
    assert {key: each.value for key, each in done.items()} == {key: drawn(key) for key in keys(6)}


@pytest.mark.slow
def test_a_session_that_kills_its_workers_stops_no_other(cluster: Any) -> None:
    crew = Crew(scheduler=cluster.scheduler_address)
    done = {each.key: each for each in attempts(Bad("die"), keys(4), crew)}
    bad = done.pop(keys(4)[1])
    assert "Dask workers that worked on it died" in bad.problem
    assert {key: each.value for key, each in done.items()} == {key: drawn(key) for key in done}


def test_workers_that_do_not_see_the_dataset_are_refused(cluster: Any) -> None:
    crew = Crew(scheduler=cluster.scheduler_address)
    with pytest.raises(DatasetError, match="does not see this dataset"):
        list(attempts(Elsewhere(), keys(1), crew))


@pytest.mark.slow
def test_a_cluster_of_this_machine_ends_with_the_command() -> None:
    done = list(attempts(Bad("refuse"), keys(3), Crew(workers=1, scheduler="local")))
    assert sorted(each.problem for each in done) == ["", "", "No T1. Add it."]


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_dask, "_ANSWER_S", 1)
    tries = attempts(drawn, keys(1), Crew(scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(DatasetError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        next(tries)


def test_a_worker_of_other_versions_would_make_other_bytes_and_is_refused() -> None:
    other = {**workers_dask.versions(), "antspyx": "0.0.1"}
    said = workers_dask.difference(drawn, workers_dask.Same(other, ""))
    assert "another version of antspyx" in said
    done = workers_dask.attempt_alone(drawn, keys(1)[0], workers_dask.Same(other, ""))
    assert (done.value, done.problem) == (None, said), "one that joins later is asked as well"


def test_versions_name_everything_that_may_move_a_bit() -> None:
    assert {"python", "antspyx", "numpy", "tracerless"} <= set(workers_dask.versions())
