"""The mean difference of control and label in the view, of the pairs that count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracerless.core.errors import QuantityError
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Quantity, Volume
from tracerless.prepare.asl_facts import Ledger
from tracerless.prepare.asl_frames import Frames, ordered, outliers
from tracerless.prepare.asl_motion import Motion
from tracerless.prepare.asl_sampling import FloatArray, View, blurred_for, sample, seen_share

MAX_LEFT_OUT = 0.5
"""When more pairs than this share are outliers, the series is refused."""
MAX_SHIFT_MM = 5.0
"""Movement of the brain's rim beyond which the session is to be looked at."""
_EMPTY = 0.02
_MAX_POINTS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Mean control minus label by delay (s), (I, J, K) each, and how many pairs are behind each.

    ``frames`` holds controls and labels as the voxels have them; ``source`` says what was done.
    """

    by_delay: Mapping[float, FloatArray]
    n_pairs: Mapping[float, int]
    frames: Frames
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """Volumes, where each goes, and whether each can be used."""

    volumes: Sequence[Volume]
    motion: Mapping[int, int]
    moved: Motion
    view: View

    def at(self, index: int, points: FloatArray) -> FloatArray:
        """One volume at points of the mean pose."""
        volume = blurred_for(self.volumes[index], self.view.grid)
        return sample(volume, points, self.moved.matrices[self.motion[index]])


def still_mean(volumes: Sequence[Volume], moved: Motion) -> Volume:
    """The mean of the volumes in their mean pose, on their own grid; NaN where none looks."""
    first = volumes[0]
    index = np.argwhere(np.ones(first.grid.shape, dtype=bool))
    points = (index @ first.grid.affine[:3, :3].T + first.grid.affine[:3, 3]).astype(np.float32)
    total, seen = np.zeros(len(points)), np.zeros(len(points))
    for volume, matrix, found in zip(volumes, moved.matrices, moved.found, strict=True):
        values = sample(volume, points, matrix)
        known = np.isfinite(values) & bool(found or not moved.found.any())
        total[known] += values[known]
        seen += known
    array = np.where(seen > 0, total / np.maximum(seen, 1), np.nan).reshape(first.grid.shape)
    return Volume(array.astype(np.float32), first.grid, Quantity.SIGNAL, first.contrast)


def differences(
    looked_at: tuple[NativeSeries, Frames, Motion],
    view: View,
    *,
    delays_s: Sequence[float],
    ledger: Ledger,
) -> Differences:
    """Average the pairs that count, each volume interpolated once.

    Args:
        looked_at: the series, its volumes by kind, and the poses of those that are used.
        view: where the difference is wanted.
        delays_s: one per volume of the series; empty when unknown: then all pairs are pooled.
        ledger: takes doubts about order and delays.

    Raises:
        ContrastError: which volumes are controls cannot be told.
        QuantityError: more than half of the pairs are outliers.
    """
    series, found, moved = looked_at
    used = found.deltam or found.signal
    stack = _Stack(series.volumes, {v: i for i, v in enumerate(used)}, moved, view)
    groups = _groups(found, delays_s, ledger)
    probes = view.points[view.brain]
    probes = probes[:: max(1, len(probes) // _MAX_POINTS)]
    at_probes = {index: stack.at(index, probes) for index in used}
    small = np.stack([_minus(at_probes, *pair) for pair in _pairs(found)])
    usable = _usable(found, at_probes, stack)
    bad = outliers(small, groups, usable)
    kept = [pair for pair in range(len(groups)) if pair not in bad]
    if len(kept) < (1 - MAX_LEFT_OUT) * len(groups) or not kept:
        raise QuantityError(
            f"{len(bad)} of {len(groups)} pairs of the ASL series are outliers; half may be.",
            hint="Look at the series: did the person move, or is the labeling broken?",
        )
    source = _told(found, bad, moved, ledger)
    if not found.deltam:
        found, share = ordered(found, small[kept], ledger)
        first = found.control[0] < found.label[0]
        source["order"] = "control first" if first else "label first"
        source["order_share"] = round(share, 3)
    return _averaged(stack, found, {pair: groups[pair] for pair in kept}, source)


def _pairs(found: Frames) -> list[tuple[int, int | None]]:
    if found.deltam:
        return [(index, None) for index in found.deltam]
    return list(zip(found.control, found.label, strict=True))


def _minus(values: Mapping[int, FloatArray], control: int, label: int | None) -> FloatArray:
    return values[control] if label is None else values[control] - values[label]


def _groups(found: Frames, delays_s: Sequence[float], ledger: Ledger) -> list[float]:
    """The delay of every pair; 0 where delays are unknown or do not fit."""
    pairs = _pairs(found)
    if not delays_s:
        return [0.0] * len(pairs)
    both = [(delays_s[a], delays_s[a if b is None else b]) for a, b in pairs]
    if any(a != b for a, b in both):
        text = "PostLabelingDelay differs between the control and the label of a pair"
        ledger.doubt(text, needs_look=True)
        return [0.0] * len(pairs)
    return [a for a, _ in both]


def _usable(found: Frames, at_probes: Mapping[int, FloatArray], stack: _Stack) -> list[bool]:
    """Whether every volume of a pair holds a signal and has a place."""
    levels = {i: float(np.abs(np.nan_to_num(v)).mean(dtype=float)) for i, v in at_probes.items()}
    usual = float(np.median(list(levels.values())))
    shares = {i: float(np.isfinite(values).mean()) for i, values in at_probes.items()}
    widest = max(shares.values())
    fine = {
        i: level > _EMPTY * usual
        and bool(stack.moved.found[stack.motion[i]])
        and shares[i] > 0.5 * widest
        for i, level in levels.items()
    }
    return [fine[a] and (b is None or fine[b]) for a, b in _pairs(found)]


def _averaged(
    stack: _Stack, found: Frames, kept: Mapping[int, float], source: Mapping[str, Any]
) -> Differences:
    shape = stack.view.grid.shape
    share = seen_share(stack.volumes, stack.view.points, stack.view.grid)
    pairs = _pairs(found)
    by_delay, n_pairs = {}, {}
    for delay_s in sorted(set(kept.values())):
        total, seen = np.zeros(shape), np.zeros(shape)
        mine = [pairs[pair] for pair, group in kept.items() if group == delay_s]
        for control, label in mine:
            values = stack.at(control, stack.view.points)
            if label is not None:
                values = values - stack.at(label, stack.view.points)
            known = np.isfinite(values)
            total[known] += values[known]
            seen += known
        enough = seen * 2 >= len(mine)
        average = np.where(enough, total / np.maximum(seen, 1), np.nan) / share
        by_delay[delay_s], n_pairs[delay_s] = average.astype(np.float32), len(mine)
    return Differences(by_delay, n_pairs, found, source)


def _told(found: Frames, bad: Mapping[int, str], moved: Motion, ledger: Ledger) -> dict[str, Any]:
    n = len(_pairs(found))
    source: dict[str, Any] = {
        "from": "perfusion-weighted difference" if found.deltam else "control minus label",
        "n_pairs": n - len(bad),
        "n_left_out": found.n_left_out,
        "rejected": {str(pair + 1): why for pair, why in sorted(bad.items())},
    }
    if not found.deltam:
        source["kinds"] = "AslContext" if found.is_stated else "brightness and order of the volumes"
        source["kinds_origin"] = ledger.origin("AslContext") if found.is_stated else "data"
        source["motion_max_mm"] = round(float(moved.shift_mm.max(initial=0.0)), 2)
        source["motion_median_mm"] = round(float(np.median(moved.shift_mm)), 2)
    return source
