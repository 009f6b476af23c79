"""The tables of the de-identification profiles that ship with the package."""

import importlib.resources
from importlib.resources.abc import Traversable

from tracerless.core.errors import ProfileError, did_you_mean


def names() -> tuple[str, ...]:
    """Profiles that ship with the package, sorted."""
    return tuple(sorted(each.name for each in _folder().iterdir() if each.is_dir()))


def read(name: str) -> dict[str, str]:
    """CSV texts of a profile by file stem, as ``deidentify.Profile.parse`` takes them.

    Raises:
        ProfileError: there is no profile of that name.
    """
    if name not in names():
        raise ProfileError(f"No profile is called {name!r}.", hint=did_you_mean(name, names()))
    tables = sorted(_folder().joinpath(name).iterdir(), key=lambda each: each.name)
    return {
        each.name.removesuffix(".csv"): each.read_text(encoding="utf-8")
        for each in tables
        if each.name.endswith(".csv")
    }


def _folder() -> Traversable:
    return importlib.resources.files("tracerless").joinpath("data", "profiles")
