"""Whatever slices say of themselves: a scan ends, no file stands in two series, none is lost."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from phantoms import head, oblique, uid, write_mr, write_pt
from tracerless.core.errors import QuantityError, TracerlessError
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import scan
from tracerless.io.pixels import load

SHAPE = (5, 6, 6)
ODD: dict[str, tuple[object, ...]] = {
    "ImagePositionPatient": (None, ["1e300", "0", "0"], ["0", "0", "0"], ["3", "4", "-1e9"]),
    "ImageOrientationPatient": (None, [1, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0]),
    "InstanceNumber": (None, -5, 2147483647, 1),
    "AcquisitionTime": (None, "101500", "x", "235959.999999"),
    "AcquisitionNumber": (None, 1, 2, -7),
    "TemporalPositionIdentifier": (None, 1, 2),
    "SeriesInstanceUID": (uid("one"), uid("two"), uid("three")),
    "SOPInstanceUID": (uid("again"), uid("and again")),
    "FrameOfReferenceUID": (None, uid("here"), uid("there")),
    "RescaleSlope": (None, "0", "2", "-1", "1e30"),
    "EchoTime": (None, 2.98, 95),
    "PixelSpacing": (None, [1.25, 1.5], [0, 0]),
    "SliceThickness": (None, 3, 0),
    "NumberOfSlices": (None, 0, 6, 60000),
}
CHANGE = st.tuples(
    st.integers(0, SHAPE[2] - 1),
    st.sampled_from(sorted(ODD)).flatmap(lambda k: st.tuples(st.just(k), st.sampled_from(ODD[k]))),
)


def changed(path: Path, keyword: str, value: object) -> None:
    dataset: Dataset = dcmread(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are the point
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)
        dataset.save_as(path)


@pytest.mark.parametrize("kind", ["MR", "PT"])
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(CHANGE, max_size=8))
def test_chaos_is_sorted_or_refused(
    kind: str,
    changes: list[tuple[int, tuple[str, object]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("chaos")
    if kind == "MR":
        made = write_mr(place, head(SHAPE), oblique())
    else:
        made = write_pt(place, head(SHAPE).astype(np.float32) / 50, oblique())
    for index, (keyword, value) in changes:
        changed(made.files[index], keyword, value)
    inventory = scan(place)
    files = [path for series in inventory.series for path in series.files]
    assert len(set(files)) == len(files)
    n_extra = sum(
        int(problem.text.split()[0])
        for series in inventory.series
        for problem in series.problems
        if problem.text.endswith("are left out.")
    )
    told = {p.kind for s in inventory.series for p in s.problems if p.blocking or p.kind == "gap"}
    lost = SHAPE[2] - len(files) - n_extra - sum(inventory.rejected.values())
    assert lost == 0 or told & {"duplicate", "gap"}
    for series in inventory.series:
        if series.is_blocked or series.contrast is Contrast.UNKNOWN:
            with contextlib.suppress(TracerlessError):
                load(series.files, series.contrast)
        else:  # what a scan lets pass can be read, but for pixels that it does not look at
            with contextlib.suppress(QuantityError):
                assert load(series.files, series.contrast).volumes
