"""The walk over one instance: every attribute at every depth meets the profile's rules.

What no rule lists does not cross. Nothing is edited in place: the clean instance is built up from
what may cross, so a forgotten case is a missing attribute, never a leak.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator

from pydicom import Dataset

from tracerless.core.errors import DicomError, ProfileError
from tracerless.core.volume import Contrast
from tracerless.deidentify import removed, suv
from tracerless.deidentify.actions import Dates
from tracerless.deidentify.burned_comments import strip_pixel_data
from tracerless.deidentify.container import file_meta, trim_pixels
from tracerless.deidentify.keys import Keys
from tracerless.deidentify.known import known_values
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.refuse import refusal, undecodable
from tracerless.deidentify.stamp import stamp
from tracerless.deidentify.values import CleanIdentity, CleanInstance, Refusal
from tracerless.deidentify.walk import MAX_DEPTH, TooDeepError, Walk


def instance(
    dataset: Dataset,
    *,
    profile: Profile,
    keys: Keys,
    person: CleanIdentity,
    contrast: Contrast,
) -> CleanInstance | Refusal:
    """The part of an instance that may cross the border, stamped with what was done.

    Args:
        dataset: with pixels and file meta; left as it is.
        profile: the policy.
        keys: of the vault.
        person: who it belongs to past the border.
        contrast: decided before the border; becomes the series description.

    Returns:
        The clean instance, or why it stays outside.

    Raises:
        ProfileError: the policy moves dates, and the person's offset is zero.
    """
    require_offset(profile, person)
    with silent_reader():
        reason = refusal(dataset, profile)
        if reason is not None:
            return reason
        known = known_values(dataset, profile.hunted)
        walk = Walk(profile, str(dataset.SOPClassUID), keys, person, known)
        try:
            clean = walk.level(dataset, 0)
            walk.mosaic(dataset, clean)
        except TooDeepError:
            return Refusal("unreadable", f"Sequences are nested deeper than {MAX_DEPTH}.")
        meta, preamble = getattr(dataset, "file_meta", Dataset()), getattr(dataset, "preamble", b"")
        walk.removed.update(removed.of_container(meta, preamble or b""))
        reason = undecodable(clean)
        if reason is not None:
            return reason
        clean.file_meta = file_meta(dataset, clean)
        trim_pixels(clean)
        try:
            strip_pixel_data(clean)
        except DicomError as error:
            return Refusal("unreadable", error.message)
        suv.carry(dataset, clean, profile)
        stamp(clean, profile, person.pseudonym, contrast)
    return CleanInstance(clean, walk.audit(), frozenset(walk.removed))


def require_offset(profile: Profile, person: CleanIdentity) -> None:
    """Refuse to call unmoved dates moved.

    Raises:
        ProfileError: the policy moves dates, and the person's offset is zero.
    """
    if profile.dates is Dates.SHIFT and person.shift_days == 0:
        raise ProfileError(
            f"Profile {profile.name} moves dates, but by 0 days.",
            hint="Derive the offset with deidentify.keys.shift_days.",
        )


@contextlib.contextmanager
def silent_reader() -> Iterator[None]:
    """The reader quotes values that break their type, in warnings and in its log; not here."""
    reader = logging.getLogger("pydicom")
    level = reader.level
    reader.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        reader.setLevel(level)
