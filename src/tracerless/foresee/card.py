"""The card of a risk model: what it is for, what it was made from, what it does not know."""

from tracerless.core.risk import Clock, RiskKind, RiskModel

_HOW = {
    RiskKind.INCIDENCE: "everybody alike: the incidence of the training people",
    RiskKind.COX: "cause-specific Cox models with a ridge",
    RiskKind.DISCRETE: "multinomial logistic hazards by period, onset between two visits",
}


def card(model: RiskModel, locked: str) -> str:
    """Markdown for people; ``locked`` is the hash of the file."""
    facts = dict(model.facts)
    years = ", ".join(f"{year:g}" for year in model.horizons)
    cuts = " / ".join(f"{cut:.0%}" for cut in model.bands)
    lines = [
        f"# Risk of dementia: {model.key}",
        "",
        "Research use only; not a medical device.",
        "",
        f"- tells: chance of dementia by {years} years, with death as its rival and 95 % bounds",
        f"- bands: cut at {cuts} of the risk at {model.band_years:g} years",
        f"- learned as: {_HOW[model.kind]}",
        f"- sees: {model.arm.value} ({len(model.predictors)} predictors, {_regions(model)})",
        f"- time counts from: {'the scan' if model.clock is Clock.SCAN else 'birth, late entry'}",
        f"- people: {facts.get('n')}, dementia {facts.get('dementia')}, death {facts.get('death')}",
        f"- at the scan: {_counts(facts.get('starts'))}",
        f"- domain: {model.measured.domain if model.measured else 'scores alone'}",
        f"- reach: {_reach(model)}",
        f"- does not answer: dementia at the scan, beyond that reach, or over "
        f"{model.missing_limit:.0%} of its weight missing",
        f"- onsets for each predictor: {_number(facts.get('events_per_parameter'))}",
        f"- hash: {locked}",
        "",
        "Scores that stage the illness (CDR and its like) are never among the predictors.",
        "The bounds come from resampled people; that another clinic differs is not in them.",
        *([""] if model.notes else []),
        *(f"- {note}" for note in model.notes),
    ]
    return "\n".join(lines) + "\n"


def _regions(model: RiskModel) -> str:
    if model.measured is None:
        return "no image"
    shown = "z against its own controls" if model.norm is not None else "ratios"
    return f"{model.measured.contrast} to {model.measured.reference} as {shown}"


def _counts(starts: object) -> str:
    if not isinstance(starts, dict):
        return "unknown"
    return ", ".join(f"{word} {n}" for word, n in starts.items())


def _reach(model: RiskModel) -> str:
    return ", ".join(f"{name} {low:g}-{high:g}" for name, (low, high) in model.reach.items())


def _number(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else "unknown"
