"""Series of invented people as a scan finds them, and one call that brings them over."""

from pathlib import Path

from deid_cases import MR, PT, base, plant, stored

from tracerless.core.source import Problem, SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import Inventory
from tracerless.workspace.ingest import IngestReport, ingest

CHART = "A123456789"


def series(
    folder: Path,
    *,
    contrast: Contrast = Contrast.T1W,
    person: str = CHART,
    study: str = "1.2.840.1.1",
    date: str = "20180503",
    number: int = 5,
    n_files: int = 3,
    problems: tuple[Problem, ...] = (),
) -> SourceSeries:
    """Write a series of one person and say what it is, as a scan would."""
    sop_class = PT if contrast is Contrast.FDG else MR
    place = folder / f"{person}-{study}-{number}-{contrast}"
    place.mkdir(parents=True)
    files = []
    for k in range(1, n_files + 1):
        dataset = base(sop_class, number=k)
        plant(dataset)
        dataset.PatientID, dataset.StudyInstanceUID, dataset.StudyDate = person, study, date
        dataset.SeriesInstanceUID = f"{study}.{number}"
        dataset.SOPInstanceUID = f"{study}.{number}.{k}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SeriesNumber = number
        files.append(place / f"{person}{k}")
        files[-1].write_bytes(stored(dataset))
    return SourceSeries(
        files=tuple(files),
        contrast=contrast,
        reason="a test",
        modality="PT" if sop_class == PT else "MR",
        sop_class=sop_class,
        series_number=number,
        n_frames=n_files,
        person=person,
        study=study,
        study_date=date,
        problems=problems,
    )


def run(place: Path, *found: SourceSeries, **options: object) -> IngestReport:
    inventory = Inventory(tuple(found), {"not-dicom": 1}, 10)
    data, vault = place / "data", place / "vault"
    return ingest(inventory, data, vault=vault, **{"profile": "seed", **options})  # type: ignore[arg-type]


def hospital(folder: Path) -> tuple[SourceSeries, ...]:
    return (
        series(folder),
        series(folder, contrast=Contrast.FDG, number=7, n_files=2),
        series(folder, person="B222", study="1.2.840.1.2", n_files=2),
    )


def tree(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
