"""What a run can answer to the checklists' items on aims and methods."""

from collections.abc import Mapping

from tracerless import __version__
from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View
from tracerless.publish.assessment_people import MIN_EVENTS
from tracerless.publish.tripod_words import joined, listed, named, sentence

_DOMAINS = {
    "acquired": "Acquired scans of one de-identified dataset.",
    "simulated": "Simulated people: a digital hospital, no patient. They represent nobody.",
}


def title(look: View) -> str:
    """What was done, in one line."""
    what = (
        "evaluation of a locked"
        if is_external(look)
        else "development and internal evaluation of a"
    )
    outcome = "of the time to dementia" if is_risk(look) else "of the diagnosis at the scan"
    return f"Run: {what} prediction model {outcome}. The wording is the author's."


def objective(look: View) -> str:
    """Development, evaluation, or both; and the question."""
    aim = (
        "Evaluation of a locked model."
        if is_external(look)
        else "Development and internal evaluation."
    )
    return f"{aim} Primary question: what the image adds to cognition, paired."


def use(look: View) -> str:
    """What for: research only."""
    what = "risk" if is_risk(look) else "diagnosis"
    return f"Research on {what}; not a medical device. Place in care and users: author."


def source(look: View) -> str:
    """Where the data come from, as far as the dataset says."""
    domain = str(look.fact("domain", ""))
    if domain.startswith("synthetic"):
        said = "Synthetic images, predicted from MR by a model; never acquired."
    else:
        said = _DOMAINS.get(domain, "")
    return joined(said, sentence(look, "Tracer or contrast: {contrast}.", "contrast"))


def scanners(look: View) -> str:
    """Scanners, as far as the headers say."""
    return sentence(look, "Scanners: {scanners}. Centers and place: author.", "scanners")


def left_out(look: View) -> str:
    """What the run did not take, and why."""
    found = look.fact("left_out")
    if found is None:
        return ""
    if not found:
        return "The run left nobody out."
    told = [found] if isinstance(found, str) else found
    return joined("Left out by the run.", *(f"{str(each).rstrip('.')}." for each in told))


def preparation(look: View) -> str:
    """That one recipe prepared everything."""
    said = sentence(look, "One recipe for everybody, fingerprint {fingerprint}.", "fingerprint")
    return joined(said, said and "Scans that failed quality control were left out.")


def outcome(look: View) -> str:
    """What is predicted."""
    if is_risk(look):
        return sentence(
            look,
            "Time to dementia, known between visits; death competes; horizons {horizons} years. "
            "How it was assessed: author.",
            "horizons",
        )
    classes = look.fact("classes")
    if not classes:
        return ""
    return f"Clinical diagnosis at the scan: {listed(classes)}. Criteria and assessors: author."


def predictors(look: View) -> str:
    """What may enter, and what is kept out."""
    said = joined(
        sentence(look, "Regions enter as {features}.", "features"),
        sentence(
            look, "Kept out because they make the diagnosis: {leak_excluded}.", "leak_excluded"
        ),
    )
    return joined("All regions of the atlas and all tests at hand; none chosen by hand.", said)


def measured(look: View) -> str:
    """How regions were measured."""
    return sentence(
        look, "Regions of {atlas}, uptake over {reference}; tests as in the dictionary.",
        "atlas", "reference",
    )  # fmt: skip


def sample_size(look: View) -> str:
    """Events per parameter, and whether they reach the usual floor."""
    stated = look.fact("events_per_parameter")
    if stated is None:
        return ""
    each = list(stated.values()) if isinstance(stated, Mapping) else [stated]
    known = [float(value) for value in each if isinstance(value, (int, float))]
    verdict = "not known"
    if known:
        least = min(known)
        verdict = (
            f"at least {least:.1f} throughout"
            if least >= MIN_EVENTS
            else f"as few as {least:.1f}: below {MIN_EVENTS}, the models rest on their penalty"
        )
    return f"Taken as it came. Events per parameter: {listed(stated)}; {verdict}."


def missing(look: View) -> str:
    """How missing and censored values were handled."""
    said = str(look.fact("imputation", ""))
    censored = "Follow-up: censoring and competing death are part of the model."
    return joined(said and f"Imputation: {said.rstrip('.')}.", censored if is_risk(look) else "")


