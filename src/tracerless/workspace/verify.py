"""The proof over a whole dataset: person by person, then one signed report.

verification/people/<pseudonym>.json    what was found of one person; taken up again
verification/verification.json, .html   the report
verification/verification.sig           the vault's signature of verification.json
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracerless import __version__
from tracerless.core.errors import DatasetError, ProfileError
from tracerless.core.people import Pseudonym
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.proof_findings import CHECKS, FAILURE, Finding
from tracerless.deidentify.proof_sweep import patterns
from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.io.vault import RECORD, Opened, Vault
from tracerless.publish.verification import verification_page
from tracerless.workspace import dataset as datasets
from tracerless.workspace import verify_files as files_of
from tracerless.workspace.verify_names import shown
from tracerless.workspace.verify_people import absent
from tracerless.workspace.verify_person import (
    Job,
    digest_of,
    policy,
    prove,
    shared_haystack,
    without_names,
)

REPORT, PAGE, SIGNATURE = "verification.json", "verification.html", "verification.sig"

MOST_LISTED = 5000
"""Findings that the report lists; all are counted."""

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the proof came to: the report as written, and where."""

    report: dict[str, Any]
    folder: Path

    @property
    def n_failures(self) -> int:
        """Findings that must not be."""
        return int(self.report["n_failures"])


@dataclass(slots=True)
class _Sum:
    """What is gathered over the people."""

    findings: list[Finding] = field(default_factory=list)
    examined: Counter[str] = field(default_factory=Counter)
    not_swept: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_values: int = 0
    n_bytes: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def add(self, result: dict[str, Any]) -> None:
        """Take up the result of one person."""
        self.findings += [Finding.parse(each) for each in result["findings"]]
        self.examined.update(result["examined"])
        self.n_values += result["values"]["n"]
        self.n_bytes += result["swept_bytes"]
        self.digests[result["pseudonym"]] = result["digest"]
        for each in result["values"]["not_swept"]:
            self.not_swept[each["reason"], each["keyword"]] += each["n"]


def verify(
    root: Path,
    vault: Path,
    *,
    opener: str,
    reason: str,
    people: Sequence[str] = (),
    profile: str = "",
    workers: int = 1,
    progress: Track = lambda items, _what, _total: items,
) -> Verdict:
    """Prove that nobody is in a dataset and that it still measures.

    Args:
        root: of the dataset.
        vault: that it was made with.
        opener: who opens the vault; stands in its log.
        reason: why; stands in its log.
        people: pseudonyms to look at; empty for all. Their report says that it is of a part.
        profile: folder of a policy of one's own, which the dataset records by its name alone.
        workers: processes.
        progress: walks the people.

    Raises:
        DatasetError: there is no such dataset, it holds nobody, or it records no profile.
        VaultError: the vault cannot be opened, or is not this dataset's.
        ProfileError: the profile that it records does not exist here, or has changed since.
        StorageError: the disk refused.
    """
    datasets.Dataset.open(root)
    record = _record(root)
    by = profile or str(record["profile"])
    _require_same(policy(by, tuple(record.get("options", ()))), record)
    found = files_of.holdings(root)
    if not found.folders:
        raise DatasetError(
            f"{root} holds nobody: there is nothing to prove.",
            hint="De-identify scans into it first.",
        )
    with Vault.open(vault, dataset=root):
        pass  # it is this dataset's vault
    with Vault.opened(vault, opener=opener, reason=reason) as opened:
        wanted = _wanted(found.people, people)
        jobs = _jobs(root, {**record, "profile": by}, found, opened, wanted)
        total = _Sum()
        for result in progress(_results(jobs, workers), "verify", len(wanted)):
            total.add(result)
        shared = _of_everybody(root, found, total)
        if not people:
            total.findings += absent(root, {*found.people}, opened, str(record.get("domain", "")))
        report = _report(root, record, total, shared, is_part=bool(people))
        report["public_key"] = opened.vault.public_key.hex()
        folder = _write(root, report, opened.vault)
        opened.vault.save("verified", {"digest": report["dataset_digest"],
                                       "failures": report["n_failures"]})  # fmt: skip
    return Verdict(report, folder)


def dataset_digest(root: Path, people: Sequence[str] = ()) -> str:
    """Digest of every file of a dataset, by person; a change of any byte or name changes it.

    Args:
        root: of the dataset.
        people: whose; empty for everybody's.
    """
    found = files_of.holdings(root)
    digests = {p: digest_of(found.files_of(p), root) for p in people or found.people}
    return _joined(digests, digest_of(found.shared, root))


