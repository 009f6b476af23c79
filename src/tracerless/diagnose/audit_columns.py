"""Two checks by column: scores that make the diagnosis, and columns chosen with the test rows."""

import itertools
import re
import warnings
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path

from tracerless.core.norm import Array
from tracerless.diagnose.audit_values import Finding, Known, Trial, Verdict

SAME_ORDER = 0.98
"""Rank correlation from which a column counts as a known score under another name."""
MIN_ROWS = 20
"""Fewer rows with a value, or fewer of a class, say nothing about a column."""
MIN_CHOSEN = 3
"""Fewer chosen columns come out equal by chance."""
SWAPPED, TIMES = 1.2, 3.0
"""A choice is one made with the test rows when the training rows alone would have swapped so many
of its columns, and so many times as many as all rows do: a set from elsewhere hits all rows'
choice that closely by luck only (3 in 1,000 sets that held just the columns with an effect)."""
STABLE = 0.90
"""Agreement of the training rows alone from which any part of the rows gives the choice."""
NEAR_CHOICE = 0.80
"""Agreement with all rows from which one set in every fold may have been chosen with them."""
_LABELS = frozenset({"diagnosis", "dx", "label", "truth", "target"})


def label_defining_score(trial: Trial, known: Known) -> Finding:
    """Look for scores that make the diagnosis: by name, by order of values, by perfect division.

    A column that parts two classes of twenty or more without one error is taken for a part of the
    diagnosis too: so it looks when people were enrolled by a cut-off.
    """
    check = "label-defining score"
    if trial.features is None:
        return Finding(
            check,
            Verdict.UNKNOWN,
            "Nobody said what the model was shown.",
            "Give the table of features (--features FILE).",
        )
    found = dict.fromkeys(_named(trial.features.columns, known.defining), "by name")
    found |= {n: "in the same order" for n in _ordered(trial.features, known) if n not in found}
    found |= {n: "parts the classes without an error" for n in _perfect(trial) if n not in found}
    if not found:
        what = f"None of {trial.features.shape[1]} columns makes or stages the diagnosis."
        return Finding(check, Verdict.PASS, what)
    said = ", ".join(f"{name} ({why})" for name, why in found.items())
    return Finding(
        check,
        Verdict.FOUND,
        f"The model saw {said}.",
        "Leave it out, or report it as the leaky upper bound only.",
    )


def selection(trial: Trial) -> Finding:
    """Look whether the chosen columns are those that all rows give, and not the training rows.

    Each fold's choice is held against the leading columns by the F ratio, by the F ratio of ranks
    and by the lasso: once over all rows, once over the rows of that fold alone, once over its
    training rows. A set from elsewhere (an atlas, earlier papers) agrees closely with none of
    them; one chosen inside the folds agrees best with the training rows. Where the columns lead so
    clearly that any part of the rows gives them, the two cannot be told apart, and little leaks.
    """
    check = "selection"
    if trial.selected is None or trial.candidates is None:
        return Finding(
            check,
            Verdict.UNKNOWN,
            "Nobody said which columns the model chose, and among which.",
            "Give all candidates (--features FILE) and the chosen ones by fold (--selected FILE).",
        )
    n_candidates = trial.candidates.shape[1]
    chosen = {fold: set(names) for fold, names in trial.selected.items()}
    if all(len(names) == n_candidates for names in chosen.values()):
        return Finding(check, Verdict.PASS, f"The model saw all {n_candidates} candidates.")
    agreed = _agreements(trial, chosen)
    if agreed is None:
        return Finding(
            check,
            Verdict.UNKNOWN,
            f"No fold has {MIN_CHOSEN} chosen columns and two classes to judge by.",
            "Give the diagnosis, and the chosen columns of each fold.",
        )
    return _judged(chosen, n_candidates, *agreed)


def _judged(chosen: Mapping[str, set[str]], n_candidates: int, best: float, less: float) -> Finding:
    """What the agreement with all rows and with training rows says of the choice."""
    check = "selection"
    said = f"{_sizes(chosen)} of {n_candidates} columns"
    shares = f"{best:.0%} in common with all rows' leading columns, {less:.0%} with training rows'"
    swapped = _swapped(chosen, less)
    if best >= NEAR_CHOICE and swapped >= max(SWAPPED, TIMES * _swapped(chosen, best)):
        return Finding(
            check,
            Verdict.FOUND,
            f"The model was given {said} that were chosen with the test rows: {shares}.",
            "Choose columns anew inside each fold, on its training rows only.",
        )
    if len({frozenset(names) for names in chosen.values()}) > 1:
        return Finding(check, Verdict.PASS, f"{said}, anew in each fold; {shares}.")
    if less >= STABLE:
        return Finding(
            check, Verdict.PASS, f"{said}, as any part of the rows gives them; {shares}."
        )
    if best < NEAR_CHOICE:
        return Finding(check, Verdict.PASS, f"The same {said} in every fold, from elsewhere.")
    return Finding(
        check,
        Verdict.UNKNOWN,
        f"The same {said} in every fold: chosen beforehand or with the test rows; {shares}.",
        "Say where the columns come from, or choose them inside each fold.",
    )


def _sizes(chosen: Mapping[str, set[str]]) -> str:
    sizes = sorted({len(names) for names in chosen.values()})
    return f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]}-{sizes[-1]}"


def _swapped(chosen: Mapping[str, set[str]], share: float) -> float:
    """How many columns differ between two sets of that size with that share in common."""
    size = sum(map(len, chosen.values())) / len(chosen)
    return size * (1 - share) / (1 + share)


def _named(columns: Iterable[object], defining: frozenset[str]) -> list[str]:
    """Columns called after such a score, with whatever stands before or behind the name."""
    known = {_letters(name) for name in defining} | _LABELS
    return [str(name) for name in columns if known & _words(str(name))]


