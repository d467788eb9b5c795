from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from privca.base.refused import Reason, Refused
from privca.issuance.ports import Keys
from privca.issuance.profile import CertificateAuthority
from privca.keys.software import SoftwareKeys
from privca.pkix.algorithms import Oaep

T = TypeVar("T")

KINDS = get_args(get_type_hints(CertificateAuthority)["key"])


class Offload:
    """Calls at once, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, call: Callable[[], bytes]) -> bytes:
        self.calls += 1
        return call()


def run(awaitable: Awaitable[T]) -> T:
    """Drive what never waits."""
    assert isinstance(awaitable, Coroutine)
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("it waited")


@pytest.fixture
def offload() -> Offload:
    return Offload()


@pytest.fixture
def keys(tmp_path: Path, offload: Offload) -> SoftwareKeys:
    return SoftwareKeys(tmp_path / "keys", offload)


def verify(public_key: Any, signature: bytes, message: bytes, digest: hashes.HashAlgorithm) -> None:
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(signature, message, ec.ECDSA(digest))
    elif isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, message, padding.PKCS1v15(), digest)
    else:
        public_key.verify(signature, message)


def describe(public_key: Any) -> str:
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256", "secp384r1": "P-384"}[public_key.curve.name]
    if isinstance(public_key, rsa.RSAPublicKey):
        assert public_key.public_numbers().e == 65537
        return f"RSA-{public_key.key_size}"
    names: dict[type, str] = {
        ed25519.Ed25519PublicKey: "Ed25519",
        mldsa.MLDSA44PublicKey: "ML-DSA-44",
        mldsa.MLDSA65PublicKey: "ML-DSA-65",
        mldsa.MLDSA87PublicKey: "ML-DSA-87",
    }
    return next(name for cls, name in names.items() if isinstance(public_key, cls))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_a_ca_is_made_kept_and_signs(tmp_path: Path, kind: str) -> None:
    offload = Offload()
    keys: Keys = SoftwareKeys(tmp_path / "keys", offload)
    spki = run(keys.generate("root-1", kind))
    public_key = load_der_public_key(spki)
    assert describe(public_key) == kind
    # Another process reads the same key.
    again: Keys = SoftwareKeys(tmp_path / "keys", offload)
    assert run(again.public_key("root-1")) == spki
    calls = offload.calls
    signature = run(again.sign("root-1", b"message", "sha384"))
    verify(public_key, signature, b"message", hashes.SHA384())
    assert offload.calls - calls == (1 if kind.startswith(("RSA-3", "RSA-4", "ML-DSA")) else 0)
    file = tmp_path / "keys" / "root-1.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_making_a_key_is_offloaded(keys: SoftwareKeys, offload: Offload) -> None:
    run(keys.generate("a", "P-256"))
    assert offload.calls == 1


def test_the_hash_is_the_one_asked_for(keys: SoftwareKeys) -> None:
    public_key = load_der_public_key(run(keys.generate("a", "P-256")))
    for name, digest in (("sha256", hashes.SHA256()), ("sha384", hashes.SHA384()), ("sha512", hashes.SHA512())):
        verify(public_key, run(keys.sign("a", b"message", name)), b"message", digest)
    with pytest.raises(KeyError):
        run(keys.sign("a", b"message", "sha1"))


def test_a_key_is_never_replaced(keys: SoftwareKeys) -> None:
    spki = run(keys.generate("a", "P-256"))
    with pytest.raises(Refused, match="there already"):
        run(keys.generate("a", "P-256"))
    assert run(keys.public_key("a")) == spki


def test_an_unknown_kind_is_an_error(keys: SoftwareKeys) -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        run(keys.generate("a", "RSA-1024"))


@pytest.mark.parametrize(
    "reference", ["", ".", "..", "../a", "a/b", "/etc/passwd", ".hidden", "a\x00", "a\n", "a" * 129, "\u00e9"]
)
def test_a_reference_never_leaves_the_directory(keys: SoftwareKeys, reference: str) -> None:
    for attempt in (keys.generate(reference, "P-256"), keys.public_key(reference), keys.sign(reference, b"", "sha256")):
        with pytest.raises(Refused) as refusal:
            run(attempt)
        assert refusal.value.clause == "keys: reference"


def test_an_absent_key_is_refused(keys: SoftwareKeys) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        run(keys.sign("absent", b"message", "sha256"))


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path, keys: SoftwareKeys, offload: Offload) -> None:
    run(keys.generate("a", "P-256"))
    (tmp_path / "keys" / "a.pem").chmod(0o640)
    with pytest.raises(Refused, match="chmod 0600"):
        run(SoftwareKeys(tmp_path / "keys", offload).sign("a", b"message", "sha256"))


def test_a_directory_that_others_can_enter_is_refused(tmp_path: Path, offload: Offload) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(Refused, match="chmod 0700"):
        SoftwareKeys(tmp_path / "keys", offload)


def put(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, octets)
    os.close(descriptor)


def test_a_file_that_holds_no_key_is_refused_and_not_quoted(tmp_path: Path, keys: SoftwareKeys) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    whole = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    body = whole.split(b"\n")[1]
    wrong = {
        "cut": whole.replace(body, body[:-8]),
        "empty": b"",
        "noise": b"MIGHAgEAMBMGByqGSM49",
        "encrypted": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"MIGHAgEA")),
        "large": whole + bytes(1 << 16),
        "unused": ed448.Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, octets in wrong.items():
        put(tmp_path / "keys" / f"{name}.pem", octets)
        with pytest.raises(Refused) as refusal:
            run(keys.public_key(name))
        said = f"{refusal.value!r} {refusal.value} {refusal.value.__cause__!r}"
        assert refusal.value.reason is Reason.INTERNAL
        assert name in said
        assert "MIGHAgEA" not in said
        assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_no_repr_holds_a_key(keys: SoftwareKeys, tmp_path: Path) -> None:
    run(keys.generate("a", "P-256"))
    run(keys.public_key("a"))
    assert repr(keys) == f"SoftwareKeys({str(tmp_path / 'keys')!r})"


def test_rfc8017_7_what_is_encrypted_for_an_rsa_key(keys: SoftwareKeys, offload: Offload) -> None:
    public_key = load_der_public_key(run(keys.generate("rsa", "RSA-2048")))
    assert isinstance(public_key, rsa.RSAPublicKey)
    before = offload.calls
    assert run(keys.decrypt("rsa", public_key.encrypt(b"secret", padding.PKCS1v15()))) == b"secret"
    for name, digest in {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}.items():
        for label in (b"", b"label"):
            scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), digest, label or None)
            oaep = Oaep(hash_name=name, mask="sha256", label=label)
            assert run(keys.decrypt("rsa", public_key.encrypt(b"secret", scheme), oaep)) == b"secret"
    # A key of this size works at once.
    assert offload.calls == before


def test_rfc8017_7_larger_rsa_keys_decipher_elsewhere(keys: SoftwareKeys, offload: Offload) -> None:
    public_key = load_der_public_key(run(keys.generate("rsa", "RSA-3072")))
    assert isinstance(public_key, rsa.RSAPublicKey)
    before = offload.calls
    assert run(keys.decrypt("rsa", public_key.encrypt(b"secret", padding.PKCS1v15()))) == b"secret"
    assert offload.calls == before + 1


def test_rfc8017_7_2_2_a_wrong_padding_looks_like_a_right_one(keys: SoftwareKeys) -> None:
    """Implicit rejection: no refusal tells an attacker (Bleichenbacher) whether the padding was right."""
    public_key = load_der_public_key(run(keys.generate("rsa", "RSA-2048")))
    assert isinstance(public_key, rsa.RSAPublicKey)
    wrong = public_key.encrypt(b"secret", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    assert run(keys.decrypt("rsa", wrong)) == run(keys.decrypt("rsa", wrong))


def test_rfc5753_agreement(keys: SoftwareKeys) -> None:
    for kind, curve in (("P-256", ec.SECP256R1()), ("P-384", ec.SECP384R1()), ("P-521", ec.SECP521R1())):
        ours = load_der_public_key(run(keys.generate(kind, kind)))
        theirs = ec.generate_private_key(curve)
        assert isinstance(ours, ec.EllipticCurvePublicKey)
        assert run(keys.agree(kind, spki(theirs.public_key()))) == theirs.exchange(ec.ECDH(), ours)
    ours = load_der_public_key(run(keys.generate("x", "X25519")))
    peer = x25519.X25519PrivateKey.generate()
    assert isinstance(ours, x25519.X25519PublicKey)
    assert run(keys.agree("x", spki(peer.public_key()))) == peer.exchange(ours)


def test_fips203_decapsulation(keys: SoftwareKeys) -> None:
    for kind in ("ML-KEM-768", "ML-KEM-1024"):
        public_key = load_der_public_key(run(keys.generate(kind, kind)))
        assert isinstance(public_key, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey)
        secret, ciphertext = public_key.encapsulate()
        assert run(keys.decapsulate(kind, ciphertext)) == secret


def spki(public_key: Any) -> bytes:
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[no-any-return]


def test_what_cannot_be_deciphered_is_one_refusal(keys: SoftwareKeys) -> None:
    for kind in ("RSA-2048", "P-256", "X25519", "ML-KEM-768"):
        run(keys.generate(kind, kind))
    low_order = spki(x25519.X25519PublicKey.from_public_bytes(bytes(32)))
    other_curve = spki(ec.generate_private_key(ec.SECP384R1()).public_key())
    refused = set()
    for work in (
        keys.decrypt("RSA-2048", b"short"),
        keys.decrypt("RSA-2048", bytes(256), Oaep()),
        keys.agree("P-256", other_curve),
        keys.agree("P-256", low_order),
        keys.agree("P-256", b"\x30\x00"),
        keys.agree("X25519", other_curve),
        keys.agree("X25519", low_order),
        keys.decapsulate("ML-KEM-768", b"short"),
    ):
        with pytest.raises(Refused) as refusal:
            run(work)
        refused.add((refusal.value.reason, str(refusal.value)))
    assert refused == {(Reason.MALFORMED, "this cannot be deciphered (keys: decipherment)")}


def test_a_key_does_what_its_kind_does(keys: SoftwareKeys) -> None:
    for kind in ("P-256", "RSA-2048", "X25519", "ML-KEM-768"):
        run(keys.generate(kind, kind))
    for work in (
        keys.decrypt("P-256", b""),
        keys.agree("RSA-2048", b""),
        keys.decapsulate("P-256", b""),
        keys.sign("X25519", b"", "sha256"),
        keys.sign("ML-KEM-768", b"", "sha256"),
    ):
        with pytest.raises(Refused) as refusal:
            run(work)
        assert refusal.value.reason is Reason.INTERNAL


def test_a_large_message_is_hashed_aside(keys: SoftwareKeys, offload: Offload) -> None:
    public_key = load_der_public_key(run(keys.generate("ec", "P-256")))
    before, message = offload.calls, bytes(1 << 20)
    verify(public_key, run(keys.sign("ec", message, "sha384")), message, hashes.SHA384())
    assert offload.calls == before + 1
