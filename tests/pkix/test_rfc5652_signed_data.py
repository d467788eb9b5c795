"""RFC 5652 section 5, SignedData: ours read by ``openssl cms``, those of ``openssl cms`` and of recorded clients read by us."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

import vectors
from privca.base.refused import Reason, Refused
from privca.pkix import algorithms, der
from privca.pkix.rfc5652 import signed_data
from privca.pkix.rfc5652.content import DATA, wrap
from privca.pkix.rfc5652.identifiers import Identifier, Named
from privca.pkix.rfc5652.signing import SigningParty, load_public_key, sign, signature_algorithm, signer_info, verify
from tests.support.cms import certify, local_signer, make_key, needs_openssl, openssl, pem, private_pem, run

CONTENT = b"what is signed"
SIGNED = [vector for vector in vectors.load("scep") if "message_type" in vector.expected]
EVERYTHING = frozenset(algorithms.HASHES)


def signed_by(
    kind: str, digest: str = "", *, by_key: bool = False, pss: bool = False, **options: Any
) -> tuple[bytes, Named, Any]:
    key = make_key(kind)
    certificate = Named.read(certify(key.public_key(), signer=key if kind not in ("Ed448",) else None))
    party = local_signer(key, certificate.identifier(by_key=by_key), digest, pss=pss)
    return run(sign(CONTENT, [party], certificates=[certificate.der], **options)), certificate, key


@needs_openssl
@pytest.mark.parametrize(
    ("kind", "digest", "by_key", "pss"),
    [
        ("RSA", "sha1", False, False),
        ("RSA", "sha224", False, False),
        ("RSA", "sha256", True, False),
        ("RSA", "sha512", False, False),
        ("RSA", "sha384", False, True),
        ("P-256", "sha256", False, False),
        ("P-521", "sha512", True, False),
    ],
)
def test_5_openssl_verifies_what_we_sign(tmp_path: Path, kind: str, digest: str, by_key: bool, pss: bool) -> None:
    message, certificate, _ = signed_by(kind, digest, by_key=by_key, pss=pss)
    (tmp_path / "message.der").write_bytes(message)
    (tmp_path / "ca.pem").write_bytes(pem(certificate.der))
    said = openssl(
        tmp_path, "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", "message.der", "-certfile", "ca.pem"
    )
    assert said == CONTENT


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "P-521", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65"])
@pytest.mark.parametrize("by_key", [False, True], ids=["by issuer and serial", "by key identifier"])
def test_5_what_we_sign_verifies(kind: str, by_key: bool) -> None:
    message, certificate, key = signed_by(kind, by_key=by_key)
    parsed = signed_data.parse(message)
    assert (parsed.content, parsed.content_type, parsed.certificates) == (CONTENT, DATA, (certificate.der,))
    (signer,) = parsed.signers
    assert certificate.is_meant(signer.identifier)
    assert bool(signer.identifier.key) is by_key
    verify(signer, DATA, CONTENT, key.public_key())


def test_5_1_version_follows_content_and_identifier() -> None:
    versions = {}
    for name, options in {
        "plain": {},
        "by key": {"by_key": True},
        "another content": {"content_type": "1.2.3.4"},
    }.items():
        message, _, _ = signed_by("P-256", **options)
        read, _ = decoder.decode(message, asn1Spec=rfc5652.ContentInfo())
        inner, _ = decoder.decode(bytes(read["content"]), asn1Spec=rfc5652.SignedData())
        versions[name] = (int(inner["version"]), int(inner["signerInfos"][0]["version"]))
    assert versions == {"plain": (1, 1), "by key": (3, 3), "another content": (3, 1)}


def test_5_1_several_signers_of_another_content_type() -> None:
    first, second = make_key("P-256"), make_key("RSA")
    names = [Named.read(certify(key.public_key())) for key in (first, second)]
    parties = [local_signer(key, name.identifier()) for key, name in zip((first, second), names, strict=True)]
    message = run(sign(CONTENT, parties, content_type="1.3.6.1.5.5.7.12.2", certificates=[name.der for name in names]))
    parsed = signed_data.parse(message)
    assert len(parsed.signers) == 2
    for key, name in zip((first, second), names, strict=True):
        (signer,) = [one for one in parsed.signers if name.is_meant(one.identifier)]
        verify(signer, parsed.content_type, parsed.content or b"", key.public_key())


@needs_openssl
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-stream",),
        ("-keyid",),
        ("-noattr",),
        ("-md", "sha1"),
        ("-md", "sha512", "-keyopt", "rsa_padding_mode:pss"),
        ("-nocerts",),
    ],
    ids=["plain", "BER", "key identifier", "no signed attributes", "SHA-1", "PSS", "no certificates"],
)
def test_5_we_verify_what_openssl_signs(tmp_path: Path, options: tuple[str, ...]) -> None:
    key = make_key("RSA")
    certificate = certify(key.public_key(), signer=key)
    (tmp_path / "cert.pem").write_bytes(pem(certificate))
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "content").write_bytes(CONTENT)
    message = openssl(
        tmp_path,
        *("cms", "-sign", "-binary", "-nodetach", "-in", "content", "-outform", "DER"),
        *("-signer", "cert.pem", "-inkey", "key.pem", *options),
    )
    parsed = signed_data.parse(message)
    assert parsed.content == CONTENT
    assert parsed.certificates == (() if "-nocerts" in options else (certificate,))
    (signer,) = parsed.signers
    assert Named.read(certificate).is_meant(signer.identifier)
    verify(signer, parsed.content_type, CONTENT, key.public_key(), digests=EVERYTHING)


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector.id)
def test_5_recorded_messages_verify_under_the_certificate_they_bring(vector: vectors.Vector) -> None:
    message = vectors.http.parse(vector.octets)
    parsed = signed_data.parse(vectors.http.scep_message(message) if vector.direction == "request" else message.body)
    (signer,) = parsed.signers
    named = [one for one in map(Named.read, parsed.certificates) if one.is_meant(signer.identifier)]
    if not named:
        named = [Named.read(vectors_ca())]
    name = verify(signer, parsed.content_type, parsed.content or b"", load_public_key(named[0].spki), digests=EVERYTHING)
    assert name == vector.expected["verified"]["digest"]


def vectors_ca() -> bytes:
    return x509.load_pem_x509_certificate(vectors.file("scep-ca.pem").read_bytes()).public_bytes(Encoding.DER)


def test_3_4_certificates_only_is_read_by_others(tmp_path: Path) -> None:
    one, two = (certify(make_key("P-256").public_key(), name) for name in ("one", "two"))
    message = signed_data.certificates_only([one, two])
    read, rest = decoder.decode(message, asn1Spec=rfc5652.ContentInfo())
    assert not rest
    inner, rest = decoder.decode(bytes(read["content"]), asn1Spec=rfc5652.SignedData())
    assert not rest
    assert not inner["encapContentInfo"]["eContent"].isValue
    assert len(inner["certificates"]) == 2
    assert signed_data.parse(message).certificates == (one, two)


def test_5_4_attributes_that_came_in_another_order_are_verified_as_they_came() -> None:
    key = make_key("P-256")
    name = Named.read(certify(key.public_key()))
    message = run(sign(CONTENT, [local_signer(key, name.identifier())], certificates=[name.der]))
    (signer,) = signed_data.parse(message).signers
    inside = der.children(signer.signed, clause="test")
    turned = bytes((0x31,)) + der.tlv(0x31, *reversed(inside))[1:]
    for signed in (turned, signer.signed):
        # Signed as it came, and signed as DER while the message has another order: both are about.
        signature = run(local_signer(key, name.identifier()).sign(signed))
        info = signer_with(signer.identifier, turned, signature)
        again = signed_data.assemble(CONTENT, signers=[info], digests=[algorithms.DIGESTS["sha256"]])
        (received,) = signed_data.parse(again).signers
        verify(received, DATA, CONTENT, key.public_key())


def signer_with(identifier: Identifier, signed: bytes, signature: bytes) -> bytes:
    key = make_key("P-256")

    async def never(_: bytes) -> bytes:
        raise AssertionError

    return signer_info(
        SigningParty(identifier, "sha256", signature_algorithm(key.public_key(), "sha256"), never), signed, signature
    )


@pytest.fixture(scope="module")
def signed() -> tuple[signed_data.SignedData, Any, Named]:
    message, certificate, key = signed_by("RSA")
    return signed_data.parse(message), key, certificate


class TestRefusals:
    """What does not verify is told apart only where it helps the developer, and never accepted."""

    def refused(self, signer: Any, content: bytes, key: Any, content_type: str = DATA, **options: Any) -> Refused:
        with pytest.raises(Refused) as refusal:
            verify(signer, content_type, content, key, **options)
        return refusal.value

    def test_5_4_another_content(self, signed: Any) -> None:
        parsed, key, _ = signed
        refusal = self.refused(parsed.signers[0], CONTENT + b".", key.public_key())
        assert (refusal.reason, refusal.clause) == (Reason.BAD_SIGNATURE, "RFC 5652 section 11.2")

    def test_11_1_another_content_type(self, signed: Any) -> None:
        parsed, key, _ = signed
        refusal = self.refused(parsed.signers[0], CONTENT, key.public_key(), "1.2.3.4")
        assert (refusal.reason, refusal.clause) == (Reason.BAD_SIGNATURE, "RFC 5652 section 11.1")

    def test_5_6_another_key(self, signed: Any) -> None:
        parsed, _, _ = signed
        for kind in ("RSA", "P-256"):
            assert self.refused(parsed.signers[0], CONTENT, make_key(kind).public_key()).reason is Reason.BAD_SIGNATURE

    def test_5_3_a_digest_that_is_not_accepted(self, signed: Any) -> None:
        parsed, key, _ = signed
        refusal = self.refused(parsed.signers[0], CONTENT, key.public_key(), digests={"sha512"})
        assert refusal.reason is Reason.BAD_SIGNATURE_ALGORITHM

    def test_5_3_a_changed_attribute(self, signed: Any) -> None:
        parsed, key, _ = signed
        signer = parsed.signers[0]
        changed = replace(signer, signed=signer.signed[:-1] + bytes((signer.signed[-1] ^ 1,)))
        assert self.refused(changed, CONTENT, key.public_key()).reason is Reason.BAD_SIGNATURE

    def test_11_an_attribute_that_occurs_twice(self) -> None:
        key = make_key("P-256")
        name = Named.read(certify(key.public_key()))
        twice = [signed_data.attribute("1.2.3.4", b"\x02\x01\x01"), signed_data.attribute("1.2.3.4", b"\x02\x01\x02")]
        message = run(sign(CONTENT, [local_signer(key, name.identifier())], attributes=twice))
        with pytest.raises(Refused) as refusal:
            signed_data.parse(message)
        assert refusal.value.clause == "RFC 5652 section 11"

    def test_3_another_content_type_is_named(self) -> None:
        with pytest.raises(Refused) as refusal:
            signed_data.parse(wrap("1.2.840.113549.1.7.3", b"\x30\x00"))
        assert refusal.value.got == "1.2.840.113549.1.7.3"

    def test_8017_3_1_a_key_that_makes_verification_slow(self) -> None:
        numbers = rsa.RSAPublicNumbers((1 << 70) + 1, (1 << 9000) + 12345)
        spki = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(Refused) as refusal:
            load_public_key(spki)
        assert refusal.value.reason is Reason.BAD_PUBLIC_KEY
