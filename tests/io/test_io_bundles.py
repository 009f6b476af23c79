"""A bundle lists the digest of every file; whatever changes is found."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from tracerless.core.errors import ModelError
from tracerless.io import bundles

FILES = {
    "models/model.safetensors": save({"w": np.arange(5.0)}),
    "docs/README.md": b"# A model\n",
    "configs/metadata.json": b"{}\n",
}


@pytest.fixture
def folder(tmp_path):
    bundles.write(tmp_path / "bundle", FILES)
    return tmp_path / "bundle"


def test_a_whole_bundle_has_no_differences(folder):
    assert bundles.differences(folder) == ()
    listed = (folder / bundles.SUMS).read_text().splitlines()
    assert listed == [f"{hashlib.sha256(FILES[n]).hexdigest()}  {n}" for n in sorted(FILES)]


@pytest.mark.parametrize("name", [*FILES, bundles.SUMS])
def test_every_single_changed_byte_is_found(folder, name):
    content = (folder / name).read_bytes()
    for at in range(0, len(content), max(1, len(content) // 40)):
        changed = bytearray(content)
        changed[at] ^= 1
        (folder / name).write_bytes(bytes(changed))
        assert bundles.differences(folder), f"byte {at} of {name}"
    (folder / name).write_bytes(content)
    assert bundles.differences(folder) == ()


def test_what_is_missing_or_was_added_is_named(folder):
    (folder / "docs/README.md").unlink()
    (folder / "docs/other.md").write_bytes(b"")
    assert bundles.differences(folder) == (
        "docs/README.md is missing",
        "docs/other.md is not listed",
    )


def test_equal_content_gives_the_same_digest_and_other_content_another(tmp_path):
    one = bundles.write(tmp_path / "one", FILES)
    two = bundles.write(tmp_path / "two", dict(reversed(FILES.items())))
    other = bundles.write(tmp_path / "three", {**FILES, "docs/README.md": b"# Another\n"})
    assert one == two == bundles.digest(tmp_path / "one") != other


def test_packing_again_leaves_nothing_of_before(folder):
    bundles.write(folder, {"docs/README.md": b"new\n"})
    left = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert left == {"docs/README.md", bundles.SUMS}
    assert bundles.differences(folder) == ()


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(ModelError, match="no bundle"):
        bundles.write(tmp_path, FILES)
    assert (tmp_path / "thesis.txt").read_text() == "ten years"
    with pytest.raises(ModelError, match="has no SHA256SUMS"):
        bundles.differences(tmp_path)


def test_what_could_run_code_is_found_under_any_name(folder):
    assert bundles.pickles(folder) == ()
    torch.save({"w": torch.zeros(2)}, folder / "models/model.dat")
    (folder / "models/state.bytes").write_bytes(pickle.dumps({"w": 1}))
    (folder / "models/model.pt").write_bytes(b"harmless")
    assert bundles.pickles(folder) == (
        "models/model.dat", "models/model.pt", "models/state.bytes"
    )  # fmt: skip


def test_a_safetensors_header_is_not_taken_for_a_pickle(folder):
    header = b'{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'.ljust(0x280)
    (folder / "models/long.safetensors").write_bytes((0x280).to_bytes(8, "little") + header)
    assert bundles.pickles(folder) == ()


def test_the_license_is_the_packages_own():
    assert b"Apache License" in bundles.license_text()