def _wanted(known: Sequence[str], people: Sequence[str]) -> Sequence[str]:
    unknown = sorted(set(people) - set(known))
    if unknown:
        raise DatasetError(
            f"The dataset holds no {unknown[0]}.", hint="Name a pseudonym of a sub- folder in it."
        )
    return sorted(people) or known


def _jobs(
    root: Path,
    record: dict[str, Any],
    found: files_of.Holdings,
    opened: Opened,
    people: Sequence[str],
) -> Iterator[Job]:
    shared_digest = digest_of(found.shared, root)
    salt = opened.vault.sign(b"tracerless/verify/what is remembered")
    for person in people:
        remembered = opened.remembered(Pseudonym(person))
        yield Job(
            root=root,
            pseudonym=person,
            files=tuple(found.files_of(person)),
            shared=tuple(found.shared),
            shared_digest=shared_digest,
            values=remembered.values,
            facts=remembered.facts,
            salt=salt,
            profile=str(record["profile"]),
            options=tuple(record.get("options", ())),
        )


def _results(jobs: Iterator[Job], workers: int) -> Iterator[dict[str, Any]]:
    """Results as they come; no more people are in memory than there are workers, and one."""
    if workers <= 1:
        yield from map(prove, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting: set[Future[dict[str, Any]]] = set()
        for job in jobs:
            waiting.add(pool.submit(prove, job))
            if len(waiting) > workers:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        yield from (each.result() for each in waiting)


def _of_everybody(root: Path, found: files_of.Holdings, total: _Sum) -> str:
    """Check the files of everybody by themselves; their digest."""
    digest = digest_of(found.shared, root)
    haystack = shared_haystack(root, found.shared)
    total.findings += without_names(patterns(haystack), found.shared, root)
    total.examined["complete"] += len(found.shared)
    for path in found.shared:
        if not files_of.is_known(files_of.relative(path, root)):
            total.findings.append(Finding("complete", "stray-file", shown(path, root)))
    return digest


def _report(
    root: Path, record: dict[str, Any], total: _Sum, shared: str, *, is_part: bool
) -> dict[str, Any]:
    findings = sorted(set(total.findings))
    failures = [each for each in findings if each.level == FAILURE]
    return {
        "tracerless": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": record["profile"],
        "profile_digest": record.get("profile_digest", ""),
        "vault_key": record["vault_key"],
        "is_simulated": (root / datasets.SIMULATED_MARK).is_file(),
        "people": sorted(total.digests) if is_part else [],
        "n_people": len(total.digests),
        "dataset_digest": _joined(total.digests, shared),
        "n_failures": len(failures),
        "n_warnings": len(findings) - len(failures),
        "checks": [
            {
                "check": check,
                "meaning": meaning,
                "examined": total.examined[check],
                "failures": sum(each.check == check for each in failures),
                "warnings": sum(each.check == check for each in findings)
                - sum(each.check == check for each in failures),
            }
            for check, meaning in CHECKS.items()
        ],
        "values": {
            "n": total.n_values,
            "bytes": total.n_bytes,
            "not_swept": [
                {"reason": reason, "keyword": keyword, "n": n}
                for (reason, keyword), n in sorted(total.not_swept.items())
            ],
        },
        "findings": [each.plain() for each in findings[:MOST_LISTED]],
    }


def _write(root: Path, report: dict[str, Any], vault: Vault) -> Path:
    folder = root / files_of.FOLDER
    write_json(folder / REPORT, report)
    write_text(folder / PAGE, verification_page(report))
    write_bytes(folder / SIGNATURE, vault.sign((folder / REPORT).read_bytes()).hex().encode())
    return folder


def _joined(digests: dict[str, str], shared: str) -> str:
    """One digest of those of the people and of what is everybody's."""
    text = json.dumps([sorted(digests.items()), shared])
    return hashlib.sha256(text.encode()).hexdigest()


def _require_same(profile: Profile, record: dict[str, Any]) -> None:
    if record.get("profile_digest", profile.digest) != profile.digest:
        raise ProfileError(
            f"The dataset was made with profile {profile.name} {record['profile_digest']}; here it "
            f"is {profile.digest}.",
            hint="Verify with the version that de-identified, or de-identify again.",
        )


def _record(root: Path) -> dict[str, Any]:
    path = root / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        str(record["profile"]), str(record["vault_key"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DatasetError(
            f"{RECORD} does not say which profile made the dataset.",
            hint="Verify a dataset that `tracerless deidentify` made.",
        ) from None
    return record
