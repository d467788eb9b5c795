"""RFC 7030 section 4.4: keys that the server makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from conformance import der
from conformance.case import case
from conformance.est import csr, enveloped, replies
from conformance.est.cases.rfc7030_4_2_3_replies import text_of
from conformance.est.connections import Enrolled
from conformance.est.draft import Draft, Mutation, octets
from conformance.est.lab import EstLab, names_of, negative, said, spki_of
from conformance.examination import Inconclusive, NotApplicable, Unsupported
from conformance.transport import HttpResponse

_KEYS, _ENCRYPTED = "serverkeygen", "serverkeygen-encrypted"
_CLEAR = "application/pkcs8"
_UNKNOWN = bytes(range(20))
_CAPABILITIES = (
    *(enveloped.AES_CBC, enveloped.AES128_CBC, enveloped.RSA_ENCRYPTION, enveloped.AES256_WRAP, enveloped.AES128_WRAP),
    *(enveloped.AES192_WRAP, enveloped.ECDH_SHA256),
)


def _asking(lab: EstLab, *attributes: Any) -> Draft:
    """A request for a key. The key of its CSR is thrown away."""
    return lab.enrolling(operation="serverkeygen", attributes=attributes)


def _generated(lab: EstLab, draft: Draft) -> HttpResponse:
    """The reply to a correct request. :raises Unsupported: if the server makes no keys. :raises Inconclusive: if it refuses."""
    reply = lab.offered(lab.client.send(draft), _KEYS)
    if not 200 <= reply.status < 300:
        raise Inconclusive(f"a correct request was refused: {said(reply)}")
    return reply


def key_part(reply: HttpResponse) -> replies.Part:
    """The part with the key, whatever is wrong with the other. :raises Unreadable:"""
    found = replies.parts(reply)
    keys = [one for one in found if one.media_type == _CLEAR or one.smime == "server-generated-key"]
    if len(keys) != 1:
        raise replies.Unreadable(f"no key among the parts {[f'{one.media_type} {one.smime}'.strip() for one in found]}")
    return keys[0]


def certificate_part(reply: HttpResponse) -> x509.Certificate:
    """The certificate, of two parts. :raises Unreadable:"""
    found, key = replies.parts(reply), key_part(reply)
    if len(found) != 2:
        raise replies.Unreadable(f"not two parts but {[one.media_type for one in found]}")
    return replies.certs_only(replies.unspelled(next(one for one in found if one != key).body))[0]


def private_key(part: replies.Part) -> Any:
    """The key of an application/pkcs8 part: PrivateKeyInfo alone. :raises Unreadable:"""
    octets = replies.unspelled(part.body)
    try:
        info = der.decode(octets).parts
        # PrivateKeyInfo is version, AlgorithmIdentifier, OCTET STRING (RFC 5958 section 2); PKCS #1 and SEC 1 begin with a version, too.
        if len(info) < 3 or info[1].identifier != b"\x30" or info[2].identifier != b"\x04":
            raise replies.Unreadable(f"no PrivateKeyInfo (RFC 5958 section 2) but {[one.identifier.hex() for one in info]}")
        return load_der_private_key(octets, None)
    except (der.DerError, ValueError, TypeError) as error:
        raise replies.Unreadable(f"no private key: {error}"[:200]) from None


@case(
    "est.serverkeygen.two-parts",
    covers=["rfc7030:4.4.2#success", "rfc7030:4.4#optional"],
    kills=["est.serverkeygen.not-multipart", "est.serverkeygen.three-parts", "est.serverkeygen.status-201"],
    feature=_KEYS,
)
def two_parts(lab: EstLab) -> None:
    """A generated key comes with 200 in multipart/mixed of two parts: the key and its certificate."""
    reply = _generated(lab, _asking(lab))
    lab.check(reply.status == 200, f"expected 200, got {said(reply)}")
    lab.check(replies.is_closed(reply), "the body ends before its last delimiter")
    try:
        certificate_part(reply)
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable))


@case(
    "est.serverkeygen.pkcs8",
    covers=["rfc7030:4.4.2#pkcs8"],
    kills=["est.serverkeygen.bare-key", "est.serverkeygen.pem-key"],
    feature=_KEYS,
)
def pkcs8(lab: EstLab) -> None:
    """A key without encryption of its own is PKCS #8 in an application/pkcs8."""
    part = key_part(_generated(lab, _asking(lab)))
    if part.media_type != _CLEAR:
        raise NotApplicable("the server encrypts every key")
    try:
        private_key(part)
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable))
    else:
        lab.check(True, "PKCS #8")


