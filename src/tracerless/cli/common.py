"""What every command shares: progress on stderr, results on stdout."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one machine-readable object on stdout."
)


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Walk the items with a progress bar on stderr; plain lines where stderr is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from _track_in_lines(items, what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        yield from progress.track(items, total=total, description=what)


def _track_in_lines(items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    """About ten lines over the whole walk, for logs and pipes."""
    click.echo(f"{what} ..." if total is None else f"{what} 0/{total}", err=True)
    every = max((total or 0) // 10, 1)
    for done, item in enumerate(items, start=1):
        yield item
        if total is not None and (done % every == 0 or done == total):
            click.echo(f"{what} {done}/{total}", err=True)


@contextlib.contextmanager
def meter(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr, moved by calling it with (done, total, what stands beside it)."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    beside = TextColumn("{task.fields[beside]}")
    shown = Progress(
        *columns, beside, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    task = shown.add_task(what, total=None, beside="")

    def advance(done: int, total: int, text: str) -> None:
        if console.is_terminal:
            shown.update(task, completed=done, total=total, beside=text)
        elif done == total or done % max(total // 6, 1) == 0:
            click.echo(f"{what} {done}/{total}: {text}", err=True)

    with shown if console.is_terminal else contextlib.nullcontext():
        yield advance


def say(text: str) -> None:
    """One line on stderr: what is going on."""
    click.echo(text, err=True)


def show(result: dict[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the result on stdout, as one JSON object or as lines for people."""
    if as_json:
        json.dump(result, sys.stdout, indent=2, ensure_ascii=False, sort_keys=True)
        sys.stdout.write("\n")
        return
    for line in lines:
        click.echo(line)
