"""A blinded, randomized set of cases for readers; its key is kept apart from it.

Every person comes as MR alone, with synthetic and with acquired PET, in three blocks: once in each,
every block with as many of each kind (a Latin square), in another order for each reader.
"""

import csv
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast, Volume
from tracerless.evaluate.readers import KINDS, MR
from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.io.blinded import write_blinded
from tracerless.publish import reader_kit as pictures
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import Subject, Trial

KEY = "key.csv"
KEY_COLUMNS = ("case", "person", "visit", "kind", "truth")
PAGE = "READ_ME_FIRST.html"
FORM = "form_{reader}.csv"
FACTS = "set.json"
N_BLOCKS = len(KINDS)


@dataclass(frozen=True, slots=True)
class Case:
    """One person shown in one way.

    Args:
        code: by which readers know it; says nothing.
        subject: whose visit.
        kind: of `KINDS`.
        block: in which it is read, 0-2.
    """

    code: str
    subject: Subject
    kind: str
    block: int


@dataclass(frozen=True, slots=True)
class Kit:
    """Where a set and its key lie.

    Args:
        folder: for the readers.
        key: for whoever analyzes the forms.
        cases: in the order of their codes.
        left_out: sentences about people who could not be shown.
    """

    folder: Path
    key: Path
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]


def make_kit(
    trial: Trial,
    folder: Path,
    key_folder: Path,
    *,
    n_people: int = 30,
    n_readers: int = 2,
    seed: str | None = None,
    volumes: bool = False,
    advance: Advance | None = None,
) -> Kit:
    """Write a set of cases, the forms, and the key.

    Args:
        trial: a synthesizer and people whom it never saw.
        folder: for the readers; new or empty.
        key_folder: for the key; neither in ``folder`` nor around it.
        n_people: taken in turn from every diagnosis.
        n_readers: forms, each in its own order.
        seed: of codes, blocks and orders; None draws one that nobody can guess. It is kept with
            the key: whoever knows it knows what each case is.
        volumes: also NIfTI of every case.
        advance: told of every person.

    Raises:
        DatasetError: the folders lie in each other, or hold something.
        ModelError: fewer than two people with a diagnosis that can be shown, or a model of twins.
    """
    trial.require_own()
    _require_apart(folder, key_folder)
    seed = seed or secrets.token_hex(8)
    named = tuple(each for each in trial.subjects if each.diagnosis)
    chosen = _in_turn(named, n_people)
    cases = dealt(chosen, seed)
    top = _top(trial, chosen)
    left_out: list[str] = []
    shown: list[Case] = []
    for done, subject in enumerate(chosen, start=1):
        own = [case for case in cases if case.subject == subject]
        try:
            made = _volumes(trial, subject, trial.template.brain)
        except ModelError as error:
            left_out.append(f"{subject.key}: {error.message}")
        else:
            _write_cases(folder, own, made, trial.template.brain, top=top, volumes=volumes)
            shown += own
        if advance:
            advance(done, len(chosen), "draw")
    if len({case.subject.person for case in shown}) < 2:
        raise ModelError("Fewer than two people can be shown.", hint="Name another model.")
    shown.sort(key=lambda case: case.code)
    _write_texts(trial, folder, shown, n_readers=n_readers, seed=seed)
    key = _write_key(key_folder, shown)
    write_json(key_folder / FACTS, {"Model": trial.synthesizer.name, "Seed": seed})
    return Kit(folder, key, tuple(shown), tuple(left_out))


def dealt(subjects: Sequence[Subject], seed: str) -> tuple[Case, ...]:
    """Every subject in every way; codes, blocks and ways dealt at random, blocks in balance."""
    random = generator("reader kit", seed)
    order = random.permutation(len(subjects))
    codes = random.permutation(len(subjects) * len(KINDS)) + 1
    cases = []
    for place, number in enumerate(order):
        for turn, kind in enumerate(KINDS):
            code = f"case-{codes[len(KINDS) * place + turn]:03d}"
            block = (turn + place) % N_BLOCKS
            cases.append(Case(code, subjects[number], kind, block))
    return tuple(cases)


def reading_order(cases: Sequence[Case], seed: str, reader: str) -> tuple[Case, ...]:
    """Blocks one after the other, their cases in an order that is this reader's own."""
    random = generator("reader kit", seed, reader)
    blocks = random.permutation(N_BLOCKS)
    found: list[Case] = []
    for block in blocks:
        own = [case for case in cases if case.block == block]
        found += [own[place] for place in random.permutation(len(own))]
    return tuple(found)


