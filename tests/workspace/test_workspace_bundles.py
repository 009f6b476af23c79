"""A model becomes a bundle that is checked whole, is found by name, and lends its ONNX graph."""

import hashlib
import json
import shutil

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from pack_models import model
from tracerless.cli.synthesize_pack import card, check, pack
from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.errors import ModelError
from tracerless.io import assessments, bundles
from tracerless.io import bundles as files
from tracerless.synthesize.parity import probes
from tracerless.workspace import bundles as packing
from tracerless.workspace import graphs, models
from tracerless.workspace.bundle_check import check as checked
from tracerless.workspace.dataset import Dataset

SKILL = [
    ("unet", "mean", "all", 0.30, 0.2, 0.4, 24),
    ("unet", "mean", "AD", 0.25, np.nan, np.nan, 1),
    ("linear", "mean", "all", 0.1, 0.0, 0.2, 24),
]


def evaluation(checkpoint):
    return Assessment(
        "unet",
        "synthesis",
        {
            "headline": "Skill against the training mean +0.30; slope 0.90.",
            "model": checkpoint.name,
            "model_hash": checkpoint.digest,
        },
        {"skill": pd.DataFrame(SKILL, columns=TABLES["skill"])},
        ("Simulated people.",),
    )


@pytest.fixture(scope="module")
def made():
    return model()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, made):
    opened = Dataset.create_or_open(tmp_path_factory.mktemp("dataset"))
    models.save_checkpoint(opened, "unet", made, "mark", facts={"cpu_s": 12.5})
    folder = opened.derivatives / "evaluation" / "synthesis-unet"
    assessments.write(folder, evaluation(made))
    packing.pack(opened.models / "unet" / models.WEIGHTS)
    return opened


@pytest.fixture
def bundle(dataset, tmp_path):
    shutil.copytree(dataset.models / "unet" / models.BUNDLE, tmp_path / "unet-bundle")
    return tmp_path / "unet-bundle"


def wrong(folder):
    return {each.what for each in checked(folder) if not each.is_right}


def sealed(folder):
    """List the digests again, as somebody would who changed a file on purpose."""
    kept = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    kept[files.LICENSE] = (folder / files.LICENSE).read_bytes()
    files.write(folder, kept)


def test_a_packed_model_passes_every_check(bundle):
    assert [each.what for each in checked(bundle) if not each.is_right] == []
    assert len(checked(bundle)) == 6


