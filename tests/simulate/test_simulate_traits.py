"""Who has no disease shows none; who has much shows it with an error of its own."""

import numpy as np
import pytest
from simulate_people import parameters

from tracerless.core.cohort import Diagnosis
from tracerless.core.seeds import generator
from tracerless.simulate.traits import draw_traits


def drawn(diagnosis, n=600):
    return [
        draw_traits(parameters(), diagnosis, generator("dev-traits", diagnosis, i))
        for i in range(n)
    ]


@pytest.mark.parametrize("diagnosis", [Diagnosis.CN, Diagnosis.MCI, Diagnosis.AD])
def test_metabolism_and_flow_follow_severity_without_bias(diagnosis):
    model = parameters().severity
    people = drawn(diagnosis)
    metabolic = np.array([each.metabolic - each.severity for each in people])
    flow = np.array([each.perfusion - model.flow_share * each.severity for each in people])
    tolerance = 3 * model.error_sd / np.sqrt(len(people))
    assert abs(metabolic.mean()) < min(tolerance, 0.012)
    assert abs(flow.mean()) < min(tolerance, 0.012)


def test_error_vanishes_with_the_disease_and_is_full_once_it_is_there():
    model = parameters().severity
    people = drawn(Diagnosis.CN) + drawn(Diagnosis.AD)
    error = np.array([each.metabolic - each.severity for each in people])
    severity = np.array([each.severity for each in people])
    healthy = severity < 0.02
    ill = (severity > model.error_full_from) & (severity < 0.7)
    assert healthy.sum() > 30
    assert np.abs(error[healthy]).max() < 0.05
    assert error[ill].std() == pytest.approx(model.error_sd, rel=0.15)