@case(
    "est.serverkeygen.key-of-certificate",
    covers=["rfc7030:4.4.2#success"],
    kills=["est.serverkeygen.another-key"],
    feature=_KEYS,
)
def key_of_certificate(lab: EstLab) -> None:
    """The certificate is for the key that comes with it."""
    reply = _generated(lab, _asking(lab))
    part, certificate = key_part(reply), certificate_part(reply)
    if part.media_type != _CLEAR:
        raise NotApplicable("the server encrypts every key")
    try:
        key = private_key(part)
    except replies.Unreadable:
        # What is no PKCS #8 has a case of its own.
        key = load_der_private_key(replies.unspelled(part.body), None)
    lab.check(csr.spki(key) == spki_of(certificate), "the certificate is for another key")


@case(
    "est.serverkeygen.request-key-ignored",
    covers=["rfc7030:4.4.1#key-ignored"],
    kills=["est.serverkeygen.signature-checked", "est.serverkeygen.request-key-certified"],
    feature=_KEYS,
)
def request_key_ignored(lab: EstLab) -> None:
    """Key and signature of the CSR are ignored: a signature that does not verify does no harm, and the key is another one."""
    draft = _asking(lab)
    first = _generated(lab, draft)
    draft = _asking(lab)
    reply = lab.client.send(draft, octets("signature: last octet changed", "RFC 7030 section 4.4.1", csr.badly_signed))
    lab.check(reply.status == 200, f"with a bad signature in the CSR: expected 200, got {said(reply)}")
    lab.check(spki_of(certificate_part(first)) != draft.key, "the certificate is for the key of the CSR")


@case(
    "est.serverkeygen.fresh-keys", covers=["rfc7030:4.4.1#as-enroll"], kills=["est.serverkeygen.same-key-for-all"], feature=_KEYS
)
def fresh_keys(lab: EstLab) -> None:
    """Two requests get two keys."""
    first, second = (spki_of(certificate_part(_generated(lab, _asking(lab)))) for _ in range(2))
    lab.check(first != second, "two requests got the same key")


@case("est.serverkeygen.as-enroll", covers=["rfc7030:4.4.1#as-enroll"], kills=["est.serverkeygen.names-dropped"], feature=_KEYS)
def as_enroll(lab: EstLab) -> None:
    """The CSR of a request for a key is treated as that of an enrollment: the same subject and names are granted."""
    name = lab.shared.name()
    granted = []
    for operation in ("simpleenroll", "serverkeygen"):
        key = csr.new_key()
        draft = lab.client.post(operation, csr.request(key, lab.subject(name), [name]), csr.spki(key))
        if operation == "simpleenroll":
            granted.append(lab.granted(lab.client.send(draft), draft.key))
        else:
            granted.append(certificate_part(_generated(lab, draft)))
    before, after = granted
    lab.check(before.subject == after.subject, f"{before.subject.rfc4514_string()!r} became {after.subject.rfc4514_string()!r}")
    lab.check(names_of(before) == names_of(after), f"{names_of(before)} became {names_of(after)}")


def _is_generated(reply: HttpResponse, draft: Draft) -> str:
    return "" if reply.status == 200 and reply.media_type == "multipart/mixed" else said(reply)


