"""Who withdraws leaves no trace in the dataset but a tombstone, and does not come back."""

import json
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from deid_cases import MR, base, stored

from pack_models import model
from tracerless.cli.withdraw import command
from tracerless.core.cohort import Cohort
from tracerless.core.errors import DatasetError, VaultError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import Inventory
from tracerless.io.vault import Vault
from tracerless.synthesize import Checkpoint
from tracerless.workspace import withdraw_files
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.ingest import ingest
from tracerless.workspace.models import save_checkpoint
from tracerless.workspace.tables import write_cohort
from tracerless.workspace.withdraw import digests, still_present, withdraw

STAYS, GOES = "A123456789", "B222222222"


def series(folder: Path, person: str) -> SourceSeries:
    folder.mkdir(parents=True)
    files = []
    for k in (1, 2):
        made = base(MR, number=k)
        made.PatientID, made.StudyInstanceUID = person, f"1.2.{person[1:]}"
        made.PatientName, made.PatientBirthDate = f"Name^{person[0] * 5}", "19500101"
        made.SeriesInstanceUID = f"1.2.{person[1:]}.1"
        made.SOPInstanceUID = f"1.2.{person[1:]}.1.{k}"
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        files.append(folder / f"{k}")
        files[-1].write_bytes(stored(made))
    return SourceSeries(
        files=tuple(files),
        contrast=Contrast.T1W,
        reason="a test",
        modality="MR",
        sop_class=MR,
        series_number=5,
        n_frames=2,
        person=person,
        study=f"1.2.{person[1:]}",
        study_date="20180503",
    )


def batch(place: Path, name: str) -> Inventory:
    people = [series(place / name / person, person) for person in (STAYS, GOES)]
    return Inventory(tuple(people), {}, 4)


def checkpoint(*people: Pseudonym) -> Checkpoint:
    seen = tuple(person_digest(person) for person in people)
    return replace(model(), people=seen, n_trained=len(people), n_held_out=0)


def names_of(place: Path) -> tuple[Pseudonym, Pseudonym]:
    with Vault.open(place / "vault", dataset=place / "data") as vault:
        stays, goes = vault.pseudonym_of(STAYS), vault.pseudonym_of(GOES)
    assert stays is not None
    assert goes is not None
    return stays, goes


