"""People who differ more than the hospital's: wider shapes, ventricles, sulci and lesions."""

from dataclasses import replace

import numpy as np

from tracerless.core.seeds import generator
from tracerless.simulate.ground import Ground
from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.randomise_ranges import AnatomyRanges, drawn


def wider(base: Ground, ranges: AnatomyRanges, *, seed: str) -> Ground:
    """The ground of one person whose anatomy is drawn more widely; the base head is shared.

    Args:
        base: what everybody shares; regional levels and places of disease stay.
        ranges: within which to draw.
        seed: name of the person.
    """
    parameters = _wider(base.parameters, ranges, generator("wider", seed))
    return replace(base, parameters=parameters)


def _wider(
    parameters: PeopleParameters, ranges: AnatomyRanges, rng: np.random.Generator
) -> PeopleParameters:
    shape, thinning, lesions = parameters.shape, parameters.thinning, parameters.lesions
    more = drawn(ranges.displacement, rng)
    return replace(
        parameters,
        shape=replace(
            shape,
            wide_mm=shape.wide_mm * more,
            fine_mm=shape.fine_mm * more,
            private_mm=shape.private_mm * more,
            ventricle_log_jacobian=shape.ventricle_log_jacobian
            + rng.normal(0, ranges.ventricle_sd),
            hippocampus_log_jacobian=shape.hippocampus_log_jacobian
            + rng.normal(0, ranges.hippocampus_sd),
        ),
        thinning=replace(
            thinning,
            at_65=thinning.at_65 + rng.normal(0, ranges.thinning_sd),
            local_sd=thinning.local_sd * drawn(ranges.thinning_local, rng),
        ),
        lesions=replace(
            lesions,
            log_load_mean=lesions.log_load_mean + rng.normal(0, ranges.lesion_log_load_sd),
            threshold=lesions.threshold + rng.normal(0, ranges.lesion_threshold_sd),
        ),
        transit=replace(
            parameters.transit,
            young_s=parameters.transit.young_s + rng.normal(0, ranges.transit_sd_s),
        ),
    )