negative(
    "est.serverkeygen.nobody",
    "Who presents nothing gets no key",
    covers=["rfc7030:4.4#server-authenticates", "rfc7030:4.4.2#error-status"],
    control=_asking,
    mutation=Mutation("header Authorization left out", "RFC 7030 section 4.4", lambda draft: draft.header("Authorization", None)),
    grants=_is_generated,
    feature=_KEYS,
    kills=["est.serverkeygen.anonymous"],
)


def _with(lab: EstLab, oid: str) -> Mutation:
    """The request with a key to encrypt to that the server cannot know."""
    attributes = (csr.key_identifier(oid, _UNKNOWN), csr.smime_capabilities(*_CAPABILITIES))
    what = "DecryptKeyIdentifier" if oid == csr.DECRYPT_KEY_IDENTIFIER else "AsymmetricDecryptKeyIdentifier"
    key, name = csr.new_key(), lab.shared.name()

    def change(draft: Draft) -> Draft:
        asked = [*attributes, *csr.passwords(draft.der)]
        return replace(draft, der=csr.request(key, lab.subject(name), [name], attributes=asked))

    return Mutation(f"{what} of an unknown key added", "RFC 7030 section 4.4.1", change)


negative(
    "est.serverkeygen.unknown-secret-key",
    "A key to be encrypted to a secret key that the server does not have is not made, and least of all handed out in clear",
    covers=["rfc7030:4.4.1.1#unknown-key", "rfc7030:4.4.2#error-status"],
    control=_asking,
    mutation=lambda lab: _with(lab, csr.DECRYPT_KEY_IDENTIFIER),
    grants=_is_generated,
    feature=_KEYS,
    kills=["est.serverkeygen.identifier-ignored"],
)
negative(
    "est.serverkeygen.unknown-public-key",
    "A key to be encrypted to a public key that the server does not have is not made, and least of all handed out in clear",
    covers=["rfc7030:4.4.1.2#unknown-key", "rfc7030:4.4.2#error-status"],
    control=_asking,
    mutation=lambda lab: _with(lab, csr.ASYMMETRIC_DECRYPT_KEY_IDENTIFIER),
    grants=_is_generated,
    feature=_KEYS,
    kills=["est.serverkeygen.identifier-ignored"],
)


@case(
    "est.serverkeygen.error-text",
    covers=["rfc7030:4.4.2#plaintext-error", "rfc8951:5.2#plaintext-error", "rfc8951:5.2#text-plain"],
    kills=["est.error.binary-text", "est.error.empty", "est.error.json"],
    feature=_KEYS,
)
def error_text(lab: EstLab) -> None:
    """A refusal says why in a text that people read, of type text/plain if it has one."""
    with lab.examination.during("control before"):
        _generated(lab, _asking(lab))
    draft = _asking(lab)
    with lab.examination.during("spoilt"):
        reply = lab.client.send(draft, octets("DER without its last 10 octets", "X.690 section 8.1.3", lambda old: old[:-10]))
    if reply.status < 400:
        raise Inconclusive(f"a CSR without its end is not refused: {said(reply)}")
    lab.check(reply.media_type in ("", "text/plain"), f"a refusal is {reply.media_type}", "rfc8951:5.2#text-plain")
    if reply.media_type in ("", "text/plain", "text/html"):
        lab.check(text_of(reply), f"no text in {reply.body[:80]!r}")
        lab.check(text_of(reply), "no text", "rfc8951:5.2#plaintext-error")


# -- encrypted to the client -----------------------------------------------------------------------------------------------


