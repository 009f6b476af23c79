"""The files of a dataset that are no series: whose they are, and what of them can be read as text.

Numbers (voxels, weights, pictures) are not text; what stands around them is: headers, names, notes.
"""

import base64
import gzip
import html
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from pydicom.datadict import tag_for_keyword

from tracerless.deidentify.proof_sweep import BINARY, PROSE, VALUE
from tracerless.io.atomic import PARTIAL_PREFIX

FOLDER = "verification"
"""Where the report lies; it is no part of what it proves."""

_TOP = frozenset(
    {"dataset_description.json", "participants.tsv", "participants.json", "README", ".bidsignore",
     "tracerless.toml", "quarantine.json", "consent.json", "withdrawn.json", "SIMULATED.txt",
     "CHANGES", "LICENSE", "site.toml"}
)  # fmt: skip
_KNOWN = tuple(
    re.compile(pattern)
    for pattern in (
        r"sourcedata/deidentification\.json",
        r"derivatives/[^/.]+/\.bidsignore",
        r"atlas-[A-Za-z0-9]+\.tsv",
        r"phenotype/([a-z0-9_]+\.(tsv|json)|dictionary\.csv)",
        r"sourcedata/sub-[A-Za-z0-9]+/ses-[A-Za-z0-9]+/[^/.]+/(\d{4,7}\.dcm|series\.json)",
        r"sourcedata/sub-[A-Za-z0-9]+/ses-[A-Za-z0-9]+/([^/.]+/)?(face|defac)[^/]*\.(png|json)",
        r"sub-[A-Za-z0-9]+/(ses-[A-Za-z0-9]+/)?((anat|perf|pet)/)?[^/.]+\.(nii(\.gz)?|json|tsv)",
        r"(derivatives|models|reports)/([^/.][^/]*/)*[^/.][^/]*"
        r"\.(json|tsv|csv|md|html|png|npz|safetensors|toml|txt|dcm|nii|nii\.gz)",
    )
)
_PERSON = re.compile(r"(?:^|/)sub-([A-Za-z0-9]+)")
_DATA_URI = re.compile(rb"data:[\w/+.\-]+;base64,[A-Za-z0-9+/=\s]+")
_PACKED_VOXELS = re.compile(rb"[A-Za-z0-9+/=]{256,}")
_KEY = re.compile(rb'"([A-Z][A-Za-z0-9]+)"(?=\s*:)')
_TAG = re.compile(r"<[^>]*>")
_TABLES = frozenset({".tsv", ".csv"})
_PAGES = frozenset({".html", ".md", ".txt", ".json", ".toml", ""})
_MOST = 64 * 1024 * 1024
_NIFTI = 352

Text = tuple[bytes, str, str]
"""(content, kind of piece, where in the file)."""


def relative(path: Path, root: Path) -> str:
    """A path inside the dataset, with forward strokes."""
    return path.relative_to(root).as_posix()


@dataclass(slots=True)
class Holdings:
    """Whose the files of a dataset are; folders of people are not entered.

    Args:
        folders: of each person, by pseudonym.
        loose: files of one person outside those, such as report pages.
        shared: files of everybody.
    """

    folders: dict[str, list[Path]] = field(default_factory=dict)
    loose: dict[str, list[Path]] = field(default_factory=dict)
    shared: list[Path] = field(default_factory=list)

    @property
    def people(self) -> tuple[str, ...]:
        """Pseudonyms of everybody who has a file, sorted."""
        return tuple(sorted({*self.folders, *self.loose}))

    def files_of(self, person: str) -> list[Path]:
        """Every file of a person, in a fixed order."""
        folders = self.folders.get(person, ())
        return [*sorted(self.loose.get(person, ())), *(p for f in folders for p in below(f))]


def holdings(root: Path) -> Holdings:
    """Whose the files of a dataset are."""
    found = Holdings()
    for place, names, files in os.walk(root):
        if Path(place) == root:
            names[:] = [name for name in names if name != FOLDER]
        linked = [name for name in names if Path(place, name).is_symlink()]
        theirs = [name for name in names if name.startswith("sub-") and name not in linked]
        names[:] = sorted(set(names) - set(theirs) - set(linked))
        for name in sorted(theirs):
            found.folders.setdefault(person_of(name), []).append(Path(place, name))
        for name in sorted([*files, *linked]):
            path = Path(place, name)
            person = person_of(relative(path, root))
            if person:
                found.loose.setdefault(person, []).append(path)
            else:
                found.shared.append(path)
    return found


def below(folder: Path) -> Iterator[Path]:
    """Every file and link below a folder, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            yield path


def person_of(name: str) -> str:
    """The pseudonym that a path belongs to; empty when it is everybody's."""
    found = _PERSON.search(name)
    return found.group(1) if found else ""


def is_known(name: str) -> bool:
    """Whether a path is one that tracerless writes."""
    if PurePosixPath(name).name.startswith(PARTIAL_PREFIX):
        return False
    return name in _TOP or any(pattern.fullmatch(name) for pattern in _KNOWN)


