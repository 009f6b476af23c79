"""Tables of the learning curve: skill, the gain on the linear map, the gain of more pairs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.seeds import generator

Row = Mapping[str, Any]
RIVAL = "ridge"
_DRAWS = 2000


def show(rows: Sequence[Row]) -> None:
    """Print the tables of every design and size that was measured."""
    ordered = sorted(rows, key=lambda row: (row["design"], row["n"]))
    print("\n| design | pairs | skill | 95 % interval | slope | coverage | refused | CPU-s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for r in ordered:
        held = "" if r["coverage"] is None else format(r["coverage"], ".0%")
        print(
            f"| {r['design']} | {r['n']} | {r['skill']:+.2f} | {r['low']:+.2f} to {r['high']:+.2f} "
            f"| {r['slope']:.2f} | {held} | {r['refused']:.0%} | {r['cpu_s']:.0f} |"
        )
    found = {(r["design"], r["n"]): r for r in rows}
    sizes = sorted({n for _, n in found})
    _paired(found, sizes, f"against `{RIVAL}`", lambda _, n: (RIVAL, n))
    _paired(found, sizes, f"against {sizes[-1]} pairs", lambda design, _: (design, sizes[-1]))


def _paired(
    found: Mapping[tuple[str, int], Row],
    sizes: Sequence[int],
    title: str,
    rival: Callable[[str, int], tuple[str, int]],
) -> None:
    print(f"\n| skill {title} | " + " | ".join(map(str, sizes)) + " |")
    print("| --- |" + " --- |" * len(sizes))
    for design in sorted({design for design, _ in found}):
        cells = []
        for n in sizes:
            other = rival(design, n)
            known = (design, n) in found and other in found and other != (design, n)
            cells.append(_gain(found[design, n], found[other]) if known else "")
        if any(cells):
            print(f"| {design} | " + " | ".join(cells) + " |")


def _gain(row: Row, rival: Row) -> str:
    """Skill minus the rival's on the same people, who are drawn again for the interval."""
    n = len(row["base"])
    picks = generator("bench-curve-paired").integers(n, size=(_DRAWS, n))
    drawn = _skill(row, picks) - _skill(rival, picks)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{row['skill'] - rival['skill']:+.2f} ({low:+.2f} to {high:+.2f})"


def _skill(row: Row, picks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(draws,) skill of people drawn again."""
    error, base = np.array(row["error"])[picks], np.array(row["base"])[picks]
    skill: NDArray[np.float64] = 1 - error.mean(1) / base.mean(1)
    return skill