def _encrypted(lab: EstLab, attributes: Sequence[Any], presents: Enrolled | None) -> tuple[enveloped.Enveloped, x509.Certificate]:
    """The EnvelopedData with the key. :raises Unsupported: if the server has no such thing."""
    key, name = csr.new_key(), lab.shared.name()
    subject, names = lab.subject(name), [name]
    if presents is not None:
        subject, names = presents.certificate.subject, names_of(presents.certificate)
    request = csr.request(key, subject, names, attributes=[*attributes, csr.smime_capabilities(*_CAPABILITIES)])
    reply = lab.offered(lab.client.send(lab.client.post("serverkeygen", request, b"", presents)), _ENCRYPTED)
    if reply.status != 200:
        raise Unsupported(f"no key is encrypted to the one that was named: {said(reply)}")
    part, certificate = key_part(reply), certificate_part(reply)
    lab.require(part.media_type == replies.CERTIFICATES, f"a key was to be encrypted, and came as {part.media_type}")
    lab.require(part.smime == "server-generated-key", f"the smime-type of the key is {part.smime or 'missing'}")
    return enveloped.parse(replies.unspelled(part.body)), certificate


def _check_key(lab: EstLab, content: bytes, certificate: x509.Certificate) -> None:
    """RFC 7030 section 4.4.2: SignedData with an AsymmetricKeyPackage."""
    key = enveloped.packaged_key(content)
    lab.check(csr.spki(key) == spki_of(certificate), "the certificate is for another key than the encrypted one")


def _named_by(old: Enrolled) -> Any:
    """AsymmetricDecryptKeyIdentifier of a client certificate, by its subject key identifier. :raises NotApplicable: if it has none."""
    try:
        found = old.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        raise NotApplicable("the client certificate has no subject key identifier") from None
    return csr.key_identifier(csr.ASYMMETRIC_DECRYPT_KEY_IDENTIFIER, found.digest)


@case(
    "est.serverkeygen.key-transport",
    covers=["rfc7030:4.4.2#ktri", "rfc7030:4.4.2#strength-transport", "rfc7030:6#keygen-encrypted"],
    kills=["est.serverkeygen.clear-despite-request"],
    feature=_ENCRYPTED,
)
def key_transport(lab: EstLab) -> None:
    """A key is encrypted to the RSA key of the client certificate by key transport."""
    old = lab.enroll("RSA-2048")
    found, certificate = _encrypted(lab, [_named_by(old)], old)
    lab.require(found.kinds == ["ktri"], f"expected KeyTransRecipientInfo, got {found.kinds}")
    lab.check(
        found.key_octets >= 16, f"a content encryption key of {8 * found.key_octets} bits", "rfc7030:4.4.2#strength-transport"
    )
    _check_key(lab, found.by_transport(old.key), certificate)


@case(
    "est.serverkeygen.key-agreement",
    covers=["rfc7030:4.4.2#kari", "rfc7030:4.4.2#strength-transport", "rfc7030:6#keygen-encrypted"],
    kills=["est.serverkeygen.clear-despite-request"],
    feature=_ENCRYPTED,
)
def key_agreement(lab: EstLab) -> None:
    """A key is encrypted to the EC key of the client certificate by key agreement."""
    old = lab.enroll("P-256")
    found, certificate = _encrypted(lab, [_named_by(old)], old)
    lab.require(found.kinds == ["kari"], f"expected KeyAgreeRecipientInfo, got {found.kinds}")
    lab.check(
        found.key_octets >= 16, f"a content encryption key of {8 * found.key_octets} bits", "rfc7030:4.4.2#strength-transport"
    )
    _check_key(lab, found.by_agreement(old.key), certificate)


@case(
    "est.serverkeygen.key-encryption",
    covers=["rfc7030:4.4.2#kekri", "rfc7030:6#keygen-encrypted"],
    feature=_ENCRYPTED,
)
def key_encryption(lab: EstLab) -> None:
    """A key is encrypted to a secret key that both sides have."""
    target = lab.shared.target
    if not target.decrypt_key:
        raise NotApplicable("the run was given no secret key (decrypt_key)")
    identifier = csr.key_identifier(csr.DECRYPT_KEY_IDENTIFIER, bytes.fromhex(target.decrypt_key_identifier))
    found, certificate = _encrypted(lab, [identifier], None)
    lab.require(found.kinds == ["kekri"], f"expected KEKRecipientInfo, got {found.kinds}")
    _check_key(lab, found.by_secret(bytes.fromhex(target.decrypt_key)), certificate)
