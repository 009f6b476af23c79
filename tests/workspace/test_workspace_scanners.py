"""Which scanner made a scan."""

import json

from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import Contrast
from tracerless.workspace.scanners import scanners

KEY = SessionKey(Pseudonym("A1"), "01")


def write(root, folder, name, **fields):
    path = root / "sub-A1" / "ses-01" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))


def test_maker_model_and_resolution_are_told_apart(tmp_path):
    write(
        tmp_path, "pet", "a_pet.json", Contrast="FDG", Manufacturer="GE MEDICAL SYSTEMS",
        ManufacturersModelName="SIGNA PET/MR", PointSpreadFWHM=5.95,
    )  # fmt: skip
    write(tmp_path, "perf", "a_asl.json", Contrast="asl", Manufacturer="SIEMENS")
    write(tmp_path, "anat", "a_T1w.json", Contrast="T1w", ManufacturersModelName="Skyra")
    found = scanners(tmp_path, KEY)
    assert found[Contrast.FDG] == "GE MEDICAL SYSTEMS SIGNA PET/MR, 5.95 mm"
    assert found[Contrast.CBF] == "SIEMENS", "a flow map is of the scanner that labeled the blood"
    assert found[Contrast.SYNTHETIC_FDG] == "Skyra"


def test_a_session_without_sidecars_has_no_scanner(tmp_path):
    assert scanners(tmp_path, KEY) == {}
    write(tmp_path, "pet", "a_pet.json", Contrast="FDG")
    assert Contrast.FDG not in scanners(tmp_path, KEY)
