"""Whether scans look like those that a model learned from: no model knows what it never saw.

Each contrast is cut into blocks; the mean and the roughness of every block are compared with those
of the training people: as a whole, in the ways in which people differ (principal components), and
block by block in what those ways do not explain. How strange is too strange is read from training
people who were left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.blocks import Blocks, blocks_of
from tracerless.synthesize.channels import FULL_COVERAGE
from tracerless.synthesize.expected import half
from tracerless.synthesize.reach_usual import STATISTICS, Array, Usual, left_out, usual_of

MIN_SESSIONS = 20
"""With fewer sessions of a contrast nothing is said of it."""
MOST_SESSIONS = 300
"""More sessions than that tell no more; they are taken evenly."""
VERSIONS = 2
"""Each session counts as it is and as if it came from a finer grid."""
EDGE_P = 0.05
CUT_SHARE, CUT_MARGIN = 0.02, 0.02
"""Cut = less of the brain than all but this share of the training sessions show, by a margin."""
USUALLY_SHOWN = 0.85
"""Of the brain: what a model that kept no such number is taken to have seen at least."""
OUTSIDE_SHARE, MARGIN = 0.995, 0.5
"""Outside = stranger than this share of the training people, by so many of their standard
deviations; not than all of them, or one odd training scan would excuse every other."""
KINDS = ("level", "roughness")
N_COLUMNS = len(MR_INPUTS) * len(KINDS) * len(STATISTICS)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is strange.

    Args:
        contrast: of which scan.
        kind: ``level`` or ``roughness``.
        statistic: ``ways``, ``rest`` or ``worst``.
        strangeness: standard deviations above what is usual.
        block: place of the worst block among the model's blocks.
        sign: +1 more than usual there, -1 less.
    """

    contrast: str
    kind: str
    statistic: str
    strangeness: float
    block: int
    sign: int


