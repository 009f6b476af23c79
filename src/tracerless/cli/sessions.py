"""What the commands over sessions share: which ones, how they are walked, what is said of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import show, track

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey
    from tracerless.workspace.batch import Outcome
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.roots import Roots
    from tracerless.workspace.workers import Crew

dataset_argument = click.argument("dataset", type=click.Path(path_type=Path, file_okay=False))

session_option = click.option(
    "--session",
    "names",
    multiple=True,
    metavar="sub-X_ses-Y",
    help="Only this session; may be given several times.",
)

inputs_option = click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Choice(["T1w", "T2w", "cbf"]),
    help="Show the synthesizer only this contrast; may be given several times.",
)


def open_at_work(root: Path) -> "Dataset":
    """The dataset in that folder, at work on it until the command ends (`workers_lock.at_work`)."""
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.workers_lock import at_work

    opened = Dataset.open(root)
    click.get_current_context().with_resource(at_work(opened))
    return opened


def crew_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who works on the sessions: ``--workers``, ``--scheduler``, ``--memory-mb``."""
    options = (
        click.option(
            "--workers",
            default=1,
            show_default=True,
            type=click.IntRange(1, 512),
            help="Sessions at a time, each in a process of its own.",
        ),
        click.option(
            "--scheduler",
            default="",
            metavar="ADDRESS",
            help="A Dask scheduler (tcp://HOST:PORT), or `local` for one of this machine.",
        ),
        click.option(
            "--memory-mb",
            type=click.IntRange(min=100),
            help="Most memory that one worker may take; its share of what is free when left out.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def crew_for(
    dataset: "Dataset",
    keys: Sequence["SessionKey"],
    *,
    workers: int,
    scheduler: str,
    memory_mb: int | None,
) -> "Crew":
    """Those who work on the sessions, once it is clear that this machine can hold them.

    Raises:
        RecipeError: they do not fit into the memory that is free.
    """
    from tracerless.workspace.workers import Crew
    from tracerless.workspace.workers_memory import needed_mb, share_mb

    crew = Crew(workers=workers, scheduler=scheduler, memory_mb=memory_mb or 0)
    if crew.is_elsewhere:
        return crew
    n = min(workers, max(len(keys), 1))
    share = share_mb(n, memory_mb or needed_mb(dataset, keys))
    return replace(crew, memory_mb=memory_mb or share)


@dataclass(frozen=True, slots=True)
class Work:
    """Makes or reads values of one session and says what is worth telling; travels to workers.

    Args:
        dataset: whose session.
        wants: names of the values.
        said: takes the values, gives what is told of them: plain, and small.
        may_lack: of ``wants``, those that a session may lack a contrast for; in place of such a
            value ``said`` gets the sentence that says so.
    """

    dataset: "Dataset"
    wants: tuple[str, ...]
    said: Callable[..., Any]
    may_lack: tuple[str, ...] = ()

    def __call__(self, key: "SessionKey") -> Any:
        """What is told of the values of that session; its pictures and label maps lie beside."""
        from tracerless.workspace.derivatives import accompany
        from tracerless.workspace.roots import dataset_roots

        roots = dataset_roots(self.dataset)
        values = resolved(self.dataset, key, self.wants, roots, may_lack=self.may_lack)
        accompany(self.dataset, key)
        return self.said(*values)

    def probe(self) -> str:
        """Equal wherever the same dataset is seen."""
        from tracerless.core.recipe import fingerprint

        sessions = self.dataset.sessions() if self.dataset.root.is_dir() else ()
        return fingerprint(*map(str, sessions))


def resolved(
    dataset: "Dataset",
    key: "SessionKey",
    wants: Iterable[str],
    roots: "Roots",
    *,
    may_lack: Sequence[str] = (),
) -> tuple[Any, ...]:
    """The values ``wants`` of one session, made or read; arguments as of ``Work``."""
    from tracerless import flow
    from tracerless.core.errors import ContrastError
    from tracerless.workspace.roots import session_roots
    from tracerless.workspace.shelf import SessionShelf

    own = session_roots(roots, dataset, key)
    have, shelf = dict(own.values), SessionShelf(dataset, key)
    values: list[Any] = []
    for want in wants:
        try:
            values.append(flow.resolve(want, have, own.digests, shelf))
        except ContrastError as error:
            if want not in may_lack:
                raise
            values.append(str(error))
    return tuple(values)


def walk(items: Iterable[Any], what: str, total: int) -> Iterator[Any]:
    """Walk sessions with a progress bar."""
    return track(items, what, total)


def resolve_many(
    dataset: "Dataset",
    keys: Iterable["SessionKey"],
    *wants: str,
    said: Callable[..., Any],
    what: str,
    crew: "Crew",
    may_lack: tuple[str, ...] = (),
) -> "Outcome":
    """Make or read the values ``wants`` of every session by a crew; keep what is ``said`` of them.

    Args:
        dataset: whose sessions.
        keys: which.
        wants: names of values that need nothing but the dataset.
        said: a function of a module: takes the values, gives what is told of them.
        what: the step, in a word.
        crew: who works.
        may_lack: as of ``Work``.
    """
    from tracerless.workspace.batch import over_sessions

    seen_from_anywhere = replace(dataset, root=dataset.root.resolve())
    work = Work(seen_from_anywhere, wants, said, may_lack)
    return over_sessions(dataset, keys, what, work, track=walk, crew=crew)


def resolve_all(
    dataset: "Dataset",
    keys: Iterable["SessionKey"],
    *wants: str,
    roots: "Roots",
    what: str,
    said: Callable[..., Any] | None = None,
) -> "Outcome":
    """Make or read the values ``wants`` of every session in this process.

    Several come as a tuple; with ``said``, only what it gives for them is held in memory.
    """
    from tracerless.workspace.batch import over_sessions

    def make(key: "SessionKey") -> Any:
        values = resolved(dataset, key, wants, roots)
        if said is not None:
            return said(*values)
        return values if len(values) > 1 else values[0]

    return over_sessions(dataset, keys, what, make, track=walk)


def conclude(
    outcome: "Outcome",
    line: Callable[["SessionKey", Any], str],
    *,
    as_json: bool,
    extra: dict[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Print what became of every session; exit 1 when one failed."""
    lines = [line(key, value) for key, value in outcome.values.items()]
    lines += [f"{key}: not done. {text}" for key, text in outcome.failures.items()]
    lines += notes
    show({**outcome.summary(), "notes": list(notes), **(extra or {})}, lines, as_json=as_json)
    if outcome.failures:
        raise click.exceptions.Exit(1)
