"""One person leaves a dataset, wholly, and stays out of every later one.

First the tombstone says that the person goes, then the vault remembers it, then everything that
names the person goes, then the tombstone says that it is done. Killed anywhere, the same command
goes on. The tombstone ``withdrawn.json`` holds no pseudonym: a digest, a date and counts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracerless.core.people import Pseudonym, person_digest
from tracerless.io import norms
from tracerless.io.atomic import write_json
from tracerless.io.vault import Vault
from tracerless.workspace import withdraw_files, withdrawn
from tracerless.workspace.dataset import CLASSIFIER, RISK, Dataset
from tracerless.workspace.models import STATE, WEIGHTS, load_checkpoint
from tracerless.workspace.norms import FILE as NORM
from tracerless.workspace.tables import EVALUATION

MODEL_FILE = "withdrawals.json"
"""Beside a model: people it was trained on who withdrew since, as digests."""

_COUNTS = ("files", "entries")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal took away, in counts.

    Args:
        digest: of the pseudonym; empty when the person was never in this vault's domain.
        files: whole files that went.
        entries: rows of tables and entries of records that went from files that stay.
        models: names of models that had seen the person; they are marked, not changed.
        sealed_records: records that went from the vault.
        is_repeat: whether the tombstone stood already.
    """

    digest: str
    files: int
    entries: int
    models: tuple[str, ...]
    sealed_records: int
    is_repeat: bool

    def summary(self) -> dict[str, Any]:
        """Machine-readable."""
        return {
            "digest": self.digest,
            "files": self.files,
            "entries": self.entries,
            "models": list(self.models),
            "sealed_records": self.sealed_records,
            "repeat": self.is_repeat,
        }


def withdraw(root: Path, vault: Path, who: Pseudonym | str) -> Withdrawal:
    """Take a person out of the dataset at ``root``, and keep that person out of all later ones.

    Args:
        root: of the dataset.
        vault: that the dataset was made with.
        who: a pseudonym, of this or another dataset of the vault, or a chart number (with a bar
            and its issuer where two issuers use it). Somebody of whom no scan came yet is kept out
            as well.

    Raises:
        VaultError: not this dataset's vault, or it knows no such pseudonym.
        DatasetError: no dataset, or its tombstone is damaged.
        StorageError: the disk refused; the same command goes on.
    """
    dataset = Dataset.open(root)
    with Vault.open(vault, dataset=root) as opened:
        person = opened.pseudonym_of(who)
        if person is None:
            return Withdrawal("", 0, 0, (), opened.withdraw(who), is_repeat=False)
        digest = person_digest(person)
        stones = withdrawn.read(dataset)
        before = stones.get(digest, {})
        dataset.clean_partials()
        found = withdraw_files.survey(root, person)
        stones[digest] = _begun(before, found)
        withdrawn.write(dataset, stones)
        n_sealed = opened.withdraw(who)
        if before.get("state") != "done" or any(found.values()):
            withdraw_files.remove(root, person)
            _drop_aggregates(dataset)
        models = _mark_models(dataset, digest)
        stones[digest] |= {"state": "done", "models": sorted({*stones[digest]["models"], *models})}
        withdrawn.write(dataset, stones)
        counts = {name: stones[digest][name] for name in _COUNTS}
        opened.save("removed", counts)
    return Withdrawal(
        digest, **counts, models=tuple(models), sealed_records=n_sealed, is_repeat=bool(before)
    )


def digests(dataset: Dataset) -> frozenset[str]:
    """``person_digest`` of everyone who was taken out of the dataset; a release leaves them out.

    Raises:
        DatasetError: the tombstone is damaged.
    """
    return frozenset(withdrawn.read(dataset))


def still_present(dataset: Dataset, vault: Vault) -> tuple[Pseudonym, ...]:
    """People of the dataset who withdrew, perhaps through another dataset, and must still go."""
    present = {key.person for key in dataset.sessions()}
    return tuple(person for person in vault.withdrawn() if person in present)


def _begun(stone: withdrawn.Stone, found: Mapping[str, int]) -> withdrawn.Stone:
    """The tombstone of a person who goes; counts of an interrupted withdrawal are the larger."""
    counts = {name: max(int(stone.get(name, 0)), found[name]) for name in _COUNTS}
    today = datetime.now(UTC).date().isoformat()
    begun = {"withdrawn_on": stone.get("withdrawn_on", today), "models": stone.get("models", [])}
    return {**begun, **counts, "state": "removing"}


def _mark_models(dataset: Dataset, digest: str) -> list[str]:
    """Note beside each model that saw the person; the names of these models."""
    weights = [(p, load_checkpoint(p).people) for p in dataset.models.glob(f"*/{WEIGHTS}")]
    fitted = [(p, norms.read(p).people) for p in dataset.models.glob(f"*/{NORM}")]
    tabular = [
        (path, path.read_text(encoding="utf-8"))  # their digests stand in them as text
        for name in (CLASSIFIER, RISK)
        for path in dataset.models.glob(f"*/{name}")
    ]
    every = (*weights, *fitted, *tabular)
    seen = sorted(path.parent for path, people in every if digest in people)
    for folder in seen:
        _mark(folder / MODEL_FILE, digest)
    return [folder.name for folder in seen]


def _mark(path: Path, digest: str) -> None:
    people = json.loads(path.read_text(encoding="utf-8"))["people"] if path.is_file() else []
    record = {
        "people": sorted({*people, digest}),
        "meaning": (
            "These people withdrew after the model was trained on them. Train it again without "
            "them before it is used or given away."
        ),
    }
    write_json(path, record)


def _drop_aggregates(dataset: Dataset) -> None:
    """Remove what was made of everybody, half-trained models included; commands make it anew."""
    for path in _aggregates(dataset):
        path.unlink()


def _aggregates(dataset: Dataset) -> Iterator[Path]:
    evaluation = dataset.derivatives / EVALUATION
    yield from sorted(path for path in evaluation.rglob("*") if path.is_file())
    for made_of_all in ("index.html", "diagnosis-*.html", "risk-*.html"):
        yield from sorted(dataset.reports.glob(made_of_all))
    yield from sorted(dataset.models.glob(f"*/{STATE}"))
    yield from sorted(dataset.derivatives.glob("norm-*"))
    yield from sorted(path for path in (dataset.root / "verification").glob("*") if path.is_file())
