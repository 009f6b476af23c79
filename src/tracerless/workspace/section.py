"""What sections of an evaluation hand to each other."""

from collections.abc import Callable

import pandas as pd

Advance = Callable[[int, int, str], None]
"""Told (done, total, what is being done)."""

Found = tuple[dict[str, pd.DataFrame], list[str]]
"""Tables of ``core.assessment.TABLES``, and sentences that stand beside them."""