def _in_turn(subjects: Sequence[Subject], n_people: int) -> tuple[Subject, ...]:
    """The first visits of ``n_people``, taken in turn from every diagnosis."""
    seen: set[str] = set()
    ranks: dict[str, int] = {}
    turns = []
    for place, subject in enumerate(subjects):
        if str(subject.person) not in seen:
            seen.add(str(subject.person))
            ranks[subject.diagnosis] = ranks.get(subject.diagnosis, 0) + 1
            turns.append((ranks[subject.diagnosis], place))
    return tuple(subjects[place] for _, place in sorted(turns)[:n_people])


def _require_apart(folder: Path, key_folder: Path) -> None:
    one, other = folder.resolve(), key_folder.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise DatasetError(
            "The key would lie in one place with the cases that it gives away.",
            hint="Name two folders, neither inside the other.",
        )
    for each in (one, other):
        if each.exists() and any(each.iterdir()):
            raise DatasetError(f"{each} is not empty.", hint="Name a new folder.")


def _top(trial: Trial, subjects: Sequence[Subject]) -> float:
    """SUVR of the brightest color: over everybody's acquired PET, rounded up to a tenth."""
    tops = []
    for subject in subjects:
        array = trial.prepared(subject).require(Contrast.FDG).array
        tops.append(float(np.nanpercentile(array[trial.atlas.labels > 0], 99)))
    return float(np.ceil(np.median(tops) * 10) / 10)


def _volumes(trial: Trial, subject: Subject, brain: Volume) -> dict[str, Mapping[Contrast, Volume]]:
    """What each kind shows: MR, and the PET picture under ``UNKNOWN``."""
    prepared: Prepared = trial.prepared(subject)
    made = trial.predict(subject, prepared)
    both = pictures.common_field(
        pictures.blinded(made.volume, brain),
        pictures.blinded(prepared.require(Contrast.FDG), brain),
    )
    mr = {each: prepared.volumes[each] for each in MR_INPUTS if each in prepared.volumes}
    pets = dict(zip(KINDS[1:], both, strict=True))
    return {MR: mr, **{kind: {**mr, Contrast.UNKNOWN: pet} for kind, pet in pets.items()}}


def _write_cases(
    folder: Path,
    cases: Sequence[Case],
    made: Mapping[str, Mapping[Contrast, Volume]],
    brain: Volume,
    *,
    top: float,
    volumes: bool,
) -> None:
    for case in cases:
        shown = made[case.kind]
        pet = shown.get(Contrast.UNKNOWN)
        drawn = pictures.case_picture(case.code, shown, pet, brain, top=top)
        write_bytes(folder / "cases" / f"{case.code}.png", drawn)
        for contrast, volume in shown.items() if volumes else ():
            name = "pet" if contrast is Contrast.UNKNOWN else str(contrast)
            inside = np.where(brain.array > 0, volume.array, np.nan).astype(np.float32)
            kept = Volume(inside, volume.grid, volume.quantity, Contrast.UNKNOWN)
            write_blinded(folder / "volumes" / f"{case.code}_{name}.nii.gz", kept)


def _write_texts(
    trial: Trial, folder: Path, cases: Sequence[Case], *, n_readers: int, seed: str
) -> None:
    diagnoses = sorted({case.subject.diagnosis for case in cases})
    page = pictures.instructions(
        [case.code for case in cases],
        diagnoses,
        kinds=("MR alone", "MR with a PET picture"),
        simulated=trial.domain == "simulated",
    )
    write_text(folder / PAGE, page)
    for number in range(1, n_readers + 1):
        reader = f"reader-{number}"
        order = reading_order(cases, seed, reader)
        blocks = list(dict.fromkeys(case.block for case in order))
        rows = [(str(blocks.index(each.block) + 1), each.code, "", "", "", "") for each in order]
        write_text(folder / FORM.format(reader=reader), _csv(pictures.FORM_COLUMNS, rows))
    about = {
        "SomeAreSynthetic": True,
        "Statement": [pictures.SOME_SYNTHETIC_EN, pictures.SOME_SYNTHETIC_ZH],
        "Cases": len(cases),
        "Diagnoses": diagnoses,
        "Units": "SUVR",
        "BlurFWHMmm": pictures.FWHM_MM,
        "SimulatedPeople": trial.domain == "simulated",
    }
    write_json(folder / FACTS, about)


def _write_key(folder: Path, cases: Sequence[Case]) -> Path:
    rows = [
        (
            case.code, str(case.subject.person), case.subject.key.visit, case.kind,
            case.subject.diagnosis,
        )
        for case in cases
    ]  # fmt: skip
    path = folder / KEY
    write_text(path, _csv(KEY_COLUMNS, rows))
    path.chmod(0o600)
    return path


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return sink.getvalue()
