"""The proof for one person of a dataset, in a process of its own if wanted, once and not again."""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tracerless import __version__
from tracerless.core.people import Pseudonym
from tracerless.core.recipe import fingerprint
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.proof import PersonProof
from tracerless.deidentify.proof_facts import gathered
from tracerless.deidentify.proof_findings import Finding
from tracerless.deidentify.proof_sweep import VALUE, Haystack
from tracerless.io import profiles
from tracerless.io.atomic import write_json
from tracerless.workspace import verify_files as files_of
from tracerless.workspace.verify_iod import n_errors
from tracerless.workspace.verify_names import masked, shown
from tracerless.workspace.verify_pixels import text_findings

_log = logging.getLogger(__name__)

PROOF = 2
"""Raised when the checks change, so that older results are not taken for new ones."""

SIDECAR = "series.json"

FILE_NAME = "file name"
"""Where a value is that stands in the name of a file."""

PEOPLE = "people"
"""Folder of the kept results."""


@dataclass(frozen=True, slots=True)
class Job:
    """One person to prove.

    Args:
        root: of the dataset.
        pseudonym: whose.
        files: of the person.
        shared: files of everybody.
        shared_digest: of these.
        values: removed of the person; identify.
        facts: records that the vault remembers.
        salt: known to the vault alone, for the digest of what it remembers.
        profile: name of the policy.
        options: codes of CID 7050 on top of it.
    """

    root: Path
    pseudonym: str
    files: tuple[Path, ...]
    shared: tuple[Path, ...]
    shared_digest: str
    values: frozenset[tuple[str, str]] = field(repr=False)
    facts: tuple[Any, ...] = field(repr=False)
    salt: bytes = field(repr=False)
    profile: str
    options: tuple[str, ...] = ()


def prove(job: Job) -> dict[str, Any]:
    """Findings and counts of one person; kept, and taken up again while nothing has changed.

    Raises:
        VaultError: the vault's facts cannot be read.
        ProfileError: the profile cannot be used.
        StorageError: the disk refused.
    """
    digest = digest_of(job.files, job.root)
    profile = policy(job.profile, job.options)
    basis = fingerprint(PROOF, __version__, digest, job.shared_digest, profile.digest, _known(job))
    kept = job.root / files_of.FOLDER / PEOPLE / f"{job.pseudonym}.json"
    if kept.is_file():
        result = _record(kept)
        if result.get("basis") == basis:
            return result
    result = {**_proven(job, profile), "digest": digest, "basis": basis}
    write_json(kept, result)
    return result


def digest_of(paths: Iterable[Path], root: Path) -> str:
    """Digest of files by name and content, in the order given."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(files_of.relative(path, root).encode() + b"\0")
        if path.is_symlink():
            whole.update(str(path.readlink()).encode())
            continue
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def shared_haystack(root: Path, paths: Iterable[Path]) -> Haystack:
    """What was written of everybody: tables, pages, cards, and the names of their files."""
    haystack = Haystack()
    for path in paths:
        name = shown(path, root)
        haystack.add(files_of.relative(path, root).encode(), VALUE, name, FILE_NAME)
        for content, kind, where in files_of.texts(path):
            haystack.add(content, kind, name, where)
    return haystack


def without_names(findings: Iterable[Finding], paths: Iterable[Path], root: Path) -> list[Finding]:
    """The same findings, where a file's name is what was found without that name."""
    found = list(findings)
    bad = {each.file for each in found if each.where == FILE_NAME}
    places = (
        {shown(p, root): masked(p, root) for p in paths if shown(p, root) in bad} if bad else {}
    )
    return [
        replace(each, file=places.get(each.file, "")) if each.where == FILE_NAME else each
        for each in found
    ]


def _proven(job: Job, profile: Profile) -> dict[str, Any]:
    proof = PersonProof(Pseudonym(job.pseudonym), profile, gathered(job.facts))
    in_series: set[Path] = set()
    for sidecar in [path for path in job.files if path.name == SIDECAR]:
        files = [p for p in job.files if p.parent == sidecar.parent and p.suffix == ".dcm"]
        in_series.update(files)
        folder = shown(sidecar.parent, job.root)
        proof.series(folder, _record(sidecar), _contents(files, job.root), n_errors)
        proof.examined["ocr"] += len(files)
        proof.found += text_findings(sidecar.parent, job.root)
    for path in job.files:
        name, real = shown(path, job.root), files_of.relative(path, job.root)
        proof.text(real.encode(), VALUE, name, FILE_NAME)
        if not files_of.is_known(real) or (_is_source(real) and path not in in_series):
            proof.found.append(Finding("complete", "stray-file", name))
        if path not in in_series:
            for content, kind, where in files_of.texts(path):
                proof.text(content, kind, name, where)
    shared = _shared(job.root, job.shared, job.shared_digest)
    result = proof.result(job.values, shared)
    found = [Finding.parse(each) for each in result["findings"]]
    found = without_names(found, (*job.files, *job.shared), job.root)
    return {**result, "findings": [each.plain() for each in sorted(found)]}


def policy(name: str, options: tuple[str, ...]) -> Profile:
    """The policy of that name with those options; read anew, made once.

    Raises:
        ProfileError: it cannot be used.
    """
    tables = tuple(sorted(profiles.read(name).items()))
    return _policy(Path(name).resolve().name, tables, options)


@lru_cache(maxsize=2)
def _policy(name: str, tables: tuple[tuple[str, str], ...], options: tuple[str, ...]) -> Profile:
    return Profile.parse(name, dict(tables), options)


@lru_cache(maxsize=1)
def _shared(root: Path, paths: tuple[Path, ...], digest: str) -> Haystack:
    """The same, gathered once for all people that a process proves; the digest keeps it fresh."""
    _log.debug("files of everybody: %s", digest[:12])
    return shared_haystack(root, paths)


def _is_source(name: str) -> bool:
    return name.startswith("sourcedata/") and name.endswith(".dcm")


def _contents(files: list[Path], root: Path) -> Iterator[tuple[str, bytes]]:
    for path in files:
        yield shown(path, root), path.read_bytes()


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}


def _known(job: Job) -> str:
    """Keyed digest of what the vault remembers: nobody without the vault can try values out."""
    known = [sorted(job.values), list(job.facts)]
    text = json.dumps(known, sort_keys=True, ensure_ascii=False, default=str)
    return hmac.digest(job.salt, text.encode(), "sha256").hex()[:32]
