"""Invented identities, as a hospital in Taiwan would write them."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.traits import Traits

_DAYS_PER_YEAR = 365.25
_CHART_DIGITS = 8
_ROC_EPOCH = 1911


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a simulated person claims to be; all of it is invented, none of it is shown by repr.

    Args:
        name_zh: Chinese, surname first.
        name_latin: romanized, ``SURNAME GIVEN-GIVEN``.
        chart_number: the hospital's number of the person, digits.
        birth_date: ``YYYYMMDD``.
        weight_kg: body weight at the visit.
        height_m: body height at the visit.
    """

    name_zh: str = field(repr=False)
    name_latin: str = field(repr=False)
    chart_number: str = field(repr=False)
    birth_date: str = field(repr=False)
    weight_kg: float = field(repr=False)
    height_m: float = field(repr=False)


def draw_visit(parameters: PeopleParameters, rng: np.random.Generator) -> str:
    """A working day on which the person is scanned, ``YYYYMMDD``."""
    first, last = parameters.names.first_visit, parameters.names.last_visit
    day = first + dt.timedelta(days=int(rng.integers((last - first).days + 1)))
    while day.isoweekday() > 5:
        day -= dt.timedelta(days=1)
    return day.strftime("%Y%m%d")


def draw_identity(
    parameters: PeopleParameters, traits: Traits, visit_date: str, rng: np.random.Generator
) -> Identity:
    """Name, chart number, birth date and body of a person of that age at that visit."""
    names, people = parameters.names, parameters.demography
    surname = names.surnames[int(rng.integers(len(names.surnames)))]
    given = [pairs[int(rng.integers(len(pairs)))] for pairs in names.given[traits.sex]]
    number = names.chart_prefix + "".join(str(d) for d in rng.integers(0, 10, _CHART_DIGITS))
    visit = dt.datetime.strptime(visit_date, "%Y%m%d").replace(tzinfo=dt.UTC)
    birth = visit - dt.timedelta(days=round(traits.age * _DAYS_PER_YEAR))
    tall = people.height_women_m if traits.sex == "F" else people.height_men_m
    height = tall + float(np.clip(rng.normal(0, people.height_sd_m), -0.15, 0.15))
    bmi = float(np.clip(rng.normal(people.bmi_mean, people.bmi_sd), 17, 36))
    return Identity(
        name_zh=surname[0] + "".join(zh for zh, _ in given),
        name_latin=f"{surname[1]} {'-'.join(latin for _, latin in given)}",
        chart_number=number,
        birth_date=birth.strftime("%Y%m%d"),
        weight_kg=round(bmi * height**2, 1),
        height_m=round(height, 2),
    )


def roc_date(date: str) -> str:
    """A date ``YYYYMMDD`` as written in Taiwan, e.g. 民國38年05月12日."""
    return f"民國{int(date[:4]) - _ROC_EPOCH}年{date[4:6]}月{date[6:]}日"
