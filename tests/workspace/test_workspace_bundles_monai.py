"""MONAI's own commands take our bundles for bundles; they run in a process of their own."""

import json
import subprocess
import sys

import pytest
from crossfit_people import written

from pack_models import model
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.io import bundles
from tracerless.synthesize.fit import Watch
from tracerless.workspace import bundles as packing
from tracerless.workspace.training import Training, train

pytestmark = pytest.mark.slow
NETWORK = """
from monai.bundle import verify_net_in_out
verify_net_in_out("network_def", meta_file={meta!r}, config_file={config!r}, device="cpu")
"""
LOADED = """
from monai.bundle import ConfigParser
import numpy as np
parser = ConfigParser()
parser.read_config({config!r})
parser.read_meta({meta!r})
parser["bundle_root"] = {root!r}
shape = parser["_meta_#network_data_format#inputs#image#spatial_shape"]
said = parser.get_parsed_content("networks").run(np.ones((1, 7, *shape), np.float32), 1)
print(float(np.abs(said).mean()) > 0, said.shape)
"""
RUN = """
from monai.bundle import run
run(config_file={config!r}, dataset_dir={dataset!r})
"""
METADATA = """
from monai.bundle import verify_metadata
verify_metadata(meta_file={meta!r}, filepath={schema!r})
"""

TENSOR = {
    "type": "object",
    "required": [
        "type",
        "format",
        "num_channels",
        "spatial_shape",
        "dtype",
        "value_range",
        "is_patch_data",
        "channel_def",
    ],
    "properties": {
        "type": {"type": "string"},
        "format": {"type": "string"},
        "modality": {"type": "string"},
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "dtype": {"type": "string"},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
SPECIFIED = {
    "type": "object",
    "required": [
        "version", "changelog", "monai_version", "pytorch_version", "numpy_version",
        "required_packages_version", "network_data_format",
    ],
    "properties": {
        **{
            name: {"type": "string", "pattern": r"^\d+\.\d+"}
            for name in ("version", "monai_version", "pytorch_version", "numpy_version")
        },
        "changelog": {"type": "object", "additionalProperties": {"type": "string"}},
        "required_packages_version": {"type": "object"},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "additionalProperties": {"type": "object", "additionalProperties": TENSOR},
        },
        **{
            name: {"type": "string"}
            for name in ("task", "description", "authors", "copyright", "intended_use", "name")
        },
    },
}  # fmt: skip
"""What MONAI's bundle specification asks of metadata.json, in our words: theirs is downloaded."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "checkpoint.safetensors").write_bytes(model().to_bytes())
    return packing.pack(folder / "checkpoint.safetensors").folder


def run(code, folder, **more):
    names = {
        "meta": str(folder / bundles.METADATA),
        "config": str(folder / bundles.INFERENCE),
        "root": str(folder),
    }
    code = code.format(**names, **more)
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


def test_the_network_answers_in_the_stated_shape_and_another_is_refused(bundle):
    assert "verified with no error" in _said(run(NETWORK, bundle))
    path = bundle / bundles.METADATA
    kept = path.read_text()
    stated = json.loads(kept)
    stated["network_data_format"]["outputs"]["pred"]["num_channels"] = 2
    path.write_text(json.dumps(stated))
    assert "doesn't match" in _said(run(NETWORK, bundle))
    path.write_text(kept)


def test_the_configuration_loads_the_weights_of_every_member(bundle):
    assert "True (1, 1, 12, 14, 12)" in _said(run(LOADED, bundle))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda stated: None, "no error"),
        (lambda stated: stated.pop("pytorch_version"), "'pytorch_version' is a required property"),
        (lambda stated: stated["network_data_format"].pop("outputs"), "'outputs' is a required"),
        (lambda stated: _image(stated).update(num_channels="seven"), "is not of type 'integer'"),
        (lambda stated: _image(stated).update(spatial_shape=38), "is not of type 'array'"),
    ],
)
def test_the_metadata_is_as_the_bundle_specification_says_or_is_refused(
    broken, said, bundle, tmp_path
):
    stated = json.loads((bundle / bundles.METADATA).read_text())
    broken(stated)
    (tmp_path / "metadata.json").write_text(json.dumps(stated))
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SPECIFIED))
    code = METADATA.format(meta=str(tmp_path / "metadata.json"), schema=str(schema))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert said in _said(done)


def _image(stated):
    return stated["network_data_format"]["inputs"]["image"]


def test_the_inference_configuration_predicts_a_prepared_dataset_by_monais_own_runner(tmp_path):
    dataset = written(tmp_path / "dataset", 24)
    recipe = SynthesizeRecipe(network="ridge", voxel_mm=6.0)
    how = Training(watch=Watch(device="cpu"), has_bundle=True, has_rival=False)
    made = train(dataset, "ridge", recipe=recipe, training=how)
    code = RUN.format(config=bundles.INFERENCE, dataset=str(dataset.root.resolve()))
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False, capture_output=True, text=True, cwd=made.bundle.folder,
    )  # fmt: skip
    assert f"by {made.checkpoint.name}" in _said(done)
    synthetic = list(dataset.derivatives.rglob("*desc-synth_pet.nii.gz"))
    assert len(synthetic) == 2 * 24  # in template space, and on each T1's own grid


def _said(done):
    return done.stdout + done.stderr
