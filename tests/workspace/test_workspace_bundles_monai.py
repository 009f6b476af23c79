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


def test_the_metadata_fits_a_schema_of_the_mandatory_keys_and_lacking_one_does_not(
    bundle, tmp_path
):
    pytest.importorskip("jsonschema", reason="MONAI checks metadata only where it is installed")
    schema = tmp_path / "schema.json"
    stated = json.loads((bundle / bundles.METADATA).read_text())
    schema.write_text(json.dumps({"type": "object", "required": sorted(stated)}))
    assert "no error" in _said(run(METADATA, bundle, schema=str(schema)))
    schema.write_text(json.dumps({"type": "object", "required": ["never written"]}))
    assert "never written" in _said(run(METADATA, bundle, schema=str(schema)))


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