def furnish(dataset: Dataset, stays: Pseudonym, goes: Pseudonym) -> None:
    """Everything that a dataset holds of people, as its commands leave it."""
    for n, person in enumerate((stays, goes)):
        key = SessionKey(person, "01")
        for place in (dataset.root, dataset.derivatives):
            folder = place / f"sub-{person}" / "ses-01" / "anat"
            folder.mkdir(parents=True)
            (folder / f"{key}_T1w.nii.gz").write_bytes(b"\x1f\x8b" + bytes([n]) * 40)
            (folder / f"{key}_T1w.json").write_text("{}")
        put(dataset.derivatives / "problems" / f"{key}_desc-prepare.json", '{"problem": "x"}')
        put(dataset.reports / f"{key}.html", f"<h1>{key}</h1>")
        put(dataset.root / "verification" / "people" / f"{person}.json", "{}")
    both = f"<a href='sub-{stays}_ses-01.html'>1</a><a href='sub-{goes}_ses-01.html'>2</a>"
    put(dataset.reports / "index.html", both)
    put(dataset.root / "verification" / "verification.json", f'{{"people": ["{stays}"]}}')
    put(dataset.root / "verification" / "verification.sig", "00")
    put(dataset.derivatives / "evaluation" / "by_region.tsv", "region\tn\npons\t2\n")
    regions = "".join(f"sub-{p}\tses-01\tpons\t1.0\n" for p in (stays, goes) * 3)
    put(dataset.derivatives / "cohort_roi.tsv", "participant_id\tsession\tregion\tmean\n" + regions)
    put(dataset.root / "phenotype" / "mmse.tsv", f"participant_id\tMMSE\nsub-{goes}\t20\n")
    (dataset.root / "consent.json").write_text(
        json.dumps({"allowed": ["A", "B"], "people": {str(stays): "A", str(goes): "B"}})
    )
    kept_out = [{"identity": "1", "session": f"sub-{p}_ses-01"} for p in (stays, goes)]
    pairs = [{"kind": "same-person", "pseudonyms": [str(stays), str(goes)]}]
    quarantine = {"series": kept_out, "files_of_last_batch": {}, "notes": pairs}
    (dataset.root / "quarantine.json").write_text(json.dumps(quarantine))
    index = [str(stays), str(goes)]
    write_cohort(dataset, Cohort(pd.DataFrame({"age": [70, 71], "sex": "F"}, index=index)))
    save_checkpoint(dataset, "both", checkpoint(stays, goes), "m")
    save_checkpoint(dataset, "other", checkpoint(stays), "m")
    put(dataset.models / "stopped" / "training.state", "half-trained on both")


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A vault and a furnished dataset of two people."""
    ingest(batch(tmp_path, "in"), tmp_path / "data", vault=tmp_path / "vault", profile="seed")
    furnish(Dataset.open(tmp_path / "data"), *names_of(tmp_path))
    return tmp_path


def traces(root: Path, person: Pseudonym) -> list[str]:
    """Files that name a person, in their own name or inside: a search that knows no kinds."""
    text = str(person)
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if text in path.name or (path.is_file() and text.encode() in path.read_bytes())
    ]


def tree(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_nothing_in_the_dataset_names_the_person_afterwards(place: Path) -> None:
    stays, goes = names_of(place)
    root = place / "data"
    before, kept_before = traces(root, goes), traces(root, stays)
    assert len(before) >= 18, "the search finds what is there"
    done = withdraw(root, place / "vault", goes)
    assert traces(root, goes) == []
    assert person_digest(goes) == done.digest
    lost = {Path(name).name for name in set(kept_before) - set(traces(root, stays))}
    assert lost == {"index.html", "verification.json"}, "made anew for those who stay"
    people = pd.read_csv(root / "participants.tsv", sep="\t")
    assert people["participant_id"].tolist() == [f"sub-{stays}"]
    assert len((root / "derivatives/tracerless/cohort_roi.tsv").read_text().splitlines()) == 4
    quarantine = json.loads((root / "quarantine.json").read_text())
    assert [each["session"] for each in quarantine["series"]] == [f"sub-{stays}_ses-01"]
    assert quarantine["notes"] == []
    assert json.loads((root / "consent.json").read_text())["people"] == {str(stays): "A"}
    assert not list((root / "derivatives/tracerless/evaluation").iterdir())
    assert list((root / "verification").iterdir()) == [root / "verification" / "people"]
    assert done.entries == 3 + 1 + 1 + 1 + 2, "cohort, people, phenotype, consent, quarantine"


def test_after_a_batch_no_file_of_the_vault_or_its_keys_names_anybody(place: Path) -> None:
    keys = Path(os.environ["XDG_CONFIG_HOME"]) / "tracerless"
    held = {**tree(place / "vault"), **tree(keys)}
    assert {"key.json", "registry.bin", "crosswalk.bin", "log.jsonl"} < held.keys()
    for name, content in held.items():
        for person in (STAYS, GOES):
            for secret in (person, f"Name^{person[0] * 5}", f"1.2.{person[1:]}", "19500101"):
                assert secret.encode() not in content, name
                assert secret.encode() not in name.encode()


def test_the_tombstone_says_when_and_how_much_but_not_who(place: Path) -> None:
    _, goes = names_of(place)
    done = withdraw(place / "data", place / "vault", GOES)
    text = (place / "data" / "withdrawn.json").read_text()
    stone = json.loads(text)["people"][done.digest]
    assert stone["state"] == "done"
    assert (stone["files"], stone["entries"]) == (done.files, done.entries)
    assert stone["withdrawn_on"].count("-") == 2
    for secret in (str(goes), GOES):
        assert secret not in text
    assert digests(Dataset.open(place / "data")) == {done.digest}
    assert "withdrawn.json" in (place / "data" / ".bidsignore").read_text().splitlines()


def test_models_that_saw_the_person_are_marked_and_a_stopped_training_goes(place: Path) -> None:
    models = place / "data" / "models"
    weights = (models / "both" / "checkpoint.safetensors").read_bytes()
    done = withdraw(place / "data", place / "vault", GOES)
    assert done.models == ("both",)
    assert json.loads((models / "both/withdrawals.json").read_text())["people"] == [done.digest]
    assert (models / "both" / "checkpoint.safetensors").read_bytes() == weights
    assert not (models / "other" / "withdrawals.json").exists()
    assert not (models / "stopped" / "training.state").exists()


@pytest.mark.parametrize("name", ["classifier.json", "risk.json"])
def test_tabular_models_that_saw_the_person_are_marked(place: Path, name: str) -> None:
    stays, goes = map(person_digest, names_of(place))
    models = place / "data" / "models"
    for folder, people in (("saw", [stays, goes]), ("did-not", [stays])):
        (models / folder).mkdir()
        (models / folder / name).write_text(json.dumps({"people": people}))
    done = withdraw(place / "data", place / "vault", GOES)
    assert set(done.models) == {"both", "saw"}
    assert not (models / "did-not" / "withdrawals.json").exists()


def test_the_next_batch_leaves_the_person_out(place: Path) -> None:
    stays, goes = names_of(place)
    withdraw(place / "data", place / "vault", GOES)
    report = ingest(batch(place, "again"), place / "data", vault=place / "vault", profile="seed")
    assert report.quarantined == {"withdrawn": 1}
    assert report.people == 1
    assert traces(place / "data", goes) == []
    release = ingest(
        batch(place, "later"),
        place / "release",
        vault=place / "vault",
        profile="seed",
        domain="release-one",
    )
    assert release.quarantined == {"withdrawn": 1}
    (only,) = {path.name for path in (place / "release" / "sourcedata").glob("sub-*")}
    assert only != f"sub-{stays}"


def test_another_dataset_of_the_vault_is_told_that_somebody_must_go(place: Path) -> None:
    release = place / "release"
    ingest(batch(place, "r"), release, vault=place / "vault", profile="seed", domain="release-one")
    _, goes = names_of(place)
    withdraw(place / "data", place / "vault", goes)
    with Vault.open(place / "vault", dataset=release) as vault:
        (there,) = still_present(Dataset.open(release), vault)
    assert there != goes
    withdraw(release, place / "vault", goes)
    assert traces(release, there) == []
    with Vault.open(place / "vault", dataset=release) as vault:
        assert still_present(Dataset.open(release), vault) == ()


def test_a_second_time_changes_nothing(place: Path) -> None:
    first = withdraw(place / "data", place / "vault", GOES)
    put(place / "data" / "reports" / "index.html", "made anew")
    put(place / "data" / "models" / "stopped" / "training.state", "begun anew")
    before = tree(place / "data")
    again = withdraw(place / "data", place / "vault", GOES)
    assert tree(place / "data") == before
    assert (again.is_repeat, again.files, again.models) == (True, first.files, first.models)


def test_the_vault_forgets_what_it_could_tell_the_opener(place: Path) -> None:
    stays, goes = names_of(place)
    asked = {"opener": "Lin", "reason": "check"}
    with Vault.opened(place / "vault", **asked) as opened:
        assert ("PatientID", GOES) in opened.remembered(goes).values
    assert withdraw(place / "data", place / "vault", GOES).sealed_records >= 2
    with Vault.opened(place / "vault", **asked) as opened:
        assert {entry.person for entry in opened.crosswalk()} == {STAYS}
        assert opened.remembered(goes).values == frozenset()
        assert ("PatientID", STAYS) in opened.remembered(stays).values


def test_whom_nobody_knows_is_kept_out_or_refused(place: Path) -> None:
    before = tree(place / "data")
    done = withdraw(place / "data", place / "vault", "Z999")
    assert (done.digest, done.files) == ("", 0)
    with pytest.raises(VaultError, match="knows no pseudonym"):
        withdraw(place / "data", place / "vault", Pseudonym("WC69X8PPNQ"))
    assert tree(place / "data") == before
    (place / "data" / "withdrawn.json").write_text("[]")
    with pytest.raises(DatasetError, match="is damaged"):
        withdraw(place / "data", place / "vault", GOES)


def test_a_pseudonym_inside_another_word_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "t.tsv", "a\nsub-AB1\nsub-AB12\nXAB1\n")
    put(tmp_path / "sub-AB12" / "x.tsv", "AB1x\n")
    put(tmp_path / "broken.json", '{"AB1"')
    assert withdraw_files.survey(tmp_path, Pseudonym("AB1")) == {"files": 1, "entries": 1}
    withdraw_files.remove(tmp_path, Pseudonym("AB1"))
    assert tree(tmp_path) == {"t.tsv": b"a\nsub-AB12\nXAB1\n", "sub-AB12/x.tsv": b"AB1x\n"}


def test_the_command_takes_a_pseudonym_or_a_file(place: Path) -> None:
    _, goes = names_of(place)
    arguments = [str(place / "data"), "--vault", str(place / "vault")]
    run = CliRunner()
    assert run.invoke(command, arguments).exit_code == 2
    mistyped = str(goes)[:-1] + ("1" if str(goes)[-1] != "1" else "2")
    assert "mistyped" in run.invoke(command, [*arguments, "--pseudonym", mistyped]).output
    put(place / "number.txt", f"{GOES}\n")
    done = run.invoke(command, [*arguments, "--chart-number-file", str(place / "number.txt")])
    assert done.exit_code == 0
    assert "Withdrawn." in done.output
    assert "to be trained again: both" in done.output
    assert GOES not in done.output
    again = run.invoke(command, [*arguments, "--pseudonym", f"sub-{goes}", "--json"])
    assert json.loads(again.stdout)["repeat"] is True


_EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")


def _die_at(count: int, place: Path) -> None:
    left = [count]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if (event in _EVENTS or writes) and str(place) in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    withdraw(place / "data", place / "vault", GOES)
    os._exit(77)


def test_killed_at_many_instants_it_goes_on_to_the_end(place: Path, tmp_path: Path) -> None:
    _, goes = names_of(place)
    fork = multiprocessing.get_context("fork")
    for count in range(1, 200, 6):
        child = fork.Process(target=_die_at, args=(count, place))
        child.start()
        child.join()
        if child.exitcode == 77:
            break
        stone = place / "data" / "withdrawn.json"
        if len(traces(place / "data", goes)) == 0:
            assert stone.exists(), "the tombstone comes before anything goes"
    assert child.exitcode == 77
    assert traces(place / "data", goes) == []
    done = withdraw(place / "data", place / "vault", GOES)
    assert done.is_repeat
    assert done.files > 10, "the count of the first try stays"
