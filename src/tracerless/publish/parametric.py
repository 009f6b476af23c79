"""Synthetic FDG as a DICOM Parametric Map in the space of the person's own T1."""

from collections.abc import Sequence
from datetime import datetime

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.coding import Code

from tracerless import __version__
from tracerless.core.errors import QuantityError
from tracerless.core.prediction import Prediction
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.publish.headers import (
    MANUFACTURER,
    Planes,
    adopt,
    algorithm,
    planes,
    source_headers,
)
from tracerless.publish.marking import FIRST_SERIES, content_uid, mark, require_marked

NOT_PREDICTED = 0.0
"""Stored where nothing was predicted, and declared as Float Pixel Padding Value.

Viewers window a parametric map over its stored values, and many cannot window NaN. Predicted SUVR
inside a brain is far from 0.
"""


def parametric_map(
    prediction_native: Volume,
    *,
    source: Sequence[Dataset],
    prediction: Prediction,
    made: datetime,
    series_number: int = FIRST_SERIES,
) -> Dataset:
    """A Parametric Map of float32 SUVR that lies exactly on the T1, marked as synthetic.

    Args:
        prediction_native: synthetic SUVR on the T1's own grid; NaN = not predicted.
        source: headers of the de-identified T1 instances: one a slice, or one multi-frame.
        prediction: what the volume was resampled from; says how it was made.
        made: content date and time; nothing else in the object depends on the clock.
        series_number: at least 9000.

    Returns:
        Same study and frame of reference as the T1, a series and instance of its own with UIDs
        from the content: equal input, equal bytes.

    Raises:
        QuantityError: the volume is not synthetic SUVR, or a mark of a synthetic object is missing.
        GeometryError: the volume is not on the T1's own grid.
        DicomError: the headers cannot be derived from.
    """
    kind = (prediction_native.contrast, prediction_native.quantity)
    if kind != (Contrast.SYNTHETIC_FDG, Quantity.SUVR):
        raise QuantityError(f"A synthetic map holds synthetic SUVR, got {prediction_native!r}.")
    headers = source_headers(source)
    laid = planes(prediction_native.array, prediction_native.grid, headers)
    values = np.where(np.isfinite(laid.array), laid.array, np.float32(NOT_PREDICTED))
    seed = (
        values.tobytes(),
        laid.positions.tobytes(),
        str(headers[0].SeriesInstanceUID),
        prediction.model,
        prediction.fingerprint,
        made.isoformat(),
        str(series_number),
    )
    dataset = _build(values, laid, headers, prediction, made, series_number, seed)
    dataset.FloatPixelPaddingValue = NOT_PREDICTED
    dataset.FloatPixelPaddingRangeLimit = NOT_PREDICTED
    _settle(dataset, content_uid("dimensions", *seed))
    adopt(dataset, source[0])
    mark(dataset, prediction, made)
    return require_marked(dataset)


def _build(
    values: NDArray[np.float32],
    laid: Planes,
    headers: Sequence[Dataset],
    prediction: Prediction,
    made: datetime,
    series_number: int,
    seed: tuple[bytes | str, ...],
) -> Dataset:
    patient = hd.CoordinateSystemNames.PATIENT
    top = float(np.ceil(max(float(values.max()), 1.0) * 10) / 10)
    built: Dataset = hd.pm.ParametricMap(
        source_images=headers,
        pixel_array=values,
        series_instance_uid=content_uid("series", *seed),
        series_number=series_number,
        sop_instance_uid=content_uid("instance", *seed),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=prediction.model[:64],
        software_versions=__version__,
        device_serial_number=prediction.fingerprint,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_mapping(values, prediction.reference)],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=top / 2, window_width=top)],
        content_description="Synthetic FDG SUVR; not acquired; research use only",
        content_label="SYNTH_FDG",
        content_date=made.date(),
        content_time=made.time(),
        pixel_measures=hd.PixelMeasuresSequence(
            pixel_spacing=laid.pixel_spacing_mm,
            slice_thickness=laid.slice_spacing_mm,
            spacing_between_slices=laid.slice_spacing_mm,
        ),
        plane_orientation=hd.PlaneOrientationSequence(patient, laid.orientation),
        plane_positions=[hd.PlanePositionSequence(patient, tuple(p)) for p in laid.positions],
        contributing_equipment=[algorithm(prediction)],
    )
    return built


def _mapping(values: NDArray[np.float32], reference: str) -> hd.pm.RealWorldValueMapping:
    explanation = f"SUVR (ref: {reference})"
    return hd.pm.RealWorldValueMapping(
        lut_label=explanation if len(explanation) <= 16 else "SUVR",
        lut_explanation=explanation[:64],
        unit=Code("1", "UCUM", "no units"),
        value_range=(float(values.min()), float(values.max())),
        slope=1.0,
        intercept=0.0,
        quantity_definition=None,
    )


def _settle(dataset: Dataset, dimensions: str) -> None:
    """Replace what the library drew at random: the dimension organization's UID."""
    for item in dataset.DimensionOrganizationSequence:
        item.DimensionOrganizationUID = dimensions
    for item in dataset.DimensionIndexSequence:
        item.DimensionOrganizationUID = dimensions
