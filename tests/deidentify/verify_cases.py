"""A small dataset with its vault, made by the border itself, and ways to plant things in it."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from deid_cases import MR, PT, base, reread, stored
from pydicom import Dataset

from tracerless import deface, deidentify
from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, Keys, Profile, suv
from tracerless.deidentify.keys import pseudonym
from tracerless.deidentify.proof_facts import facts_of, series_record
from tracerless.deidentify.values import CleanInstance
from tracerless.io import profiles
from tracerless.io.atomic import write_json
from tracerless.io.vault import RECORD, Vault
from tracerless.workspace.dataset import Dataset as Home
from tracerless.workspace.verify import Verdict, verify
from tracerless.workspace.verify_iod import n_errors

NAME = "Chen^Dawenlong=陳^大文"
CHART = "A123456789"
BIRTH = "19620713"
ADDRESS = "Lane 12 Zhongxiao Road"


@dataclass(frozen=True)
class House:
    root: Path
    vault: Path
    person: Pseudonym
    sources: dict[str, list[bytes]]

    @property
    def folder(self) -> Path:
        """Of the PET series."""
        return self.root / f"sourcedata/sub-{self.person}/ses-01/FDG_007"

    @property
    def mr(self) -> Path:
        return self.root / f"sourcedata/sub-{self.person}/ses-01/T1w_005"

    @property
    def first(self) -> Path:
        return self.folder / "0001.dcm"


def source(sop_class: str, number: int, series: int) -> Dataset:
    """An identified instance with everything that SUV needs."""
    dataset = base(sop_class, number=number)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, CHART, BIRTH
    dataset.PatientAddress = ADDRESS
    dataset.StudyDescription = "Memory clinic of Doctor Wangxiaoming"
    dataset.private_block(0x0011, "DRWANG", create=True).add_new(1, "LO", "seen by DRWANG")
    dataset.SeriesInstanceUID = f"1.2.840.99.{series}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
        f"1.2.840.99.{series}.{number}"
    )
    dataset.SeriesNumber = series
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20180503", "092500"
    dataset.Manufacturer, dataset.ManufacturerModelName = "SIEMENS", "Biograph"
    if sop_class == PT:
        dataset.PatientWeight = 61.5
        dataset.CorrectedImage = ["ATTN", "DECY", "SCAT"]
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class
    reference.ReferencedSOPInstanceUID = f"1.2.840.99.{series}.1"
    dataset.ReferencedImageSequence = [reference]
    return dataset


def house(place: Path, profile: str = "research", n_files: int = 3) -> House:
    """A dataset of one person: PET and T1, with tables, and the vault that remembers."""
    root, vault = place / "data", place / "vault"
    Vault.create(vault, dataset=root)
    policy = Profile.parse(profile, profiles.read(profile))
    sources: dict[str, list[bytes]] = {}
    with Vault.open(vault, dataset=root) as opened:
        Home.create_or_open(root)
        keys = Keys.from_secret(opened.secret)
        person = pseudonym(keys.person, CHART)
        opened.admit(CHART, person, "1.2.840.99", "20180503")
        write_json(root / RECORD, {**opened.record, "profile": profile,
                                   "profile_digest": policy.digest})  # fmt: skip
        who = CleanIdentity(person, "01", -1234)
        for contrast, sop_class, number in ((Contrast.FDG, PT, 7), (Contrast.T1W, MR, 5)):
            name = f"sourcedata/sub-{person}/ses-01/{contrast}_{number:03d}"
            (root / name).mkdir(parents=True)
            facts, values = [], set()
            for k in range(1, n_files + 1):
                content = stored(source(sop_class, k, number))
                sources.setdefault(name, []).append(content)
                identified = reread(content)
                made = deidentify.instance(
                    identified, profile=policy, keys=keys, person=who, contrast=contrast
                )
                assert isinstance(made, CleanInstance)
                clean = made.dataset
                if policy.faces == "remove":
                    deface.stamp(clean, is_changed=False)
                if not suv.carried(clean):
                    suv.carry(identified, clean, policy)
                (root / name / f"{k:04d}.dcm").write_bytes(deidentify.to_bytes(clean))
                values |= made.removed
                uids = {"uid": str(clean.SOPInstanceUID), "series": str(clean.SeriesInstanceUID)}
                facts.append(
                    facts_of(content, **uids, iod_errors=n_errors(content) if k == 1 else None)
                )
            record = {"contrast": str(contrast), "defaced": False, "face": {"voxels": 0}}
            write_json(root / name / "series.json", record)
            opened.remember(person, values, series_record(name, facts))
        opened.save("crossed", {"written": 2})
    (root / "participants.tsv").write_text(f"participant_id\tsex\nsub-{person}\tF\n")
    return House(root, vault, person, sources)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A dataset that nobody spoils."""
    place = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(place / "config"))
        yield house(place)


@pytest.fixture
def copy(whole: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The same dataset, for a test to spoil; the vault is the same."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(whole.vault.parent / "config"))
    shutil.copytree(whole.root, tmp_path / "data")
    return House(tmp_path / "data", whole.vault, whole.person, whole.sources)


def proven(made: House, **options: object) -> Verdict:
    return verify(made.root, made.vault, opener="tester", reason="test", **options)  # type: ignore[arg-type]


def kinds(verdict: Verdict) -> set[tuple[str, str]]:
    """(check, kind) of every failure."""
    return {
        (each["check"], each["kind"])
        for each in verdict.report["findings"]
        if each["level"] == "failure"
    }


def edit(path: Path, change: Callable[[Dataset], None]) -> None:
    """Change a file as somebody might, its group lengths and file meta kept right."""
    dataset = pydicom.dcmread(path)
    change(dataset)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    path.write_bytes(buffer.getvalue())


def sidecar(folder: Path, **more: object) -> None:
    path = folder / "series.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, **more}))
