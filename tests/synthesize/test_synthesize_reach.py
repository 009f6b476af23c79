"""Strange scans are told from usual ones, by name and place; usual ones are left alone."""

import numpy as np
import pytest
from scipy import ndimage

from tracerless.core.people import Pseudonym
from tracerless.synthesize.blocks import blocks_of
from tracerless.synthesize.reach import ReachModel, fit_reach

SHAPE, SPACING_MM = (26, 30, 24), 4.0
ALL = (True, True, True)


def brain():
    axes = [np.linspace(-1.1, 1.1, n) for n in SHAPE]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    return i**2 + j**2 + k**2 <= 1


BRAIN = brain()


def anatomy(contrast: int):
    """Cortex and depth, front and back: the same for everyone."""
    depth = ndimage.distance_transform_edt(BRAIN)
    front = np.linspace(-1, 1, SHAPE[1])[None, :, None]
    return (np.sin(depth / (1.5 + contrast)) + front * (1, -1, 0.5)[contrast]) * BRAIN


def person(number: int, family: str = "usual"):
    """(3, i, j, k): anatomy, soft ways of being different, a little noise."""
    draw = np.random.default_rng([number, sum(map(ord, family))])
    made = np.zeros((3, *SHAPE), np.float32)
    for contrast in range(3):
        soft = ndimage.gaussian_filter(draw.standard_normal(SHAPE), 4)
        noise = 0.1 * draw.standard_normal(SHAPE)
        made[contrast] = (anatomy(contrast) + 0.4 * soft / soft.std() + noise) * BRAIN
    return made


def people_of(n: int):
    return [Pseudonym(f"p{i:03d}") for i in range(n)]


@pytest.fixture(scope="module")
def model() -> ReachModel:
    n = 60
    made = fit_reach(
        (person(i) for i in range(n)), np.ones((n, 3), bool), BRAIN, spacing_mm=SPACING_MM,
        people=people_of(n),
    )  # fmt: skip
    assert made is not None
    return made


def ball(radius: float, center=(7, 20, 14)):
    away = np.linalg.norm(np.indices(SHAPE).T - np.array(center), axis=-1).T
    return (away <= radius) & BRAIN


def verdict(model, values, present=ALL):
    judged = model.judge(values.astype(np.float32), present)
    assert judged is not None
    return judged


@pytest.fixture(scope="module")
def usual(model):
    return [verdict(model, person(i, "fresh")) for i in range(80)]


def test_usual_people_are_left_alone(usual) -> None:
    found = [each.verdict for each in usual]
    assert found.count("outside") <= 2
    assert found.count("edge") + found.count("outside") <= 8


def lesion(values):
    values[0][ball(3)] -= 3.0
    return values


def resection(values):
    values[:, ball(4)] = -2.0
    return values


def exchanged(values):
    values[[0, 1]] = values[[1, 0]]
    return values


def turned(values):
    return values[:, :, ::-1].copy()


def noisy(values):
    draw = np.random.default_rng(1)
    return values + 1.0 * draw.standard_normal(values.shape).astype(np.float32) * BRAIN


def ghosted(values):
    return values + 0.5 * np.roll(values, 6, axis=2) * BRAIN


def blurred(values):
    return np.stack([ndimage.gaussian_filter(v, 2.5) * BRAIN for v in values])


STRANGE = [lesion, resection, exchanged, turned, noisy, ghosted, blurred]


@pytest.mark.parametrize("make", STRANGE, ids=lambda make: make.__name__)
def test_strange_scans_are_flagged(model, make) -> None:
    judged = [verdict(model, make(person(i, "fresh"))) for i in range(4)]
    assert all(each.verdict == "outside" for each in judged)
    assert all(each.findings for each in judged)


def test_a_lesion_is_told_by_contrast_place_and_sign(model) -> None:
    finding = verdict(model, lesion(person(2, "fresh"))).findings[0]
    assert finding.contrast == "T1w"
    assert np.linalg.norm(np.array(model.blocks.center(finding.block)) - (7, 20, 14)) < 5
    if finding.kind == "level":
        assert finding.sign == -1


def test_a_larger_lesion_is_stranger(model) -> None:
    worst = []
    for depth in (0.0, 0.5, 1.0, 3.0):
        values = person(2, "fresh")
        values[0][ball(3)] -= depth
        judged = verdict(model, values)
        worst.append(max((each.strangeness for each in judged.findings), default=0.0))
    assert worst == sorted(worst)
    assert worst[-1] > worst[0] + 3


