"""MR and PET that do not belong together are found and named; those that do are left alone."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import Affine, identity, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import resources
from tracerless.synthesize.pairing import Look, check_pairs, judged, look
from tracerless.synthesize.pairing_finding import PairFinding
from tracerless.synthesize.pairing_people import agreement, copies
from tracerless.synthesize.pairing_shift import shift
from tracerless.synthesize.space import Space, space

T1W, T2W, CBF, FDG = Contrast.T1W, Contrast.T2W, Contrast.CBF, Contrast.FDG
TEMPLATE = resources.template(4.0)
ATLAS = resources.atlas("fdg36", 4.0)
N_PEOPLE = 16
VALUES = {
    T1W: (700.0, 1000.0, 250.0),
    T2W: (120.0, 90.0, 300.0),
    CBF: (60, 20, 0),
    FDG: (8, 3, 0.5),
}
"""Of pure grey matter, white matter and fluid."""


def smooth(rng, fwhm_mm):
    field = ndimage.gaussian_filter(rng.standard_normal(TEMPLATE.grid.shape), fwhm_mm / 2.355 / 4)
    return field / field.std()


def warped(rng):
    """The template's grey and white matter, bent by 2 mm and with sulci of one's own."""
    place = np.indices(TEMPLATE.grid.shape, dtype=np.float64)
    place += np.stack([0.5 * smooth(rng, 40.0) for _ in range(3)])
    grey, white = (
        ndimage.map_coordinates(each.array, place, order=1, mode="nearest")
        for each in (TEMPLATE.grey, TEMPLATE.white)
    )
    return grey * np.clip(1 - 0.12 * smooth(rng, 30.0), 0.5, 1.0), white


def person(number: int) -> Prepared:
    rng = generator("dev-pairing", number)
    grey, white = warped(rng)
    fluid = np.clip(1 - grey - white, 0, 1)
    uptake = np.exp(0.06 * smooth(rng, 40.0))
    volumes = {}
    for contrast, (of_grey, of_white, of_fluid) in VALUES.items():
        array = of_grey * grey + of_white * white + of_fluid * fluid
        if contrast in (CBF, FDG):
            array = ndimage.gaussian_filter(array * uptake, 0.7)
        array = array + 0.03 * of_grey * rng.standard_normal(array.shape)
        kind = {T1W: Quantity.T1W, T2W: Quantity.T2W, CBF: Quantity.CBF, FDG: Quantity.ACTIVITY}
        volumes[contrast] = Volume(array, TEMPLATE.grid, kind[contrast], contrast)
    volumes[FDG] = suvr(volumes[FDG], ATLAS.reference("pons"))
    volumes[CBF] = relative(volumes[CBF], TEMPLATE.brain.array > 0)
    key = TEMPLATE.key
    return Prepared(
        key=SessionKey(Pseudonym(f"person{number:02d}"), "01"),
        template=key,
        volumes=volumes,
        native_grid=TEMPLATE.grid,
        to_native=identity(key, "native"),
        to_template=identity("native", key),
        qc={},
        verdict="pass",
        reasons=(),
        fingerprint="dev",
    )


@pytest.fixture(scope="module")
def where() -> Space:
    return space(TEMPLATE, ATLAS, "pons")


@pytest.fixture(scope="module")
def people() -> list[Prepared]:
    return [person(number) for number in range(N_PEOPLE)]


@pytest.fixture(scope="module")
def looks(people, where) -> list[Look]:
    return [look(each, where) for each in people]


def with_volume(session: Prepared, contrast: Contrast, volume: Volume) -> Prepared:
    return dataclasses.replace(session, volumes={**session.volumes, contrast: volume})


def moved(session: Prepared, contrast: Contrast, mm: tuple[float, float, float]) -> Prepared:
    """The session with what one contrast shows carried along by ``mm``."""
    matrix = np.eye(4)
    matrix[:3, 3] = -np.array(mm)
    pull = Affine(session.template, session.template, matrix)
    return with_volume(session, contrast, resample(session.volumes[contrast], session.grid, pull))


def found_in(looks, where, *changed: Prepared) -> tuple[PairFinding, ...]:
    """The findings of the cohort when some of its people are others."""
    by_key = {each.key: each for each in looks}
    by_key |= {each.key: look(each, where) for each in changed}
    return judged(list(by_key.values()))


def test_pairs_that_belong_together_are_left_alone(people, looks, where):
    assert judged(looks) == ()
    assert check_pairs(people[:3], where) == ()


def test_a_look_is_small_and_travels(looks):
    there = pickle.loads(pickle.dumps(looks[0]))  # noqa: S301 - as worker processes hand it over
    assert len(pickle.dumps(looks[0])) < 100_000
    assert judged([there, *looks[1:]]) == ()


@pytest.mark.parametrize("mm", [(6.0, 0.0, 0.0), (0.0, -6.0, 0.0), (3.5, 3.5, -3.5)])
def test_shift_is_found_with_its_size_and_direction(people, mm):
    pet = moved(people[0], FDG, mm).volumes[FDG].array
    brain = TEMPLATE.brain.array > 0.5
    still = people[0].volumes[T1W].array
    before = shift(still, people[0].volumes[FDG].array, brain, spacing_mm=4.0)
    after = shift(still, pet, brain, spacing_mm=4.0)
    assert np.subtract(after.mm, before.mm) == pytest.approx(mm, abs=1.2)
    assert after.here < before.here <= before.agreement


def test_pet_that_lies_off_is_refused_and_nobody_else(people, looks, where):
    off = [moved(people[2], FDG, (0.0, 6.0, 0.0)), moved(people[5], FDG, (-6.0, 0.0, 0.0))]
    findings = found_in(looks, where, *off)
    refused = {f.key for f in findings if (f.kind, f.verdict) == ("misregistered", "refuse")}
    assert refused == {off[0].key, off[1].key}
    assert {f.key for f in findings} == refused


def test_pet_that_is_turned_about_its_middle_is_refused(people, looks, where):
    session, middle = people[1], np.array([0.0, -18.0, 10.0])
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", 10, degrees=True).as_matrix()
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle
    pull = Affine(session.template, session.template, matrix)
    turned = with_volume(session, FDG, resample(session.volumes[FDG], session.grid, pull))
    findings = found_in(looks, where, turned)
    assert ("misregistered", "refuse") in {(f.kind, f.verdict) for f in findings}
    assert {f.key for f in findings} == {session.key}


def test_pet_of_which_t1w_explains_nothing_is_doubted(people, looks, where):
    pet = people[4].volumes[FDG]
    noise = generator("dev-pairing", "apart").normal(1.0, 0.3, pet.array.shape)
    other = dataclasses.replace(pet, array=noise.astype(np.float32))
    found = found_in(looks, where, with_volume(people[4], FDG, other))
    said = [f for f in found if "cannot be told" in f.reason]
    assert [f.key for f in said] == [people[4].key]
    assert said[0].verdict == "doubt"


@pytest.mark.parametrize("contrast", [T1W, T2W, CBF])
def test_mr_that_lies_off_alone_is_to_blame_and_not_pet(contrast, people, looks, where):
    findings = found_in(looks, where, moved(people[3], contrast, (0.0, 0.0, 10.0)))
    refused = [f for f in findings if f.verdict == "refuse"]
    assert {(f.key, f.contrast, f.kind) for f in refused} == {
        (people[3].key, contrast, "misregistered")
    }
    assert all(f.reason.startswith(f"{contrast} lies") for f in refused)
    assert {f.contrast for f in findings} == {contrast}


def mirrored(session: Prepared, contrast: Contrast) -> Prepared:
    pull = Affine(session.template, session.template, np.diag([-1.0, 1.0, 1.0, 1.0]))
    return with_volume(session, contrast, resample(session.volumes[contrast], session.grid, pull))


@pytest.mark.parametrize("contrast", [FDG, T2W, T1W])
def test_left_and_right_exchanged_are_told_by_the_contrast_that_is(contrast, people, looks, where):
    findings = found_in(looks, where, mirrored(people[5], contrast))
    said = {(f.contrast, f.verdict) for f in findings if f.kind == "mirrored"}
    assert said == {(contrast, "refuse")}
    assert {f.key for f in findings} == {people[5].key}


def test_mirroring_twice_is_nothing(people, where):
    one = look(people[2], where).mirrored[T1W, FDG]
    other = look(mirrored(people[2], FDG), where).mirrored[T1W, FDG]
    both = dataclasses.replace(people[2], volumes=mirrored(people[2], FDG).volumes)
    again = look(mirrored(mirrored(both, T1W), T2W), where).mirrored[T1W, FDG]
    assert one > 0.1
    assert other == pytest.approx(-one, abs=0.1 * one)
    assert again == pytest.approx(one, abs=0.1 * one)


def test_pet_of_somebody_else_is_refused_and_the_owner_named(people, looks, where):
    one, two = people[4], people[9]
    swapped = (
        with_volume(one, FDG, with_array(two.volumes[FDG], two.volumes[FDG].array * 1.0001)),
        with_volume(two, FDG, with_array(one.volumes[FDG], one.volumes[FDG].array * 1.0001)),
    )
    findings = found_in(looks, where, *swapped)
    strangers = {f.key: f for f in findings if f.kind == "other-person"}
    assert set(strangers) == {one.key, two.key}
    assert all((f.contrast, f.verdict) == (FDG, "refuse") for f in strangers.values())
    assert str(two.key) in strangers[one.key].reason


def with_maps_of(looks, contrast: Contrast, rows: list[int]) -> list[Look]:
    """The cohort with one contrast moved on by a row within those rows, pictures of it not seen."""
    given = dict(zip(rows, np.roll(rows, 1), strict=True))
    return [
        dataclasses.replace(each, maps={**each.maps, contrast: looks[given[at]].maps[contrast]})
        if at in given
        else each
        for at, each in enumerate(looks)
    ]


def test_a_block_of_rows_moved_on_by_one_is_refused_whole_though_it_is_the_most(looks):
    rows = list(range(3, 13))
    findings = judged(with_maps_of(looks, FDG, rows))
    assert {f.key for f in findings} == {looks[at].key for at in rows}
    assert {(f.contrast, f.kind, f.verdict) for f in findings} == {(FDG, "other-person", "refuse")}


def test_t2w_of_somebody_else_is_to_blame_where_t1w_knows_pet(looks):
    findings = judged(with_maps_of(looks, T2W, [2, 11]))
    assert {f.key for f in findings} == {looks[2].key, looks[11].key}
    assert {(f.contrast, f.kind, f.verdict) for f in findings} == {(T2W, "other-person", "refuse")}


def test_another_visit_of_the_same_person_is_no_stranger(looks):
    """A twin among "the others" would make own agreement look like nothing much."""
    again = [
        dataclasses.replace(each, key=SessionKey(each.key.person, "02"), digests={})
        for each in looks
    ]
    found = judged([*looks, *again])
    assert {f.kind for f in found} == {"duplicate"}
    assert {f.verdict for f in found} == {"doubt"}


def test_a_cohort_shuffled_as_a_whole_teaches_nothing(looks):
    shuffled = [
        dataclasses.replace(each, maps={**each.maps, FDG: other.maps[FDG]})
        for each, other in zip(looks, looks[1:] + looks[:1], strict=True)
    ]
    findings = judged(shuffled)
    refused = {f.key for f in findings if f.kind == "other-person" and f.verdict == "refuse"}
    assert refused == {each.key for each in looks}
    assert all("shuffled" in f.reason for f in findings if f.kind == "other-person")


def test_the_same_picture_under_two_names_is_refused(people, looks, where):
    copied = with_volume(people[7], T1W, people[8].volumes[T1W])
    findings = found_in(looks, where, copied)
    duplicates = [f for f in findings if f.kind == "duplicate"]
    assert {f.key for f in duplicates} == {people[7].key, people[8].key}
    assert all(f.verdict == "refuse" for f in duplicates)


def _filled(contrast, value):
    def change(session):
        volume = session.volumes[contrast]
        return with_volume(session, contrast, with_array(volume, np.full_like(volume.array, value)))

    return change


def _where(contrast, pick, value):
    def change(session):
        volume = session.volumes[contrast]
        array = volume.array.copy()
        array[pick] = value
        return with_volume(session, contrast, with_array(volume, array))

    return change


def _scaled(factor):
    def change(session):
        volume = session.volumes[FDG]
        return with_volume(session, FDG, with_array(volume, volume.array * np.float32(factor)))

    return change


def _as(contrast, quantity):
    def change(session):
        volume = dataclasses.replace(session.volumes[contrast], quantity=quantity)
        return with_volume(session, contrast, volume)

    return change


CASES = {
    "PET in kBq/mL": (_as(FDG, Quantity.ACTIVITY), "units", "refuse"),
    "PET over another region": (_scaled(1.4), "units", "refuse"),
    "flow in mL/100 g/min": (_as(CBF, Quantity.CBF), "units", "refuse"),
    "ASL all zero": (_filled(CBF, 0.0), "empty", "refuse"),
    "T1w mostly zero": (_where(T1W, np.s_[:, :40], 0.0), "empty", "refuse"),
    "T2w constant": (_filled(T2W, 7.0), "constant", "refuse"),
    "PET with a hole": (_where(FDG, np.s_[20:30, 25:35, 25:35], np.nan), "not-finite", "refuse"),
    "PET infinite": (_where(FDG, np.s_[25, 30, 25], np.inf), "not-finite", "refuse"),
    "half the PET": (_where(FDG, np.s_[:, :, 19:], np.nan), "cut", "refuse"),
    "PET without the vertex": (_where(FDG, np.s_[:, :, 31:], np.nan), "cut", "doubt"),
    "PET without the pons": (_where(FDG, np.s_[:, :, :14], np.nan), "cut", "refuse"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_bad_volume_is_named_for_what_it_is(case, people, looks, where):
    change, kind, verdict = CASES[case]
    findings = found_in(looks, where, change(people[6]))
    assert (kind, verdict) in {(f.kind, f.verdict) for f in findings}
    assert {f.key for f in findings} == {people[6].key}
    assert all(f.reason.endswith(".") for f in findings)


def test_noise_agrees_with_nobody_and_is_judged_so():
    rng = generator("dev-pairing", "noise")
    mr, pet = rng.standard_normal((2, 20, 4000)).astype(np.float32)
    who = [Pseudonym(f"noise{i}") for i in range(20)]
    nothing = agreement(mr, pet, who)
    assert not nothing.can_tell
    assert nothing.is_shuffled
    shared = agreement(mr, pet + 0.5 * mr, who)
    assert shared.can_refuse
    assert shared.strange() == []
    assert shared.owner(3) is None


def test_strangers_agree_by_chance_alone():
    """Own agreement of pairs that are none lies about 0 by 1 SD, whatever many of them share."""
    found = []
    for seed in range(12):
        rng = generator("dev-pairing", "strangers", seed)
        shared, seen, felt = rng.standard_normal((3, 3, 3000))
        amounts = rng.standard_normal((2, 16, 3))
        mr = 2 * amounts[0] @ seen + rng.standard_normal((16, 3000)) + 2 * amounts[1] @ shared
        pet = 2 * amounts[0] @ felt + rng.standard_normal((16, 3000)) + 2 * amounts[1] @ shared
        who = [Pseudonym(f"stranger{i}") for i in range(16)]
        found.append(agreement(mr.astype(np.float32), np.roll(pet, 1, 0).astype(np.float32), who).z)
    z = np.concatenate(found)
    assert abs(z.mean()) < 0.35
    assert z.std() == pytest.approx(1.0, abs=0.25)
    assert (z < 2.5).mean() > 0.97


def test_copies_are_told_from_lookalikes():
    rng = generator("dev-pairing", "copies")
    pet = rng.standard_normal((6, 4000)).astype(np.float32)
    pet[4] = pet[1] * 1.02 + 0.001 * pet[2]
    pet[5] = pet[0] + 0.5 * pet[5]
    assert copies(pet) == [(1, 4)]


def test_a_finding_of_an_unknown_kind_cannot_be_made(people):
    with pytest.raises(ModelError, match="ugly"):
        PairFinding(people[0].key, FDG, "ugly", "refuse", "It is.")
