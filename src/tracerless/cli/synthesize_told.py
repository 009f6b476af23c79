"""What `tracerless synthesize fit` says of a model when it is done."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracerless.synthesize import Checkpoint
    from tracerless.workspace.training import Trained


def result(trained: "Trained", failures: list[str]) -> dict[str, Any]:
    """Of a training, for machines.

    Args:
        trained: the model and its run.
        failures: sessions that failed quality control.
    """
    made = trained.checkpoint
    return {
        "model": made.name,
        "path": str(trained.path),
        "bundle": None if trained.bundle is None else str(trained.bundle.folder),
        "n_trained": made.n_trained,
        "n_held_out": made.n_held_out,
        "training_domain": made.training_domain,
        "held_out_skill": {m: [list(c) for c in each] for m, each in made.history.checks.items()},
        "skill_by_inputs": {key: each.skill for key, each in made.calibration.items()},
        "failed_quality": failures,
        "refused": {str(each.key): each.reason for each in trained.refused},
        "thinned": {str(each.key): each.reason for each in trained.thinned},
        "doubted": {str(each.key): each.reason for each in trained.doubted},
    }


def _time(spent: Mapping[str, Any]) -> str:
    """What a run took, and of what."""
    of = f" of a budget of {spent['budget_s']:.0f} s" if "budget_s" in spent else ""
    return (
        f"{spent['spent_s']:.0f} s{of}, {spent['reading_s']:.0f} s of them for reading; "
        f"{spent['steps']} steps."
    )


def lines(trained: "Trained", failures: list[str]) -> Iterator[str]:
    """Of a training, for people; arguments as of `result`."""
    from tracerless.synthesize.adapt import kept_weights

    made = trained.checkpoint
    apart = (
        f"{made.n_held_out} held out"
        if made.n_held_out
        else "judged by leaving a fifth of them out in turn"
    )
    yield (
        f"{made.name}, trained on {made.n_trained} {made.training_domain} people, {apart}: "
        f"{trained.path}"
    )
    if trained.spent:
        yield _time(trained.spent)
    else:
        yield "It was there already, of the same people and settings; nothing was trained."
    if kept_weights(made):
        yield (
            f"Tuned from {made.base}: the expected map, slopes and intervals are yours now; the "
            "networks are still the base's, which fewer people than 20 do not move."
        )
    if trained.bundle is not None:
        yield f"MONAI bundle: {trained.bundle.folder} ({trained.bundle.n_bytes / 1e6:.1f} MB)."
        yield trained.bundle.sentence
    yield from _skills(made)
    if failures:
        yield f"Left out, because quality control failed: {', '.join(failures)}."
    for refused in trained.refused:
        yield f"Left out: {refused.key}: {refused.reason}"
    for thinned in trained.thinned:
        yield f"In part: {thinned.key}: {thinned.reason}"
    for doubted in trained.doubted:
        yield f"In doubt: {doubted.key}: {doubted.reason}"


def _skills(made: "Checkpoint") -> Iterator[str]:
    """One line a set of inputs; a model that looks at no MR has none to tell apart."""
    if made.recipe.network == "none":
        yield "  It looks at no MR: every person gets what is expected of everyone."
        return
    for key, each in made.calibration.items():
        if each.skill is not None:
            verdict = "" if each.works else " (no better than without MR: refused)"
            yield f"  {key}: skill {each.skill:+.2f}, slope {each.slope:.2f}{verdict}"
