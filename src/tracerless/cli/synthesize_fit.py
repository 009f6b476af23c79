"""`tracerless synthesize fit`: settings in, a trained model out, and how it goes meanwhile."""

import dataclasses
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from tracerless.cli.common import json_option, say, show
from tracerless.cli.sessions import dataset_argument, open_at_work
from tracerless.cli.synthesize_told import lines, result

if TYPE_CHECKING:
    from tracerless.core.recipe import SynthesizeRecipe
    from tracerless.synthesize.fit import Progress

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?\Z")
_SAY_EVERY_S = 20.0
DESIGN_NAMES = (
    "mean, age-sex, ridge, ced, unet, unet-full, attention, ensemble, quantile, gan, flow, twin"
)
"""Those of ``core.designs``, which the help must not take the time to import."""
_SETTINGS = (
    ("network", str, "Preset: ridge, unet-small … (all in docs/reference/designs.md)."),
    ("objective", str, "regression, adversarial, flow or quantile."),
    ("steps", int, "Optimizer steps of each member."),
    ("members", int, "Networks of an ensemble."),
    ("precision", str, "float32 or bfloat16."),
    ("seed", int, "Of weights, order, dropout and augmentation."),
)
"""Settings of the recipe that have an option of their own; any other goes by ``--set``."""


def duration_s(text: str) -> float:
    """Seconds of ``90s``, ``25m``, ``1h30m`` or ``600``.

    Raises:
        click.BadParameter: the text is no duration, or none at all.
    """
    found = _DURATION.match(text.strip())
    parts = [float(part or 0) for part in found.groups()] if found else [0.0]
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if seconds <= 0:
        raise click.BadParameter(f"{text!r} is no duration; write 90s, 25m or 1h30m.")
    return seconds


def _budget(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    return None if text is None else duration_s(text)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, kind, meaning in reversed(_SETTINGS):
        command = click.option(f"--{name}", type=kind, help=f"{meaning} Default: the recipe's.")(
            command
        )
    return command


@click.command("fit")
@dataset_argument
@click.option(
    "--name",
    help="Folder under models/; default: the design's or the network's name, or BASE-tuned.",
)
@click.option("--design", help=f"A whole design: {DESIGN_NAMES}.")
@_options
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Any other setting of the recipe, e.g. covariates=age-sex; may be given several times.",
)
@click.option("--from", "base", default="", help="Tune this model: a name, a path, or `default`.")
@click.option(
    "--budget",
    callback=_budget,
    metavar="TIME",
    help="Time to train in, e.g. 25m; it ends whole.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="`auto` takes a GPU where there is one.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Of torch; another number may change the last bits.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    default=1,
    show_default=True,
    help="Processes that read the sessions.",
)
@click.option("--strict", is_flag=True, help="Stop when a session cannot teach.")
@click.option("--no-rival", is_flag=True, help="Do not solve the linear map of the same people.")
@click.option("--no-pack", is_flag=True, help="Write no MONAI bundle and no ONNX graph.")
@click.option("--tensorboard", is_flag=True, help="Write curves to models/NAME/events.")
@json_option
def fit(dataset: Path, *, name: str | None, as_json: bool, **asked: Any) -> None:
    """Train on every prepared session that has MR and acquired FDG-PET and passed its checks.

    Stopped training goes on where it stood, to the same result. The model ends as a MONAI bundle,
    models/NAME/bundle. Several GPUs or nodes:
    torchrun --nproc-per-node 4 -m tracerless synthesize fit my-dataset --design unet.
    Example: tracerless synthesize fit my-dataset --design unet --budget 25m
    """
    opened = open_at_work(dataset)
    from tracerless.synthesize.distributed import is_leader
    from tracerless.synthesize.fit import Watch
    from tracerless.workspace.derivatives import failed
    from tracerless.workspace.training import Training, train

    recipe = _recipe(opened.recipe.synthesize, asked)
    with _ticker(is_shown=is_leader()) as ticker:
        watch = Watch(
            device=asked["device"],
            threads=asked["threads"],
            budget_s=asked["budget"],
            progress=ticker.training,
        )
        training = Training(
            base=asked["base"],
            workers=asked["workers"],
            is_strict=asked["strict"],
            has_board=asked["tensorboard"],
            has_rival=not asked["no_rival"],
            has_bundle=not asked["no_pack"],
            asked=_asked(asked),
            watch=watch,
            advance=ticker.reading,
        )
        trained = train(opened, name or asked["design"], recipe=recipe, training=training)
    if is_leader():
        failures = [str(key) for key in failed(opened)]
        show(result(trained, failures), lines(trained, failures), as_json=as_json)


