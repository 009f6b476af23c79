"""People in a vault: issuers, linkage domains, doubts about who they are, and withdrawal."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.deidentify.keys import Keys, hash_uid, pseudonym, shift_days
from tracerless.io.vault import Doubt, Vault
from tracerless.io.vault_registry import Registry

ONE, TWO = Pseudonym("WC69X8PPNQ"), Pseudonym("ZC69X8PPNQ")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    Vault.create(tmp_path / "vault", dataset=None)
    return tmp_path / "vault"


@pytest.fixture
def vault(place: Path) -> Iterator[Vault]:
    with Vault.open(place, dataset=None) as opened:
        yield opened


def test_a_number_with_and_without_its_only_issuer_is_one_person(vault: Vault) -> None:
    assert vault.identify(["77"]) == {"77": "77"}
    assert vault.identify(["77|TPE"]) == {"77|TPE": "77"}
    assert vault.identify(["77", "77|TPE"]) == {"77": "77", "77|TPE": "77"}
    vault.admit("77|TPE", ONE, "1", "20200101")
    assert vault.admit("77", ONE, "2", "20200101").visit == "01"
    assert vault.pseudonym_of("77") == vault.pseudonym_of("77|TPE") == ONE


def test_a_second_issuer_is_another_person_and_the_bare_number_nobody(vault: Vault) -> None:
    vault.identify(["77|TPE"])
    vault.admit("77|TPE", ONE, "1", "")
    assert vault.identify(["77", "77|TNN", "77|TPE"]) == {"77|TPE": "77", "77|TNN": "77|TNN"}
    vault.admit("77|TNN", TWO, "2", "")
    assert (vault.pseudonym_of("77|TPE"), vault.pseudonym_of("77|TNN")) == (ONE, TWO)
    for ask in (vault.pseudonym_of, vault.is_withdrawn):
        with pytest.raises(VaultError, match="Two people have that chart number") as caught:
            ask("77")
        assert "77" not in str(caught.value)


@given(st.permutations(["77", "77|A", "77|B", "88|A", "88", "99"]))
def test_the_order_in_which_people_are_met_within_a_batch_changes_nothing(met: list[str]) -> None:
    known = Registry(b"\x01" * 32).identify(met)
    assert known == {"77|A": "77", "77|B": "77|B", "88|A": "88", "88": "88", "99": "99"}


def test_domains_cannot_be_linked_unless_they_share(place: Path) -> None:
    def ids(domain: str) -> tuple[object, ...]:
        with Vault.open(place, dataset=None, domain=domain) as opened:
            keys = Keys.from_secret(opened.secret)
            name = pseudonym(keys.person, "77")
            return name, hash_uid(keys.uid, "1.2.3"), shift_days(keys.date, name)

    home, nchc, release = ids("inhouse"), ids("nchc"), ids("release-2026")
    assert home == ids("inhouse")
    for one, other in permutations((home, nchc, release), 2):
        assert all(a != b for a, b in zip(one, other, strict=True))
    with Vault.open(place, dataset=None) as opened:
        opened.share("inhouse", "nchc")
        opened.save("shared", {})
    assert ids("nchc") == ids("inhouse") == home
    assert ids("release-2026") == release


def test_domains_that_both_hold_people_cannot_share_any_more(place: Path) -> None:
    for domain, name in (("inhouse", ONE), ("nchc", TWO)):
        with Vault.open(place, dataset=None, domain=domain) as opened:
            opened.admit("77", name, "1", "20200101")
            opened.save("admitted", {})
            assert opened.pseudonym_of("77") == name
    with Vault.open(place, dataset=None) as opened:
        with pytest.raises(VaultError, match="both hold people already"):
            opened.share("nchc", "inhouse")
        opened.share("release-a", "nchc")
        assert opened._registry.linkage("release-a") == "nchc"
        opened.share("release-b", "release-a")
        assert opened._registry.linkage("release-b") == "nchc"


@pytest.mark.parametrize("domain", ["in-house", "release-", "NCHC", "release-A", "release-a/b"])
def test_a_mistyped_domain_is_refused(place: Path, domain: str) -> None:
    with pytest.raises(VaultError, match="is no linkage domain"):
        Vault.open(place, dataset=None, domain=domain).__enter__()


def test_a_dataset_keeps_its_domain(place: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Vault.open(place, dataset=data, domain="nchc") as opened:
        record = opened.record
    (data / "sourcedata").mkdir(parents=True)
    path = data / "sourcedata" / "deidentification.json"
    path.write_text(str(record).replace("'", '"'))
    with Vault.open(place, dataset=data) as opened:
        assert opened.domain == "nchc"
    with pytest.raises(VaultError, match="linkage domain nchc, not in inhouse"):
        Vault.open(place, dataset=data, domain="inhouse").__enter__()
    path.write_text(f'{{"vault_key": "{record["vault_key"]}"}}')
    with Vault.open(place, dataset=data) as opened:
        assert opened.domain == "inhouse", "an older record has none"


def test_two_people_under_one_number_are_noticed(vault: Vault) -> None:
    assert vault.doubts("77", names=["chen dawen"], birth="19500101", sex="M") is None
    assert vault.doubts("77", names=["chen dawen", "陳大文"], birth="19500101") is None
    assert vault.doubts("77", names=["陳大文"], sex="M") is None
    assert vault.doubts("77") is None
    conflict = Doubt("conflict")
    assert vault.doubts("77", names=["wang"], birth="19500101", sex="M") == conflict
    assert vault.doubts("77", names=["chen dawen"], birth="19500102", sex="M") == conflict
    assert vault.doubts("77", names=["chen dawen"], birth="19500101", sex="F") == conflict
    assert vault.doubts("77", names=["wang"]) == conflict, "what came first stays"
    assert vault.doubts("77", names=["陳大文"], birth="19500101", sex="M") is None


def test_one_person_under_two_numbers_is_noticed(place: Path) -> None:
    with Vault.open(place, dataset=None) as opened:
        opened.admit("77", ONE, "1", "")
        opened.doubts("77", names=["chen dawen", "陳大文"], birth="19500101", sex="M")
        opened.save("admitted", {})
    with Vault.open(place, dataset=None) as opened:
        same = {"names": ["陳大文"], "birth": "19500101", "sex": "M"}
        assert opened.doubts("88", **same) == Doubt("duplicate", ONE)
        assert opened.doubts("91", names=["陳大文"]) is None, "a name alone says little"
        assert opened.doubts("92", names=["陳大文"], birth="19500101", sex="F") is None
        assert opened.doubts("93", names=["林"], birth="19500101", sex="M") is None
        assert opened.doubts("88", **same) == Doubt("duplicate", ONE), "it stays doubtful"
    with Vault.open(place, dataset=None, domain="nchc") as other:
        assert other.doubts("94", **same) == Doubt("duplicate", None)


def test_withdrawal_holds_in_every_domain_and_forgets_who_it_was(place: Path) -> None:
    for domain, name in (("inhouse", ONE), ("nchc", Pseudonym("NCHC1"))):
        with Vault.open(place, dataset=None, domain=domain) as opened:
            opened.admit("77", name, "1", "20200101")
            opened.admit("88", TWO if domain == "inhouse" else Pseudonym("NCHC2"), "2", "")
            opened.remember(name, [("PatientName", "Chen")])
            opened.remember(TWO, [("PatientName", "Wang")])
            opened.set_consent("77", "A")
            opened.save("admitted", {})
    with Vault.open(place, dataset=None) as opened:
        assert opened.withdraw(ONE) == 4
        assert opened.withdraw("77|TPE") == 0
    for domain in ("inhouse", "nchc", "release-new"):
        with Vault.open(place, dataset=None, domain=domain) as opened:
            assert opened.is_withdrawn("77")
            assert not opened.is_withdrawn("88")
            with pytest.raises(VaultError, match="is withdrawn and stays outside"):
                opened.admit("77", opened.pseudonym_of("77") or ONE, "9", "")
            opened.set_consent("77", "A")
            assert opened.doubts("77", names=["chen"], birth="19500101") is None
            assert opened.consent_of(ONE) == ""
            assert opened._registry.entry("77").keys() == {"names", "studies", "withdrawn"}
    with Vault.open(place, dataset=None, domain="nchc") as opened:
        assert opened.withdrawn() == (Pseudonym("NCHC1"),)
        assert opened.pseudonym_of(ONE) == Pseudonym("NCHC1")
    with Vault.opened(place, opener="Lin", reason="check") as seen:
        assert {entry.person for entry in seen.crosswalk()} == {"88"}
        assert seen.remembered(ONE).values == frozenset()
        assert seen.remembered(TWO).values == {("PatientName", "Wang")}


def test_somebody_who_withdraws_before_any_scan_stays_out(place: Path) -> None:
    with Vault.open(place, dataset=None) as opened:
        assert opened.withdraw("99") == 0
    with Vault.open(place, dataset=None) as opened:
        assert opened.is_withdrawn("99|TPE")
        with pytest.raises(VaultError, match="is withdrawn"):
            opened.admit("99", ONE, "1", "")
        with pytest.raises(VaultError, match="knows no pseudonym ZC69X8PPNQ"):
            opened.withdraw(TWO)


def test_a_withdrawal_killed_half_way_is_finished_by_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Vault.open(place, dataset=None) as opened:
        opened.admit("77", ONE, "1", "20200101")
        opened.save("admitted", {})
        with monkeypatch.context() as patch:
            patch.setattr(Vault, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                opened.withdraw("77")
    with Vault.open(place, dataset=None) as opened:
        assert opened.is_withdrawn("77")
        opened.withdraw("77")
    with Vault.opened(place, opener="Lin", reason="check") as seen:
        assert list(seen.crosswalk()) == []


def test_consent_follows_a_person_into_every_domain(place: Path) -> None:
    with Vault.open(place, dataset=None) as opened:
        opened.admit("77", ONE, "1", "")
        opened.set_consent("77", "B")
        opened.save("admitted", {})
    with Vault.open(place, dataset=None, domain="nchc") as opened:
        opened.admit("77", TWO, "1", "")
        assert opened.consent_of(TWO) == "B"
        assert opened.consent_of(Pseudonym("UNKNOWN")) == ""
