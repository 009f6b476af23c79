"""Whether scans look like those that a model learned from: no model knows what it never saw.

Each contrast is cut into blocks; the mean and the roughness of every block are compared with those
of the training people: as a whole, in the ways in which people differ (principal components), and
block by block in what those ways do not explain. How strange is too strange is read from training
people who were left out.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.blocks import Blocks, blocks_of
from tracerless.synthesize.calibration import owners
from tracerless.synthesize.expected import half

MIN_SESSIONS = 20
"""With fewer sessions of a contrast nothing is said of it."""
MOST_SESSIONS = 300
"""More sessions than that tell no more; they are taken evenly."""
VERSIONS = 2
"""Each session counts as it is and as if it came from a finer grid."""
EDGE_P = 0.05
OUTSIDE_SHARE, MARGIN = 0.995, 0.5
"""Outside = stranger than this share of the training people, by so many of their standard
deviations; not than all of them, or one odd training scan would excuse every other."""
_N_FOLDS = 5
_MOST_WAYS = 24
_ROWS_A_WAY = 8
KINDS = ("level", "roughness")
STATISTICS = ("ways", "rest", "worst")
N_COLUMNS = len(MR_INPUTS) * len(KINDS) * len(STATISTICS)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """How blocks of one contrast usually are, in one respect.

    Args:
        mean: (B,).
        ways: (K, B) orthonormal directions in which people differ.
        spreads: (K,) standard deviation along each.
        rest: (B,) standard deviation of what they leave.
    """

    mean: NDArray[np.float32]
    ways: NDArray[np.float32]
    spreads: NDArray[np.float32]
    rest: NDArray[np.float32]

    def left(self, blocks: Array) -> Array:
        """(B,) what the ways do not explain, in standard deviations; NaN stays NaN."""
        gone = np.nan_to_num(blocks - self.mean)
        rest = gone - (self.ways @ gone) @ self.ways
        found: Array = np.where(np.isfinite(blocks), rest / self.rest, np.nan)
        return found

    def statistics(self, blocks: Array) -> Array:
        """(3,) logarithms of the distances along the ways, of the rest, of its worst block."""
        gone = np.nan_to_num(blocks - self.mean)
        amounts = (self.ways @ gone) / self.spreads
        rest = np.abs(self.left(blocks))
        along = float(np.sqrt(np.mean(amounts**2))) if len(amounts) else 1.0
        found = (along, float(np.sqrt(np.nanmean(rest**2))), float(np.nanmax(rest)))
        return np.asarray(np.log(np.maximum(found, 1e-6)))


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
    """A verdict among inside, edge, outside; the share of training people as strange; why."""

    verdict: str
    p: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReachModel:
    """What scans of training people look like.

    Args:
        blocks: how the brain is cut.
        usual: by contrast and kind, e.g. ``T1w/level``; a contrast that too few had is absent.
        center, scale: (18,) of every statistic over people who were left out.
        left_out: (2 n, 18) these statistics, standardized; NaN for a contrast that is absent.
    """

    blocks: Blocks
    usual: Mapping[str, Usual]
    center: NDArray[np.float32]
    scale: NDArray[np.float32]
    left_out: NDArray[np.float32]

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
        others = self.left_out[:, used]
        others = others[np.isfinite(others).all(axis=1)].max(axis=1)
        if len(others) < VERSIONS * MIN_SESSIONS:
            return None
        worst = float(strange[used].max())
        p = (VERSIONS + int((others >= worst).sum())) / (VERSIONS + len(others))
        outside = worst > float(np.quantile(others, OUTSIDE_SHARE)) + MARGIN
        verdict = "outside" if outside else "edge" if p < EDGE_P else "inside"
        limit = float(np.quantile(others, 1 - EDGE_P))
        findings = () if verdict == "inside" else self._findings(strange, limit, features)
        return Judged(verdict, min(p, 1.0), findings)

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
    pairs = (blocks.both(each) for row, each in enumerate(values) if row in chosen)
    features = np.stack([*itertools.chain.from_iterable(pairs)])
    present = np.repeat(present[some], VERSIONS, axis=0)
    people = [people[row] for row in some for _ in range(VERSIONS)]
    usual, raw = {}, np.full((len(people), N_COLUMNS), np.nan)
    for name, columns in _columns():
        contrast, kind = name.split("/")
        place = [str(c) for c in MR_INPUTS].index(contrast)
        rows = np.flatnonzero(present[:, place])
        if len(rows) < VERSIONS * MIN_SESSIONS:
            continue
        found = features[rows, KINDS.index(kind), place]
        usual[name] = _usual(found)
        raw[rows, columns] = _left_out(found, [people[row] for row in rows])
    if not usual:
        return None
    center = half(np.nan_to_num(_over(np.nanmedian, raw)))
    scale = half(np.maximum(np.nan_to_num(_over(np.nanstd, raw), nan=1.0), 1e-2))
    return ReachModel(blocks, usual, center, scale, half((raw - center) / scale))


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


def _left_out(blocks: Array, people: Sequence[Pseudonym]) -> Array:
    """(n, 3) statistics of each session against people of other folds."""
    fold = owners(people)[0] % _N_FOLDS
    found = np.zeros((len(blocks), len(STATISTICS)))
    for each in np.unique(fold):
        usual = _usual(blocks[fold != each])
        for row in np.flatnonzero(fold == each):
            found[row] = usual.statistics(blocks[row])
    return found


def _usual(blocks: Array) -> Usual:
    """(n, B) blocks of people; NaN counts as the mean."""
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0).sum(axis=0)
    mean = total / np.maximum(known.sum(axis=0), 1)
    gone = np.where(known, blocks - mean, 0)
    n = len(gone)
    powers, vectors = np.linalg.eigh(gone @ gone.T)
    count = min(n // _ROWS_A_WAY, _MOST_WAYS)
    kept = [i for i in np.argsort(powers)[::-1][:count] if powers[i] > 1e-9 * powers[-1]]
    ways = half((vectors[:, kept] / np.sqrt(powers[kept])).T @ gone)
    spreads = np.sqrt(powers[kept] / n)
    rest = gone - (gone @ ways.T) @ ways
    size = np.sqrt((rest**2).sum(axis=0) / max(n - len(kept), 1))
    size = np.sqrt((n * size**2 + 10 * np.mean(size**2)) / (n + 10))
    return Usual(half(mean), ways, half(spreads), half(np.maximum(size, 1e-3)))