def splits(look: View) -> str:
    """How people were split."""
    if is_external(look):
        return sentence(
            look,
            "Every person of this dataset evaluates the locked model {external_of}.",
            "external_of",
        )
    return sentence(
        look,
        "{repeats} x {folds}-fold cross-validation, nested, whole people in one fold, seed {seed}.",
        "repeats", "folds", "seed",
    )  # fmt: skip


def handling(look: View) -> str:
    """How numbers enter the models."""
    return sentence(
        look, "Numbers stay numbers, none is cut; regions as {features}; scaled inside the fold.",
        "features",
    )  # fmt: skip


def building(look: View) -> str:
    """Kinds of models and their steps."""
    models = named(look.fact("models"), words.MODELS)
    if not models:
        return ""
    steps = [
        sentence(look, "Tuning: {tuning}.", "tuning"),
        sentence(look, "Choice: {selection}.", "selection"),
        sentence(look, "Calibration: {calibration_method}.", "calibration_method"),
    ]
    return joined(f"Models: {models}.", *([] if is_external(look) else steps))


def clusters(look: View) -> str:
    """What was done about scanners."""
    said = str(look.fact("harmonization", ""))
    return joined(said and f"Harmonization: {said.rstrip('.')}.", scanners(look))


def metrics(look: View) -> str:
    """Which measures and curves are on the page."""
    taken = named(dict.fromkeys(look.table("performance")["metric"]), words.METRIC_NAMES)
    curves = {
        "roc": "ROC", "calibration": "calibration", "decision_curve": "decision curve",
        "absolute_risk": "absolute risk at horizons", "incidence": "cumulative incidence",
    }  # fmt: skip
    drawn = ", ".join(name for key, name in curves.items() if not look.table(key).empty)
    return joined(taken and f"{taken}.", drawn and f"Curves: {drawn}.")


def updating(look: View) -> str:
    """Any recalibration of a locked model."""
    said = listed(look.fact("recalibration"))
    if said:
        return f"Recalibration, shown apart from the locked model: {said}."
    return "" if is_external(look) else "Nothing was updated: the model was developed here."


def computed(look: View) -> str:
    """How predictions came about."""
    if is_external(look):
        return joined(
            "By the stored model, unchanged.", sentence(look, "Locked hash {hash}.", "hash")
        )
    return "Out of fold: each person by models that never saw that person."


def imbalance(look: View) -> str:
    """What was done about classes of different size."""
    weights = str(look.fact("class_weights", ""))
    if not weights:
        return ""
    if weights == "none":
        return "Not corrected: no weights, no resampling; probabilities keep the sample's shares."
    return f"Class weights: {weights}; calibrated afterwards; evaluated on the data as they are."


def fairness(look: View) -> str:
    """Which groups were looked at."""
    groups = named(dict.fromkeys(look.table("subgroups")["by"]), words.GROUPINGS)
    return groups and f"Performance told by {groups.lower()}; groups under 20 are not."


def output(look: View) -> str:
    """What comes out."""
    rule = str(look.fact("threshold_rule", ""))
    kind = (
        "Absolute risk with interval"
        if is_risk(look)
        else "Calibrated probabilities and a set of classes"
    )
    return joined(f"{kind}; abstains beyond its range.", rule and f"Threshold: {rule.rstrip('.')}.")


def shift(look: View) -> str:
    """How evaluation differs from development."""
    if not is_external(look):
        return "Same people: internal evaluation. Nothing is known of other places."
    return sentence(
        look,
        "Evaluated elsewhere than developed ({external_of}). Differences: author.",
        "external_of",
    )


def code(look: View) -> str:
    """Which software."""
    version = look.fact("version", __version__)
    return f"tracerless {version}; every setting is stored with the evaluation."


def is_external(look: View) -> bool:
    """Whether a locked model met new people."""
    return str(look.fact("validation", "")) == "external" or bool(look.fact("external_of"))


def is_risk(look: View) -> bool:
    """Whether it is about the future."""
    return look.assessment.task == "risk"


def has_leaky(look: View) -> bool:
    """Whether the upper bound was measured apart."""
    return Arm.LEAKY in set(look.table("performance")["arm"])
