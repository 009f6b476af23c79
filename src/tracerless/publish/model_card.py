"""The card of a model: what it is for, what it was made from, how good it is, where it fails."""

from collections.abc import Mapping

from tracerless import __version__
from tracerless.core.assessment import Assessment
from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish import tripod_methods as methods
from tracerless.publish import tripod_results as results
from tracerless.publish.assessment_heart import headline
from tracerless.publish.assessment_numbers import WITHHELD, View, share, spread, view
from tracerless.publish.charts_data import records
from tracerless.publish.markup import facts, heading
from tracerless.publish.tripod_words import joined, listed

_NOT_FOR = (
    "Not for deciding about a patient. Not for another tracer, atlas, reference or recipe. Not for "
    "people outside the training range. Not for synthetic images unless it was made from them."
)


def model_card(assessment: Assessment) -> str:
    """The card as Markdown; ends with a newline.

    Args:
        assessment: of the model.
    """
    look = view(assessment)
    lines = [f"# Model card: {assessment.key}", "", *_english(headline(look))]
    for name, value in card_facts(look).items():
        lines += [f"## {name}", "", value, ""]
    if assessment.notes:
        lines += ["## Notes", "", *(f"- {note}" for note in assessment.notes), ""]
    return "\n".join(lines)


def card_facts(look: View) -> Mapping[str, str]:
    """What a card says, by heading; headings without anything to say are left out."""
    made = joined(methods.source(look), results.flow(look), methods.scanners(look))
    said = {
        "Intended use": methods.use(look),
        "Not for": _NOT_FOR,
        "Model": joined(methods.building(look), results.specification(look)),
        "Inputs": joined(methods.predictors(look), methods.measured(look), results.available(look)),
        "Output": methods.output(look),
        "Made from": made,
        "Size": methods.sample_size(look),
        "Evaluated": methods.splits(look),
        "Performance": _performance(look),
        "Groups": _groups(look),
        "Sets": _sets(look),
        "Gives no answer": results.inputs(look),
        "Limits": results.limits(look),
        "Leakage": results.leakage(look),
        "Version": f"tracerless {look.fact('version', __version__)}",
    }
    return {name: value for name, value in said.items() if value}


def card_section(look: View) -> str:
    """The card as a section of a page."""
    return f"<section>{heading('Model card', '模型卡')}{facts(card_facts(look))}</section>"


def _english(said: words.Words) -> list[str]:
    return [f"**{said[0]}**", "", said[1], ""]


def _performance(look: View) -> str:
    """The leading measure of the leading model on each arm that was measured with an interval."""
    found = look.of_chosen("performance")
    found = found[found["metric"] == look.metric]
    told = []
    for arm in words.in_order(words.ARMS, [str(each) for each in found["arm"]]):
        at = found[found["arm"] == arm].iloc[0]
        shown = spread(at["value"], at["low"], at["high"], small=look.is_small)
        if shown not in {WITHHELD, "–"}:
            bound = ", never a result" if arm == Arm.LEAKY else ""
            told.append(f"{words.english(words.ARMS, arm)} {shown}{bound}")
    if not told:
        return ""
    name = words.english(words.METRIC_NAMES, look.metric)
    model = words.english(words.MODELS, look.chosen)
    return f"{name} with 95 % interval, {model}: {'; '.join(told)}."


def _groups(look: View) -> str:
    found = look.table("subgroups")
    found = found[found["metric"].astype(str) == look.metric_of("subgroups")].dropna(
        subset=["value", "low", "high"]
    )
    told = [
        f"{each['group']} (n = {float(each['n']):.0f}) "
        f"{spread(each['value'], each['low'], each['high'], small=look.is_small)}"
        for each in records(found)
    ]
    return f"{listed(told, most=20)}." if told else ""


def _sets(look: View) -> str:
    told = []
    for each in records(look.table("sets")):
        ends = (float(each["coverage"]), float(each["low"]), float(each["high"]))
        told.append(f"{each['class']} {share(*ends, small=look.is_small)}")
    return f"Hold the truth: {'; '.join(told)}." if told else ""
