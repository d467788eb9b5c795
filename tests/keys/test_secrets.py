from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privca.base.refused import Reason, Refused
from privca.keys.secrets import SecretBox


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "store.key"


@pytest.fixture
def box(file: Path) -> SecretBox:
    return SecretBox(file, create=True)


def refused(box: SecretBox, sealed: bytes, context: str) -> Refused:
    with pytest.raises(Refused) as refusal:
        box.open(sealed, context)
    assert refusal.value.reason is Reason.INTERNAL
    return refusal.value


def test_the_key_is_made_only_when_asked(file: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        SecretBox(file)
    assert not file.exists()
    SecretBox(file, create=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    made = file.read_bytes()
    assert len(made) == 32
    SecretBox(file, create=True)
    assert file.read_bytes() == made


def test_what_is_sealed_opens_in_another_process(file: Path, box: SecretBox) -> None:
    assert SecretBox(file).open(box.seal(b"mac key", "external_key:1"), "external_key:1") == b"mac key"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.text(max_size=20))
def test_everything_can_be_sealed(box: SecretBox, plaintext: bytes, context: str) -> None:
    assert box.open(box.seal(plaintext, context), context) == plaintext


def test_it_opens_in_its_own_context_alone(box: SecretBox) -> None:
    sealed = box.seal(b"secret", "a:1")
    for context in ("a:2", "", "a:1 "):
        refused(box, sealed, context)


def test_changed_octets_do_not_open_and_nothing_tells_why(box: SecretBox, tmp_path: Path) -> None:
    sealed = box.seal(b"secret", "a")
    texts = set()
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        texts.add(str(refused(box, bytes(changed), "a")))
    for broken in (b"", sealed[:1], sealed[:28], sealed[:-1], sealed + b"\0"):
        texts.add(str(refused(box, broken, "a")))
    texts.add(str(refused(box, sealed, "b")))
    assert len(texts) == 1
    assert "secret does not open" in texts.pop()
    refused(SecretBox(tmp_path / "other" / "store.key", create=True), sealed, "a")


def test_the_same_secret_never_looks_the_same(box: SecretBox) -> None:
    assert len({box.seal(b"secret", "a") for _ in range(100)}) == 100
    assert b"secret" not in box.seal(b"secret", "a")


def test_derived_keys_are_stable_and_apart(file: Path, box: SecretBox) -> None:
    assert box.derive("nonce") == SecretBox(file).derive("nonce")
    assert len(box.derive("nonce")) == 32
    assert len({box.derive("nonce"), box.derive("other"), box.derive(""), file.read_bytes()}) == 4
    expected = HKDF(SHA256(), 32, salt=None, info=b"privca derive v1 nonce").derive(file.read_bytes())
    assert box.derive("nonce") == expected


@pytest.mark.parametrize("octets", [b"", bytes(31), bytes(33), bytes(1000)])
def test_a_key_file_of_another_size_is_refused(file: Path, octets: bytes) -> None:
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o600)
    file.write_bytes(octets)
    with pytest.raises(Refused) as refusal:
        SecretBox(file, create=True)
    assert refusal.value.reason is Reason.INTERNAL


def test_a_key_file_that_others_can_read_is_refused(file: Path, box: SecretBox) -> None:
    file.chmod(0o644)
    with pytest.raises(Refused, match="chmod 0600"):
        SecretBox(file)


def test_the_key_is_in_no_repr_and_no_exception(file: Path, box: SecretBox) -> None:
    key = file.read_bytes()
    for text in (repr(box), str(box), repr(refused(box, b"", "a")), str(refused(box, b"", "a"))):
        assert key.hex() not in text
        assert repr(key)[2:-1] not in text
    assert repr(box) == f"SecretBox({str(file)!r})"
