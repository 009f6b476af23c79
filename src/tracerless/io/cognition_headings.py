"""What the headings of a table of scores mean besides scores: person, visit, date, identifiers."""

import functools
from collections.abc import Mapping
from types import MappingProxyType

from tracerless.core.cognition import folded
from tracerless.io.cognition import rows


@functools.cache
def roles() -> Mapping[str, str]:
    """Role (``person``, ``date``, ``value``, ``identifier`` …) by folded heading."""
    return MappingProxyType({folded(row["heading"]): row["role"] for row in rows("headings")})
