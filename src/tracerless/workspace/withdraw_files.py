"""Everything in a dataset that names one person: found by name and by content, and taken away.

- A file or folder whose name holds the pseudonym goes.
- A table (TSV) or record (JSON) that names it loses the rows or entries that do, and stays.
- Any other text that names it goes whole: report pages, and signed proofs, are made anew.

Scans and volumes are known by their names and folders; their content is not searched.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracerless.core.people import Pseudonym
from tracerless.io.atomic import write_json, write_text

_UNSEARCHED = (".dcm", ".nii", ".nii.gz", ".npz", ".npy", ".safetensors", ".state", ".png")

_REMADE = ("reports", "verification")
"""Top folders whose files are made anew as a whole: none of them is edited."""


def survey(root: Path, person: Pseudonym) -> dict[str, int]:
    """How many ``files`` name the person, and how many ``entries`` of files that stay."""
    files = sum(1 for path in _named(root, person) for _ in _files(path))
    entries = 0
    for path in _telling(root, person):
        rest, n_gone = _without(root, path, person)
        files += rest is None
        entries += 0 if rest is None else n_gone
    return {"files": files, "entries": entries}


def remove(root: Path, person: Pseudonym) -> None:
    """Take it all away; what is gone already does not matter.

    Raises:
        StorageError: the disk refused.
    """
    for path in list(_named(root, person)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in list(_telling(root, person)):
        rest, _ = _without(root, path, person)
        if rest is None:
            path.unlink()
        elif isinstance(rest, str):
            write_text(path, rest)
        else:
            write_json(path, rest[0])


def _files(path: Path) -> Iterator[Path]:
    yield from ([path] if path.is_file() else (each for each in path.rglob("*") if each.is_file()))


def _named(folder: Path, person: Pseudonym) -> Iterator[Path]:
    """Files and folders that carry the pseudonym in their name; not what lies within such."""
    pattern = _pattern(person)
    for path in sorted(folder.iterdir()):
        if pattern.search(path.name.encode()):
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _named(path, person)


def _telling(root: Path, person: Pseudonym) -> Iterator[Path]:
    """Files whose content names the person, their own names not."""
    pattern = _pattern(person)
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.endswith(_UNSEARCHED):
            with path.open("rb") as stream:
                found = pattern.search(stream.read())
            if found and not pattern.search(str(path.relative_to(root)).encode()):
                yield path


def _without(root: Path, path: Path, person: Pseudonym) -> tuple[str | tuple[Any] | None, int]:
    """(what stays of a file, how many rows or entries go); None when it goes whole.

    A table stays as text, a record as its content in a tuple.
    """
    is_remade = path.relative_to(root).parts[0] in _REMADE
    try:
        if path.suffix == ".tsv" and not is_remade:
            return _rows(path.read_text(encoding="utf-8"), person)
        if path.suffix == ".json" and not is_remade:
            content, n_gone = _entries(json.loads(path.read_text(encoding="utf-8")), person)
            return (content,), n_gone
    except ValueError:  # a table or record that nobody can read
        return None, 1
    return None, 1


def _rows(text: str, person: Pseudonym) -> tuple[str, int]:
    """A table without the rows that name the person."""
    pattern = _pattern(person)
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not pattern.search(line.encode())]
    return "".join(kept), len(lines) - len(kept)


def _entries(content: Any, person: Pseudonym) -> tuple[Any, int]:
    """A record without the entries that name the person, and how many went.

    Of a list, an item goes that names the person anywhere; of an object, a member whose key, or
    whose plain value, does. A list of records thus loses whole records.
    """
    if isinstance(content, list):
        kept = [each for each in content if not _tells(each, person)]
        return kept, len(content) - len(kept)
    if isinstance(content, dict):
        kept_members: dict[str, Any] = {}
        n_gone = 0
        for key, value in content.items():
            is_plain = not isinstance(value, list | dict)
            if _tells(key, person) or (is_plain and _tells(value, person)):
                n_gone += 1
                continue
            kept_members[key], n_within = _entries(value, person)
            n_gone += n_within
        return kept_members, n_gone
    return content, 0


def _tells(content: Any, person: Pseudonym) -> bool:
    text = json.dumps(content, ensure_ascii=False)
    return _pattern(person).search(text.encode()) is not None


def _pattern(person: Pseudonym) -> re.Pattern[bytes]:
    """The pseudonym as a word of its own."""
    return re.compile(rb"(?<![A-Za-z0-9])" + str(person).encode() + rb"(?![A-Za-z0-9])")