def _words(name: str) -> set[str]:
    """Runs of words in a name, joined: ``z_CDR.SB`` holds zcdrsb, cdrsb, zcdr, z, cdr, sb."""
    words = [word for word in re.split(r"[^0-9A-Za-z]+", name.casefold()) if word]
    return {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
    }


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold())


def _ordered(features: pd.DataFrame, known: Known) -> list[str]:
    """Columns whose values stand in the order of a label-defining score, up or down."""
    if known.scores is None or known.scores.empty:
        return []
    scores = known.scores.reset_index(drop=True)
    table = features.reset_index(drop=True).apply(pd.to_numeric, errors="coerce")
    found = []
    for name in table.columns:
        both = [(table[name], scores[score]) for score in scores.columns]
        if any(_same_order(mine, theirs) for mine, theirs in both):
            found.append(str(name))
    return found


def _same_order(mine: pd.Series, theirs: pd.Series) -> bool:
    there = mine.notna() & theirs.notna()
    if there.sum() < MIN_ROWS or min(mine[there].nunique(), theirs[there].nunique()) < 3:
        return False
    return abs(float(mine[there].corr(theirs[there], method="spearman"))) >= SAME_ORDER


def _perfect(trial: Trial) -> list[str]:
    """Columns that part every two well-filled classes, or are constant within each class."""
    truth = np.array(trial.truth)
    classes = [c for c in sorted(set(truth) - {""}) if (truth == c).sum() >= MIN_ROWS]
    if trial.features is None or len(classes) < 2:
        return []
    table = trial.features.apply(pd.to_numeric, errors="coerce")
    return [str(name) for name in table.columns if _parts(table[name].to_numpy(), truth, classes)]


def _parts(column: Array, truth: NDArray[np.str_], classes: list[str]) -> bool:
    """Whether the ranges of the classes do not touch, one after the other."""
    groups = [column[(truth == c) & np.isfinite(column)] for c in classes]
    if min(map(len, groups)) < MIN_ROWS:
        return False
    ranges = sorted((group.min(), group.max()) for group in groups)
    return all(high < low for (_, high), (low, _) in itertools.pairwise(ranges))


def _agreements(trial: Trial, chosen: Mapping[str, set[str]]) -> tuple[float, float] | None:
    """Mean agreement over folds with what is chosen with their test rows, and without them.

    On each side the way of choosing that agrees best over all folds is taken. None where no fold
    can be judged.
    """
    if trial.candidates is None:
        return None
    table, truth = _filled(trial.candidates), np.array(trial.truth)
    usable = truth != ""
    with_test, alone = [], []
    for fold, names in chosen.items():
        tested = trial.fold[0] == fold
        sides = (usable, usable & tested, usable & ~tested)
        if not MIN_CHOSEN <= len(names) < table.shape[1]:
            continue
        if min(len(set(truth[side])) for side in sides) < 2:
            continue
        whole, test, training = (_agreement(table[side], truth[side], names) for side in sides)
        with_test.append(np.maximum(whole, test))
        alone.append(training)
    if not alone:
        return None
    return float(np.mean(with_test, axis=0).max()), float(np.mean(alone, axis=0).max())


def _agreement(table: pd.DataFrame, truth: NDArray[np.str_], names: set[str]) -> Array:
    """Share in common with the leading columns, by each way of choosing as many."""
    columns = [str(name) for name in table.columns]
    values, shares = table.to_numpy(dtype=np.float64), []
    for way in _WAYS:
        leading = {columns[i] for i in way(values, truth, len(names))[: len(names)]}
        shares.append(len(leading & names) / len(leading | names))
    return np.array(shares)


def _by_f(values: Array, truth: NDArray[np.str_], _count: int) -> NDArray[np.intp]:
    """Columns by the F ratio of the classes, largest first."""
    groups = [values[truth == c] for c in sorted(set(truth))]
    mean = values.mean(axis=0)
    between = sum(len(g) * (g.mean(axis=0) - mean) ** 2 for g in groups)
    within = sum(((g - g.mean(axis=0)) ** 2).sum(axis=0) for g in groups)
    ratio = np.divide(between, within, out=np.zeros_like(mean), where=within > 0)
    return np.argsort(-ratio, kind="stable")


def _by_rank(values: Array, truth: NDArray[np.str_], count: int) -> NDArray[np.intp]:
    """The same over ranks (Kruskal, Wallis)."""
    return _by_f(stats.rankdata(values, axis=0), truth, count)


def _by_lasso(values: Array, truth: NDArray[np.str_], count: int) -> NDArray[np.intp]:
    """Columns in the order in which they enter the lasso of any class against the rest."""
    spread = values.std(axis=0)
    x = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    strength = np.zeros(values.shape[1])
    for c in sorted(set(truth))[1:]:
        y = (truth == c).astype(np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # columns that repeat each other
            alphas, _, path = lars_path(x, y - y.mean(), method="lasso", max_iter=2 * count)
        enters = np.where((path != 0).any(axis=1), alphas[(path != 0).argmax(axis=1) - 1], 0.0)
        strength = np.maximum(strength, enters)
    return np.argsort(-strength, kind="stable")


_WAYS: tuple[Callable[[Array, NDArray[np.str_], int], NDArray[np.intp]], ...] = (
    _by_f, _by_rank, _by_lasso,
)  # fmt: skip


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers only, a missing one at its column's median; columns by their names as text."""
    numbers = table.apply(pd.to_numeric, errors="coerce").rename(columns=str)
    filled: pd.DataFrame = numbers.fillna(numbers.median()).fillna(0.0)
    return filled
