"""How a training run is watched, kept and bounded."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after a step.

    Args:
        step: steps done, over all members.
        steps: as many as there would be without a budget.
        loss: of the network that answers, SUVR; of the velocity in a flow's second phase, squared
            units of the residual.
        skill: on held-out people, when it was just measured.
        share: of the run that is done, 0-1, by steps or by time.
        left_s: seconds left, when that can be told.
        member: which of the ensemble, from 0.
        part: that the loss is of: ``answer``, or ``velocity``.
    """

    step: int
    steps: int
    loss: float
    skill: float | None
    share: float = 0.0
    left_s: float | None = None
    member: int = 0
    part: str = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a run is watched and kept."""

    progress: Callable[[Progress], None] | None = None
    """Called after each step."""
    save_state: Callable[[bytes], None] | None = None
    """Given ``TrainingState.to_bytes()`` now and then; must write all or nothing."""
    save_every: int = 50
    """Steps between two saves, at least."""
    save_after_s: float = 0.0
    """Seconds between two saves, at least; where steps are fast, saving would cost more."""
    check_every: int = 150
    """Steps between two measurements on held-out people."""
    threads: int = 1
    """Torch threads; recorded, because another number may change the last bits. One costs least
    CPU time on the small grids that the presets are for."""
    device: str = "auto"
    """``cpu``, ``cuda``, or ``auto`` for a GPU where there is one. The same bytes come only of the
    same device."""
    is_alone: bool = False
    """Whether this process learns by itself, though ``torchrun`` started others."""
    budget_s: float | None = None
    """Seconds that the run may take; the learning rate falls in time to end whole."""
    spent_s: float = 0.0
    """Of the budget, what is gone before training starts."""
    events: Callable[[str, float, int], None] | None = None
    """Called with a name, a number and the step: what a board of curves shows."""
