"""Three checks by person: both sides of a split, behind the norm, behind the synthesizer."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tracerless.diagnose.audit_values import Finding, Known, Trial, Verdict


def row_split(trial: Trial, known: Known) -> Finding:
    """Whether a person is learned from and tested in the same split, or was learned from before."""
    check = "row split"
    people = pd.Series(trial.person)
    torn = _torn(trial)
    if torn:
        return Finding(
            check,
            Verdict.FOUND,
            f"{len(torn)} of {people.nunique()} people have scans on both sides of a split.",
            "Split by person: every visit of a person into one fold.",
        )
    before = _seen(trial, known.learned)
    if before:
        return Finding(
            check,
            Verdict.FOUND,
            f"{before} of the {trial.n_tested} tested people are among those the model learned "
            "from.",
            "Test it on other people, or report cross-validated numbers.",
        )
    visits = int((people.value_counts() > 1).sum())
    return Finding(
        check, Verdict.PASS, f"{people.nunique()} people, {visits} with several scans, none torn."
    )


def norm_people(trial: Trial, known: Known) -> Finding:
    """Whether somebody who is tested helped to say what is normal."""
    return _overlap(
        trial,
        known.norms,
        check="norm people",
        what="norm",
        none="No norm of other people's making: ratios, or a norm fitted inside each fold.",
        remedy="Fit the norm inside each fold (--features z does), or on people kept out of it.",
    )


def synthesizer(trial: Trial, known: Known) -> Finding:
    """Whether a synthesizer learned from somebody who is tested."""
    return _overlap(
        trial,
        known.synthesizers,
        check="synthesizer",
        what="synthesizer",
        none="No synthetic scan is among the features.",
        remedy="Train the synthesizer on other people, or one per fold on that fold's people.",
    )


def _torn(trial: Trial) -> set[str]:
    """People tested in one fold while the model of that fold learned from another scan of them."""
    people, torn = np.array(trial.person), set[str]()
    for fold in trial.fold:
        table = pd.DataFrame({"person": people, "fold": fold})
        n_folds = table.groupby("person")["fold"].nunique()
        torn.update(str(person) for person in n_folds.index[n_folds > 1])
    return torn


def _overlap(
    trial: Trial,
    makers: Mapping[str, frozenset[str]] | None,
    *,
    check: str,
    what: str,
    none: str,
    remedy: str,
) -> Finding:
    if makers is None:
        return Finding(
            check,
            Verdict.UNKNOWN,
            f"Nobody said by which {what} the features were made.",
            f"Name it with --{what}; `--{what} none` if there was none.",
        )
    if not makers:
        return Finding(check, Verdict.PASS, none)
    counts = {name: _seen(trial, digests) for name, digests in makers.items()}
    found = {name: n for name, n in counts.items() if n}
    if found:
        said = ", ".join(f"{n} behind {name}" for name, n in found.items())
        return Finding(
            check, Verdict.FOUND, f"Of the {trial.n_tested} people tested, {said}.", remedy
        )
    nameless = [name for name, digests in makers.items() if not digests]
    if nameless or not any(trial.digests):
        return Finding(
            check,
            Verdict.UNKNOWN,
            f"{nameless[0]} does not say who is behind it."
            if nameless
            else "The people of this table go by names that are no pseudonyms.",
            "Give pseudonyms as the dataset has them, and a file that keeps its people's digests.",
        )
    names = ", ".join(makers)
    return Finding(
        check, Verdict.PASS, f"None of the {trial.n_tested} people tested is behind {names}."
    )


def _seen(trial: Trial, digests: frozenset[str]) -> int:
    """How many of the tested people are among them."""
    tested = {d for d, is_in in zip(trial.digests, trial.tested, strict=True) if is_in and d}
    return len(tested & digests)