def test_only_what_is_shown_is_judged(model) -> None:
    values = lesion(person(2, "fresh"))
    hidden = values.copy()
    hidden[0] = 0
    assert verdict(model, hidden, (False, True, True)).verdict == "inside"
    assert verdict(model, values, (True, False, False)).verdict == "outside"
    assert model.judge(values, (False, False, False)) is None


def cut_at(values, planes: int):
    values[2][..., -planes:] = 0
    return values


def test_a_cut_field_of_view_is_said_as_such_and_is_no_lesion(model) -> None:
    judged = [verdict(model, cut_at(person(i, "fresh"), 7)) for i in range(10)]
    assert all(each.verdict != "inside" and each.p < 0.05 for each in judged)
    assert all(0.6 < each.cut["cbf"] < 0.95 and set(each.cut) == {"cbf"} for each in judged)
    assert sum(each.verdict == "outside" for each in judged) <= 1
    assert sum(bool(each.findings) for each in judged) <= 3
    assert verdict(model, cut_at(person(3, "fresh"), 7), (True, True, False)).cut == {}


def test_a_field_of_view_as_short_as_in_training_is_nothing_strange() -> None:
    n = 40
    short = fit_reach(
        (cut_at(person(i), 7) for i in range(n)), np.ones((n, 3), bool), BRAIN,
        spacing_mm=SPACING_MM, people=people_of(n),
    )  # fmt: skip
    assert short is not None
    assert verdict(short, cut_at(person(1, "fresh"), 7)).cut == {}
    assert set(verdict(short, cut_at(person(1, "fresh"), 11)).cut) == {"cbf"}


def test_a_model_that_kept_no_share_still_tells_a_cut(model) -> None:
    kept = {name: array for name, array in model.arrays().items() if name != "shown"}
    old = ReachModel.restored(kept)
    assert set(verdict(old, cut_at(person(2, "fresh"), 10)).cut) == {"cbf"}
    assert verdict(old, person(2, "fresh")).cut == {}


def test_p_is_the_share_of_training_people_as_strange(usual) -> None:
    ps = [each.p for each in usual]
    assert min(ps) >= 1 / 61
    assert max(ps) <= 1
    assert 0.3 < np.mean(ps) < 0.7


def test_p_below_a_twentieth_is_as_rare_as_it_says(model) -> None:
    """New people of the same kind, each judged among sessions that were left out themselves."""
    ps = np.array([verdict(model, person(i, "honest")).p for i in range(60)])
    assert (ps < 0.05).mean() <= 0.13
    assert (ps < 0.5).mean() == pytest.approx(0.5, abs=0.2)


def test_few_people_cannot_tell() -> None:
    few = [person(i) for i in range(19)]
    who = people_of(19)
    assert fit_reach(few, np.ones((19, 3), bool), BRAIN, spacing_mm=4.0, people=who) is None
    rare = np.ones((24, 3), bool)
    rare[:10, 1] = False
    made = fit_reach(
        (person(i) for i in range(24)), rare, BRAIN, spacing_mm=4.0, people=people_of(24)
    )
    assert made is not None
    assert sorted(made.usual) == ["T1w/level", "T1w/roughness", "cbf/level", "cbf/roughness"]
    assert made.judge(person(1), (False, True, False)) is None


def test_it_comes_back_from_its_arrays(model) -> None:
    again = ReachModel.restored(model.arrays())
    for i in range(5):
        values = lesion(person(i, "fresh"))
        assert verdict(again, values) == verdict(model, values)


def test_a_person_scanned_twice_is_left_out_whole() -> None:
    """Else a second visit of the same person would make everyone look usual."""
    values = [person(i // 2) for i in range(40)]
    twice = [Pseudonym(f"p{i // 2:03d}") for i in range(40)]
    apart = people_of(40)
    grouped, split = (
        fit_reach(values, np.ones((40, 3), bool), BRAIN, spacing_mm=4.0, people=who)
        for who in (twice, apart)
    )
    assert grouped is not None
    assert split is not None
    rest = 1  # column: T1w, level, rest
    assert grouped.center[rest] > split.center[rest]


def test_blocks_hold_brain_only_and_know_where_they_lie() -> None:
    made = blocks_of(BRAIN, SPACING_MM)
    assert not made.index[~BRAIN].any()
    assert len(made) == len(np.unique(made.index)) - 1
    level, rough = made.features(np.stack([BRAIN * np.float32(2)]))
    assert level == pytest.approx(np.full((1, len(made)), 2.0))
    assert np.nanmax(rough) < np.log(0.05)
