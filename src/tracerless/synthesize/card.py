"""What a reader must know of a model before anything else, as Markdown."""

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from tracerless.core.assessment import Assessment
from tracerless.networks import is_solved
from tracerless.synthesize.adapt import kept_weights
from tracerless.synthesize.calibration import Calibration, subset_key, subsets
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.conformal import Held
from tracerless.synthesize.intervals import LEVEL
from tracerless.synthesize.parity import Parity

_FIRST = {
    "simulated": (
        "**Trained on simulation only: for trying out, fine-tuning and research. It must be "
        "fine-tuned on the site's own pairs of MR and FDG-PET before anyone reads what it makes.**"
    ),
    "acquired": (
        "**Research use only. Not a medical device; a synthetic PET is a guess from MR and "
        "replaces no acquired one.**"
    ),
}
_COGNITION = (
    "**It looks at a cognitive score (MMSE).** The diagnosis may leak into everything that it "
    "makes: its output is no evidence apart from that score."
)
_RIVALS = {"mean", "age-sex", "linear"}
_ALL = "all"


def card(
    checkpoint: Checkpoint, assessment: Assessment | None = None, parity: Parity | None = None
) -> str:
    """The model card: purpose, limits, data, numbers; every number comes from what was measured.

    Args:
        checkpoint: trained.
        assessment: an independent evaluation of it, where one was made.
        parity: of its ONNX graph, where one was made.
    """
    parts = (
        _purpose(checkpoint),
        _made(checkpoint),
        _people(checkpoint),
        _skill(checkpoint),
        _trust(checkpoint),
        _evaluated(assessment),
        _use(checkpoint),
        _files(checkpoint, parity),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _purpose(made: Checkpoint) -> Iterator[str]:
    yield _FIRST[made.training_domain] + _began(made)
    yield ""
    yield f"# Synthesizer {made.name}"
    yield ""
    if made.marked_for_cognition:
        yield from (_COGNITION, "")
    yield from ("## What it does", "")
    yield (
        f"It predicts FDG uptake over the {made.reference} (SUVR, {made.reference} mean 1) in "
        f"{made.template} space from any of {', '.join(made.inputs)}: what is expected of a person "
        f"({_expected(made)}), and how far MR says that the person lies from it. Every output is "
        "marked as synthetic."
    )
    yield ""
    yield (
        "Not for: diagnosis or treatment; another tracer; another template, atlas or reference; "
        "children; people after resection, with a stroke or a tumor. What MR does not show, it "
        "cannot know: such a lesion is filled with what is expected, and looks normal."
    )
    yield ""


def _began(made: Checkpoint) -> str:
    """What a model of acquired people owes to simulated ones."""
    if made.training_domain == made.origin or made.origin != "simulated":
        return ""
    n_people = made.n_trained + made.n_held_out
    if kept_weights(made):
        return (
            f" **Its networks learned from simulated people only; {n_people} acquired people moved "
            "the expected map, the slopes and the intervals.**"
        )
    return f" **Its networks began on simulated people and went on with {n_people} acquired ones.**"


def _expected(made: Checkpoint) -> str:
    names = [name.upper() if name == "mmse" else name for name in made.expected.names]
    return f"from {', '.join(names)}" if names else "the mean of its training people"


def _made(made: Checkpoint) -> Iterator[str]:
    recipe, history = made.recipe, made.history
    spacing = " x ".join(f"{mm:g}" for mm in made.grid.spacing_mm)
    yield from ("## How it was made", "")
    if is_solved(recipe.network):
        yield f"- {recipe.network}, solved at once, at {spacing} mm"
    else:
        yield (
            f"- {made.members} x {recipe.network}, objective {recipe.objective}, {recipe.steps} "
            f"steps of {recipe.batch} people, at {spacing} mm"
        )
    if made.base:
        n_before = len(made.people) - made.n_trained - made.n_held_out
        before = f", which knew {n_before} other people" if n_before > 0 else ""
        stayed = "; its networks did not move" if kept_weights(made) else ""
        yield f"- fine-tuned from {made.base}{before}{stayed}"
    yield (
        f"- seed {recipe.seed}, torch {history.torch}, {history.device}, {history.threads} "
        f"thread(s), {history.processes} process(es)"
    )
    yield f"- model digest {made.digest}"
    yield ""


def _people(made: Checkpoint) -> Iterator[str]:
    kept = made.manifest
    yield from ("## Who it learned from", "")
    yield (
        f"- {made.n_trained} {made.training_domain} people{_counts(kept.diagnoses)}; "
        f"{made.n_held_out} more held out by {kept.split}{_counts(kept.held_out)}"
    )
    if kept.sites:
        yield f"- {len(kept.sites)} scanner(s) or sites among those it learned from"
    yield f"- digest of the people's digests {kept.digest}"
    yield ""


def _counts(counts: Mapping[str, int]) -> str:
    said = ", ".join(f"{name} {n}" for name, n in counts.items())
    return f" ({said})" if said else ""


def _skill(made: Checkpoint) -> Iterator[str]:
    yield from ("## Skill on people it did not learn from", "")
    yield (
        "1 - MAE / MAE of the expected map over regions, each person recalibrated on the others; 0 "
        "= no better than looking at no MR. The same people chose the slopes: an independent "
        "evaluation counts more. Inputs that were no better are refused."
    )
    yield from (
        "",
        "| inputs | answer | skill | slope | people |",
        "| --- | --- | --- | --- | --- |",
    )
    for key in (subset_key(inputs) for inputs in subsets()):
        if key in made.calibration:
            yield _row(key, made.calibration[key])
    yield ""


def _row(key: str, each: Calibration) -> str:
    skill = "not measured" if each.skill is None else f"{each.skill:+.2f}"
    answer = "predicts" if each.works else "refuses"
    return f"| {key} | {answer} | {skill} | {each.slope:.2f} | {each.n} |"


def _trust(made: Checkpoint) -> Iterator[str]:
    yield from ("## How far to trust one prediction", "")
    if made.intervals:
        widest = max(made.intervals.values(), key=lambda each: each.n)
        yield (
            f"- Every region and voxel carries a {LEVEL:.0%} interval, set on {widest.n} people "
            f"that the weights did not learn from{_holds_in(widest.held)} "
            "(`tables/intervals.csv` of the bundle)."
        )
        if widest.held.doubt:
            yield f"- {widest.held.doubt}"
    else:
        yield "- No intervals: too few people were held out."
    if made.reach is None:
        yield "- It cannot tell scans unlike its training people's: too few of them."
    else:
        yield (
            "- Scans unlike those of its training people are flagged `edge` or `outside`; for "
            "`outside`, numbers and intervals do not hold."
        )
    yield ""


def _holds_in(held: Held) -> str:
    if len(held.groups) < 2:
        return ""
    return ", so that it holds in " + ", ".join(f"{name} ({n})" for name, n in held.groups)


def _evaluated(assessment: Assessment | None) -> Iterator[str]:
    yield from ("## Independent evaluation", "")
    if assessment is None:
        yield from ("None was made. Run `tracerless evaluate` on people that it never saw.", "")
        return
    yield str(assessment.facts.get("headline", ""))
    yield ""
    yield from _table(_own(assessment, "skill"), "skill against", ("against", "group"))
    held = _own(assessment, "coverage")
    held = held[held["region"] == _ALL].rename(columns={"coverage": "value"}) if len(held) else held
    yield from _table(held, f"coverage of the {LEVEL:.0%} interval", ("group",))
    for sentence in assessment.tables.get("claims", pd.DataFrame()).get("sentence_en", []):
        yield f"- {sentence}"
    for note in assessment.notes:
        yield f"- {note}"
    yield ""


def _own(assessment: Assessment, name: str) -> pd.DataFrame:
    table = assessment.tables.get(name, pd.DataFrame(columns=["model"]))
    return table[~table["model"].isin(_RIVALS)]


def _table(rows: pd.DataFrame, title: str, by: tuple[str, ...]) -> Iterator[str]:
    """Value, interval and people of each row; nothing for none."""
    if rows.empty:
        return
    yield f"| {title} | {' | '.join(by[1:]) + ' | ' if by[1:] else ''}value | 95 % interval | n |"
    yield f"|{' --- |' * (len(by) + 3)}"
    for each in rows.to_dict("records"):
        names = " | ".join(str(each[name]) for name in by)
        low, high = float(each["low"]), float(each["high"])
        interval = f"{low:.2f} to {high:.2f}" if math.isfinite(low + high) else "too few people"
        yield f"| {names} | {float(each['value']):.2f} | {interval} | {float(each['n']):.0f} |"
    yield ""


def _use(made: Checkpoint) -> Iterator[str]:
    """Commands; MODEL stands for wherever the model lies."""
    yield from ("## How to use it", "", "```")
    yield "tracerless synthesize predict DATASET --model MODEL"
    yield "tracerless synthesize fit DATASET --from MODEL      # fine-tune on the site's own pairs"
    yield "tracerless synthesize check BUNDLE                  # everything is made again"
    yield "sha256sum -c SHA256SUMS                             # in the folder of the bundle"
    yield "python -m monai.bundle run --config_file configs/inference.json --dataset_dir DATASET"
    yield from ("```", "")
    yield (
        f"DATASET holds sessions that `tracerless prepare` brought to {made.template} space. The "
        "configuration runs in the bundle's folder and needs this package beside MONAI."
    )
    yield ""


def _files(made: Checkpoint, parity: Parity | None) -> Iterator[str]:
    yield from ("## Files", "")
    yield (
        "- Weights are safetensors. There is no `model.pt` and no TorchScript: a pickle can run "
        "code when it is opened, and none is written or read here."
    )
    if parity is None:
        yield "- No ONNX graph was made."
    else:
        yield (
            f"- ONNX: {made.members} member(s), channels in, deviation from the expected map out, "
            f"in units of {made.residual_suvr:.4g} SUVR. {parity.sentence}"
        )
    yield "- License Apache-2.0"
