"""A head MR that still shows its face leaves the house only where the policy says so."""

import json
from pathlib import Path

import pytest

from tracerless.io.vault import RECORD
from tracerless.workspace.clean import keeps_faces


@pytest.mark.parametrize(("faces", "kept"), [("keep", True), ("remove", False), (None, False)])
def test_a_dataset_keeps_faces_only_where_its_policy_says_so(
    tmp_path: Path, faces: str | None, *, kept: bool
) -> None:
    path = tmp_path / RECORD
    path.parent.mkdir(parents=True)
    record = {"profile": "x"} | ({"faces": faces} if faces else {})
    path.write_text(json.dumps(record))
    assert keeps_faces(tmp_path) is kept


def test_without_a_record_nothing_is_kept(tmp_path: Path) -> None:
    assert not keeps_faces(tmp_path)
