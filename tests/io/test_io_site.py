"""The site file: what it may say, which series it is for, and where every number comes from."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import ContrastError, QuantityError, RecipeError, TracerlessError
from tracerless.core.grid import Grid
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import fields
from tracerless.io.site import Site, of_rules, read

ASL = {"Manufacturer": "SIEMENS", "Contrast": "asl", "MagneticFieldStrength": 2.89,
       "ImageType": ["ORIGINAL", "PRIMARY", "ASL"], "RepetitionTime": 4.0}  # fmt: skip


def _series(contrast: Contrast = Contrast.ASL, **sidecar: Any) -> NativeSeries:
    array = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    affine = np.diag([-2.0, -3.0, 4.0, 1.0])
    affine[:3, 3] = (7, 8, 9)
    volume = Volume(array, Grid((2, 3, 4), affine), Quantity.SIGNAL, contrast)
    return NativeSeries(contrast, (volume,), "", {"Contrast": str(contrast), **sidecar})


def _one(match: str, states: str = "PostLabelingDelay = 1.8") -> Site:
    return Site.from_toml(f"[[rule]]\nmatch = {{ {match} }}\nset = {{ {states} }}\n")


def test_a_file_reads_back_equal_and_leaves_its_comments_behind() -> None:
    text = """
    # copied from the protocol of Mrs. PLANTED
    [[rule]]
    match = { Manufacturer = "SIEMENS*", Contrast = ["asl", "m0scan"], EchoTime = [0.01, 0.02] }
    set = { PostLabelingDelay = [0, 1.8, 1.8], BackgroundSuppression = true, M0Type = "Included" }
    [[rule]]
    match = { Modality = "PT" }
    declare = "FDG"
    """
    site = Site.from_toml(text)
    assert Site.from_toml(site.to_toml()) == site
    assert "PLANTED" not in site.to_toml()
    assert copy.deepcopy(site) == site  # as it must be to reach another process
    assert site.digest == Site.from_toml(site.to_toml()).digest


def test_no_file_is_the_empty_site_and_changes_nothing_but_origins(tmp_path: Path) -> None:
    site = read(tmp_path / "site.toml")
    series = _series(PostLabelingDelay=2.0)
    assert site == Site()
    done = site.applied(series)
    assert done.volumes == series.volumes
    assert dict(done.sidecar) == {**series.sidecar,
                                  "ValueOrigins": {"PostLabelingDelay": "header"}}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("[[rule", RecipeError, "not valid TOML"),
        ("[[rules]]", RecipeError, "Did you mean 'rule'"),
        ("[rule]\na = 1", RecipeError, r"Write \[\[rule\]\]"),
        ("[[rule]]\nset = { PostLabelingDelay = 1.8 }", RecipeError, "which series it is for"),
        ('[[rule]]\nmatch = { Modality = "PT" }', RecipeError, "states nothing"),
        ('[[rule]]\nmatch = { Modality = "PT" }\nstate = 1', RecipeError, "Choose one of"),
        ('[[rule]]\nmatch = { Maker = "GE" }\ndeclare = "FDG"', RecipeError, "'Maker'"),
        ('[[rule]]\nmatch = { Manufacturr = "GE" }\ndeclare = "FDG"', RecipeError,
         "Did you mean 'Manufacturer'"),
        ('[[rule]]\nmatch = { Modality = "PET" }\ndeclare = "FDG"', RecipeError, "mean 'PT'"),
        ('[[rule]]\nmatch = { EchoTime = [0.02, 0.01] }\ndeclare = "FDG"', RecipeError, "lowest"),
        ('[[rule]]\nmatch = { EchoTime = true }\ndeclare = "FDG"', RecipeError, "lowest"),
        ('[[rule]]\nmatch = { Modality = "PT" }\ndeclare = "FGD"', ContrastError, "mean 'FDG'"),
        ('[[rule]]\nmatch = { Modality = "PT" }\ndeclare = "synthFDG"', ContrastError, "no series"),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_named_with_the_next_move(
    text: str, error: type[TracerlessError], words: str
) -> None:
    with pytest.raises(error, match=words):
        Site.from_toml(text)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ("PostLabelingDelay = 1800", "Write it in s: 1.8"),
        ("LabelingDuration = 0", "outside"),
        ("PostLabelingDelay = nan", "is a number"),
        ("PostLabelingDelay = true", "is a number"),
        ("PostLabelingDelay = []", "list of 0"),
        ("LabelingEfficiency = [0.8, 0.9]", "is one number"),
        ("SliceTiming = 0.5", "is a list"),
        ("BackgroundSuppression = 1", "true or false"),
        ("BackgroundSuppressionNumberPulses = 2.5", "whole number"),
        ("RepetitionTimePreparation = 0", "outside"),
        ('ArterialSpinLabelingType = "continuous"', "Choose one of: CASL, PASL, PCASL"),
        ('VolumeAxes = "LRS"', "three directions"),
        ("SuvFactor = 2.0", "cannot set 'SuvFactor'"),
        ("PostLabellingDelay = 1.8", "Did you mean 'PostLabelingDelay'"),
    ],
)
def test_a_value_that_cannot_be_is_refused(states: str, words: str) -> None:
    with pytest.raises(QuantityError, match=words):
        _one('Contrast = "asl"', states)


@pytest.mark.parametrize(
    "word", ["陳大文", "MR 20190304", "Unit 1955-03-04", "04.03.1955", "x" * 49, "a\nb"]
)
def test_nothing_but_technical_words_goes_into_a_dataset(word: str) -> None:
    with pytest.raises(RecipeError, match="no technical word") as caught:
        of_rules([{"match": {"SequenceName": word}, "set": {"PostLabelingDelay": 1.8}}])
    assert word not in str(caught.value)


@pytest.mark.parametrize(("modality", "word"), [("MR", "FDG"), ("PT", "T1w"), ("SPECT", "asl")])
def test_a_modality_cannot_be_declared_to_show_what_it_cannot(modality: str, word: str) -> None:
    with pytest.raises(ContrastError, match="cannot show it"):
        of_rules([{"match": {"Modality": modality}, "declare": word}])


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ('Manufacturer = "siemens"', True), ('Manufacturer = "SIE*"', True),
        ('Manufacturer = "GE*"', False), ('Manufacturer = "SIEM"', False),
        ('Manufacturer = ["GE", "SIEMENS"]', True), ('ImageType = "ASL"', True),
        ('ImageType = "A[S]L"', False), ("MagneticFieldStrength = [2.8, 3.1]", True),
        ("MagneticFieldStrength = 3", False), ("MagneticFieldStrength = 2.9", True),
        ("RepetitionTime = 4", True), ("EchoTime = 0.01", False), ('RepetitionTime = "4"', False),
        ('Manufacturer = "SIEMENS", Contrast = "m0scan"', False),
    ],
)  # fmt: skip
def test_a_rule_fits_when_every_condition_does(match: str, *, fits: bool) -> None:
    done = _one(match).applied(_series(**ASL))
    assert ("PostLabelingDelay" in done.sidecar) is fits


def test_every_value_tells_where_it_comes_from_and_the_site_file_counts_first() -> None:
    series = _series(**ASL, PostLabelingDelay=0.2, MRAcquisitionType="3D")
    before = {"LabelingDuration": 1.5, "PostLabelingDelay": 0.2, "BackgroundSuppression": True}
    done = _one('Contrast = "asl"', "PostLabelingDelay = 1.8").applied(series, before)
    assert done.sidecar["PostLabelingDelay"] == 1.8
    assert done.sidecar["ValuesOverruled"] == {"PostLabelingDelay": 0.2}
    assert done.sidecar["ValueOrigins"] == {
        "BackgroundSuppression": "header before the border",
        "LabelingDuration": "header before the border",
        "MRAcquisitionType": "header",
        "MagneticFieldStrength": "header",
        "PostLabelingDelay": "site file",
    }


def test_what_two_headers_contradict_is_stated_by_neither() -> None:
    done = Site().applied(_series(PostLabelingDelay=1.8), {"PostLabelingDelay": None})
    assert "PostLabelingDelay" not in done.sidecar
    assert done.sidecar["ValueOrigins"] == {}


def test_a_record_that_was_tampered_with_states_nothing() -> None:
    before = {"PostLabelingDelay": 1800, "LabelingDuration": "long", "PatientName": "PLANTED"}
    assert dict(Site().applied(_series(), before).sidecar) == {
        "Contrast": "asl", "ValueOrigins": {}}  # fmt: skip


def test_two_rules_that_disagree_about_one_series_are_refused() -> None:
    rules = [
        {"match": {"Contrast": "asl"}, "set": {"PostLabelingDelay": 1.8}},
        {"match": {"Manufacturer": "SIE*"}, "set": {"PostLabelingDelay": 2.0}},
    ]
    with pytest.raises(QuantityError, match="Narrow the match"):
        of_rules(rules).applied(_series(**ASL))
    assert of_rules(rules).applied(_series(Manufacturer="GE")).sidecar["PostLabelingDelay"] == 1.8
    said = [{"match": {"Modality": "PT"}, "declare": word} for word in ("FDG", "ECD")]
    with pytest.raises(ContrastError, match="ECD and FDG"):
        of_rules(said).declared({"Modality": "PT"})


@given(st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_declared_axes_place_every_voxel_where_they_say(
    order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    letters = "".join("RASLPI"[axis + 3 * flips[axis]] for axis in order)
    series = _series(Contrast.HMPAO, Modality="SPECT", SideUnverified=True)
    site = of_rules([{"match": {"Modality": "SPECT"}, "set": {"VolumeAxes": letters}}])
    done = site.applied(series)
    laid, old = done.grid, series.grid
    for column, axis in enumerate(order):
        step = np.zeros(3)
        step[axis] = (-1.0 if flips[axis] else 1.0) * old.spacing_mm[column]
        np.testing.assert_allclose(laid.affine[:3, column], step)
    middle = np.append((np.array(old.shape) - 1) / 2, 1)
    np.testing.assert_allclose(laid.affine @ middle, old.affine @ middle)
    np.testing.assert_array_equal(done.volumes[0].array, series.volumes[0].array)
    assert "SideUnverified" not in done.sidecar
    assert done.sidecar["SideDeclared"] is True
    assert done.sidecar["ValueOrigins"] == {"VolumeAxes": "site file"}


def test_a_side_that_the_file_stores_is_never_turned() -> None:
    series = _series(Contrast.HMPAO, Modality="SPECT")
    site = of_rules([{"match": {"Modality": "SPECT"}, "set": {"VolumeAxes": "RPS"}}])
    done = site.applied(series)
    assert done.grid == series.grid
    assert "SideDeclared" not in done.sidecar
    assert "VolumeAxes" not in done.sidecar


_TEXTS = st.from_regex(r"[A-Za-z *_./-]{1,20}", fullmatch=True)
_MATCHES = st.dictionaries(
    st.sampled_from(["Manufacturer", "SequenceName", "ImageType"]),
    _TEXTS | st.lists(_TEXTS, min_size=1, max_size=3) | st.floats(0.001, 100),
    min_size=1,
)
_STATES = st.fixed_dictionaries(
    {"PostLabelingDelay": st.floats(0.05, 6)},
    optional={
        "BackgroundSuppression": st.booleans(),
        "BackgroundSuppressionNumberPulses": st.integers(0, 10),
        "AslContext": st.lists(st.sampled_from(["control", "label"]), min_size=1, max_size=4),
    },
)


@given(st.lists(st.fixed_dictionaries({"match": _MATCHES, "set": _STATES}), max_size=3))
@settings(max_examples=50, deadline=None)
def test_any_site_is_written_and_read_back_exactly(tables: list[dict[str, Any]]) -> None:
    site = of_rules(tables)
    assert Site.from_toml(site.to_toml()) == site


def test_a_changed_rule_changes_the_digest() -> None:
    digests = {_one('Contrast = "asl"', f"PostLabelingDelay = {s}").digest for s in (1.8, 1.9)}
    assert len(digests | {Site().digest}) == 3


def test_every_field_explains_itself_and_has_a_range() -> None:
    for name, field in fields.FIELDS.items():
        assert field.meaning, name
        assert field.kind not in {"number", "count"} or field.low < field.high, name
        assert (field.kind == "word") is bool(field.words), name


def test_words_are_taken_in_any_case() -> None:
    states = _one('Contrast = "asl"', 'ArterialSpinLabelingType = "pCASL"').rules[0].states
    assert states == {"ArterialSpinLabelingType": "PCASL"}
