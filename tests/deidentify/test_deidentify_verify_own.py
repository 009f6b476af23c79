"""A dataset made by a policy of one's own is proven by naming that policy's folder again."""

from pathlib import Path

import pytest

from phantoms import head, oblique, write_mr
from tracerless.core.errors import ProfileError
from tracerless.io import profiles
from tracerless.io.dicom_scan import scan
from tracerless.workspace.ingest import ingest
from tracerless.workspace.verify import verify


def test_a_policy_of_ones_own_is_named_again(tmp_path: Path) -> None:
    own = tmp_path / "ours"
    own.mkdir()
    (own / "profile.csv").write_text(profiles.read("seed")["profile"], encoding="utf-8")
    write_mr(tmp_path / "in", head(), oblique())
    dataset, vault = tmp_path / "data", tmp_path / "vault"
    ingest(scan(tmp_path / "in"), dataset, vault=vault, profile=str(own))
    made = next(dataset.rglob("*.dcm")).read_bytes()
    assert b"profile ours" in made
    assert str(tmp_path).encode() not in made
    verdict = verify(dataset, vault, opener="steward", reason="test", profile=str(own))
    assert verdict.n_failures == 0
    assert verdict.report["profile"] == "ours"
    with pytest.raises(ProfileError, match="No profile is called 'ours'"):
        verify(dataset, vault, opener="steward", reason="test")
    (own / "actions.csv").write_text(
        "tag,keyword,action,reason_en,reason_zh\n00180050,SliceThickness,remove,x,x\n",
        encoding="utf-8",
    )
    with pytest.raises(ProfileError, match="was made with profile ours"):
        verify(dataset, vault, opener="steward", reason="test", profile=str(own))