@dataclass(frozen=True, slots=True)
class Judged:
    """How strange a session is.

    Args:
        verdict: ``inside``, ``edge`` or ``outside``.
        p: share of training people who look at least as strange, 0-1.
        findings: why.
        cut: contrasts that show less of the brain than in training people, and what share of it.
    """

    verdict: str
    p: float
    findings: tuple[Finding, ...]
    cut: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ReachModel:
    """What scans of training people look like.

    Args:
        blocks: how the brain is cut.
        usual: by contrast and kind, e.g. ``T1w/level``; a contrast that too few had is absent.
        center, scale: (18,) of every statistic over people who were left out.
        left_out: (2 n, 18) these statistics, standardized, the versions of a session one after
            the other; NaN for a contrast that is absent.
        shown: (3,) share of the brain that each contrast shows at least, as a rule.
    """

    blocks: Blocks
    usual: Mapping[str, Usual]
    center: NDArray[np.float32]
    scale: NDArray[np.float32]
    left_out: NDArray[np.float32]
    shown: NDArray[np.float32]

    def judge(self, values: NDArray[np.float32], present: Sequence[bool]) -> Judged | None:
        """The verdict over one session; None where no contrast of it is known to the model.

        Args:
            values: (3, i, j, k) normalised MR in the brain's box; 0 = not seen.
            present: (3,) which contrasts are there.
        """
        features = self.blocks.features(values)
        row = np.full(N_COLUMNS, np.nan)
        for name, columns in _columns():
            contrast, kind = name.split("/")
            place = [str(c) for c in MR_INPUTS].index(contrast)
            if name in self.usual and present[place]:
                found = features[KINDS.index(kind), place]
                row[columns] = self.usual[name].statistics(found)
        strange = ((row - self.center) / self.scale).astype(np.float64)
        used = np.isfinite(strange)
        if not used.any():
            return None
        others = self._others(used)
        if len(others) < MIN_SESSIONS:
            return None
        worst = float(strange[used].max())
        p = (1 + int((others >= worst).sum())) / (1 + len(others))
        outside = worst > float(np.quantile(others, OUTSIDE_SHARE)) + MARGIN
        limit = float(np.quantile(others, 1 - EDGE_P))
        findings = self._findings(strange, limit, features) if outside or p < EDGE_P else ()
        cut = self._cut(values, present)
        verdict = "outside" if outside else "edge" if p < EDGE_P or cut else "inside"
        return Judged(verdict, min(p, CUT_SHARE) if cut else p, findings, cut)

    def _others(self, used: NDArray[np.bool_]) -> Array:
        """(n,) how strange the training sessions that have these statistics were when left out.

        Each counts as its stranger version: whichever of them a new session is like, it is judged
        among sessions no less strange.
        """
        worst = self.left_out[:, used].max(axis=1).reshape(-1, VERSIONS).max(axis=1)
        found: Array = worst[np.isfinite(worst)].astype(np.float64)
        return found

    def _cut(self, values: NDArray[np.float32], present: Sequence[bool]) -> dict[str, float]:
        """Contrasts that show too little of the brain, with what they show."""
        shown = _shown(values, self.blocks)
        limits = np.minimum(self.shown - CUT_MARGIN, FULL_COVERAGE)
        return {
            str(contrast): float(shown[place])
            for place, contrast in enumerate(MR_INPUTS)
            if present[place] and f"{contrast}/level" in self.usual and shown[place] < limits[place]
        }

    def _findings(self, strange: Array, limit: float, features: Array) -> tuple[Finding, ...]:
        """The strangest statistic of every contrast that is beyond the limit, the worst first."""
        found = []
        for place, contrast in enumerate(MR_INPUTS):
            width = len(KINDS) * len(STATISTICS)
            mine = np.nan_to_num(strange[place * width : (place + 1) * width], nan=-np.inf)
            at = int(mine.argmax())
            if mine[at] < limit:
                continue
            kind, statistic = KINDS[at // len(STATISTICS)], STATISTICS[at % len(STATISTICS)]
            rest = self.usual[f"{contrast}/{kind}"].left(features[KINDS.index(kind), place])
            block = int(np.nanargmax(np.abs(rest)))
            sign = 1 if rest[block] > 0 else -1
            found.append(Finding(str(contrast), kind, statistic, float(mine[at]), block, sign))
        return tuple(sorted(found, key=lambda each: -each.strangeness))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, by name; float16 where the numbers are such."""
        kept: dict[str, NDArray[Any]] = {
            "center": self.center,
            "scale": self.scale,
            "left_out": self.left_out.astype(np.float16),
            "blocks": self.blocks.index,
            "spacing_mm": np.array([self.blocks.spacing_mm]),
            "shown": self.shown,
        }
        for name, usual in self.usual.items():
            for part in ("mean", "ways", "spreads", "rest"):
                kept[f"usual/{name}/{part}"] = getattr(usual, part).astype(np.float16)
        return kept

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]]) -> "ReachModel":
        """From what ``arrays`` returned.

        Raises:
            KeyError: a part is missing.
        """
        names = {name.rsplit("/", 1)[0].removeprefix("usual/") for name in arrays if "/" in name}
        usual = {
            name: Usual(
                *(arrays[f"usual/{name}/{part}"].astype(np.float32)
                  for part in ("mean", "ways", "spreads", "rest"))
            )
            for name in sorted(names)
        }  # fmt: skip
        return cls(
            Blocks(arrays["blocks"], float(arrays["spacing_mm"][0])),
            usual,
            arrays["center"],
            arrays["scale"],
            arrays["left_out"].astype(np.float32),
            arrays.get("shown", half(np.full(len(MR_INPUTS), USUALLY_SHOWN + CUT_MARGIN))),
        )


def fit_reach(
    values: Iterable[NDArray[np.float32]],
    present: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    *,
    spacing_mm: float,
    people: Sequence[Pseudonym],
) -> ReachModel | None:
    """What the scans of the training people look like; None with too few sessions.

    Each session counts as it is, and softened as if it came from a finer grid: on which grid a scan
    was prepared is nothing strange.

    Args:
        values: (3, i, j, k) each: normalised MR in the brain's box, as the network sees it without
            augmentation.
        present: (N, 3) which contrasts there are.
        brain: (i, j, k) in the box.
        spacing_mm: voxel edge.
        people: whose sessions; a person is left out whole.
    """
    if len(people) < MIN_SESSIONS:
        return None
    blocks = blocks_of(brain, spacing_mm)
    some = np.unique(np.linspace(0, len(people) - 1, MOST_SESSIONS).round().astype(np.intp))
    chosen = set(some.tolist())
    seen = [
        (*blocks.both(each), _shown(each, blocks))
        for row, each in enumerate(values)
        if row in chosen
    ]
    features = np.stack([version for *versions, _ in seen for version in versions])
    least = _least(np.stack([shown for *_, shown in seen]), present[some])
    people = [people[row] for row in some for _ in range(VERSIONS)]
    usual, raw = _statistics(features, np.repeat(present[some], VERSIONS, axis=0), people)
    if not usual:
        return None
    center = half(np.nan_to_num(_over(np.nanmedian, raw)))
    scale = half(np.maximum(np.nan_to_num(_over(np.nanstd, raw), nan=1.0), 1e-2))
    return ReachModel(blocks, usual, center, scale, half((raw - center) / scale), least)


def _statistics(
    features: Array, present: NDArray[np.bool_], people: Sequence[Pseudonym]
) -> tuple[dict[str, Usual], Array]:
    """What is usual, by contrast and kind, and (n, 18) statistics of those who were left out."""
    usual, raw = {}, np.full((len(people), N_COLUMNS), np.nan)
    for name, columns in _columns():
        contrast, kind = name.split("/")
        place = [str(c) for c in MR_INPUTS].index(contrast)
        rows = np.flatnonzero(present[:, place])
        if len(rows) < VERSIONS * MIN_SESSIONS:
            continue
        found = features[rows, KINDS.index(kind), place]
        usual[name] = usual_of(found)
        raw[rows, columns] = left_out(found, [people[row] for row in rows])
    return usual, raw


def _shown(values: NDArray[np.float32], blocks: Blocks) -> Array:
    """(3,) share of the blocks' voxels that each contrast shows."""
    found: Array = (values[:, blocks.index > 0] != 0).mean(axis=1)
    return found


def _least(shown: Array, present: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(3,) what each contrast shows at least in all but a few of the sessions that have it."""
    having = np.where(present, shown, np.nan)
    least = _over(lambda rows, axis: np.nanquantile(rows, CUT_SHARE, axis=axis), having)
    return half(np.nan_to_num(least, nan=1.0))


def _columns() -> list[tuple[str, slice]]:
    """Names of contrast and kind, and the columns of their statistics."""
    names = [f"{contrast}/{kind}" for contrast in MR_INPUTS for kind in KINDS]
    n = len(STATISTICS)
    return [(name, slice(at * n, at * n + n)) for at, name in enumerate(names)]


def _over(measure: Any, raw: Array) -> Array:
    """A measure of every column that holds a number; NaN for the others."""
    known = np.isfinite(raw).any(axis=0)
    found = np.full(raw.shape[1], np.nan)
    found[known] = measure(raw[:, known], axis=0)
    return found
