"""PET that lies elsewhere than MR: moved, turned, or with left and right exchanged."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tracerless.core.people import SessionKey
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast

CENTER_MM = (0.0, -18.0, 10.0)
"""About the middle of the brain in MNI space; heads are turned about it."""

Motion = Callable[[SessionKey], NDArray[np.float64]]
"""By session, where in PET a place of the template is read: 4x4, mm to mm."""


def mirror(_: SessionKey) -> NDArray[np.float64]:
    """Left and right exchanged, about the template's middle."""
    return np.diag([-1.0, 1.0, 1.0, 1.0])


def shifted(mm: float) -> Motion:
    """By so much, everybody into another direction."""

    def motion(key: SessionKey) -> NDArray[np.float64]:
        matrix = np.eye(4)
        matrix[:3, 3] = mm * _direction(key, f"shift {mm}")
        return matrix

    return motion


def turned(degrees: float) -> Motion:
    """By so much, everybody about another axis."""

    def motion(key: SessionKey) -> NDArray[np.float64]:
        matrix, center = np.eye(4), np.array(CENTER_MM)
        turn = np.radians(degrees) * _direction(key, f"turn {degrees}")
        matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
        matrix[:3, 3] = center - matrix[:3, :3] @ center
        return matrix

    return motion


def _direction(key: SessionKey, name: str) -> NDArray[np.float64]:
    """(3,) of length 1, any alike often."""
    drawn = generator("bench-pairs", name, str(key)).standard_normal(3)
    unit: NDArray[np.float64] = drawn / np.linalg.norm(drawn)
    return unit


def moved(session: Prepared, motion: Motion) -> Prepared:
    """The session with its PET moved, everything else left where it is."""
    pet = session.require(Contrast.FDG)
    pull = Affine(session.template, session.template, motion(session.key))
    made = resample(pet, pet.grid, pull)
    return replace(session, volumes={**session.volumes, Contrast.FDG: made})
