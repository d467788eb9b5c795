"""Keys that are made for others, and keys that theirs are encrypted to."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from privca.base.refused import Refused
from privca.keys.decryption import DecryptionKeyFiles
from privca.keys.made_for_others import KeysForOthers
from tests.support.issuance_lab import run

IDENTIFIER = b"\x00\xff/../"


@pytest.mark.parametrize(("kind", "bits", "offloaded"), [("P-256", 256, 0), ("P-384", 384, 0), ("RSA-2048", 2048, 1)])
def test_a_key_is_made_once_and_rsa_where_it_stops_nobody(kind: str, bits: int, offloaded: int) -> None:
    calls = []

    async def offload(call: Callable[[], bytes]) -> bytes:
        calls.append(call)
        return call()

    maker = KeysForOthers(offload)
    first, second = run(maker.make(kind)), run(maker.make(kind))
    assert first != second
    assert getattr(load_der_private_key(first, None), "key_size", None) == bits
    assert len(calls) == 2 * offloaded


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "est" / "web"
    directory.mkdir(parents=True)
    return directory


def test_nothing_is_there(tmp_path: Path) -> None:
    keys = DecryptionKeyFiles(tmp_path / "absent")
    assert run(keys.secret_key("web", IDENTIFIER)) is None
    assert run(keys.recipient("web", IDENTIFIER)) is None


@pytest.mark.parametrize("length", [16, 24, 32])
def test_a_secret_key_in_hex(files: Path, length: int) -> None:
    key = os.urandom(length)
    path = files / f"{IDENTIFIER.hex()}.key"
    path.touch(0o600)
    path.write_text(key.hex() + "\n")
    keys = DecryptionKeyFiles(files.parent)
    assert run(keys.secret_key("web", IDENTIFIER)) == key
    assert run(keys.secret_key("other", IDENTIFIER)) is None


@pytest.mark.parametrize(("text", "mode"), [("aa" * 15, 0o600), ("zz" * 16, 0o600), ("", 0o600), ("aa" * 16, 0o644)])
def test_a_secret_key_that_is_none_or_open_to_others(files: Path, text: str, mode: int) -> None:
    path = files / f"{IDENTIFIER.hex()}.key"
    path.touch(0o600)
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(Refused):
        run(DecryptionKeyFiles(files.parent).secret_key("web", IDENTIFIER))


def test_a_certificate(files: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, hashes.SHA256())
    (files / f"{IDENTIFIER.hex()}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    keys = DecryptionKeyFiles(files.parent)
    assert run(keys.recipient("web", IDENTIFIER)) == made.public_bytes(Encoding.DER)
    (files / f"{IDENTIFIER.hex()}.pem").write_bytes(b"no certificate")
    with pytest.raises(Refused):
        run(keys.recipient("web", IDENTIFIER))
