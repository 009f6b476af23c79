"""What the commands over sessions share: which ones, how they are walked, what is said of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import show, track

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey
    from tracerless.workspace.batch import Outcome
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.roots import Roots

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


def walk(keys: Iterable["SessionKey"], what: str, total: int) -> Iterator["SessionKey"]:
    """Walk sessions with a progress bar."""
    return track(keys, what, total)


def resolve_all(
    dataset: "Dataset",
    keys: Iterable["SessionKey"],
    *wants: str,
    roots: "Roots",
    what: str,
) -> "Outcome":
    """Make or read the values ``wants`` of every session; several come as a tuple."""
    from tracerless import flow
    from tracerless.workspace.batch import over_sessions
    from tracerless.workspace.roots import session_roots
    from tracerless.workspace.shelf import SessionShelf

    def make(key: "SessionKey") -> Any:
        own = session_roots(roots, dataset, key)
        have, shelf = dict(own.values), SessionShelf(dataset, key)
        values = tuple(flow.resolve(want, have, own.digests, shelf) for want in wants)
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
