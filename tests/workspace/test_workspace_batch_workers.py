"""Workers: what one process gives, whatever dies beside it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_tasks import Bad, Marks, drawn, keys

from tracerless.core.errors import RecipeError, StorageError
from tracerless.core.people import SessionKey
from tracerless.workspace.batch import Outcome, over_sessions
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.workers import ALONE, Crew, attempts
from tracerless.workspace.workers_attempt import Attempt, Task

TWO = Crew(workers=2)


def by_key(task: Task, crew: Crew, n: int = 4) -> dict[SessionKey, Attempt]:
    return {done.key: done for done in attempts(task, keys(n), crew)}


def outcome(root: Path, task: Task, crew: Crew, n: int = 4) -> Outcome:
    dataset = Dataset.create_or_open(root)
    return over_sessions(dataset, keys(n), "prepare", task, track=lambda k, _w, _n: k, crew=crew)


def test_workers_give_what_one_process_gives_in_the_order_of_the_sessions(tmp_path: Path) -> None:
    here, there = (outcome(tmp_path / "d", drawn, crew) for crew in (ALONE, TWO))
    assert here.values == there.values
    assert list(here.values) == list(there.values) == list(keys(4)), "the first took longest"
    assert len(set(here.values.values())) == 4


def test_each_worker_is_a_process_of_its_own_and_serves_many(tmp_path: Path) -> None:
    done = by_key(Marks(tmp_path, 0.05), TWO, 6)
    processes = {each.value for each in done.values()}
    assert len(processes) <= 2
    assert str(os.getpid()) not in processes


@pytest.mark.parametrize("crew", [ALONE, TWO], ids=["here", "workers"])
@pytest.mark.parametrize(
    ("how", "said"), [("refuse", "No T1. Add it."), ("break", "ValueError at batch_tasks.py:")]
)
def test_one_bad_session_never_stops_the_others(
    tmp_path: Path, crew: Crew, how: str, said: str
) -> None:
    done = outcome(tmp_path / "d", Bad(how), crew)
    bad = keys(4)[1]
    assert list(done.values) == [key for key in keys(4) if key != bad]
    assert said in done.failures[bad]
    assert "PLANTED" not in done.failures[bad], "a message of nobody's making may quote a scan"
    (kept,) = (tmp_path / "d" / "derivatives" / "tracerless" / "problems").iterdir()
    assert said in kept.read_text()


def test_a_worker_that_is_killed_takes_only_its_session_with_it() -> None:
    done = by_key(Bad("die"), TWO, 5)
    bad = done.pop(keys(5)[1])
    assert "killed (signal 9), twice" in bad.problem
    assert "fewer --workers" in bad.problem
    assert {key: each.value for key, each in done.items()} == {key: drawn(key) for key in done}


def test_a_session_whose_worker_died_once_is_tried_again_alone(tmp_path: Path) -> None:
    done = by_key(Bad("die_once", tmp_path), TWO)
    assert [each.problem for each in done.values()] == [""] * 4
    assert list(done)[-1] == keys(4)[1], "last, when nobody else takes memory"


def test_a_worker_that_grows_beyond_its_bound_is_stopped_and_says_so() -> None:
    done = by_key(Bad("grow"), Crew(workers=2, memory_mb=450))
    assert "more than the 450 MB" in done[keys(4)[1]].problem
    assert [each.problem for each in done.values()].count("") == 3


@pytest.mark.parametrize("crew", [ALONE, TWO], ids=["here", "workers"])
def test_a_disk_that_refuses_stops_everything_at_once(tmp_path: Path, crew: Crew) -> None:
    with pytest.raises(StorageError, match="disk refused"):
        outcome(tmp_path / "d", Bad("fill_the_disk"), crew, 40)
    assert not list(tmp_path.rglob("problems/*.json"))


SCRIPT = """
import signal
import sys
from pathlib import Path
from batch_tasks import OnlyTheFirstEnds, keys
from tracerless.workspace.workers import Crew, attempts

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for done in attempts(OnlyTheFirstEnds(Path(sys.argv[1])), keys(20), Crew(workers=2)):
        print(done.key, flush=True)
"""
"""As a terminal starts it: what runs in the background ignores Ctrl-C, and bequeaths that."""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_command_however_it_ends(tmp_path: Path, signum: int) -> None:
    script = tmp_path / "many.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("sub-P00"), "one session is finished"
            wait_until(lambda: len(begun(tmp_path)) == 3, "both workers have one more")
            if signum == signal.SIGINT:
                os.killpg(process.pid, signum)  # as a terminal does: to the workers as well
            else:
                process.send_signal(signum)
            process.wait(timeout=PATIENCE_S)
            wait_until(lambda: not any(map(is_running, begun(tmp_path))), "workers end as well")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    (finished,) = tmp_path.glob("*.done")
    assert finished.name.startswith("sub-P00"), "what was finished stays, and nothing else ended"


PATIENCE_S = 120
"""How long a machine may be busy with other things before a test fails, seconds."""


def begun(folder: Path) -> list[int]:
    """The process of every session that was begun."""
    return [int(path.name.split("-")[-1]) for path in folder.glob("*.begun-*")]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"workers": 0}, "outside 1-512"),
        ({"workers": 1000}, "outside 1-512"),
        ({"memory_mb": -1}, "negative"),
        ({"scheduler": "somewhere"}, "neither an address nor 'local'"),
    ],
)
def test_a_crew_that_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        Crew(**settings)  # type: ignore[arg-type]