def texts(path: Path) -> Iterator[Text]:
    """Everything in a file that could be read as text.

    Raises:
        OSError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if path.is_symlink():
        yield str(path.readlink()).encode(), VALUE, "link"
    elif path.name.endswith((".nii.gz", ".nii")):
        yield from _nifti(path)
    elif suffix in _PACKED:
        yield from _PACKED[suffix](path)
    elif suffix in _TABLES or suffix in _PAGES:
        yield from _written(path, suffix)
    else:
        with path.open("rb") as stream:
            yield stream.read(_MOST), BINARY, "bytes"


def _written(path: Path, suffix: str) -> Iterator[Text]:
    """A table, record or page, and the pictures in it."""
    content = path.read_bytes()
    kind = VALUE if suffix in _TABLES else PROSE
    for reading, where in _readings(content, suffix):
        yield reading, kind, where
    if suffix == ".html":
        yield from _pictures_within(content)


def png_texts(content: bytes) -> Iterator[Text]:
    """Texts and metadata of a picture, and what lies behind its end."""
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">L", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if kind in {b"tEXt", b"iTXt", b"eXIf", b"tIME"}:
            yield body, BINARY, "picture"
        if kind == b"zTXt":
            yield _inflated(body.partition(b"\0")[2][1:]), BINARY, "picture"
        at += 12 + length
        if kind == b"IEND":
            break
    if content[at:].strip(b"\0"):
        yield content[at:], BINARY, "behind a picture"


def _readings(content: bytes, suffix: str) -> Iterator[tuple[bytes, str]]:
    """A text as it is stored, and as it is read: without its escapes and tags."""
    bare = _DATA_URI.sub(b"", content)
    if suffix == ".html":
        bare = _PACKED_VOXELS.sub(b"", bare)
    if suffix == ".json":
        bare = _KEY.sub(_without_keyword, bare)
    yield bare, "text"
    if suffix == ".html":
        words = _TAG.sub(" ", bare.decode("utf-8", "replace"))
        yield html.unescape(words).encode(), "words"
    if suffix == ".json" and b"\\u" in bare:
        try:
            plain = json.dumps(json.loads(bare), ensure_ascii=False)
        except ValueError:
            return  # no JSON, whatever its name says: it was read as it is
        yield plain.encode("utf-8", "replace"), "words"


def _without_keyword(key: re.Match[bytes]) -> bytes:
    """A key of JSON; nothing where it is the keyword of an attribute, which is nobody's value."""
    return b'""' if tag_for_keyword(key.group(1).decode()) is not None else key.group(0)


def _pictures_within(content: bytes) -> Iterator[Text]:
    for found in _DATA_URI.findall(content):
        picture = base64.b64decode(found.partition(b",")[2], validate=False)
        if picture[:4] == b"\x89PNG":
            yield from png_texts(picture)


def _nifti(path: Path) -> Iterator[Text]:
    """The header with its extensions, and of a compressed file the names in its own header."""
    with path.open("rb") as stream:
        head = stream.read(512)
    if head[:2] == b"\x1f\x8b":
        yield _gzip_names(head), BINARY, "gzip"
        with gzip.open(path, "rb") as unpacked:
            yield _header(unpacked), BINARY, "header"
    else:
        with path.open("rb") as stream:
            yield _header(stream), BINARY, "header"


def _header(stream: BinaryIO | gzip.GzipFile) -> bytes:
    """Everything before the first voxel."""
    content = stream.read(_NIFTI)
    order = "<" if content[:4] == b"\x5c\x01\0\0" else ">"
    start = struct.unpack_from(f"{order}f", content, 108)[0] if len(content) == _NIFTI else 0.0
    more = int(start) - _NIFTI if _NIFTI < start < _MOST else 0
    return content + stream.read(more)


def _gzip_names(head: bytes) -> bytes:
    """Name, comment and extra field of a gzip header."""
    flags = head[3]
    if not flags & 0b11100:
        return b""
    return head[10:]


def _archive(path: Path) -> Iterator[Text]:
    """Names and comments of an archive of arrays, and the words among them."""
    with zipfile.ZipFile(path) as archive:
        parts = [archive.comment, *(i.comment + i.extra for i in archive.infolist())]
        parts += [info.filename.encode() for info in archive.infolist()]
    yield b"\n".join(parts), BINARY, "archive"
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            if arrays[name].dtype.kind in "US":
                yield "\n".join(map(str, arrays[name].ravel())).encode(), VALUE, "array"


def _safetensors(path: Path) -> Iterator[Text]:
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        yield stream.read(min(length, _MOST)), VALUE, "header"


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompress(content)
    except zlib.error:
        return content


def _png(path: Path) -> Iterator[Text]:
    yield from png_texts(path.read_bytes())


_PACKED = {".png": _png, ".npz": _archive, ".safetensors": _safetensors}
