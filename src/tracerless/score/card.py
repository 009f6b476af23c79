"""What a norm says of itself."""

from tracerless.core.norm import Norm
from tracerless.score.fit import DATA_DRIVEN


def card(norm: Norm) -> str:
    """A page in Markdown: what it was made from, whom it covers, what it must not be used for."""
    measured, design = norm.measured, norm.design
    hull = [f"{name} {design.low[name]:g}-{design.high[name]:g}" for name in design.low]
    if "sex" in design.covariates:
        hull.append(f"sex {', '.join(design.sexes)}")
    confirmed = (
        f"Normal for {norm.confirmed_years:g} more years after the scan."
        if norm.confirmed_years
        else "Nobody looked whether they stayed normal: decliners among them make z too mild."
    )
    lines = [
        f"# Norm {norm.key}",
        "",
        *([f"**{norm.banner}**", ""] if norm.banner else []),
        *(_SIMULATED if measured.domain.endswith("simulated") else []),
        f"- Measures: {len(norm.names)} of {measured.contrast}"
        + (f", atlas {measured.atlas}, ratio to {measured.reference}" if measured.atlas else ""),
        f"- Domain: {measured.domain}; fingerprint {measured.fingerprint or 'none'}",
        f"- Normal people: {norm.n}"
        + (f", carried over by {norm.n_local} of the new scanner" if norm.n_local else ""),
        f"- {confirmed}",
        f"- Covariates: {', '.join(design.covariates) or 'none'}"
        + (" (age by a natural cubic spline)" if design.knots else ""),
        f"- Reaches: {'; '.join(hull) or 'everybody'}; beyond it z is refused",
        f"- One normal person in twenty has some measure with z below {norm.family_cut:.2f}",
    ]
    if norm.data_driven:
        others = ", ".join(name for name in norm.models if name != measured.reference)
        lines.append(f"- Other references: {others}; {DATA_DRIVEN} = {', '.join(norm.data_driven)}")
    return "\n".join([*lines, "", "Research use only.", ""])


_SIMULATED = ["**Made from simulated people. It says nothing about real ones.**", ""]
