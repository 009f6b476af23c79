"""On what legal ground each person's scans are here, and what that ground allows.

Classes: ``A`` (甲) enrolled anew, with consent to this use; ``B`` (乙) broad consent given earlier,
with notice; ``C`` (丙) no consent, with notice. They come from the phenotype table, stay in the
vault and in ``consent.json``, and are never published: no export, release or report holds that
file.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tracerless.core.errors import DatasetError, VaultError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.volume import Contrast
from tracerless.io.atomic import write_json
from tracerless.workspace import withdrawn
from tracerless.workspace.clean import clean_session
from tracerless.workspace.dataset import Dataset

FILE = "consent.json"
"""In a dataset: classes by pseudonym, and which classes may leave the house."""

HEADINGS = ("consent", "consent_class", "同意類別")
"""Headings of a phenotype table, in small letters, under which the class may stand."""

ALLOWED = ("A", "B")
"""Classes that may be exported, unless ``consent.json`` says otherwise."""

UNCHECKED = "No consent class is recorded in this dataset, so none was checked."

_WORDS = {"a": "A", "甲": "A", "b": "B", "乙": "B", "c": "C", "丙": "C"}

_MODALITIES = {
    "SPECT": (Contrast.ECD, Contrast.HMPAO),
    "FDG-PET": (Contrast.FDG,),
    "MR": (
        *(Contrast.T1W, Contrast.T2W, Contrast.FLAIR),
        *(Contrast.ASL, Contrast.M0, Contrast.DELTAM, Contrast.CBF),
    ),
}


def parse(text: str) -> str | None:
    """The class that a cell of a table means (甲, 乙類, B …); None when it means none."""
    return _WORDS.get(text.strip().casefold().removesuffix("類"))


def read(dataset: Dataset) -> dict[str, str]:
    """Classes by pseudonym; empty when the dataset records none.

    Raises:
        DatasetError: ``consent.json`` cannot be read.
    """
    return dict(_record(dataset)["people"])


def write(dataset: Dataset, classes: Mapping[Pseudonym, str]) -> None:
    """Keep the known classes of these people; a dataset without any gets no file.

    Args:
        dataset: whose people they are; classes of others that it records go.
        classes: by pseudonym; empty where unknown.

    Raises:
        DatasetError: ``consent.json`` cannot be read.
    """
    record = _record(dataset)
    people = {str(person): each for person, each in sorted(classes.items()) if each}
    path = dataset.root / FILE
    if not people and not path.exists():
        return
    withdrawn.keep_from_bids(dataset, FILE)
    write_json(path, {"allowed": record["allowed"], "people": people})


def require(dataset: Dataset, session: SessionKey, allowed: Iterable[str] | None = None) -> None:
    """Refuse a session whose consent class does not allow it to leave the house.

    Args:
        dataset: without any recorded class, only people who withdrew are refused.
        session: that should leave.
        allowed: classes; None for those of ``consent.json``, which are A and B by default.

    Raises:
        VaultError: the class is another, or unknown while those of other people are recorded; or
            the person withdrew.
        DatasetError: ``consent.json`` or the tombstone cannot be read.
    """
    if person_digest(session.person) in withdrawn.read(dataset):
        raise VaultError(
            f"{session}: this person withdrew.",
            hint="Run `tracerless withdraw` again: it was stopped before its end.",
        )
    record = _record(dataset)
    classes = record["allowed"] if allowed is None else tuple(allowed)
    own = record["people"].get(str(session.person), "")
    if record["people"] and own not in classes:
        what = f"class {own}" if own else "no recorded class"
        raise VaultError(
            f"{session}: consent of {what}; only {' and '.join(classes)} may leave.",
            hint="Leave that person out, or record the class in the phenotype table.",
        )


def permitted(
    dataset: Dataset, sessions: Iterable[SessionKey]
) -> tuple[tuple[SessionKey, ...], list[str]]:
    """The sessions that may leave the house, and sentences about the others.

    Raises:
        VaultError: none of them may leave.
        DatasetError: ``consent.json`` cannot be read.
    """
    sessions = tuple(sessions)
    free, refused = [], []
    for session in sessions:
        try:
            require(dataset, session)
        except VaultError as error:
            refused.append(error)
        else:
            free.append(session)
    if refused and not free:
        raise refused[0]
    notes = [] if read(dataset) else [UNCHECKED]
    return tuple(free), [*notes, *(f"Not exported: {error.message}" for error in refused)]


def counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many people of each class each modality has: SPECT, FDG-PET, MR; ``unknown`` included.

    The dataset document asks for these counts; whoever publishes it decides whether they stand in
    the copy that leaves.

    Raises:
        DatasetError: ``consent.json`` or a session cannot be read.
    """
    classes = read(dataset)
    people: dict[str, set[str]] = {modality: set() for modality in _MODALITIES}
    for key in dataset.source_sessions():
        shown = {series.contrast for series in clean_session(dataset.root, key).series}
        for modality, contrasts in _MODALITIES.items():
            if shown.intersection(contrasts):
                people[modality].add(str(key.person))
    tallies = {
        modality: Counter(classes.get(person, "unknown") for person in persons)
        for modality, persons in people.items()
    }
    words = ("A", "B", "C", "unknown")
    return {modality: {word: tally[word] for word in words} for modality, tally in tallies.items()}


def _record(dataset: Dataset) -> dict[str, Any]:
    path: Path = dataset.root / FILE
    if not path.is_file():
        return {"allowed": list(ALLOWED), "people": {}}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        classes = {*record["allowed"], *record["people"].values()}
        is_whole = classes <= {"A", "B", "C"} and bool(record["people"] is not None)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise DatasetError(
            f"{FILE} of the dataset is damaged: nothing may leave by it.",
            hint="Run `tracerless deidentify` again: the vault still knows the classes.",
        )
    return {"allowed": list(record["allowed"]), "people": dict(record["people"])}
