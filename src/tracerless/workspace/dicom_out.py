"""DICOM that a PACS can take, from what a dataset holds."""

from datetime import datetime
from pathlib import Path

from pydicom import Dataset as DicomDataset

from tracerless.core.errors import ContrastError, DicomError
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.volume import Contrast, Volume
from tracerless.io.atomic import atomic
from tracerless.io.dicom_read import Rejection, read
from tracerless.publish.parametric import parametric_map
from tracerless.workspace.batch import Track
from tracerless.workspace.clean import clean_session, keeps_faces
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.deface_session import recognizable
from tracerless.workspace.derivatives import prediction_of
from tracerless.workspace.shelf import SessionShelf


def export_sessions(
    dataset: Dataset, keys: tuple[SessionKey, ...], folder: Path, *, track: Track
) -> tuple[Path, ...]:
    """Write the synthetic FDG of each session as one Parametric Map; the paths written.

    A session that fails quality control by now is left out, whatever was predicted before.

    Raises:
        ContrastError: no session holds synthetic FDG.
        DicomError: the T1 that it lies on cannot be read, or still shows a face that the policy
            orders to be removed.
    """
    written = []
    for key in track(keys, "export", len(keys)):
        shelf = SessionShelf(dataset, key)
        prepared, volume = shelf.latest("prepared"), shelf.latest("synthetic_native")
        prediction = None if prepared is None else prediction_of(shelf, prepared)
        if prediction is None or volume is None:
            continue
        made = _parametric_map(dataset, key, prediction, volume)
        path = folder / f"{key}_trc-FDG_space-T1w_desc-synth_pet.dcm"
        with atomic(path) as partial:
            made.save_as(partial, enforce_file_format=True)
        written.append(path)
    if not written:
        raise ContrastError(
            f"None of {len(keys)} sessions holds synthetic FDG.",
            hint="Run `tracerless synthesize predict DATASET` first.",
        )
    return tuple(written)


def _parametric_map(
    dataset: Dataset, key: SessionKey, prediction: Prediction, volume: Volume
) -> DicomDataset:
    headers = [read(path) for path in _t1_files(dataset, key)]
    good = [each for each in headers if not isinstance(each, Rejection)]
    if not good or len(good) < len(headers):
        raise DicomError(
            f"{key}: {len(headers) - len(good)} of {len(headers)} T1 instances cannot be read.",
            hint="De-identify the session again.",
        )
    if recognizable(good[0]) and not keeps_faces(dataset.root):
        raise DicomError(
            f"{key}: the T1 does not state that its face was removed, as the policy orders.",
            hint="De-identify the session again.",
        )
    return parametric_map(volume, source=good, prediction=prediction, made=_study_time(good[0]))


def _t1_files(dataset: Dataset, key: SessionKey) -> tuple[Path, ...]:
    session = clean_session(dataset.root, key)
    return next((s.files for s in session.series if s.contrast == Contrast.T1W), ())


def _study_time(header: DicomDataset) -> datetime:
    """The T1's own date and time, so that the same input gives the same object."""
    date, time = str(header.get("ContentDate", "")), str(header.get("ContentTime", ""))
    try:
        return datetime.strptime(f"{date}{time[:6]:0<6}", "%Y%m%d%H%M%S")
    except ValueError:
        return datetime(1970, 1, 1)
