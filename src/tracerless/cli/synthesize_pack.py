"""`tracerless synthesize pack | check | card`: a model as a bundle that others can verify."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracerless.cli.common import json_option, show

if TYPE_CHECKING:
    from tracerless.workspace.bundle_check import Finding

_model_argument = click.argument("model")
_evaluation_option = click.option(
    "--evaluation",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of an evaluation of MODEL (…/evaluation/synthesis-NAME); its numbers go into the "
    "card.",
)


@click.command("pack")
@_model_argument
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the bundle; default: bundle/ in the model's folder.",
)
@_evaluation_option
@json_option
def pack(model: str, *, to: Path | None, evaluation: Path | None, as_json: bool) -> None:
    """Write MODEL as a MONAI bundle: safetensors, ONNX, card, manifest, tables, digests.

    MODEL is the folder of a model, its weights, a bundle, or `default`. Its ONNX graph is compared
    with torch, and used from then on where both agree.
    Example: tracerless synthesize pack my-dataset/models/unet --to unet-bundle
    """
    from tracerless.workspace import bundles

    made = bundles.pack(_weights(model), to, evaluation=evaluation)
    result = {
        "bundle": str(made.folder),
        "digest": made.digest,
        "model": made.model,
        "bytes": made.n_bytes,
        "parity": None if made.parity is None else made.parity.to_json(),
    }
    lines = [
        f"{made.model}: {made.folder} ({made.n_bytes / 1e6:.1f} MB).",
        made.sentence,
        f"Digest of {made.folder.name}/SHA256SUMS: {made.digest}",
    ]
    show(result, lines, as_json=as_json)


@click.command("check")
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, file_okay=False))
@json_option
def check(bundle: Path, *, as_json: bool) -> None:
    """Check BUNDLE: everything is made again from its weights, and one changed byte is found.

    Exit 1 when anything is wrong.
    Example: tracerless synthesize check unet-bundle
    """
    from tracerless.workspace.bundle_check import check as checked

    found = checked(bundle)
    wrong = [each for each in found if not each.is_right]
    result = {
        "bundle": str(bundle),
        "is_right": not wrong,
        "checks": [
            {"what": each.what, "is_right": each.is_right, "detail": each.detail} for each in found
        ],
    }
    show(result, map(_line, found), as_json=as_json)
    if wrong:
        raise click.exceptions.Exit(1)


@click.command("card")
@_model_argument
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@_evaluation_option
def card(model: str, *, to: Path | None, evaluation: Path | None) -> None:
    """Print the card of MODEL, with its evaluation where one was made.

    Example: tracerless synthesize card my-dataset/models/unet --to CARD.md
    """
    from tracerless.workspace import bundles

    made = bundles.write_card(_weights(model), to, evaluation=evaluation)
    click.echo(made if to is None else f"Card: {to}", nl=to is not None)


def _weights(model: str) -> Path:
    """The weights of a model that is named without a dataset.

    Raises:
        ModelError: there is none.
    """
    from tracerless.core.errors import ModelError
    from tracerless.workspace.models import weights_at

    found = weights_at(model)
    if found is None:
        raise ModelError(
            f"No model lies in {model}.",
            hint="Name its folder, e.g. my-dataset/models/ridge, or `default`.",
        )
    return found


def _line(found: "Finding") -> str:
    return f"{'right' if found.is_right else 'WRONG'}  {found.what}: {found.detail}"
