"""A person's visits as the DICOM series that the hospital's archive would hand out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tracerless.core.seeds import generator
from tracerless.simulate import dicom_emission, dicom_mr
from tracerless.simulate.dicom_common import ExportedSeries, Patient, Study, uid
from tracerless.simulate.hospital import Setup, Visit, setup, visit
from tracerless.simulate.person import Person, sample
from tracerless.simulate.scanners import PetMrScanner, Scanners, SpectScanner

FIRST_HOUR, LAST_HOUR = 8, 17
"""Office hours in which a study may start."""

SPECT_WITHIN_DAYS = 30
"""A gamma camera sees a person at most that many days after the PET/MR."""


def measure(person: Person, *, scanners: Scanners, size: str, seed: str = "") -> Visit:
    """Measure a person at the simulated hospital.

    Args:
        person: whom.
        scanners: the hospital's machines.
        size: ``demo`` or ``hospital``.
        seed: names the visit besides the person, so that one person may come twice.

    Raises:
        RecipeError: there is no such size.
    """
    name = f"{person.key}/{seed}" if seed else person.key
    plan = setup(scanners, size=size, seed=name, weight_kg=person.identity.weight_kg)
    return visit(partial(sample, person), plan)


def export(
    person: Person, *, scanners: Scanners, size: str, seed: str = ""
) -> Iterator[ExportedSeries]:
    """Measure a person and hand out their series; arguments as ``measure``."""
    patient = Patient(person.identity, person.sex, person.age)
    yield from series_of(
        measure(person, scanners=scanners, size=size, seed=seed), patient, person.visit_date
    )


def series_of(made: Visit, patient: Patient, date: str) -> Iterator[ExportedSeries]:
    """The DICOM series of a visit.

    Args:
        made: the volumes.
        patient: whose identity every object carries.
        date: day of the PET/MR, ``YYYYMMDD``; the gamma camera follows within a month.
    """
    plan = made.setup
    petmr, camera = _studies(plan, patient, date)
    yield dicom_mr.anatomical(_at(petmr, 4), made.t1w, plan.petmr, number=3)
    yield dicom_mr.anatomical(_at(petmr, 12), made.t2w, plan.petmr, number=4)
    yield from dicom_mr.labeling(_at(petmr, 18), made.asl, plan.petmr, number=5)
    if made.cbf is not None:
        yield dicom_mr.flow_map(_at(petmr, 26), made.cbf, plan.petmr, number=50)
    emission = plan.scanners.emission
    yield dicom_emission.fdg_slices(
        _at(petmr, 5), made.fdg, plan.petmr, number=100, emission=emission
    )
    yield dicom_emission.spect_frames(_at(camera, 10), made.spect, plan.spect, number=2)


def _at(study: Study, minutes: float) -> Study:
    """The study when a series starts, some minutes after the study did."""
    return replace(study, acquired=study.started + timedelta(minutes=minutes))


def _studies(plan: Setup, patient: Patient, date: str) -> tuple[Study, Study]:
    """The PET/MR study and, on another day, the SPECT study."""
    rng = generator("studies", plan.seed)
    day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
    days = (0, int(rng.integers(1, SPECT_WITHIN_DAYS + 1)))
    minutes = rng.integers(FIRST_HOUR * 60, (LAST_HOUR - 1) * 60, 2)
    staff = plan.scanners.staff

    def study(name: str, text: str, machine: PetMrScanner | SpectScanner, i: int) -> Study:
        key = f"{plan.seed}/{name}"
        start = day + timedelta(days=days[i], minutes=int(minutes[i]))
        return Study(
            key=key,
            patient=patient,
            staff=staff,
            vendor=machine.vendor,
            model=machine.model,
            description=text,
            accession=f"A{int(uid(key, 'accession')[5:]) % 10**9:09d}",
            started=start,
            acquired=start,
            physician=staff.physicians[int(rng.integers(len(staff.physicians)))],
            operator=staff.operators[int(rng.integers(len(staff.operators)))],
        )

    return (
        study("petmr", "PET/MR Brain FDG 腦部", plan.petmr, 0),
        study("spect", "Brain SPECT 腦血流", plan.spect, 1),
    )
