"""Small series of invented people, the real command, and what it left behind."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from phantoms import Phantom, Who, head, oblique, write_mr
from tracerless.cli.deidentify import command
from tracerless.core.volume import Contrast
from tracerless.io import pixels

SHAPE = (7, 6, 5)
"""Too small for anybody to write into."""

Change = Callable[[Path], None]


def person(folder: Path, who: Who, *, name: str = "PLANTED^Name^測試", birth: str = "19440506",
           peak: int = 900) -> Phantom:  # fmt: skip
    def edit(dataset: Dataset, _: int) -> None:
        dataset.PatientName, dataset.PatientBirthDate = name, birth

    return write_mr(folder, head(SHAPE, peak), oblique(), who=who, edit=edit)


def t1(place: Path, change: Change | None = None) -> Phantom:
    phantom = person(place / "in", Who())
    for path in phantom.files if change else ():
        change(path)
    return phantom


def invoke(place: Path, *more: str, profile: str = "seed") -> Result:
    arguments = [str(place / "in"), str(place / "data"), "--vault", str(place / "vault")]
    return CliRunner().invoke(
        command, [*arguments, "--profile", profile, "--json", *more], catch_exceptions=False
    )


def crossed(place: Path) -> list[Path]:
    return sorted(path.parent for path in (place / "data").rglob("series.json"))


def quarantine(place: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        (place / "data" / "quarantine.json").read_text()
    )
    return found


def outside(place: Path) -> list[object]:
    return sorted(str(each["kind"]) for each in quarantine(place)["series"])


def every_byte(place: Path) -> Iterator[bytes]:
    for path in (place / "data").rglob("*"):
        yield str(path.relative_to(place)).encode()
        if path.is_file():
            yield path.read_bytes()


def assert_nobody(place: Path, *more: str) -> None:
    for secret in ("PLANTED", "測試", *more):
        for encoding in ("utf-8", "big5", "gb18030"):
            assert not any(secret.encode(encoding) in content for content in every_byte(place))


def assert_volume(place: Path, phantom: Phantom) -> None:
    (folder,) = crossed(place)
    found = pixels.load(sorted(folder.glob("*.dcm")), Contrast.T1W)
    assert np.array_equal(found.volumes[0].array, phantom.voxels)
    assert np.allclose(found.grid.affine, phantom.affine, atol=1e-4)


def saved_as(syntax: str) -> Change:
    def change(path: Path) -> None:
        dataset = dcmread(path)
        if syntax == RLELossless:
            dataset.compress(RLELossless)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)

    return change
