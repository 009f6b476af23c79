"""Plants an invented identity into a scan and notes every value, so that none can leak unseen."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from bench.deidentify_people import DECLARED, Invent, Person
from bench.deidentify_places import NESTED, PLACES, STANDARD, Place

UID_ROOT = "1.3.12.2.1107.5.2.99."


@dataclass(frozen=True, slots=True)
class Token:
    """One planted value.

    Args:
        file: of the corpus, by its number.
        stratum: kind of place.
        path: tags from the top to the attribute; empty for what lies outside attributes.
        place: the same in words.
        text: the value to look for.
        charset: how the person's texts are written.
    """

    file: int
    stratum: str
    path: tuple[int, ...]
    place: str
    text: str
    charset: str

    def needles(self) -> Iterable[bytes]:
        """The value in every encoding that it may survive in."""
        encodings = ("ascii",) if self.text.isascii() else ("utf-8", "big5", "gb18030")
        return dict.fromkeys(self.text.encode(encoding).lower() for encoding in encodings)


@dataclass(slots=True)
class Sheet:
    """The dataset being planted in, and what has been planted."""

    file: int
    dataset: Dataset
    person: Person
    invent: Invent
    shared: dict[Place, str] = field(default_factory=dict)
    """Values of places that all files of the series have in common, filled as they are drawn."""
    tokens: list[Token] = field(default_factory=list)

    def note(self, stratum: str, path: Iterable[int], place: str, text: str) -> None:
        """Remember a planted value."""
        token = Token(self.file, stratum, tuple(path), place, text, self.person.charset)
        self.tokens.append(token)

    def draw(self, kind: str) -> str:
        """A fresh value of a kind, for instance ``mobile``."""
        value: str = getattr(self.invent, kind)()
        return value


def plant(sheet: Sheet, *, visit: int, uids: "Uids", sibling: str) -> None:
    """Give the dataset a new identity and plant values in standard, free and nested places.

    Args:
        sheet: with the scan as it was read; changed in place.
        visit: 0 or 1; which visit of the person the scan becomes.
        uids: gives every UID of the person a new one.
        sibling: original SOP Instance UID of another file, to refer to.
    """
    dataset, person = sheet.dataset, sheet.person
    _shift_dates(sheet, person.visits[visit])
    _renew_uids(dataset, uids)
    dataset.SpecificCharacterSet = DECLARED[person.charset]
    _identify(sheet)
    modality = "NM" if "DetectorInformationSequence" in dataset else str(dataset.Modality)
    kinds = {"", modality, "enhanced" if "PerFrameFunctionalGroupsSequence" in dataset else ""}
    for place in PLACES:
        if place.only in kinds:
            _put(sheet, place)
    _refer(sheet, uids.new(sibling))
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        sheet.note(STANDARD, (tag_for_keyword(keyword),), keyword, str(dataset[keyword].value))


@dataclass(slots=True)
class Uids:
    """New UIDs for old ones; equal in, equal out, within one person and half."""

    prefix: str
    known: dict[str, str] = field(default_factory=dict)

    def new(self, uid: str) -> str:
        """The new UID; UIDs of the standard stay."""
        if uid.startswith("1.2.840.10008.") or not uid:
            return uid
        return self.known.setdefault(uid, f"{UID_ROOT}{self.prefix}.{100_000 + len(self.known)}")


def _identify(sheet: Sheet) -> None:
    """What is equal in all files of a person: name, chart number, date of birth."""
    dataset, person = sheet.dataset, sheet.person
    dataset.PatientName = person.written(person.person_name)
    dataset.PatientID, dataset.PatientBirthDate = person.chart, f"{person.born:%Y%m%d}"
    dataset.PatientSex, dataset.PatientAge = "F", "068Y"
    name = tag_for_keyword("PatientName")
    sheet.note(STANDARD, (name,), "PatientName (Latin)", person.latin.replace(" ", "^"))
    if not person.is_ascii:
        sheet.note(STANDARD, (name,), "PatientName (Chinese)", person.han[1:])
    sheet.note(STANDARD, (tag_for_keyword("PatientID"),), "PatientID", person.chart)
    born = tag_for_keyword("PatientBirthDate")
    sheet.note(STANDARD, (born,), "PatientBirthDate", f"{person.born:%Y%m%d}")


def _put(sheet: Sheet, place: Place) -> None:
    """Write one planted value; sequences on the way are made, or their first item is used."""
    level = sheet.dataset
    for keyword in place.path[:-1]:
        element = level.get(keyword)
        if not element:
            level.add(DataElement(tag_for_keyword(keyword), "SQ", Sequence([Dataset()])))
        level = level[keyword].value[0]
    tag = tag_for_keyword(place.path[-1])
    value = sheet.shared.get(place) or sheet.shared.setdefault(place, sheet.draw(place.kind))
    if place.path[-1] == "CodeMeaning" and "CodeValue" not in level:
        level.CodeValue, level.CodingSchemeDesignator = "4711", "99LOCAL"
    person = sheet.person
    text = place.text.format(value, own=person.latin if person.is_ascii else person.han)
    level.add(DataElement(tag, dictionary_VR(tag), person.written(text)))
    path = (tag_for_keyword(keyword) for keyword in place.path)
    sheet.note(place.stratum, path, "/".join(place.path), value)


def _refer(sheet: Sheet, sibling: str) -> None:
    """Refer to another file of the corpus, and to a procedure step that no file holds."""
    for keyword in ("ReferencedImageSequence", "SourceImageSequence"):
        item = sheet.dataset[keyword].value[0]
        item.ReferencedSOPClassUID = sheet.dataset.SOPClassUID
        item.ReferencedSOPInstanceUID = sibling
        path = (tag_for_keyword(keyword), tag_for_keyword("ReferencedSOPInstanceUID"))
        sheet.note(NESTED, path, f"{keyword}/ReferencedSOPInstanceUID", sibling)


def _renew_uids(dataset: Dataset, uids: Uids) -> None:
    for element in dataset.iterall():
        if element.VR == "UI" and not element.tag.is_private and element.value:
            old = element.value
            many = [str(uid) for uid in old] if isinstance(old, MultiValue) else [str(old)]
            new = [uids.new(uid) for uid in many]
            element.value = new if len(new) > 1 else new[0]


def _shift_dates(sheet: Sheet, visit: date) -> None:
    """Move every date of the scan so that its study falls on the day of the visit."""
    dataset = sheet.dataset
    was = _day(str(dataset.get("StudyDate") or "")) or date(2010, 1, 1)
    days = (visit - was).days
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        if not dataset.get(keyword):
            setattr(dataset, keyword, f"{was:%Y%m%d}")
    _shift(sheet, dataset, (), days)


def _shift(sheet: Sheet, level: Dataset, path: tuple[int, ...], days: int) -> None:
    for element in list(level):
        here = (*path, int(element.tag))
        if element.VR == "SQ":
            for item in element.value:
                _shift(sheet, item, here, days)
        elif element.VR in ("DA", "DT") and element.value and element.tag != Tag(0x00100030):
            moved = _moved(str(element.value), days)
            element.value = moved
            if len(path) < 3:
                place = "/".join([*(keyword_of(tag) for tag in here)])
                sheet.note(NESTED if path else STANDARD, here, place, moved[:8])


def keyword_of(tag: int) -> str:
    """The keyword, or the tag where the dictionary has none."""
    return keyword_for_tag(tag) or f"{tag:08X}"


def _moved(text: str, days: int) -> str:
    day = _day(text)
    return f"{day + timedelta(days=days):%Y%m%d}{text[8:]}" if day else text


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Planted:
    """One file of the corpus: where it lies, whose it is, and what it was made from."""

    number: int
    path: Path
    person: int
    series: int
    instance: int
    group: str
    sop_class: str
    base: Path
    is_burned: bool = False
