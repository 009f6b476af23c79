"""Which volumes of a labeling series are control, label, M0 or difference; which pairs count."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ContrastError
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast
from tracerless.prepare.asl_facts import Ledger

M0_BRIGHTNESS = 2.0
"""A volume of an ASL series this many times brighter than its darker ones (25th percentile of those
that are not empty) is its M0. Measured on four Siemens series: 2082 against 340; background
suppression makes the gap. With a delay stated per volume only one with a delay of 0 can be M0:
static signal changes with the delay."""
MIN_ORDER_SHARE = 0.6
"""Control is brighter than label in more than this share of the brain, else the order is unknown.
Measured on four Siemens series: .79, .97, .78, .97."""
MIN_PAIRS_TO_JUDGE = 5
"""From so many pairs of one delay on, a pair can be an outlier among them."""
OUTLIER_Z, OUTLIER_Z_OF_FEW = 4.0, 200.0
"""Robust standard deviations beyond which one of n pairs is left out: the first number plus the
second over n squared, because few pairs have an unsure spread. The widest of n sound (Gaussian)
pairs lies further out in about 1 % of series."""
_LEAST_SPREAD = 0.1
"""Pairs are never held closer together than this share of their median spread."""
_EMPTY = 0.02
_WORDS = {"control", "label", "m0scan", "deltam", "cbf"}


@dataclass(frozen=True, slots=True)
class Frames:
    """Indices of volumes by what they are; ``control[i]`` and ``label[i]`` are one pair.

    ``is_stated``: from ``AslContext``; else which of a pair is the control is a guess, until
    ``ordered``. ``n_left_out``: volumes without a partner.
    """

    m0: tuple[int, ...] = ()
    control: tuple[int, ...] = ()
    label: tuple[int, ...] = ()
    deltam: tuple[int, ...] = ()
    cbf: tuple[int, ...] = ()
    is_stated: bool = False
    n_left_out: int = 0

    @property
    def signal(self) -> tuple[int, ...]:
        """Controls and labels in the order of the series."""
        return tuple(sorted((*self.control, *self.label)))

    @property
    def alternation(self) -> NDArray[np.float64]:
        """+1 for a control and -1 for a label, in the order of ``signal``; zeros when in blocks."""
        is_control = [index in self.control for index in self.signal]
        runs = sum(a != b for a, b in itertools.pairwise(is_control))
        if runs < len(self.control):
            return np.zeros(len(is_control))
        return np.where(is_control, 1.0, -1.0)


def frames(series: NativeSeries, ledger: Ledger) -> Frames:
    """The volumes by kind, from ``AslContext`` where it is stated, else from their brightness.

    Raises:
        ContrastError: there is no pair and no difference among them.
    """
    n = len(series.volumes)
    context = series.sidecar.get("AslContext")
    if context is not None and (len(context) != n or not set(context) <= _WORDS):
        text = (
            f"AslContext names {len(context)} volumes of kinds {', '.join(sorted(_WORDS))} at most"
        )
        ledger.doubt(f"{text}; {n} expected", needs_look=True)
        context = None
    if context is not None:
        found = _stated(context)
    elif series.contrast is Contrast.DELTAM:
        found = Frames(deltam=tuple(range(n)))
    elif series.contrast is Contrast.CBF:
        found = Frames(cbf=tuple(range(n)))
    else:
        found = _bright(series)
    if not (found.control or found.deltam or found.cbf):
        raise ContrastError(
            f"The ASL series has {n - len(found.m0)} volume(s) beside M0; a pair is needed.",
            hint="Check that the whole series arrived.",
        )
    return found


def ordered(
    found: Frames, differences: NDArray[np.float32], ledger: Ledger
) -> tuple[Frames, float]:
    """Controls and labels as the voxels have them, and in which share of the brain they do.

    Args:
        found: pairs as stated or guessed.
        differences: (pairs, n) control minus label at points of the brain, of the pairs that count.
        ledger: takes a doubt when the voxels contradict or cannot confirm what is stated.

    Raises:
        ContrastError: nothing is stated and the voxels do not tell.
    """
    known = np.isfinite(differences).all(axis=0)
    change = differences[:, known].sum(axis=0, dtype=np.float64)
    share = float((change > 0).mean()) if known.any() else 0.5
    tells = max(share, 1 - share) >= MIN_ORDER_SHARE
    if not tells and not found.is_stated:
        raise ContrastError(
            f"Control and label cannot be told apart: the first of each pair is brighter in "
            f"{share:.0%} of the brain, more than {MIN_ORDER_SHARE:.0%} of either expected.",
            hint="Check that the series is ASL with alternating control and label volumes.",
        )
    if not tells:
        text = f"the voxels do not confirm AslContext: control is brighter in {share:.0%} of brain"
        ledger.doubt(text, needs_look=True)
        return found, share
    if share >= 0.5:
        return found, share
    if found.is_stated:
        text = (
            f"AslContext is contradicted: its labels are brighter in {1 - share:.0%} of the brain"
        )
        ledger.doubt(text, needs_look=True)
    return replace(found, control=found.label, label=found.control), 1 - share


def outliers(
    differences: NDArray[np.float32], groups: Sequence[float], usable: Sequence[bool]
) -> dict[int, str]:
    """Pairs that should not count, and why.

    Args:
        differences: (pairs, n) control minus label at points of the brain.
        groups: delay of every pair; pairs are compared within a delay only.
        usable: False for a pair of which a volume is empty or could not be placed.
    """
    bad = {
        pair: "a volume is empty, or its place was not found"
        for pair, fine in enumerate(usable)
        if not fine
    }
    for delay in sorted(set(groups)):
        mine = [p for p, group in enumerate(groups) if group == delay and p not in bad]
        if len(mine) < MIN_PAIRS_TO_JUDGE:
            continue
        level = np.nanmean(differences[mine].astype(np.float64), axis=1)
        spread = np.nanstd(differences[mine].astype(np.float64), axis=1)
        limit = OUTLIER_Z + OUTLIER_Z_OF_FEW / len(mine) ** 2
        least = _LEAST_SPREAD * float(np.median(spread))
        measures = {"mean": (level, least), "spread": (np.log(np.maximum(spread, 1e-12)), 0.1)}
        for name, (values, floor) in measures.items():
            off = values - np.median(values)
            z = off / max(1.4826 * float(np.median(np.abs(off))), floor, 1e-12)
            for pair, score in zip(mine, z.tolist(), strict=True):
                if abs(score) > limit and (name == "mean" or score > 0):
                    bad.setdefault(pair, f"{name} of the difference at z={score:.1f}")
    return bad


def _stated(context: Sequence[str]) -> Frames:
    by_kind = {kind: tuple(i for i, word in enumerate(context) if word == kind) for kind in _WORDS}
    n_pairs = min(len(by_kind["control"]), len(by_kind["label"]))
    n_left_out = len(by_kind["control"]) + len(by_kind["label"]) - 2 * n_pairs
    return Frames(
        by_kind["m0scan"],
        by_kind["control"][:n_pairs],
        by_kind["label"][:n_pairs],
        by_kind["deltam"],
        by_kind["cbf"],
        is_stated=True,
        n_left_out=n_left_out,
    )


def _bright(series: NativeSeries) -> Frames:
    """M0 by its brightness; the rest in pairs, the first of each guessed to be the control."""
    stack = np.stack([np.nan_to_num(each.array) for each in series.volumes])
    mean = stack.mean(axis=0, dtype=np.float64)
    inside = mean >= 0.3 * np.percentile(mean, 98)
    levels = np.array([each[inside].mean(dtype=np.float64) for each in stack])
    full = levels[levels > _EMPTY * max(float(levels.max()), 0.0)]
    dark = float(np.percentile(full, 25)) if full.size else np.inf
    is_m0 = levels > M0_BRIGHTNESS * dark
    delays_s = series.sidecar.get("PostLabelingDelay")
    if isinstance(delays_s, list | tuple) and len(delays_s) == len(levels):
        is_m0 &= np.array([delay == 0 for delay in delays_s])
    rest = np.flatnonzero(~is_m0).tolist()
    n_pairs = len(rest) // 2
    return Frames(
        m0=tuple(np.flatnonzero(is_m0).tolist()),
        control=tuple(rest[0 : 2 * n_pairs : 2]),
        label=tuple(rest[1 : 2 * n_pairs : 2]),
        n_left_out=len(rest) - 2 * n_pairs,
    )