def _recipe(usual: "SynthesizeRecipe", asked: dict[str, Any]) -> "SynthesizeRecipe":
    """The dataset's recipe with the design and the settings that were asked for.

    Raises:
        RecipeError: no such design or setting, or a value that cannot be.
    """
    from tracerless.core.designs import designed

    recipe = designed(usual, asked["design"]) if asked["design"] else usual
    own = {name: asked[name] for name, _, _ in _SETTINGS if asked[name] is not None}
    return dataclasses.replace(recipe, **own, **_changes(recipe, asked["changes"]))


def _asked(asked: dict[str, Any]) -> frozenset[str]:
    """Settings that the user named, by a design, an option or ``--set``."""
    from tracerless.core.designs import DESIGNS

    design = DESIGNS[asked["design"]].settings if asked["design"] else {}
    own = (name for name, _, _ in _SETTINGS if asked[name] is not None)
    return frozenset({*design, *own, *(each.partition("=")[0] for each in asked["changes"])})


def _changes(recipe: "SynthesizeRecipe", pairs: Iterable[str]) -> dict[str, Any]:
    """``SETTING=VALUE`` as values of the settings' types."""
    from tracerless.core.errors import RecipeError, did_you_mean

    known = dataclasses.asdict(recipe)
    made = {}
    for each in pairs:
        setting, _, text = each.partition("=")
        if setting not in known:
            raise RecipeError(
                f"The recipe has no setting synthesize.{setting}.",
                hint=did_you_mean(setting, known),
            )
        kind = type(known[setting])
        try:
            made[setting] = kind(text)
        except ValueError:
            raise RecipeError(
                f"synthesize.{setting}={text!r} should be of type {kind.__name__}."
            ) from None
    return made


class _Ticker:
    """Says how far it is: a bar on a terminal, else a line now and then."""

    def __init__(self, bar: Bar | None, *, is_shown: bool = True) -> None:
        self._bar, self._is_shown, self._said_s, self._skill = bar, is_shown, 0.0, ""
        self._task = None if bar is None else bar.add_task("train", total=1.0, beside="")

    def reading(self, done: int, total: int) -> None:
        """Sessions are read."""
        self._say(done / max(total, 1), f"read {done}/{total} sessions", is_last=done == total)

    def training(self, at: "Progress") -> None:
        """A step was taken."""
        if at.skill is not None:
            self._skill = f", skill on held-out people {at.skill:+.2f}"
        left = "" if at.left_s is None else f", {at.left_s / 60:.1f} min left"
        member = f"member {at.member + 1}, " if at.member else ""
        loss = f"loss {at.loss:.4f} SUVR" if at.part == "answer" else f"{at.part} {at.loss:.4f}"
        text = f"{member}step {at.step}/{at.steps}, {loss}{self._skill}{left}"
        self._say(at.share, text, is_last=at.share >= 1)

    def _say(self, share: float, text: str, *, is_last: bool) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=share, beside=text)
            return
        now = time.monotonic()
        if not self._is_shown:
            return
        if is_last or now - self._said_s > _SAY_EVERY_S:
            self._said_s = now
            say(f"{share:4.0%} {text}")


@contextmanager
def _ticker(*, is_shown: bool) -> Iterator[_Ticker]:
    """Of several processes that learn together only the first shows how far they are."""
    console = Console(stderr=True)
    if not console.is_terminal or not is_shown:
        yield _Ticker(None, is_shown=is_shown)
        return
    columns = (
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:.0f} %"),
        TextColumn("{task.fields[beside]}"),
    )
    with Bar(*columns, TimeElapsedColumn(), console=console) as bar:
        yield _Ticker(bar)
