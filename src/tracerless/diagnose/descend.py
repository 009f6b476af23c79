"""Limited-memory quasi-Newton descent to the minimum of a smooth function.

A general-purpose library call costs ten times the function itself at this size.
"""

from collections.abc import Callable

import numpy as np

from tracerless.core.steps import Array

_MEMORY = 12
_ENOUGH = 1e-4
_SHORTEST = 1e-8


def descend(
    function: Callable[[Array], tuple[float, Array]],
    start: Array,
    *,
    max_steps: int = 200,
    tolerance: float = 1e-6,
) -> Array:
    """Where ``function`` (value, gradient) stops falling.

    Args:
        function: smooth, bounded below.
        start: (d,).
        max_steps: of the outer iteration.
        tolerance: relative fall over the last five steps below which it stops.

    Source:
        Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.4, with backtracking
        to a sufficient fall; a pair of changes without positive curvature is not remembered.
    """
    at, (value, slope) = start, function(start)
    moves: list[Array] = []
    turns: list[Array] = []
    values = [value]
    for _ in range(max_steps):
        direction = _direction(slope, moves, turns)
        fall = float(direction @ slope)
        if not fall < 0:
            moves, turns, direction = [], [], -slope
            fall = float(direction @ slope)
            if not fall < 0:
                break
        reach = 1.0 if moves else min(1.0, 1 / float(np.abs(slope).sum() + 1e-300))
        there, new, steeper = _step(function, at, direction, value=value, fall=fall, reach=reach)
        if new >= value:
            break
        _remember(moves, turns, there - at, steeper - slope)
        at, value, slope = there, new, steeper
        values.append(value)
        if len(values) > 5 and values[-6] - value <= tolerance * max(abs(value), 1e-12):
            break
    return at


def _direction(slope: Array, moves: list[Array], turns: list[Array]) -> Array:
    """Minus the inverse curvature, as far as remembered, times the gradient."""
    direction = -slope
    if not moves:
        return direction
    rhos = [1 / float(move @ turn) for move, turn in zip(moves, turns, strict=True)]
    alphas = []
    for move, turn, rho in zip(reversed(moves), reversed(turns), reversed(rhos), strict=True):
        alpha = rho * float(move @ direction)
        direction = direction - alpha * turn
        alphas.append(alpha)
    direction = direction * (1 / (rhos[-1] * float(turns[-1] @ turns[-1])))
    for move, turn, rho, alpha in zip(moves, turns, rhos, reversed(alphas), strict=True):
        direction = direction + (alpha - rho * float(turn @ direction)) * move
    return direction


def _step(
    function: Callable[[Array], tuple[float, Array]],
    at: Array,
    direction: Array,
    *,
    value: float,
    fall: float,
    reach: float,
) -> tuple[Array, float, Array]:
    """Half the step until the function falls enough; the last trial when it never does."""
    while True:
        there = at + reach * direction
        new, slope = function(there)
        if new <= value + _ENOUGH * reach * fall or reach < _SHORTEST:
            return there, new, slope
        shorter = -fall * reach**2 / (2 * (new - value - fall * reach))
        reach = min(max(shorter, 0.1 * reach), 0.5 * reach)


def _remember(moves: list[Array], turns: list[Array], move: Array, turn: Array) -> None:
    if float(move @ turn) > 1e-10 * float(turn @ turn):
        moves.append(move)
        turns.append(turn)
    if len(moves) > _MEMORY:
        del moves[0], turns[0]
