"""De-identified series of a session become volumes: one that cannot be read stops no other."""

from tracerless.core.errors import DicomError, GeometryError, QuantityError
from tracerless.core.session import Native, NativeSeries
from tracerless.io import recognise
from tracerless.io.site import Site
from tracerless.io.suv_note import Judge
from tracerless.workspace.clean import CleanSession

_CAUGHT = (DicomError, GeometryError, QuantityError)


def converted(clean: CleanSession, site: Site, *, suv: Judge) -> Native:
    """Every series of a session that can be read, and a sentence for each that cannot.

    Args:
        clean: the de-identified series.
        site: what the site states.
        suv: judges SUV from a PET header.

    Raises:
        DicomError, GeometryError, QuantityError: no series can be read; the error of the first.
    """
    series: list[NativeSeries] = []
    failed: list[tuple[str, DicomError | GeometryError | QuantityError]] = []
    for each in clean.series:
        try:
            series.append(
                recognise.native_series(each.files, each.contrast, each.technical, site, suv=suv)
            )
        except _CAUGHT as error:
            failed.append((str(each.contrast), error))
    if failed and not series:
        raise failed[0][1]
    left_out = (f"{contrast} is left out: {error.message}" for contrast, error in failed)
    return Native(clean.key, tuple(series), tuple(left_out))
