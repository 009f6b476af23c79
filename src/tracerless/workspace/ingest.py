"""A folder of identified scans becomes a dataset: resumable, repeatable, and never half-done."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tracerless.core.errors import DatasetError
from tracerless.deidentify import Keys
from tracerless.io.atomic import write_json
from tracerless.io.dicom_scan import Inventory
from tracerless.io.openers import advice
from tracerless.io.vault import RECORD, Vault
from tracerless.workspace import dataset as datasets
from tracerless.workspace import ingest_people, ingest_quarantine
from tracerless.workspace.cognition_bound import scan_days
from tracerless.workspace.ingest_admit import admit, identified
from tracerless.workspace.ingest_batch import Batch
from tracerless.workspace.ingest_report import IngestReport, notes, report
from tracerless.workspace.ingest_seen import Seen
from tracerless.workspace.ingest_series import clear_staging, policies
from tracerless.workspace.ingest_uids import Instances
from tracerless.workspace.ingest_values import Border, Named, Order

__all__ = ["IngestReport", "Track", "ingest"]

Track = Callable[[Iterable[Named], str, int], Iterable[Named]]
"""Walks series as they are done and shows progress: (series, what is done, how many)."""


def ingest(  # noqa: PLR0913 - what a batch is: where from, where to, by which policy
    inventory: Inventory,
    dataset: Path,
    *,
    vault: Path,
    profile: str = "research",
    options: tuple[str, ...] = (),
    domain: str = "",
    workers: int = 1,
    phenotype: Path | None = None,
    progress: Track = lambda items, _what, _total: items,
) -> IngestReport:
    """De-identify every usable series of a folder into a dataset.

    Args:
        inventory: what the folder holds.
        dataset: made if new; an existing one is added to.
        vault: made if new; holds the key and the crosswalk.
        profile: name of the policy.
        options: codes of CID 7050 on top of the policy's own.
        domain: linkage domain; empty is the one that the dataset records, else in-house.
        workers: processes; sessions are shared out among them.
        phenotype: table keyed by chart number; rows of people in the dataset cross.
        progress: walks series.

    Raises:
        ProfileError: no such policy.
        VaultError: the vault cannot be used, or is not this dataset's.
        DatasetError: the dataset or the phenotype table cannot be used.
        StorageError: the disk refused; what is finished stays.
    """
    Border.of(Order(dataset, profile, options, Keys.from_secret(bytes(32))))  # or nothing is made
    _require_outside(inventory, dataset)
    table = ingest_people.read_phenotype(phenotype) if phenotype else None
    said: list[str] = []
    if not Vault.exists(vault):
        said += advice(Vault.create(vault, dataset=dataset))
    with Vault.open(vault, dataset=dataset, domain=domain) as opened:
        home = datasets.Dataset.create_or_open(dataset)
        order = Order(home.root, profile, options, Keys.from_secret(opened.secret))
        batch = _begin(inventory, order, opened, Seen.open(vault, order.keys.source))
        crossing = batch.cross(order, workers)
        for _ in progress(crossing, "deidentify", batch.n_crossing):
            pass  # each is done once it comes
        crossed = _end(batch, home, inventory, table)
        n_left = _n_still_here(home, opened)
    said += notes(batch.tally, batch.border.profile, inventory.n_copies, batch.admission.doubles)
    said += [_STILL_HERE.format(n_left)] if n_left else []
    n_others = batch.n_of_other_policies
    said += [_OTHER_POLICY.format(n_others)] if n_others else []
    said += ingest_people.notes(table, crossed) if table else []
    return report(batch.tally, batch.admission.sessions.values(), inventory.rejected, said)


def _n_still_here(home: datasets.Dataset, vault: Vault) -> int:
    """How many people withdrew, perhaps through another dataset, and still lie in this one."""
    if not vault.withdrawn():
        return 0
    from tracerless.workspace import withdraw  # noqa: PLC0415 - heavy, and seldom needed

    return len(withdraw.still_present(home, vault))


_OTHER_POLICY = "{} series of this dataset were made by another policy: it is mixed."
_STILL_HERE = "{} people who withdrew still lie here: run `tracerless withdraw`."


def _begin(inventory: Inventory, order: Order, vault: Vault, seen: Seen) -> Batch:
    """Find out whose the series are, and note it before anything crosses."""
    border = Border.of(order)
    datasets.Dataset.open(order.root).clean_partials()
    clear_staging(border.sourcedata)
    series = identified(inventory.series, border)
    found = admit(series, border, vault)
    policy = border.profile
    counts = {
        "people": len(found.people),
        "series": len(series),
        "sessions": len(set(found.sessions.values())),
    }
    vault.save("admitted", {**counts, "profile": policy.name, "digest": policy.digest})
    record = {
        **vault.record,
        "profile": policy.name,
        "profile_digest": policy.digest,
        "options": list(order.options),
        "faces": policy.faces,
    }
    write_json(border.root / RECORD, record)
    there = policies(border.sourcedata)
    return Batch(series, found, border, vault, seen, Instances.open(vault.path), there)


def _end(
    batch: Batch,
    home: datasets.Dataset,
    inventory: Inventory,
    table: ingest_people.Phenotype | None,
) -> ingest_people.Crossed:
    """Write people, quarantine and log; what of the table crossed."""
    scanned = scan_days(batch.series, batch.admission.sessions)
    crossed = ingest_people.write_people(home, batch.vault, table, scanned)
    ingest_quarantine.write(
        home.root,
        batch.keep_out(),
        seen=(named.identity for named in batch.series),
        files=inventory.rejected,
        notes=batch.admission.notes(),
    )
    batch.seen.save()
    tally = batch.tally
    batch.vault.save("crossed", {"written": tally.written, "skipped": tally.skipped})
    return crossed


def _require_outside(inventory: Inventory, dataset: Path) -> None:
    """A dataset inside the scanned folder would be taken for scans the next time.

    Raises:
        DatasetError: a scanned file lies in the dataset.
    """
    root = dataset.resolve()
    folders = {path.parent for each in inventory.series for path in each.files}
    inside = {folder for folder in folders if root in (folder.resolve() / "file").parents}
    n_inside = sum(path.parent in inside for each in inventory.series for path in each.files)
    if n_inside:
        raise DatasetError(
            f"{n_inside} of the scanned files lie in the dataset {dataset} itself.",
            hint="Name a dataset outside the folder of scans.",
        )