@pytest.mark.parametrize(
    "name", [files.WEIGHTS, files.GRAPH, files.METADATA, files.CARD, files.INTERVALS, files.SUMS]
)
def test_one_changed_byte_fails(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(bytes(content))
    assert "digests of all files" in wrong(bundle)


def test_a_praised_card_fails_even_when_the_digests_are_made_again(bundle):
    text = (bundle / files.CARD).read_text().replace("+0.31", "+0.91")
    (bundle / files.CARD).write_text(text)
    sealed(bundle)
    assert wrong(bundle) == {"texts made again"}


def test_numbers_of_an_evaluation_cannot_differ_between_card_and_table(bundle):
    text = (bundle / files.CARD).read_text()
    assert "| mean | all | 0.30 | 0.20 to 0.40 | 24 |" in text
    assert "| mean | AD | 0.25 | too few people | 1 |" in text
    assert "+0.30; slope 0.90" in text
    (bundle / files.EVALUATION / "skill.tsv").write_text(
        (bundle / files.EVALUATION / "skill.tsv").read_text().replace("0.3", "0.8", 1)
    )
    sealed(bundle)
    assert wrong(bundle) == {"texts made again"}


def test_other_weights_under_the_same_texts_fail(bundle):
    (bundle / files.WEIGHTS).write_bytes(model(seed=2, members=2, learning_rate=1e-3).to_bytes())
    sealed(bundle)
    assert "texts made again" in wrong(bundle)


def test_a_graph_that_says_something_else_fails(bundle):
    (bundle / files.MEMBER_GRAPH).write_bytes(lying(bundle / files.MEMBER_GRAPH))
    sealed(bundle)
    assert "ONNX against torch" in wrong(bundle)


def test_a_record_of_other_weights_fails(bundle):
    path = bundle / files.GRAPH_RECORD
    path.write_text(path.read_text().replace('"weights": "', '"weights": "0'))
    sealed(bundle)
    assert wrong(bundle) == {"ONNX against torch"}


def test_a_text_of_another_version_is_told_apart(bundle):
    path = bundle / files.METADATA
    path.write_text(path.read_text().replace('"tracerless": "', '"tracerless": "0.'))
    path = bundle / files.CARD
    path.write_text(path.read_text().replace("Every output is marked", "Outputs are marked"))
    (said,) = [each.detail for each in checked(bundle) if each.what == "texts made again"]
    assert "packed by tracerless 0." in said


def test_a_pickle_beside_the_weights_fails(bundle):
    torch.save({"w": torch.zeros(1)}, bundle / "models" / "model.pt")
    sealed(bundle)
    assert wrong(bundle) == {"nothing that could run code"}


def test_metadata_lacks_no_key_and_its_absence_is_found(bundle):
    stated = json.loads((bundle / files.METADATA).read_text())
    assert stated["synthetic_output"] is True
    assert stated["output_unit"] == "SUVR"
    del stated["network_data_format"]["inputs"]["image"]["channel_def"]
    (bundle / files.METADATA).write_text(json.dumps(stated))
    assert "MONAI's mandatory keys" in wrong(bundle)


def test_an_evaluation_of_another_model_is_not_quoted(dataset, made, tmp_path):
    weights = dataset.models / "unet" / models.WEIGHTS
    other = model(seed=2, members=2, learning_rate=1e-3)
    assert models.evaluation_of(made, dataset, "unet").facts["model_hash"] == made.digest
    assert models.evaluation_of(other, dataset, "unet") is None
    assessments.write(tmp_path / "evaluation", evaluation(other))
    with pytest.raises(ModelError, match="not of unet-tiny"):
        packing.pack(weights, tmp_path / "b", evaluation=tmp_path / "evaluation")
    assert not (tmp_path / "b").exists()
    assessments.write(tmp_path / "evaluation", evaluation(made))
    assert "+0.30" in packing.write_card(weights, evaluation=tmp_path / "evaluation")


@pytest.mark.slow
def test_packing_twice_gives_the_same_bytes(dataset, tmp_path):
    weights = dataset.models / "unet" / models.WEIGHTS
    again = packing.pack(weights, tmp_path / "again")
    assert again.digest == bundles.digest(dataset.models / "unet" / models.BUNDLE)


def test_a_bundle_is_a_model_wherever_one_is_named(dataset, bundle, made, monkeypatch):
    for name in (str(bundle), str(bundle / files.WEIGHTS), "unet"):
        found = models.find_checkpoint(dataset, name)
        assert models.load_checkpoint(found).digest == made.digest
    shutil.copytree(bundle, dataset.models / "given")
    found = models.find_checkpoint(dataset, "given")
    assert found == dataset.models / "given" / files.WEIGHTS
    with pytest.raises(ModelError, match="No model 'unett'"):
        models.find_checkpoint(dataset, "unett")


def test_the_default_model_is_a_bundle_of_the_package_or_is_said_to_be_absent(
    dataset, bundle, monkeypatch
):
    monkeypatch.setattr(models.bundles, "default_folder", lambda: None)
    with pytest.raises(ModelError, match="no default model"):
        models.find_checkpoint(dataset, "default")
    monkeypatch.setattr(models.bundles, "default_folder", lambda: bundle)
    assert models.find_checkpoint(dataset, "default") == bundle / files.WEIGHTS


def test_the_default_model_that_ships_passes_its_own_check():
    folder = bundles.default_folder()
    if folder is None:
        pytest.skip("no default model is in the package yet")
    assert wrong(folder) == set()
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert total <= 16e6


def test_the_graph_is_lent_only_to_the_weights_it_was_compared_with(dataset, bundle, made):
    weights = dataset.models / "unet" / models.WEIGHTS
    for path in (weights, bundle / files.WEIGHTS):
        given = graphs.lent(path, made)
        assert given.backend.name == "onnx"
        assert given.facts["backend_parity"]["holds"] is True
        assert given.facts["backend_parity"]["largest_suvr"] < 1e-4
    volume = next(probes(made))
    assert given.backend.run(volume, 0).shape == (1, 1, *volume.shape[2:])
    other = graphs.lent(weights, model(seed=2, members=2, learning_rate=1e-3))
    assert other.backend is None
    assert "belongs to other weights" in other.facts["backend_note"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parity": {}}, "damaged"),
        ({"graph": "0" * 64}, "other weights"),
        ({"onnxruntime": "1.0"}, ""),
    ],
)
def test_a_graph_whose_record_is_odd_is_not_lent(bundle, made, change, why):
    path = bundle / files.GRAPH_RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    given = graphs.lent(bundle / files.WEIGHTS, made)
    assert why in given.why_torch
    assert (given.backend is None) == bool(why)


