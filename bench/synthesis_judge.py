"""The same questions to every contender: regions, differences between people, AD or not."""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracerless.core.atlas import Atlas
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.evaluate.measures import absolute, covered, skill_over_people, slope
from tracerless.io import resources
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.training import pairs
from tracerless.workspace.training_pairs import known_people

Cells = NDArray[np.float64]
Predict = Callable[[Prepared], tuple[NDArray[np.float32], dict[str, float]]]
"""(SUVR on the session's grid, half-widths by region; empty when it has no intervals)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Whom to learn from, whom to be measured on, and for how long to learn."""

    training: Path
    judged: Path
    budget_s: float

    def learned(self) -> Iterator[Prepared]:
        """Sessions to learn from."""
        return pairs(Dataset.open(self.training))

    def unseen(self) -> Iterator[Prepared]:
        """Sessions of people that nobody learned from."""
        return pairs(Dataset.open(self.judged))

    @property
    def voxel_mm(self) -> float:
        """Edge of the prepared grid."""
        return float(next(self.unseen()).grid.spacing_mm[0])

    def atlas(self) -> Atlas:
        """Of the training people, on the prepared grid."""
        dataset = Dataset.open(self.training)
        return resources.atlas(dataset.recipe.prepare.atlas, self.voxel_mm, dataset.root)

    @property
    def reference(self) -> str:
        """Reference region of the SUVR."""
        return Dataset.open(self.training).recipe.prepare.reference_fdg


def acquired(task: Task) -> dict[str, Any]:
    """What PET itself says: the ceiling of the AUC."""
    atlas = task.atlas()
    truth = np.array([_fdg(session, atlas) for session in task.unseen()])
    return {"who": "acquired PET", "auc": _auc(task, truth)}


def told_by_the_mean(task: Task) -> dict[str, Any]:
    """The mean of the training people: skill 0 by definition."""
    base = mean_of(task)

    def predict(_: Prepared) -> tuple[NDArray[np.float32], dict[str, float]]:
        return base, {}

    return {"who": "mean of the people", **judge(task, predict)} | {"volume_s": None}


def mean_of(task: Task) -> NDArray[np.float32]:
    """(I, J, K) mean SUVR of all training people; NaN where none was seen."""
    total, seen = 0.0, 0.0
    for session in task.learned():
        array = session.require(Contrast.FDG).array.astype(np.float64)
        total, seen = total + np.nan_to_num(array), seen + np.isfinite(array)
    mean = np.where(seen > 0, total / np.maximum(seen, 1), np.nan)
    return np.asarray(mean, dtype=np.float32)


def judge(task: Task, predict: Predict) -> dict[str, Any]:
    """Skill against the mean, slope, coverage, AUC and cost of a volume, over unseen people."""
    atlas, mean = task.atlas(), mean_of(task)
    base = regions(mean, atlas)
    truth, made, half, people, spent = [], [], [], [], 0.0
    for session in task.unseen():
        before = time.process_time()
        array, widths = predict(session)
        spent += time.process_time() - before
        truth.append(_fdg(session, atlas))
        made.append(regions(array, atlas))
        half.append([widths.get(region.key, np.nan) for region in atlas.regions])
        people.append(str(session.key.person))
    t, m = np.array(truth), np.array(made)
    return {
        **measured(t, m, np.broadcast_to(base, t.shape), np.array(half), people),
        "auc": _auc(task, m),
        "volume_s": spent / len(people),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measured(
    truth: Cells, made: Cells, base: Cells, half_widths: Cells, people: Sequence[str]
) -> dict[str, Any]:
    """Skill with its interval, slope and coverage of (n, R) regional values, one row a person."""
    error, worst = absolute(truth, made, base)
    found = skill_over_people(error, worst, np.array(people), "bench-synthesis")
    share = covered(truth, made, half_widths)[0]
    slopes = [slope(truth[:, r], made[:, r]) for r in range(truth.shape[1])]
    return {
        "skill": found.value,
        "low": found.low,
        "high": found.high,
        "slope": float(np.nanmean(slopes)),
        "coverage": None if np.isnan(share) else share,
    }


def _auc(task: Task, uptake: Cells) -> float | None:
    """AD against CN from regional values, each person predicted by folds without them.

    None where either has fewer people than folds, or where all values are alike.
    """
    facts = known_people(Dataset.open(task.judged))
    named = [facts[s.key.person].diagnosis for s in task.unseen()]
    kept = np.array([name in {"AD", "CN"} for name in named])
    label = np.array([name == "AD" for name in named])[kept]
    values = np.nan_to_num(uptake[kept])
    if min(label.sum(), (~label).sum()) < 5 or not np.ptp(values, axis=0).any():
        return None
    reader = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    said = cross_val_predict(reader, values, label, cv=folds, method="predict_proba")
    return float(roc_auc_score(label, said[:, 1]))


def _fdg(session: Prepared, atlas: Atlas) -> Cells:
    return regions(session.require(Contrast.FDG).array, atlas)


def regions(array: NDArray[np.float32], atlas: Atlas) -> Cells:
    """(R,) means in the order of the atlas; NaN where nothing was seen."""
    seen = np.isfinite(array) & (atlas.labels > 0)
    labels, size = atlas.labels[seen], int(atlas.labels.max()) + 1
    count = np.bincount(labels, minlength=size)
    total = np.bincount(labels, weights=array[seen].astype(np.float64), minlength=size)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.array([means[region.index] for region in atlas.regions])
