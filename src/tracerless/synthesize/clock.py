"""How far a phase of training is: by its steps, or by its share of a time budget."""

import time
from collections.abc import Callable

KEPT_FOR_THE_END = 0.15
"""Share of a budget kept for what follows the last step: predicting held-out people, writing."""


class Clock:
    """Deals a time budget out to phases; without a budget no time ever passes.

    Args:
        budget_s: seconds for the whole run; None = as long as it takes.
        spent_s: of them, gone before: by reading, or by a run that was stopped.
        now: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        budget_s: float | None,
        spent_s: float = 0.0,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._now = now
        self._usable_s = None if budget_s is None else budget_s * (1 - KEPT_FOR_THE_END)
        self._began = now() - spent_s
        self._phase_from_s, self._phase_s = 0.0, float("inf")

    @property
    def spent_s(self) -> float:
        """Seconds since the run began, those of a stopped run among them."""
        return self._now() - self._began

    @property
    def left_s(self) -> float | None:
        """Seconds until the steps must end; None without a budget."""
        return None if self._usable_s is None else max(self._usable_s - self.spent_s, 0.0)

    def allot(self, n_steps: int, n_left: int) -> None:
        """Begin a phase: it gets its part of what is left.

        Args:
            n_steps: of this phase.
            n_left: of this phase and all that follow.
        """
        if self._usable_s is None:
            return
        self._phase_from_s = self.spent_s
        self._phase_s = max(self._usable_s - self.spent_s, 0.0) * n_steps / max(n_left, 1)

    def share(self) -> float:
        """How much of the phase's time is gone, 0-1; 0 without a budget."""
        if self._usable_s is None:
            return 0.0
        gone = self.spent_s - self._phase_from_s
        return min(gone / self._phase_s, 1.0) if self._phase_s > 0 else 1.0

    def facts(self) -> tuple[float, float, float]:
        """(spent, where the phase began, what it was given), for ``take_up``; zeros without one."""
        if self._usable_s is None:
            return 0.0, 0.0, 0.0
        return self.spent_s, self._phase_from_s, self._phase_s

    def take_up(self, facts: tuple[float, float, float]) -> None:
        """Go on where a stopped run stood; what this run spent so far counts too."""
        if self._usable_s is None:
            return
        spent, self._phase_from_s, self._phase_s = facts
        self._began -= spent
