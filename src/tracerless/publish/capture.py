"""Synthetic FDG as a color Secondary Capture: any viewer shows it, the label is in the pixels."""

from collections.abc import Sequence
from datetime import datetime

import highdicom as hd
from pydicom import Dataset

from tracerless import __version__
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.publish.headers import MANUFACTURER, adopt, algorithm, references, source_headers
from tracerless.publish.marking import FIRST_SERIES, content_uid, mark, require_marked
from tracerless.publish.panel import pick, session_panels
from tracerless.publish.picture import Pixels, render
from tracerless.publish.slices import axial_slices

N_SLICES, PER_ROW = 20, 4


def secondary_capture(
    prepared: Prepared,
    *,
    template: Template,
    prediction: Prediction,
    source: Sequence[Dataset],
    made: datetime,
    series_number: int = FIRST_SERIES + 1,
) -> Dataset:
    """An RGB picture of axial slices in template space: T1 where there is one, synthetic FDG.

    Args:
        prepared: the session that the prediction was made from.
        template: its brain decides what is drawn, so no face is.
        prediction: synthetic FDG of the session.
        source: headers of the de-identified T1 instances.
        made: content date and time; nothing else in the object depends on the clock.
        series_number: at least 9000.

    Returns:
        Same study as the T1, with the synthetic label burned in: equal input, equal bytes.

    Raises:
        RecipeMismatchError: the prediction belongs to another session.
        GeometryError: a volume is not on the grid of the template.
        DicomError: the headers cannot be derived from.
        QuantityError: a mark of a synthetic object is missing.
    """
    headers = source_headers(source)
    panels = session_panels(prepared, template, prediction)
    shown = pick(panels, Contrast.T1W, Contrast.SYNTHETIC_FDG)
    pixels = render(shown, axial_slices(template.brain, N_SLICES), per_row=PER_ROW)
    seed = (
        pixels.tobytes(),
        str(headers[0].SeriesInstanceUID),
        prediction.fingerprint,
        made.isoformat(),
        str(series_number),
    )
    dataset = _build(pixels, headers[0], prediction, made, series_number, seed)
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.BurnedInAnnotation = "YES"
    dataset.RecognizableVisualFeatures = "NO"
    dataset.SourceImageSequence = references(headers)
    dataset.DateOfSecondaryCapture = f"{made:%Y%m%d}"
    dataset.TimeOfSecondaryCapture = f"{made:%H%M%S}"
    adopt(dataset, source[0])
    mark(dataset, prediction, made)
    return require_marked(dataset)


def _build(
    pixels: Pixels,
    header: Dataset,
    prediction: Prediction,
    made: datetime,
    series_number: int,
    seed: tuple[bytes | str, ...],
) -> Dataset:
    built: Dataset = hd.sc.SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system=hd.CoordinateSystemNames.PATIENT,
        patient_orientation=("L", "P"),
        study_instance_uid=header.StudyInstanceUID,
        series_instance_uid=content_uid("capture-series", *seed),
        series_number=series_number,
        sop_instance_uid=content_uid("capture-instance", *seed),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=prediction.model[:64],
        software_versions=__version__,
        content_date=made.date(),
        content_time=made.time(),
        contributing_equipment=[algorithm(prediction)],
    )
    return built
