"""`tracerless diagnose`: model 1, from regions and cognition to a diagnosis."""

import click

from tracerless.cli.diagnose_audit import audit
from tracerless.cli.diagnose_evaluate import evaluate
from tracerless.cli.diagnose_fit import fit, predict


@click.group("diagnose")
def command() -> None:
    """Diagnosis from regions and cognition: fit, predict, evaluate, audit for leaks.

    Example: tracerless diagnose evaluate my-dataset --of FDG
    """


for each in (fit, predict, evaluate, audit):
    command.add_command(each)
