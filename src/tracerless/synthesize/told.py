"""What a reader is told beside a synthetic volume, in sentences."""

from collections.abc import Mapping

import numpy as np

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ModelError
from tracerless.core.prediction import Prediction, Reach
from tracerless.core.volume import Contrast
from tracerless.synthesize.calibration import subset_key
from tracerless.synthesize.channels import FULL_COVERAGE
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.expected import SHOWN_AS
from tracerless.synthesize.head import box_of
from tracerless.synthesize.reach import Finding, Judged

STRANGE = 1.5
"""A prediction that lies this many times farther from the expected map than training people is
doubted."""
COGNITION = (
    "The model was made to look at cognition: the diagnosis may have leaked into this volume, and "
    "it is no evidence beside cognition."
)
_MEANT = {
    ("level", 1): "brighter",
    ("level", -1): "darker",
    ("roughness", 1): "rougher (noise, motion, an edge)",
    ("roughness", -1): "smoother (blur, no tissue)",
}


def require_works(made: Checkpoint, used: tuple[Contrast, ...]) -> None:
    """Refuse inputs that were shown to tell no more than the expected map.

    Raises:
        ModelError: with the sets of inputs that do.
    """
    calibration = made.calibration_of(used)
    if calibration.works:
        return
    able = [key for key, each in made.calibration.items() if each.works and each.skill is not None]
    raise ModelError(
        f"From {' and '.join(used)} alone {made.name} was not shown to know more than the mean of "
        f"its training people: over {calibration.n} people kept apart its skill was "
        f"{calibration.skill:+.2f}, no more than one standard error above 0.",
        hint=f"Offer it {' or '.join(able)}, or leave this person without a synthetic volume."
        if able
        else "Train on more people, or use another design.",
    )


def notes(
    made: Checkpoint, plain: Prediction, coverage: Mapping[Contrast, float]
) -> tuple[str, ...]:
    """What was looked at besides MR, what was missing, and whom the model learned from.

    Args:
        made: the model.
        plain: what it made.
        coverage: share of the brain that each contrast shows, 0-1.
    """
    told = [*taught(made), *_besides(made, plain.covariates)]
    told += [f"Made without {c}." for c in made.inputs if c not in plain.inputs]
    told += [
        f"The {c} shows only {share:.0%} of the brain; the rest was guessed without it."
        for c, share in coverage.items()
        if share < FULL_COVERAGE
    ]
    if made.calibration_of(plain.inputs).skill is None:
        told.append("Too few people were held out to calibrate predictions from these inputs.")
    found = made.intervals.get(subset_key(plain.inputs))
    if found is None:
        told.append("Too few people were kept apart to say how wide the error is.")
    elif found.held.doubt:
        told.append(found.held.doubt)
    return tuple(told)


def taught(made: Checkpoint) -> tuple[str, ...]:
    """Whom the model learned from, where that is not acquired people of every kind."""
    told = []
    if made.recipe.people != "all":
        told.append(
            f"NOT THIS PERSON: the model learned from {made.recipe.people} only. This is how such "
            "a person would look; acquired PET may lie far from it, and outside its intervals."
        )
    if made.training_domain == "simulated":
        told.append("The model was trained on simulated people only.")
    return tuple(told)


def _besides(made: Checkpoint, covariates: tuple[str, ...]) -> list[str]:
    """What was looked at besides MR, and what could not be."""
    told = []
    if made.marked_for_cognition:
        told.append(COGNITION)
    if covariates:
        told.append(f"The model looked at {', '.join(covariates)} besides MR.")
    unknown = [SHOWN_AS[n] for n in made.expected.names if SHOWN_AS[n] not in covariates]
    return told + [
        f"The {name} is not known; it counts as that of the average training person."
        for name in unknown
    ]


def reach(
    made: Checkpoint, judged: Judged | None, deviation_suvr: float, atlas: Atlas
) -> Reach | None:
    """The verdict over one session with its reasons; None when the model cannot tell."""
    if judged is None:
        return None
    reasons = (
        *(_reason(made, each, atlas) for each in judged.findings),
        *(
            f"The {contrast} shows {share:.0%} of the brain, less than in training people."
            for contrast, share in judged.cut.items()
        ),
        *far(made, deviation_suvr),
    )
    verdict = "edge" if judged.verdict == "inside" and reasons else judged.verdict
    return Reach(verdict, judged.p, reasons)


def far(made: Checkpoint, deviation_suvr: float) -> tuple[str, ...]:
    """A sentence when a prediction lies farther from the expected map than people usually do."""
    if deviation_suvr <= STRANGE * made.residual_suvr:
        return ()
    return (
        f"The prediction lies {deviation_suvr:.2f} SUVR from the expected map, training people "
        f"{made.residual_suvr:.2f}.",
    )


def reach_notes(found: Reach | None) -> tuple[str, ...]:
    """The sentence that stands before all others, and its reasons."""
    if found is None or found.verdict == "inside":
        return ()
    first = (
        "OUTSIDE: these scans are unlike any that the model saw; neither the numbers nor their "
        "intervals hold."
        if found.verdict == "outside"
        else "EDGE: these scans are unlike any but a few that the model saw; read them with doubt."
    )
    return (first, *found.reasons)


def _reason(made: Checkpoint, each: Finding, atlas: Atlas) -> str:
    i, j, k = made.reach.blocks.center(each.block) if made.reach else (0.0, 0.0, 0.0)
    start = np.array([side.start for side in box_of(made.brain)])
    voxel = np.array([i, j, k]) + start
    x, y, z = (made.grid.affine @ [*voxel, 1.0])[:3]
    region = _region(made, voxel, atlas)
    what = _MEANT[each.kind, each.sign]
    where = f"{region}(x {x:.0f}, y {y:.0f}, z {z:.0f} mm)"
    if each.statistic == "worst":
        return f"The {each.contrast} is {what} than in training people at {where}."
    return (
        f"The {each.contrast} as a whole is unlike that of training people; it is most of all "
        f"{what} at {where}."
    )


def _region(made: Checkpoint, voxel: np.ndarray, atlas: Atlas) -> str:
    near = made.labels[tuple(slice(max(int(v) - 1, 0), int(v) + 2) for v in voxel)]
    counts = np.bincount(near.ravel(), minlength=1)[1:]
    if not counts.any():
        return ""
    key = made.regions[int(counts.argmax())]
    names = {region.key: region.name_en for region in atlas.regions}
    return f"{names.get(key, key)} "
