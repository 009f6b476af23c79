"""A file is whole or was never there."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tracerless.core.errors import DatasetError, StorageError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.transform import Affine, Chain, Displacement
from tracerless.core.volume import Contrast
from tracerless.io import bids
from tracerless.io.atomic import atomic, disk_errors, remove_partials, write_json, write_text
from tracerless.io.maps import read_map, write_map


def test_a_file_takes_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.nii.gz"
    with atomic(target) as partial:
        partial.write_bytes(b"half")
        assert not target.exists()
        assert partial.name.endswith("a.nii.gz")
    assert target.read_bytes() == b"half"
    assert [p.name for p in target.parent.iterdir()] == ["a.nii.gz"]


def fail_while_writing(target: Path) -> None:
    with atomic(target) as partial:
        partial.write_text("new")
        raise KeyError


def test_a_failure_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(KeyError):
        fail_while_writing(target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_killed_writer_leaves_a_partial_file_that_is_swept_away(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tracerless.io.atomic import atomic
        with atomic(Path(sys.argv[1]) / "a.bin") as partial:
            partial.write_bytes(b"x" * 1000)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert not (tmp_path / "a.bin").exists()
    assert remove_partials(tmp_path) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_refusing_disk_becomes_one_sentence(tmp_path: Path, code: int) -> None:
    with pytest.raises(StorageError, match="Free space"), disk_errors(tmp_path):
        raise OSError(code, os.strerror(code))


def test_other_failures_of_the_system_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_json_is_sorted_and_ends_in_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "腦"})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": "腦",\n  "b": 1\n}\n'


def chain() -> Chain:
    rng = np.random.default_rng(3)
    grid = Grid((4, 5, 6), np.diag([2.0, 2.0, 2.0, 1.0]))
    warp = Displacement("MNI", "affine", grid, rng.normal(size=(4, 5, 6, 3)).astype(np.float32))
    return Chain((warp, Affine("affine", "native", np.diag([1.1, 0.9, 1.0, 1.0]))))


def test_a_map_reads_back_bit_for_bit_and_equal_maps_give_equal_bytes(tmp_path: Path) -> None:
    write_map(tmp_path / "a.npz", chain())
    write_map(tmp_path / "b.npz", chain())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_map(tmp_path / "a.npz")
    points = np.random.default_rng(1).uniform(0, 8, (50, 3)).astype(np.float32)
    assert (back.source, back.target) == ("MNI", "native")
    np.testing.assert_array_equal(back(points), chain()(points))


def test_a_single_affine_is_not_wrapped_in_a_chain(tmp_path: Path) -> None:
    write_map(tmp_path / "a.npz", Affine("a", "b", np.eye(4)))
    assert isinstance(read_map(tmp_path / "a.npz"), Affine)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04"])
def test_a_damaged_map_is_named_with_the_next_move(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DatasetError, match="tracerless prepare"):
        read_map(tmp_path / "a.npz")


def test_a_map_of_an_unknown_kind_has_no_file_format(tmp_path: Path) -> None:
    class Odd:
        source = target = "x"

    with pytest.raises(TypeError, match="Odd"):
        write_map(tmp_path / "a.npz", Odd())  # type: ignore[arg-type]


def test_names_follow_bids_and_synthetic_volumes_say_so() -> None:
    key, root = SessionKey(Pseudonym("A"), "01"), Path("d")
    native = bids.native_path(root, key, Contrast.T1W)
    assert native == Path("d/sub-A/ses-01/anat/sub-A_ses-01_T1w.nii.gz")
    second = bids.native_path(root, key, Contrast.ECD, 2)
    assert second.name == "sub-A_ses-01_trc-ECD_run-2_pet.nii.gz"
    derived = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space="MNI")
    assert derived.name == "sub-A_ses-01_trc-FDG_space-MNI_desc-synth_pet.nii.gz"
    acquired = bids.derived_path(root, key, Contrast.FDG, space="MNI")
    assert acquired.name == "sub-A_ses-01_trc-FDG_space-MNI_desc-suvr_pet.nii.gz"
