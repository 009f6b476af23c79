"""The tables of the de-identification profiles: those of the package, and a user's own folder."""

import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path

from tracerless.core.errors import ProfileError, did_you_mean

BASE = "base"
"""The folder of the tables that all profiles share."""

OWN = "profile.csv"
"""A folder that holds this table is a profile."""


def names() -> tuple[str, ...]:
    """Profiles that ship with the package, sorted."""
    return tuple(sorted(each.name for each in _folder().iterdir() if each.joinpath(OWN).is_file()))


def read(name: str) -> dict[str, str]:
    """CSV texts of a profile by file stem, as ``deidentify.Profile.parse`` takes them.

    Args:
        name: of a profile that ships with the package, or the path of a folder that holds a
            ``profile.csv`` of one's own; its tables lie on top of the shared ones.

    Raises:
        ProfileError: there is no such profile, or a table is not UTF-8 text.
    """
    own: Traversable = Path(name)
    if name in names():
        own = _folder().joinpath(name)
    elif not own.joinpath(OWN).is_file():
        raise ProfileError(f"No profile is called {name!r}.", hint=did_you_mean(name, names()))
    return {**_tables(_folder().joinpath(BASE)), **_tables(own)}


def _tables(folder: Traversable) -> dict[str, str]:
    try:
        return {
            each.name.removesuffix(".csv"): each.read_text(encoding="utf-8")
            for each in sorted(folder.iterdir(), key=lambda each: each.name)
            if each.name.endswith(".csv")
        }
    except UnicodeDecodeError:
        raise ProfileError(
            f"A table of profile {folder.name!r} is not UTF-8 text.", hint="Save it as UTF-8."
        ) from None


def _folder() -> Traversable:
    return importlib.resources.files("tracerless").joinpath("data", "profiles")
