"""A series that cannot be read stops no other, and is said."""

import numpy as np
import pytest

import phantoms
from tracerless.core.errors import QuantityError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.session import Native
from tracerless.core.volume import Contrast
from tracerless.deidentify import suv
from tracerless.io.site import Site
from tracerless.prepare.quality import doubts
from tracerless.workspace import kinds
from tracerless.workspace.clean import CleanSeries, CleanSession
from tracerless.workspace.convert import converted

KEY = SessionKey(Pseudonym("ABCDEF2345"), "01")


def clean(**series):
    made = [
        CleanSeries(contrast, tuple(files), contrast, is_synthetic=False, technical={})
        for contrast, files in series.values()
    ]
    return CleanSession(KEY, tuple(made))


@pytest.fixture
def files(tmp_path):
    shape, affine = phantoms.head(), phantoms.oblique()
    t1 = phantoms.write_mr(tmp_path / "t1", shape, affine)
    empty = phantoms.write_pt(tmp_path / "pt", np.zeros(shape.shape, np.float32), affine)
    return t1.files, empty.files


def test_a_zero_image_is_left_out_by_name_and_the_rest_goes_on(files):
    t1, empty = files
    native = converted(
        clean(a=(Contrast.T1W, t1), b=(Contrast.FDG, empty)), Site(()), suv=suv.present
    )
    assert [each.contrast for each in native.series] == [Contrast.T1W]
    (said,) = native.left_out
    assert said.startswith("FDG is left out: ")
    assert said in doubts(native)


def test_a_session_of_which_nothing_can_be_read_is_refused(files):
    _, empty = files
    with pytest.raises(QuantityError):
        converted(clean(b=(Contrast.FDG, empty)), Site(()), suv=suv.present)


def test_what_was_left_out_outlives_the_command(files, tmp_path):
    t1, empty = files
    native = converted(
        clean(a=(Contrast.T1W, t1), b=(Contrast.FDG, empty)), Site(()), suv=suv.present
    )
    record = kinds.save_native(tmp_path / "dataset", KEY, native)
    again: Native = kinds.load_native(tmp_path / "dataset", KEY, record)
    assert again.left_out == native.left_out
