"""What a norm says of itself."""

from tracerless.core.norm import Norm
from tracerless.core.norm_maps import MapNorm
from tracerless.score.calibrate import lines as calibrated
from tracerless.score.fit import DATA_DRIVEN


def card(norm: Norm, maps: tuple[MapNorm, MapNorm] | None = None) -> str:
    """A page in Markdown: what it was made from, whom it covers, what it must not be used for.

    Args:
        norm: of regions or tests.
        maps: of voxels and of the surface, when there are any.
    """
    measured, design = norm.measured, norm.design
    hull = [f"{name} {design.low[name]:g}-{design.high[name]:g}" for name in design.low]
    if "sex" in design.covariates:
        hull.append(f"sex {', '.join(design.sexes)}")
    fitted = "by Huber's estimate" if norm.robust else "by least squares"
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
        + (" (age by a natural cubic spline)" if design.knots else "")
        + f", {fitted}",
        f"- Reaches: {'; '.join(hull) or 'everybody'}; beyond it z is refused",
        f"- One normal person in twenty has some measure with z below {norm.family_cut:.2f}",
    ]
    if norm.data_driven:
        others = ", ".join(name for name in norm.models if name != measured.reference)
        lines.append(f"- Other references: {others}; {DATA_DRIVEN} = {', '.join(norm.data_driven)}")
    lines += [*_ceilings(norm), *_maps(maps)]
    if norm.calibration is not None:
        lines += ["", *calibrated(norm.calibration)]
    return "\n".join([*lines, "", "Research use only.", ""])


def _ceilings(norm: Norm) -> list[str]:
    """Which tests cannot tell how good somebody is, and whose scores are not bell-shaped."""
    skewed = [f"- Not bell-shaped, so z is bent: {', '.join(norm.shapes)}"] if norm.shapes else []
    return skewed + [
        f"- {name}: {each.share:.0%} of the normal people score {each.limit:g}, the best there is; "
        "its percentile is counted, and z above 0 says little"
        for name, each in norm.ceilings.items()
    ]


def _maps(maps: tuple[MapNorm, MapNorm] | None) -> list[str]:
    if maps is None:
        return []
    voxels, points = maps
    pooled = f"; spreads pooled within {voxels.pooled_mm:g} mm" if voxels.pooled_mm else ""
    return [
        f"- Maps: {len(voxels.places)} voxels, {len(points.places)} points of the surface{pooled}",
        f"- One normal map in twenty has some voxel with z below {voxels.family_cut:.2f} "
        f"(random field of {voxels.fwhm_mm:.0f} mm FWHM)",
    ]


_SIMULATED = ["**Made from simulated people. It says nothing about real ones.**", ""]
