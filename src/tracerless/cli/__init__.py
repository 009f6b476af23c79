"""The command line: parse, call, print; no decisions."""

import importlib
import os
import sys
import traceback
from pathlib import Path

import click

from tracerless import __version__
from tracerless.core.errors import TracerlessError, did_you_mean

COMMANDS = {
    "demo": "The whole way on a small simulated hospital.",
    "simulate": "Write a simulated hospital: DICOM, phenotype.csv and truth/.",
    "scan": "Say what is in a folder of DICOM.",
    "deidentify": "De-identify a folder of DICOM into a dataset.",
    "profile": "Say what a de-identification policy does, or check it.",
    "verify": "Prove that nobody is in a dataset and that it still measures.",
    "vault": "Make, open and share the vault; read its log.",
    "withdraw": "Take one person out of a dataset and of all later ones.",
    "prepare": "Bring sessions to template space.",
    "quantify": "Measure every region of every prepared session.",
    "cognition": "Cognitive tests: the dictionary, checks, and import of tables.",
    "norms": "Fit and apply norms of regions, voxels and cognition.",
    "diagnose": "Model 1: regions and cognition to a diagnosis; its evaluation and audit.",
    "risk": "Model 1: the risk of future dementia, by years.",
    "synthesize": "Train a synthesizer, or predict synthetic FDG-PET.",
    "evaluate": "Compare synthetic with acquired PET.",
    "readers": "A blinded reader study: its cases, and what the forms say.",
    "report": "Write the report pages.",
    "export": "Write DICOM for a PACS.",
}
"""Every command with its one-line help; each lives in the module of its name."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is called or asked for its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tracerless.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer an unknown name with the closest known one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No command {args[0]!r}. {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tracerless")
def tracerless() -> None:
    """Brain scans to a de-identified dataset, regional tables and synthetic FDG-PET.

    Research use only; not a medical device. Example: tracerless demo
    """


def main() -> None:
    """Run the command line: 0 done, 1 ran and found something wrong, 2 cannot run as asked."""
    try:
        code = tracerless(standalone_mode=False)  # click hands back the code of an Exit
        sys.exit(code or 0)
    except click.Abort:
        click.echo(
            "Stopped. What is finished stays; run the same command again to go on.", err=True
        )
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (TracerlessError, OSError) as error:
        click.echo(f"tracerless: {error}", err=True)
        sys.exit(2)
    except Exception as error:
        if os.environ.get("TRACERLESS_DEBUG"):
            raise
        click.echo(f"tracerless: {_defect(error)}", err=True)
        sys.exit(2)


def _defect(error: Exception) -> str:
    """One sentence: where it is. The message itself may quote a scan, so it is not shown."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return (
        f"A defect in tracerless stopped the command ({type(error).__name__} at {where}). "
        "What is finished stays. Please report it; TRACERLESS_DEBUG=1 shows the whole story."
    )
