"""What a run can answer to the checklists' items on results, use and bias."""

import math

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View, spread
from tracerless.publish.tripod_methods import has_leaky, is_external, is_risk
from tracerless.publish.tripod_words import joined, listed, sentence


def flow(look: View) -> str:
    """Numbers of people, by what they had."""
    n = sentence(look, "{n_people} people, {n} scans.", "n_people", "n")
    by_class = sentence(look, "{classes}.", "classes")
    return joined(
        n, by_class, sentence(look, "Median follow-up {follow_up_years} years.", "follow_up_years")
    )


def people(look: View) -> str:
    """What is told of them."""
    told = (
        "Missing values by class are on this page." if not look.table("missingness").empty else ""
    )
    return joined(sentence(look, "{classes}.", "classes"), told, "Characteristics: author.")


def events(look: View) -> str:
    """People and events behind the models."""
    return joined(
        sentence(look, "{n_people} people.", "n_people"),
        sentence(look, "Events: {events}.", "events"),
        sentence(look, "{classes}.", "classes"),
    )


def specification(look: View) -> str:
    """Where the model is."""
    return sentence(look, "Stored with the dataset as numbers, locked hash {hash}.", "hash")


def performance(look: View) -> str:
    """The leading result with its interval."""
    arm = look.shown_arm("performance")
    found = look.of_chosen("performance", arm)
    found = found[found["metric"] == look.metric].dropna(subset=["value", "low", "high"])
    if found.empty:
        return ""
    at = found.iloc[0]
    shown = spread(at["value"], at["low"], at["high"], small=look.is_small)
    name = words.english(words.METRIC_NAMES, look.metric)
    model = words.english(words.MODELS, look.chosen)
    return f"{name} {shown}, {model}, {words.english(words.ARMS, arm)}; all others above."


def cluster_results(look: View) -> str:
    """Whether performance is told by scanner."""
    found = look.table("subgroups")
    n = int((found["by"] == "scanner").sum())
    return f"Told by scanner ({n})." if n else ""


def limits(look: View) -> str:
    """Limits that the run knows of."""
    said = [
        f"{look.fact('n_people', '?')} people: too few for a verdict." if look.is_small else "",
        "One dataset: nothing is known of other places." if not is_external(look) else "",
        "Simulated people." if look.fact("domain") == "simulated" else "",
        "Clinicians knew the cognitive scores when they diagnosed." if not is_risk(look) else "",
    ]
    return joined(*said, "Others: author.")


def inputs(look: View) -> str:
    """What happens with poor input."""
    share = look.fact("missing_limit")
    limit = f" ({float(share):.0%} of the model's weight)" if isinstance(share, float) else ""
    return (
        "Failed quality control, another tracer or recipe, covariates or uptake beyond the "
        f"training range, too much missing{limit}: the model gives no answer and says why."
    )


def following(look: View) -> str:
    """What comes next."""
    return "" if is_external(look) else "Evaluation of the locked model on people of another place."


def leaks(look: View) -> str:
    """Whether predictors and outcome could see each other."""
    if is_risk(look):
        return "Predictors are older than the outcome; blinding of later visits: author."
    left = sentence(
        look, "Scores that make the diagnosis were kept out ({leak_excluded}).", "leak_excluded"
    )
    bound = "Their effect is shown as an upper bound." if has_leaky(look) else ""
    return joined(left, bound, "Screening scores and images may have been seen: author.")


def available(look: View) -> str:
    """Whether predictors are at hand when the model is used."""
    gap = look.fact("gap_days")
    within = f" within {listed(gap)} days of the scan" if gap is not None else ""
    return f"Regions of the scan itself, tests{within}."


def interval(look: View) -> str:
    """Time between predictors and outcome."""
    if is_risk(look):
        return sentence(look, "Horizons {horizons} years, within follow-up.", "horizons")
    return sentence(look, "Tests at most {gap_days} days from the scan.", "gap_days")


def apparent(look: View) -> str:
    """Whether anything was measured on the people who were learned from."""
    kind = "people the locked model never saw" if is_external(look) else "held-out people only"
    return f"Yes: {kind}."


def precision(look: View) -> str:
    """How sure the main number is."""
    arm = look.shown_arm("performance")
    found = look.of_chosen("performance", arm)
    found = found[found["metric"] == look.metric]
    if found.empty:
        return ""
    width = float(found.iloc[0]["high"]) - float(found.iloc[0]["low"])
    if not math.isfinite(width):
        return ""
    name = words.english(words.METRIC_NAMES, look.metric)
    few = " Fewer than 100 people: no." if look.is_small else ""
    return f"The 95 % interval of {name} is {width:.2f} wide.{few}"


def leakage(look: View) -> str:
    """What audit and sentinel say."""
    found = look.table("findings")
    verdicts = found["verdict"].astype(str).value_counts()
    said = ", ".join(f"{n} {verdict}" for verdict, n in sorted(verdicts.items()))
    drawn = look.table("sentinel")
    sentinel = f"Shuffled labels: {len(drawn)} runs, on this page." if len(drawn) else ""
    return joined(said and f"Audit: {said}.", sentinel)


def within(look: View) -> str:
    """Whether each fold repeated every step."""
    if is_external(look) or "folds" not in look.assessment.facts:
        return ""
    return "Yes: imputation, norms, harmonization, scaling, tuning, calibration inside each fold."