def test_a_graph_that_was_shown_to_differ_is_not_lent_whatever_limit_its_record_states(
    bundle, made
):
    path = bundle / files.GRAPH_RECORD
    record = json.loads(path.read_text())
    record["parity"] |= {"largest_suvr": 0.006, "limit_suvr": 1.0, "holds": True}
    path.write_text(json.dumps(record))
    given = graphs.lent(bundle / files.WEIGHTS, made)
    assert given.backend is None
    assert "too much" in given.why_torch


def lying(path):
    """The graph in that file with other slopes of its leaky units: it opens, and it lies."""
    graph = onnx.load(str(path), load_external_data=False)
    for node in graph.graph.node:
        if node.op_type == "LeakyRelu":
            node.attribute[0].f = 0.9
    return graph.SerializeToString()


def test_a_lying_graph_with_a_record_made_to_match_is_found_when_it_is_opened(bundle, made):
    graph = lying(bundle / files.MEMBER_GRAPH)
    (bundle / files.MEMBER_GRAPH).write_bytes(graph)
    path = bundle / files.GRAPH_RECORD
    digest = hashlib.sha256(graph).hexdigest()
    path.write_text(json.dumps({**json.loads(path.read_text()), "graph": digest}))
    given = graphs.lent(bundle / files.WEIGHTS, made)
    assert given.backend is None
    assert "differs from torch" in given.why_torch


@pytest.mark.parametrize("name", [files.GRAPH, files.CARD, files.MANIFEST, files.CALIBRATION])
def test_a_bundle_with_one_changed_byte_is_no_model(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=f"{name} was changed"):
        models.load_checkpoint(bundle / files.WEIGHTS)


def test_a_bundle_with_a_pickle_or_a_strange_file_is_no_model(bundle):
    assert models.load_checkpoint(bundle / files.WEIGHTS).members == 2
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"notes\.txt is not listed"):
        models.load_checkpoint(bundle / files.WEIGHTS)
    (bundle / "notes.txt").unlink()
    torch.save({"w": torch.zeros(1)}, bundle / "models" / "model.pt")
    sealed(bundle)  # listed, with its right digest
    with pytest.raises(ModelError, match=r"model\.pt could run code"):
        models.load_checkpoint(bundle / files.WEIGHTS)
    (bundle / files.SUMS).unlink()
    (bundle / "models" / "model.pt").unlink()
    with pytest.raises(ModelError, match="has no SHA256SUMS"):
        models.load_checkpoint(bundle / files.WEIGHTS)


def test_a_trained_model_has_card_and_page_and_training_again_drops_the_old_graph(tmp_path, made):
    opened = Dataset.create_or_open(tmp_path / "dataset")
    weights = models.save_checkpoint(opened, "m", made, "mark", facts={"cpu_s": 12.5})
    folder = weights.parent
    assert (folder / models.CARD).read_text().startswith("**Trained on simulation only")
    assert "12.5" in (folder / models.PAGE).read_text()
    assert models.finished(opened, "m", "mark")[1].digest == made.digest
    assert models.finished(opened, "m", "another") is None
    (folder / models.GRAPH).write_bytes(b"old")
    models.save_checkpoint(opened, "m", made, "mark")
    assert not (folder / models.GRAPH).exists()


def test_the_commands_pack_check_and_print(dataset, bundle, tmp_path):
    run = CliRunner().invoke
    done = run(pack, [str(bundle), "--to", str(tmp_path / "b"), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["parity"]["holds"] is True
    right = run(check, [str(tmp_path / "b")])
    assert right.exit_code == 0
    assert "WRONG" not in right.stdout
    assert wrong(bundle) == set()
    assert bundles.digest(tmp_path / "b") == bundles.digest(bundle)
    assert isinstance(run(pack, [str(bundle)]).exception, ModelError)
    (tmp_path / "b" / files.LICENSE).write_text("mine")
    broken = run(check, [str(tmp_path / "b"), "--json"])
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["is_right"] is False
    shown = run(card, [str(dataset.models / "unet")])
    assert "ONNX Runtime and torch differ by at most" in shown.stdout
    assert isinstance(run(card, [str(tmp_path / "nothing")]).exception, ModelError)
