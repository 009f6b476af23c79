"""What a reader must know of a model before anything else, as Markdown."""

from tracerless.networks import is_solved
from tracerless.synthesize.checkpoint import Checkpoint

_DOMAIN = {
    "simulated": (
        "**Trained on simulated people only.** It is for trying out, for teaching and for research "
        "on methods. It has seen no real PET and says nothing about a real person."
    ),
    "acquired": (
        "**Research use only.** Not a medical device; a synthetic PET is a guess from MR and "
        "replaces no acquired one."
    ),
}


def card(checkpoint: Checkpoint) -> str:
    """The model card: purpose, limits, data, numbers; every number comes from the checkpoint."""
    made = checkpoint
    spacing = " x ".join(f"{mm:g}" for mm in made.grid.spacing_mm)
    lines = [
        f"# Synthesizer {made.name}",
        "",
        _DOMAIN[made.training_domain],
        "",
        "## What it does",
        "",
        f"It predicts FDG uptake over the {made.reference} (SUVR) in {made.template} space from "
        f"any of {', '.join(made.inputs)}: the mean of its training people plus a residual. Every "
        "output is marked as synthetic. What MR does not show, it cannot know: such a lesion is "
        "filled with the mean.",
        "",
        "## How it was made",
        "",
        f"- {_how(made)} at {spacing} mm, torch {made.history.torch}",
        f"- {_judged(made)}; digests of all of them are inside the checkpoint",
        f"- Digest {made.digest}",
        "",
        "## Skill on people it did not see",
        "",
        "1 - MAE / MAE of the training mean over regions, each person calibrated on the others. "
        "0 = no better than the mean. The same people chose the slopes: an independent evaluation "
        "counts more.",
        "",
        "| inputs | skill | slope | people |",
        "| --- | --- | --- | --- |",
        *(_row(key, made) for key in made.calibration),
        "",
    ]
    return "\n".join(lines)


def _how(made: Checkpoint) -> str:
    if is_solved(made.recipe.network):
        return f"Linear map {made.recipe.network}, solved on all training people at once,"
    return (
        f"Network {made.recipe.network}, {made.recipe.steps} steps of {made.recipe.batch} people, "
        f"seed {made.recipe.seed}, {made.history.threads} threads,"
    )


def _judged(made: Checkpoint) -> str:
    if is_solved(made.recipe.network):
        return (
            f"{made.n_trained} people in training, each judged by a solution that left them out "
            "(five folds)"
        )
    return f"{made.n_trained} people in training, {made.n_held_out} held out to judge and calibrate"


def _row(key: str, made: Checkpoint) -> str:
    c = made.calibration[key]
    skill = "not measured" if c.skill is None else f"{c.skill:+.2f}"
    return f"| {key} | {skill} | {c.slope:.2f} | {c.n} |"
