"""RFC 5652 section 6, EnvelopedData, and RFC 5083: ours opened by ``openssl cms``, those of ``openssl cms`` and of clients opened by us."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

import vectors
from privca.base.entropy import SystemEntropy
from privca.base.refused import Reason, Refused
from privca.pkix import algorithms
from privca.pkix.algorithms import Oaep
from privca.pkix.rfc5652 import enveloped_data, signed_data, wrapping
from privca.pkix.rfc5652.content import AUTH_ENVELOPED_DATA, content_type
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.recipients import KeyAgreement, KeyTransport, Password, PreShared
from tests.support.cms import LocalKey, make_key, named, needs_openssl, openssl, pem, private_pem, run

CONTENT = b"what nobody else may read " * 5
ENTROPY = SystemEntropy()
SCEP = [vector for vector in vectors.load("scep") if vector.expected.get("verified", {}).get("enveloped_data_opens")]


def opened(message: bytes, key: Any, recipient: Named) -> bytes:
    enveloped = enveloped_data.parse(message)
    found = enveloped.recipient(recipient)
    assert found is not None
    return run(enveloped_data.decrypt(enveloped, found, LocalKey(key), recipient.spki, ENTROPY))


@needs_openssl
@pytest.mark.parametrize("cipher", ["3des", "aes128", "aes192", "aes256"])
@pytest.mark.parametrize(
    ("oaep", "by_key"),
    [
        (None, False),
        (None, True),
        (Oaep("sha1", "sha1"), False),
        (Oaep("sha256", "sha256"), False),
        (Oaep("sha512", "sha1", b"x"), True),
    ],
    ids=["v1.5", "v1.5 by key identifier", "OAEP SHA-1", "OAEP SHA-256", "OAEP SHA-512 with label"],
)
def test_6_2_1_openssl_opens_key_transport(tmp_path: Path, cipher: str, oaep: Oaep | None, by_key: bool) -> None:
    key = make_key("RSA")
    recipient = named(key.public_key())
    message = enveloped_data.encrypt(
        CONTENT, [wrapping.for_certificate(recipient, oaep=oaep, by_key=by_key)], ENTROPY, cipher=cipher
    )
    (tmp_path / "message.der").write_bytes(message)
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "cert.pem").write_bytes(pem(recipient.der))
    arguments = ("cms", "-decrypt", "-binary", "-inform", "DER", "-in", "message.der", "-inkey", "key.pem", "-recip", "cert.pem")
    assert openssl(tmp_path, *arguments) == CONTENT
    assert opened(message, key, recipient) == CONTENT


@needs_openssl
@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
def test_5753_openssl_opens_key_agreement(tmp_path: Path, kind: str) -> None:
    key = make_key(kind)
    recipient = named(key.public_key())
    message = enveloped_data.encrypt(CONTENT, [wrapping.for_certificate(recipient)], ENTROPY, cipher="aes256")
    (tmp_path / "message.der").write_bytes(message)
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "cert.pem").write_bytes(pem(recipient.der))
    arguments = ("cms", "-decrypt", "-binary", "-inform", "DER", "-in", "message.der", "-inkey", "key.pem", "-recip", "cert.pem")
    assert openssl(tmp_path, *arguments) == CONTENT
    assert opened(message, key, recipient) == CONTENT


@needs_openssl
def test_6_2_4_openssl_opens_a_password_recipient(tmp_path: Path) -> None:
    message = enveloped_data.encrypt(CONTENT, [wrapping.password(b"pass word", ENTROPY)], ENTROPY)
    (tmp_path / "message.der").write_bytes(message)
    arguments = ("cms", "-decrypt", "-binary", "-inform", "DER", "-in", "message.der", "-pwri_password", "pass word")
    assert openssl(tmp_path, *arguments) == CONTENT


@needs_openssl
def test_6_2_3_openssl_opens_a_shared_key(tmp_path: Path) -> None:
    kek = bytes(range(32))
    message = enveloped_data.encrypt(CONTENT, [wrapping.pre_shared(b"\x01\x02", kek)], ENTROPY)
    (tmp_path / "message.der").write_bytes(message)
    arguments = (
        "cms",
        "-decrypt",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "message.der",
        "-secretkey",
        kek.hex(),
        "-secretkeyid",
        "0102",
    )
    assert openssl(tmp_path, *arguments) == CONTENT


@needs_openssl
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RSA", ("-aes128",)),
        ("RSA", ("-des3", "-stream")),
        ("RSA", ("-aes256", "-keyid")),
        ("RSA", ("-aes-256-gcm",)),
        ("RSA", ("-aes-128-gcm", "-stream")),
        ("P-256", ("-aes128",)),
        ("P-384", ("-aes256", "-aes256-wrap", "-stream")),
        ("P-521", ("-aes192", "-keyid")),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_6_we_open_what_openssl_encrypts(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    key = make_key(kind)
    recipient = named(key.public_key())
    (tmp_path / "cert.pem").write_bytes(pem(recipient.der))
    (tmp_path / "content").write_bytes(CONTENT)
    message = openssl(tmp_path, "cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", *options, "cert.pem")
    assert opened(message, key, recipient) == CONTENT


@needs_openssl
@pytest.mark.parametrize(
    "options", [("-keyopt", "rsa_padding_mode:oaep"), ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")]
)
def test_4055_we_open_oaep_of_openssl(tmp_path: Path, options: tuple[str, ...]) -> None:
    key = make_key("RSA")
    recipient = named(key.public_key())
    (tmp_path / "cert.pem").write_bytes(pem(recipient.der))
    (tmp_path / "content").write_bytes(CONTENT)
    arguments = ("cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes128", "-recip", "cert.pem")
    assert opened(openssl(tmp_path, *arguments, *options), key, recipient) == CONTENT


@needs_openssl
@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["DER", "BER"])
def test_6_2_4_we_open_a_password_recipient_of_openssl(tmp_path: Path, stream: tuple[str, ...]) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    arguments = ("cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes256", "-pwri_password", "pass word")
    enveloped = enveloped_data.parse(openssl(tmp_path, *arguments, *stream))
    recipient = enveloped.password_recipient()
    assert recipient is not None
    assert run(enveloped_data.decrypt_by_password(enveloped, recipient, b"pass word", ENTROPY)) == CONTENT
    with pytest.raises(Refused, match="cannot be decrypted"):
        run(enveloped_data.decrypt_by_password(enveloped, recipient, b"pass-word", ENTROPY))


@needs_openssl
def test_6_2_3_we_open_a_shared_key_of_openssl(tmp_path: Path) -> None:
    kek = bytes(range(16))
    (tmp_path / "content").write_bytes(CONTENT)
    arguments = ("cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes128")
    message = openssl(tmp_path, *arguments, "-secretkey", kek.hex(), "-secretkeyid", "0a0b")
    enveloped = enveloped_data.parse(message)
    (recipient,) = enveloped.recipients
    assert isinstance(recipient, PreShared)
    assert recipient.key_identifier == b"\x0a\x0b"
    assert run(enveloped_data.decrypt_by_shared_key(enveloped, recipient, kek, ENTROPY)) == CONTENT


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "P-521", "X25519", "ML-KEM-768", "ML-KEM-1024"])
@pytest.mark.parametrize("cipher", ["des", "3des", "aes128", "aes256", "aes128-gcm", "aes256-gcm"])
@pytest.mark.parametrize("by_key", [False, True], ids=["by issuer and serial", "by key identifier"])
def test_6_every_kind_of_key_opens_what_is_for_it(kind: str, cipher: str, by_key: bool) -> None:
    key = make_key(kind)
    recipient = named(key.public_key())
    # AES key wrap takes no key as short as that of single DES.
    cipher = "3des" if cipher == "des" and kind != "RSA" else cipher
    message = enveloped_data.encrypt(CONTENT, [wrapping.for_certificate(recipient, by_key=by_key)], ENTROPY, cipher=cipher)
    assert opened(message, key, recipient) == CONTENT
    assert (content_type(message) == AUTH_ENVELOPED_DATA) is cipher.endswith("gcm")


def test_6_1_each_of_several_recipients_opens_it() -> None:
    keys = [make_key(kind) for kind in ("RSA", "P-256", "ML-KEM-768")]
    names = [named(key.public_key(), common_name=str(number)) for number, key in enumerate(keys)]
    ways = [*map(wrapping.for_certificate, names), wrapping.password(b"secret", ENTROPY), wrapping.pre_shared(b"k", bytes(16))]
    message = enveloped_data.encrypt(CONTENT, ways, ENTROPY)
    for key, name in zip(keys, names, strict=True):
        assert opened(message, key, name) == CONTENT
    enveloped = enveloped_data.parse(message)
    password = enveloped.password_recipient()
    assert password is not None
    assert run(enveloped_data.decrypt_by_password(enveloped, password, b"secret", ENTROPY)) == CONTENT


@pytest.mark.parametrize(
    ("ways", "version"),
    [
        (["transport"], 0),
        (["transport by key"], 2),
        (["agreement"], 2),
        (["shared"], 2),
        (["password"], 3),
        (["kem", "transport"], 3),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, list) else str(value),
)
def test_6_1_version_follows_the_recipients(ways: list[str], version: int) -> None:
    known: dict[str, Callable[[], wrapping.Wrap]] = {
        "transport": lambda: wrapping.for_certificate(named(make_key("RSA").public_key())),
        "transport by key": lambda: wrapping.for_certificate(named(make_key("RSA").public_key()), by_key=True),
        "agreement": lambda: wrapping.for_certificate(named(make_key("P-256").public_key())),
        "shared": lambda: wrapping.pre_shared(b"k", bytes(16)),
        "password": lambda: wrapping.password(b"secret", ENTROPY),
        "kem": lambda: wrapping.for_certificate(named(make_key("ML-KEM-768").public_key())),
    }
    message = enveloped_data.encrypt(CONTENT, [known[way]() for way in ways], ENTROPY)
    read, rest = decoder.decode(message, asn1Spec=rfc5652.ContentInfo())
    assert not rest
    inner, rest = decoder.decode(bytes(read["content"]), asn1Spec=rfc5652.EnvelopedData())
    assert not rest
    assert int(inner["version"]) == version


def test_6_a_key_that_can_only_sign_has_no_way() -> None:
    with pytest.raises(Refused) as refusal:
        wrapping.for_certificate(named(make_key("Ed25519").public_key()))
    assert refusal.value.reason is Reason.BAD_SIGNATURE_ALGORITHM


@pytest.mark.parametrize("vector", SCEP, ids=lambda vector: vector.id)
def test_6_recorded_messages_open(vector: vectors.Vector) -> None:
    message = vectors.http.parse(vector.octets)
    octets = vectors.http.scep_message(message) if vector.direction == "request" else message.body
    inner = signed_data.parse(octets).content
    assert inner is not None
    enveloped = enveloped_data.parse(inner)
    (recipient,) = enveloped.recipients
    assert isinstance(recipient, KeyTransport)
    key = load_pem_private_key(vectors.file(vector.expected["verified"]["opened_with"]).read_bytes(), None)
    content = run(enveloped_data.decrypt(enveloped, recipient, LocalKey(key), b"", ENTROPY))
    assert hashlib.sha256(content).hexdigest() == vector.expected["verified"]["plaintext_sha256"]


@pytest.fixture(scope="module")
def party() -> tuple[Any, Named]:
    key = make_key("RSA")
    return key, named(key.public_key())


class TestNoOracle:
    """RFC 3218: whatever does not decrypt is one refusal, and each step is taken whatever happened in the one before."""

    def refusal(self, message: bytes, key: Any, recipient: Named) -> tuple[Reason, str, str]:
        with pytest.raises(Refused) as refused:
            opened(message, key, recipient)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        return refused.value.reason, refused.value.clause, str(refused.value)

    def test_2_3_2_wrong_key_padding_length_and_content_are_refused_alike(self, party: tuple[Any, Named]) -> None:
        key, recipient = party
        public_key = key.public_key()
        identifier = recipient.identifier()

        def message(way: wrapping.Wrap, cipher: str = "aes128") -> bytes:
            return enveloped_data.encrypt(CONTENT, [way], ENTROPY, cipher=cipher)

        right = wrapping.key_transport(public_key, identifier)
        # PKCS #1 v1.5 with wrong padding: octets that were never padded.
        unpadded = message(lambda cek: right(cek)[:-256] + (b"\x00" + b"\x5a" * 255))
        too_short = message(lambda cek: right(cek[:-1]))
        another = message(lambda cek: right(bytes(len(cek))))
        whole = message(right)
        content = whole[:-1] + bytes((whole[-1] ^ 0x80,))
        said = {self.refusal(one, key, recipient) for one in (unpadded, too_short, another, content)}
        oaep = wrapping.key_transport(public_key, identifier, Oaep())
        said.add(self.refusal(message(lambda cek: oaep(cek)[:-256] + b"\x00" * 256), key, recipient))
        assert len(said) == 1

    def test_2_3_2_the_content_is_decrypted_even_if_there_is_no_key(
        self, party: tuple[Any, Named], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, recipient = party
        seen: list[int] = []
        real = enveloped_data.content_encryption.decrypt_cbc

        def noted(cipher: str, used: bytes, iv: bytes, encrypted: bytes) -> bytes:
            seen.append(len(used))
            return real(cipher, used, iv, encrypted)

        monkeypatch.setattr(enveloped_data.content_encryption, "decrypt_cbc", noted)
        oaep = wrapping.key_transport(key.public_key(), recipient.identifier(), Oaep())
        broken = enveloped_data.encrypt(CONTENT, [lambda cek: oaep(cek)[:-256] + b"\x00" * 256], ENTROPY, cipher="aes256")
        self.refusal(broken, key, recipient)
        assert seen == [32]

    def test_6_2_4_wrong_password_and_wrong_content_are_refused_alike(self) -> None:
        message = enveloped_data.encrypt(CONTENT, [wrapping.password(b"secret", ENTROPY)], ENTROPY)
        said = set()
        for octets, secret in ((message, b"other"), (message[:-1] + bytes((message[-1] ^ 0x80,)), b"secret")):
            enveloped = enveloped_data.parse(octets)
            recipient = enveloped.password_recipient()
            assert recipient is not None
            with pytest.raises(Refused) as refused:
                run(enveloped_data.decrypt_by_password(enveloped, recipient, secret, ENTROPY))
            said.add(str(refused.value))
        assert len(said) == 1


class TestBounds:
    """What costs is bounded before it is done."""

    def test_6_2_4_iterations(self) -> None:
        message = enveloped_data.encrypt(CONTENT, [wrapping.password(b"secret", ENTROPY, iterations=2000)], ENTROPY)
        enveloped = enveloped_data.parse(message)
        recipient = enveloped.password_recipient()
        assert isinstance(recipient, Password)
        with pytest.raises(Refused) as refused:
            run(enveloped_data.decrypt_by_password(enveloped, recipient, b"secret", ENTROPY, iterations=1999))
        assert refused.value.reason is Reason.BAD_SIGNATURE_ALGORITHM
        assert run(enveloped_data.decrypt_by_password(enveloped, recipient, b"secret", ENTROPY, iterations=2000)) == CONTENT

    def test_6_1_recipients(self) -> None:
        ways = [wrapping.pre_shared(bytes((number,)), bytes(16)) for number in range(enveloped_data.MAXIMUM_RECIPIENTS + 1)]
        with pytest.raises(Refused, match="number of recipients"):
            enveloped_data.parse(enveloped_data.encrypt(CONTENT, ways, ENTROPY))

    def test_5084_a_short_tag_is_refused(self) -> None:
        key = make_key("RSA")
        recipient = named(key.public_key())
        message = enveloped_data.encrypt(CONTENT, [wrapping.for_certificate(recipient)], ENTROPY, cipher="aes128-gcm")
        enveloped = enveloped_data.parse(message)
        short = replace(enveloped, tag=enveloped.tag[:4])
        found = short.recipient(recipient)
        assert found is not None
        with pytest.raises(Refused, match="cannot be decrypted"):
            run(enveloped_data.decrypt(short, found, LocalKey(key), recipient.spki, ENTROPY))

    def test_5083_a_cipher_without_authentication_has_no_tag(self) -> None:
        message = enveloped_data.encrypt(CONTENT, [wrapping.pre_shared(b"k", bytes(16))], ENTROPY, cipher="aes128-gcm")
        wrong = message.replace(algorithms.oid(algorithms.GCM["aes128-gcm"][0]), algorithms.oid(algorithms.CBC["aes128"][0]))
        with pytest.raises(Refused):
            enveloped_data.parse(wrong)

    def test_5753_a_point_that_is_not_on_the_curve(self) -> None:
        key = make_key("P-256")
        recipient = named(key.public_key())
        message = enveloped_data.encrypt(CONTENT, [wrapping.for_certificate(recipient)], ENTROPY)
        enveloped = enveloped_data.parse(message)
        found = enveloped.recipient(recipient)
        assert isinstance(found, KeyAgreement)
        off = replace(found, point=found.point[:-1] + bytes((found.point[-1] ^ 1,)))

        class Careful(LocalKey):
            async def agree(self, peer: bytes) -> bytes:
                try:
                    return await super().agree(peer)
                except ValueError:
                    raise Refused(Reason.MALFORMED, "keys: decipherment", "this cannot be deciphered") from None

        with pytest.raises(Refused, match="cannot be decrypted"):
            run(enveloped_data.decrypt(enveloped, off, Careful(key), recipient.spki, ENTROPY))
