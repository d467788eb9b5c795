"""RFC 9483 section 4.1.6: keys that are generated for a client, and how they reach it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.case import case
from conformance.cmp import algorithms, der, generated, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.enveloped import Enveloped, enveloped
from conformance.cmp.generated import Signed
from conformance.cmp.lab import CmpLab
from conformance.cmp.message import Body, Draft
from conformance.cmp.mutations import header
from conformance.cmp.protection import Pbm, Signer, leads_to
from conformance.examination import Unsupported

_FEATURE = "central-key-generation"
_CM_KGA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.32")
_S = "rfc9483:4.1.6#"
PACKED = tuple(
    _S + words
    for words in (
        "enveloped",
        "enveloped-data",
        "content-key",
        "one-recipient",
        "content-type",
        "signed",
        "key-package",
        "one-key",
        "key-version",
        "public-key",
        "certificates",
        "one-signer",
        "signer-identifier",
        "signed-attributes",
        "signature-algorithm",
        "kga-signature",
        "kga-certificate",
        "kga-has-certificate",
    )
)
_DELIVERED = ("rfc9483:4.1.1#ip-private-key", "rfc9483:5.1.1#private-key", "rfc9483:3.1#pvno-enveloped")
_KILLS = (
    "cmp.key-generation.by-delegate",
    "cmp.key-generation.no-public-key",
    "cmp.key-generation.version-1",
    "cmp.key-generation.unsigned",
    "cmp.key-generation.no-certificates",
)


@dataclass(frozen=True)
class _Delivered:
    """A certificate whose key was generated, and the EnvelopedData of that key."""

    answer: Answer
    certificate: x509.Certificate
    sealed: Enveloped


def _draft(lab: CmpLab, protection: Pbm | Signer) -> Draft:
    """A request of version 3 without a public key."""
    request = lab.request(key=None, proof=b"")
    if isinstance(protection, Signer):
        request = replace(request, subject=protection.certificate.subject.public_bytes())
    body = Body.CR if isinstance(protection, Signer) else Body.IR
    return lab.ir(request, body=body, protection=protection, pvno=3)


def _delivered(lab: CmpLab, protection: Pbm | Signer) -> _Delivered:
    """:raises Unsupported: if the server generates no keys."""
    answer = lab.send(_draft(lab, protection))
    reply = answer.reply
    if reply is not None and reply.refused:
        raise Unsupported(f"the server generates no keys: {reply}")
    lab.require(not (why := lab.denied(answer)), f"the request is not granted: {why}", "rfc9483:5.1.1#private-key")
    assert reply is not None
    lab.check(reply.pvno == 3, f"pvno of the answer: expected 3, got {reply.pvno}", "rfc9483:3.1#pvno-enveloped")
    (response,) = lab.issued(answer)
    for id in ("rfc9483:4.1.1#ip-private-key", "rfc9483:5.1.1#private-key"):
        lab.require(response.private_key is not None, "no privateKey in the certifiedKeyPair", id)
    certificate = response.certificate
    assert certificate is not None
    lab.ask(lab.confirmation(answer))
    return _Delivered(answer, certificate, enveloped(response.private_key or b""))


def _check_packed(lab: CmpLab, delivered: _Delivered, key: Any, secret: bytes) -> None:
    """What is the same whoever gets the key."""
    sealed = delivered.sealed
    lab.require(len(sealed.kinds) == 1, f"expected one recipient, got {sealed.kinds}", _S + "one-recipient")
    cek = generated.content_key(sealed, key=key, secret=secret)
    octets = generated.content(sealed, cek)
    for words in ("enveloped", "enveloped-data", "content-key"):
        lab.check(bool(octets), "nothing is inside the EnvelopedData", _S + words)
    for words in ("content-type", "signed"):
        kind = sealed.content_type
        lab.require(kind == generated.SIGNED_DATA, f"expected id-signedData, got {kind}", _S + words)
    signed = generated.signed(octets)
    kind = str(signed.parsed["encapContentInfo"]["eContentType"])
    lab.require(kind == generated.KEY_PACKAGE, f"expected a key package, got {kind}", _S + "key-package")
    found = generated.keys(signed.package)
    lab.require(len(found) == 1, f"expected one key, got {len(found)}", _S + "one-key")
    (one,) = found
    lab.check(one.version == 1, f"expected version 1 (v2), got {one.version}", _S + "key-version")
    own = delivered.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    lab.check(one.spki == own, "the private key is not that of the certificate", _S + "key-package")
    beside = one.public is not None and one.spki.endswith(one.public)
    lab.check(beside, "publicKey is missing, or that of another key", _S + "public-key")
    _check_signed(lab, signed)


def _check_signed(lab: CmpLab, signed: Signed) -> None:
    lab.require(signed.certificates, "the SignedData has no certificates", _S + "certificates")
    signer = signed.certificates[0]
    try:
        holds = signed.verifies()
    except algorithms.Unknown as error:
        lab.check(False, str(error), _S + "signature-algorithm")
        return
    for words in ("certificates", "kga-signature", "signature-algorithm"):
        lab.check(holds, "the signature is not one by the first certificate", _S + words)
    number = len(signed.parsed["signerInfos"])
    lab.check(number == 1, f"expected one SignerInfo, got {number}", _S + "one-signer")
    sid = signed.signer["sid"]
    named = sid.getName() == "subjectKeyIdentifier" and bytes(sid.getComponent()) == _kid(signer)
    lab.check(named, "sid is not the subjectKeyIdentifier of the first certificate", _S + "signer-identifier")
    kind = signed.attributes.get(generated.CONTENT_TYPE)
    right = kind == der.oid(generated.KEY_PACKAGE) and generated.MESSAGE_DIGEST in signed.attributes
    lab.check(right, "contentType or messageDigest is missing, or another", _S + "signed-attributes")
    try:
        purposes = list(signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        purposes = []
    for words in ("kga-signature", "kga-certificate", "kga-has-certificate"):
        lab.check(_CM_KGA in purposes, "the signer's certificate does not have the extended key usage cmKGA", _S + words)
    if lab.shared.anchors:
        chained = leads_to(signer, signed.certificates[1:], lab.shared.anchors)
        lab.check(chained, "the signer's certificate does not lead to a trust anchor", _S + "certificates")


def _kid(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return b""


def _check_kind(lab: CmpLab, delivered: _Delivered, kind: str, version: int, *ids: str) -> Any:
    """The RecipientInfo. :param version: that of the EnvelopedData (erratum 7833 for pwri)."""
    sealed = delivered.sealed
    for id in ids:
        lab.require(sealed.kinds[:1] == (kind,), f"expected {kind}, got {sealed.kinds}", id)
    got = int(sealed.parsed["version"])
    lab.check(got == version, f"expected version {version} of EnvelopedData, got {got}", ids[-1])
    return sealed.parsed["recipientInfos"][0].getComponent()


@case(
    "cmp.key-generation.by-password",
    covers=[
        *_DELIVERED,
        *PACKED,
        "rfc9483:4.1.6#password",
        "rfc9483:4.1.6.3#structure",
        "rfc9483:4.1.6.3#version",
        "rfc9483:4.1.6.3#derivation",
        "rfc9483:4.1.6.3#same-secret",
    ],
    kills=[*_KILLS, "cmp.key-generation.pvno-2"],
    feature=_FEATURE,
)
def by_password(lab: CmpLab) -> None:
    """A key that is asked for under a shared secret comes encrypted under it, with a salt of its own."""
    lab = lightweight.bench(lab)
    delivered = _delivered(lab, lab.mac)
    ids = ("rfc9483:4.1.6#password", "rfc9483:4.1.6.3#structure")
    info = _check_kind(lab, delivered, "pwri", 3, *ids)
    lab.check(int(info["version"]) == 0, f"expected version 0 of pwri, got {info['version']}", "rfc9483:4.1.6.3#version")
    derivation = str(info["keyDerivationAlgorithm"]["algorithm"])
    lab.check(derivation == algorithms.PBKDF2, f"expected PBKDF2, got {derivation}", "rfc9483:4.1.6.3#derivation")
    salt = generated.salt(delivered.sealed)
    reply = delivered.answer.reply
    assert reply is not None
    assert reply.algorithm is not None
    apart = salt not in reply.algorithm[1] and salt not in (lab.mac.algorithm or b"")
    lab.check(apart, "the salt is that of the MAC", "rfc9483:4.1.6.3#same-secret")
    _check_packed(lab, delivered, None, lab.mac.secret)


@case(
    "cmp.key-generation.by-agreement",
    covers=[
        *_DELIVERED,
        *PACKED,
        "rfc9483:4.1.6#key-agreement",
        "rfc9483:4.1.6#enveloped-version",
        "rfc9483:4.1.6.2#structure",
        "rfc9483:4.1.6.2#version",
        "rfc9483:4.1.6.2#algorithm",
        "rfc9483:4.1.6.2#wrap",
        "rfc9483:4.1.6.2#one-key",
        "rfc9483:4.1.6.2#key-used",
        "rfc9483:4.1.6.2#ukm",
    ],
    kills=_KILLS,
    feature=_FEATURE,
)
def by_agreement(lab: CmpLab) -> None:
    """A key that is asked for with an EC certificate comes encrypted for it by key agreement."""
    lab = lightweight.bench(lab)
    delivered = _delivered(lab, lab.signer)
    ids = ("rfc9483:4.1.6#key-agreement", "rfc9483:4.1.6.2#structure", "rfc9483:4.1.6#enveloped-version")
    info = _check_kind(lab, delivered, "kari", 2, *ids)
    lab.check(int(info["version"]) == 3, f"expected version 3 of kari, got {info['version']}", "rfc9483:4.1.6.2#version")
    agreement = str(info["keyEncryptionAlgorithm"]["algorithm"])
    lab.check(agreement in generated.AGREEMENTS, f"key agreement by {agreement}", "rfc9483:4.1.6.2#algorithm")
    wrap = der.element(bytes(info["keyEncryptionAlgorithm"]["parameters"])).children[0].raw
    known = any(wrap == der.oid(one) for one in generated.WRAPS)
    lab.check(known, f"key wrap by {wrap.hex()}", "rfc9483:4.1.6.2#wrap")
    number = len(info["recipientEncryptedKeys"])
    lab.check(number == 1, f"expected one RecipientEncryptedKey, got {number}", "rfc9483:4.1.6.2#one-key")
    rid = info["recipientEncryptedKeys"][0]["rid"]
    mine = rid.getName() != "rKeyId" or bytes(rid["rKeyId"]["subjectKeyIdentifier"]) == (lab.signer.kid or b"")
    lab.check(mine, "rid is that of another certificate", "rfc9483:4.1.6.2#key-used")
    ephemeral = info["originator"].getName() == "originatorKey"
    lab.check(info["ukm"].isValue or ephemeral, "neither ukm nor an ephemeral key", "rfc9483:4.1.6.2#ukm")
    _check_packed(lab, delivered, lab.device.key, b"")


@case(
    "cmp.key-generation.by-transport",
    covers=[
        *_DELIVERED,
        *PACKED,
        "rfc9483:4.1.6#key-transport",
        "rfc9483:4.1.6#enveloped-version",
        "rfc9483:4.1.6.1#structure",
        "rfc9483:4.1.6.1#version",
        "rfc9483:4.1.6.1#algorithm",
        "rfc9483:4.1.6.1#key-used",
    ],
    kills=_KILLS,
    feature=_FEATURE,
)
def by_transport(lab: CmpLab) -> None:
    """A key that is asked for with an RSA certificate comes encrypted for it by key transport."""
    lab = lightweight.bench(lab)
    device = lab.enroll(lab.request(key=rsa.generate_private_key(65537, 2048)))
    delivered = _delivered(lab, device.signer)
    ids = ("rfc9483:4.1.6#key-transport", "rfc9483:4.1.6.1#structure", "rfc9483:4.1.6#enveloped-version")
    info = _check_kind(lab, delivered, "ktri", 2, *ids)
    lab.check(int(info["version"]) == 2, f"expected version 2 of ktri, got {info['version']}", "rfc9483:4.1.6.1#version")
    transport = str(info["keyEncryptionAlgorithm"]["algorithm"])
    known = transport in ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7")
    lab.check(known, f"key transport by {transport}", "rfc9483:4.1.6.1#algorithm")
    rid = info["rid"]
    mine = rid.getName() == "subjectKeyIdentifier" and bytes(rid.getComponent()) == (device.signer.kid or b"")
    lab.check(mine, "rid is not the key identifier of the certificate that signed (erratum 8183)", "rfc9483:4.1.6.1#key-used")
    _check_packed(lab, delivered, device.key, b"")


@case(
    "cmp.key-generation.fresh-key",
    covers=["rfc9483:4.1.6#fresh-key"],
    kills=["cmp.key-generation.content-key-reused"],
    feature=_FEATURE,
)
def fresh_key(lab: CmpLab) -> None:
    """Each key is encrypted under a content-encryption key of its own, and is another one."""
    lab = lightweight.bench(lab)
    found = []
    for _ in range(2):
        answer = lab.ask(_draft(lab, lab.mac))
        (response,) = lab.issued(answer)
        sealed = enveloped(response.private_key or b"")
        found.append((generated.content_key(sealed, secret=lab.mac.secret), response.certificate_der))
        lab.ask(lab.confirmation(answer))
    lab.check(found[0][0] != found[1][0], "two keys are encrypted under the same content-encryption key")
    lab.check(len(found[0][0]) >= 16, f"a content-encryption key of {8 * len(found[0][0])} bits")


lightweight.negative(
    "cmp.key-generation.version-2",
    "A key is not asked for in version 2",
    covers=["rfc9483:4.1.6#version-3"],
    control=lambda lab: _draft(lab, lab.mac),
    mutation=header("pvno 2", "RFC 9483 section 4.1.6", pvno=2),
    failures=("unsupportedVersion", "badRequest"),
    kills=["cmp.key-generation.version-2-accepted"],
    feature=_FEATURE,
)
