"""One half of the benchmark on disk: planted files, the list of what was planted, the answer key.

The planted seed of the held-out half is a constant. Never look at that half's files, its leaks or
its answer key while tuning anything: run it only to report.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.uid import ExplicitVRLittleEndian

from bench.deidentify_bases import HELD_OUT, TUNE, Series
from bench.deidentify_hide import hide_container, hide_private
from bench.deidentify_people import Invent, Person
from bench.deidentify_places import CONTAINER, PLACES
from bench.deidentify_plant import Planted, Sheet, Token, Uids, plant
from tracerless.core.seeds import HOLDOUT_PREFIX, generator

HELD_OUT_SEED = f"{HOLDOUT_PREFIX}deidentify-2026"
"""Of the half that nothing is tuned on."""

SEEDS = {TUNE: "deidentify-tune", HELD_OUT: HELD_OUT_SEED}

_ISSUER = next(place for place in PLACES if place.path == ("IssuerOfPatientID",))
"""The hospital that numbers its charts: one for all files of a person."""

BURNED = 3
"""Files of each burned series."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Planted files and tokens; ``scans`` is the folder that tools are given."""

    scans: Path
    people: tuple[Person, ...]
    files: tuple[Planted, ...]
    tokens: tuple[Token, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether nobody may look at what leaks in it, only count."""
        return self.scans.parent.name == HELD_OUT

    def tokens_of(self, number: int) -> list[Token]:
        """What was planted in one file."""
        return [token for token in self.tokens if token.file == number]

    def read(self, file: Planted) -> Dataset:
        """One planted file."""
        return read(file.path)


def read(path: Path) -> Dataset:
    """Any file that claims to be DICOM, without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True)


def build(folder: Path, series: Sequence[Series], half: str, *, burn: bool = True) -> Corpus:
    """Plant identities into every file of every series.

    Args:
        folder: must not exist; becomes ``scans/`` and the lists beside it.
        series: of the half.
        half: chooses the seed.
        burn: write text into pixels of some files as well.
    """
    pydicom.config.settings.writing_validation_mode = IGNORE
    invent = Invent(generator("bench", SEEDS[half]))
    groups = sorted({each.group for each in series})
    people = [Person.invent(number, invent) for number in range(len(groups))]
    corpus = _Builder(folder, half, invent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _fill(corpus, series, people, groups, burn=burn)
    made = Corpus(folder / "scans", tuple(people), tuple(corpus.files), tuple(corpus.tokens))
    _write_lists(folder, made)
    return made


def _fill(
    corpus: "_Builder",
    series: Sequence[Series],
    people: list[Person],
    groups: Sequence[str],
    *,
    burn: bool,
) -> None:
    for number, each in enumerate(series, start=1):
        person = people[groups.index(each.group)]
        corpus.add(each, person, number)
    if burn:
        for each in _burnable(series):
            person = Person.invent(len(people), corpus.invent)
            people.append(person)
            corpus.add(each, person, len(people) + 500, burned=True)


def _burnable(series: Sequence[Series]) -> Iterator[Series]:
    for group in ("t1-defaced", "simulated-0"):
        found = next((each for each in series if each.group == group), None)
        if found is not None:
            yield Series(f"burned-{group}", f"burned-{group}", found.files[:BURNED])


class _Builder:
    """Collects files and tokens while they are written."""

    def __init__(self, folder: Path, half: str, invent: Invent) -> None:
        self.scans = folder / "scans"
        self.invent = invent
        self.prefix = "1" if half == TUNE else "2"
        self.files: list[Planted] = []
        self.tokens: list[Token] = []
        self.uids: dict[int, Uids] = {}
        self.issuers: dict[int, str] = {}

    def add(self, series: Series, person: Person, number: int, *, burned: bool = False) -> None:
        """Plant in every file of one series; every other series is of the second visit."""
        uids = self.uids.setdefault(person.number, Uids(f"{self.prefix}{person.number:03d}"))
        first = str(read(series.files[0]).SOPInstanceUID)
        self.invent.is_ascii = person.is_ascii
        shared = {_ISSUER: self.issuers.setdefault(person.number, self.invent.hospital())}
        for instance, path in enumerate(series.files, start=1):
            dataset = read(path)
            sheet = Sheet(len(self.files), dataset, person, self.invent, shared)
            if burned:
                _burn(dataset, f"{person.latin} {person.chart}")
            _repair(dataset)
            plant(sheet, visit=number % 2, uids=uids, sibling=first)
            dataset.StudyInstanceUID = f"{dataset.StudyInstanceUID}.{number % 2}"
            hide_private(sheet)
            hide_container(sheet)
            dataset.SeriesNumber, dataset.InstanceNumber = number, instance
            if dataset.get("NumberOfSlices") and "NumberOfFrames" not in dataset:
                dataset.NumberOfSlices = len(series.files)  # or the command misses the others
            written = self._write(sheet)
            self.files.append(
                Planted(
                    sheet.file, written, person.number, number, instance, series.group,
                    str(dataset.SOPClassUID), path, burned,
                )
            )  # fmt: skip
            self.tokens += sheet.tokens

    def _write(self, sheet: Sheet) -> Path:
        code = sheet.draw("code")
        sheet.note(CONTAINER, (), "file name", code)
        name = sheet.person.latin if sheet.person.is_ascii else sheet.person.han
        path = self.scans / f"{name}_{sheet.person.chart}" / f"{code}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.dataset.file_meta.MediaStorageSOPInstanceUID = sheet.dataset.SOPInstanceUID
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheet.dataset.save_as(path, enforce_file_format=True)
        return path


def _repair(dataset: Dataset) -> None:
    """What a scan lacks that the writer needs."""
    if not dataset.file_meta.get("TransferSyntaxUID"):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    for tag in [tag for tag in dataset.keys() if tag.element == 0]:  # noqa: SIM118
        del dataset[tag]


def _burn(dataset: Dataset, text: str) -> None:
    """Write the text into the pixels, as a scanner's screen shows it."""
    stored = dataset.pixel_array.copy()
    plane = stored[0] if stored.ndim == 3 else stored
    size = max(10, plane.shape[0] // 14)
    mask = Image.new("L", (plane.shape[1], plane.shape[0]))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(mask).text((2, 2), text, fill=255, font=font)
    plane[np.asarray(mask) > 127] = np.percentile(plane, 99.9) + 1
    dataset.PixelData = stored.tobytes()


def _write_lists(folder: Path, corpus: Corpus) -> None:
    rows = [asdict(file) | _places(file, folder) for file in corpus.files]
    (folder / "files.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    tokens = [asdict(token) for token in corpus.tokens]
    (folder / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")


def _places(file: Planted, folder: Path) -> dict[str, str]:
    return {"path": str(file.path.relative_to(folder)), "base": str(file.base)}
