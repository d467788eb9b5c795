"""RFC 9483 section 4.3: CA certificates, root CA update, certificate request template and CRLs by general message."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.case import case
from conformance.cmp import der, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, asked
from conformance.cmp.lightweight import CA_CERTS, negative
from conformance.cmp.message import IT, Body
from conformance.cmp.mutations import header
from conformance.cmp.protection import leads_to
from conformance.examination import NotApplicable, Unsupported
from conformance.transport import Unreachable

ROOT_UPDATE, ROOT, TEMPLATE, CRL_STATUS, CRLS = (f"{IT}{number}" for number in (18, 20, 19, 22, 23))
_ALG_ID, _RSA_KEY_LEN, _RSA = "1.3.6.1.5.5.7.5.1.11", "1.3.6.1.5.5.7.5.1.12", "1.2.840.113549.1.1.1"
_GENP = (
    "rfc9483:5.1.4#genp",
    "rfc9483:4.3#genp-one",
    "rfc9483:4.3#genp-type",
    "rfc9483:4.3#protected",
    "rfc9483:4.3#extra-certs",
)


def _sent(lab: CmpLab, piece: bytes) -> Answer:
    """What comes of a signed genm. A server that answered a moment ago and does not answer this breaks section 5.1.4."""
    signer = lab.signer
    try:
        return lab.send(lab.genm(piece, protection=signer))
    except Unreachable as failure:
        lab.require(False, f"the genm is not answered: {failure}", lab.examination.case.covers[0])
        raise


def _asked(lab: CmpLab, piece: bytes, wanted: str) -> tuple[Answer, bytes]:
    """The value (DER, or empty) of the one piece that answers a signed genm. :raises Unsupported: if the server does not know it."""
    answer = _sent(lab, piece)
    lightweight.unsupported(answer, wanted)
    reply = answer.reply
    lab.require(reply is not None and reply.body is Body.GENP, f"expected a genp, got {answer}", "rfc9483:5.1.4#genp")
    assert reply is not None
    lab.require(len(reply.informed) == 1, f"expected one piece, got {len(reply.informed)}", "rfc9483:4.3#genp-one")
    kind, value = reply.informed[0]
    lab.require(kind == wanted, f"expected a piece of type {wanted}, got {kind}", "rfc9483:4.3#genp-type")
    lab.check(not (why := lab.unverified(answer)), f"the protection of the genp: {why}", "rfc9483:4.3#protected")
    lab.check(reply.extra_certs, "the genp has no extraCerts", "rfc9483:4.3#extra-certs")
    return answer, value


@case(
    "cmp.lightweight.ca-certificates",
    covers=["rfc9483:4.3.1#certificates", "rfc9483:4.3.1#present", *_GENP],
    kills=["cmp.support.ca-certs-empty", "cmp.support.other-type", "cmp.support.two-pieces", "cmp.extra-certs.missing"],
    feature="ca-certs",
)
def ca_certificates(lab: CmpLab) -> None:
    """A genm for CA certificates is answered by a genp with a sequence of certificates, the issuer of the client's own among them."""
    lab = lightweight.bench(lab)
    _, value = _asked(lab, CA_CERTS, f"{IT}17")
    issuer = lab.device.certificate.issuer
    lab.require(value, "no CA certificates, and one issued the client's", "rfc9483:4.3.1#present")
    found = lightweight.read([one.raw for one in der.element(value).children])
    there = any(one.subject == issuer for one in found)
    for id in ("rfc9483:4.3.1#certificates", "rfc9483:4.3.1#present"):
        lab.check(there, f"the issuer {issuer.rfc4514_string()} is not among {len(found)} certificates", id)


negative(
    "cmp.lightweight.ca-certificates-with-value",
    "A genm for CA certificates has no value",
    covers=["rfc9483:4.3.1#request-empty"],
    control=lambda lab: lab.genm(CA_CERTS),
    mutation=header("a value", "RFC 9483 section 4.3.1", content=der.sequence(asked(17, der.utf8("all")))),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.support.value-ignored"],
    feature="ca-certs",
)
negative(
    "cmp.lightweight.template-with-value",
    "A genm for a certificate request template has no value",
    covers=["rfc9483:4.3.3#request-empty"],
    control=lambda lab: lab.genm(asked(19)),
    mutation=header("a value", "RFC 9483 section 4.3.3", content=der.sequence(asked(19, der.utf8("all")))),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.support.value-ignored"],
    feature="cert-req-template",
)


def _root(lab: CmpLab) -> x509.Certificate:
    """The root of the CA. :raises NotApplicable: if the run does not know it."""
    for one in lab.shared.anchors:
        if one.issuer == one.subject:
            return one
    raise NotApplicable("the run was not given the root of the CA (trust_anchor)")


@case(
    "cmp.lightweight.root-update-type",
    covers=["rfc9483:4.3.2#content", "rfc9483:4.3.2#none", *_GENP],
    kills=["cmp.support.root-update-other-type", "cmp.support.root-update-empty"],
    feature="root-ca-update",
)
def root_update_type(lab: CmpLab) -> None:
    """A genm for a root CA update is answered by a piece of rootCaKeyUpdate, without a value or with a RootCaKeyUpdateContent."""
    lab = lightweight.bench(lab)
    _, value = _asked(lab, asked(20, _root(lab).public_bytes(Encoding.DER)), ROOT_UPDATE)
    if not value:
        lab.check(True, "", "rfc9483:4.3.2#none")
        return
    lab.check(bool(_update(value)), "the value is no RootCaKeyUpdateContent")


def _update(value: bytes) -> dict[int, x509.Certificate]:
    """The certificates newWithNew (0), newWithOld (0xA0) and oldWithNew (0xA1); empty if it is none."""
    try:
        children = der.element(value).children
        if not children or children[0].tag != der.SEQUENCE:
            return {}
        found = {0: lightweight.read([children[0].raw])[0]}
        found |= {one.tag: lightweight.read([one.content])[0] for one in children[1:]}
    except der.Garbled:
        return {}
    return found if set(found) <= {0, 0xA0, 0xA1} else {}


@case(
    "cmp.lightweight.root-update",
    covers=["rfc9483:4.3.2#new-with-new", "rfc9483:4.3.2#new-with-old", "rfc9483:4.3.2#new-with-old-signed"],
    feature="root-ca-update",
)
def root_update(lab: CmpLab) -> None:
    """The update of a root has the new certificate, and that of the new key signed with the old one."""
    lab = lightweight.bench(lab)
    answer = _sent(lab, asked(20, _root(lab).public_bytes(Encoding.DER)))
    lightweight.unsupported(answer, "rootCaCert")
    lab.require(answer.reply is not None and answer.reply.body is Body.GENP, f"expected a genp, got {answer}")
    assert answer.reply is not None
    value = next((value for _, value in answer.reply.informed), b"")
    if not value:
        raise NotApplicable("the root CA has had one key alone: there is no update")
    found = _update(value)
    lab.require(0 in found, "no newWithNew")
    lab.require(0xA0 in found, "no newWithOld", "rfc9483:4.3.2#new-with-old")
    same = found[0].public_key() == found[0xA0].public_key()
    signed = leads_to(found[0xA0], [], [_root(lab)])
    lab.check(same and signed, "newWithOld is not the new key under the old one", "rfc9483:4.3.2#new-with-old-signed")


@case(
    "cmp.lightweight.template",
    covers=[
        "rfc9483:4.3.3#content",
        "rfc9483:4.3.3#no-public-key",
        "rfc9483:4.3.3#no-spki",
        "rfc9483:4.3.3#omitted",
        "rfc9483:4.3.3#key-spec",
        "rfc9483:4.3.3#alg-id",
        "rfc9483:4.3.3#curve",
        "rfc9483:4.3.3#rsa-length",
        *_GENP,
    ],
    kills=[
        "cmp.support.template-with-key",
        "cmp.support.template-with-serial",
        "cmp.support.rsa-by-alg-id",
        "cmp.support.rsa-of-no-length",
    ],
    feature="cert-req-template",
)
def template(lab: CmpLab) -> None:
    """A certificate request template leaves out what a client does not choose, and says in keySpec which keys there may be."""
    lab = lightweight.bench(lab)
    _, value = _asked(lab, asked(19), TEMPLATE)
    if not value:
        raise Unsupported("the server has no requirements on requests")
    parts = der.element(value).children
    for id in ("rfc9483:4.3.3#content", "rfc9483:4.3.3#key-spec"):
        lab.require(1 <= len(parts) <= 2 and all(one.tag == der.SEQUENCE for one in parts), "no CertReqTemplateContent", id)
    fields = {one.tag & 0x1F for one in parts[0].children}
    for id in ("rfc9483:4.3.3#no-public-key", "rfc9483:4.3.3#no-spki"):
        lab.check(6 not in fields, "the template has a publicKey", id)
    lab.check(not fields & {1, 2, 7, 8}, f"the template has the fields {sorted(fields)}", "rfc9483:4.3.3#omitted")
    for control in parts[1].children if len(parts) > 1 else ():
        kind, content = control.children
        if kind.raw == der.oid(_ALG_ID):
            _check_algorithm(lab, content)
        elif kind.raw == der.oid(_RSA_KEY_LEN):
            length = int.from_bytes(content.content, "big", signed=True) if content.tag == 0x02 else 0
            lab.check(length > 0, f"an RSA key length of {length}", "rfc9483:4.3.3#rsa-length")
        else:
            lab.check(False, f"keySpec has a control {kind.raw.hex()}", "rfc9483:4.3.3#key-spec")


def _check_algorithm(lab: CmpLab, content: der.Element) -> None:
    parts = content.children if content.tag == der.SEQUENCE else []
    is_one = bool(parts) and parts[0].tag == 0x06 and parts[0].raw != der.oid(_RSA)
    lab.check(is_one, f"algId is {content.raw.hex()[:60]}", "rfc9483:4.3.3#alg-id")
    if parts and parts[0].raw == der.oid("1.2.840.10045.2.1"):
        lab.check(len(parts) == 2 and parts[1].tag == 0x06, "an EC key without its curve", "rfc9483:4.3.3#curve")


def _status(issuer: x509.Name, at: bytes = b"") -> bytes:
    """A genm's piece that asks for the CRL of an issuer. :param at: thisUpdate (DER) of the one that the client has."""
    source = der.tlv(0xA1, der.sequence(der.directory_name(issuer.public_bytes())))
    return asked(22, der.sequence(der.sequence(source, at)))


@case(
    "cmp.lightweight.crls",
    covers=[
        "rfc9483:4.3.4#crls",
        "rfc9483:4.3.4#latest",
        "rfc9483:4.3.4#newer",
        "rfc9483:4.3.4#absent",
        "rfc9483:4.3.4#no-crl",
        "rfc9483:4.3.4#one-crl",
        *_GENP,
    ],
    kills=["cmp.support.crls-other-type", "cmp.support.crl-always", "cmp.support.crl-twice", "cmp.support.crl-never"],
    feature="crl-update",
)
def crls(lab: CmpLab) -> None:
    """The CRL of the client's issuer comes to who has none, and to who has an older one, and not to who has the newest."""
    lab = lightweight.bench(lab)
    issuer = lab.device.certificate.issuer
    _, value = _asked(lab, _status(issuer), CRLS)
    crl = _crl(lab, value, issuer, "rfc9483:4.3.4#latest")
    at = crl.last_update_utc
    _, value = _asked(lab, _status(issuer, der.time(at - timedelta(seconds=1))), CRLS)
    _crl(lab, value, issuer, "rfc9483:4.3.4#newer")
    _, value = _asked(lab, _status(issuer, der.time(at)), CRLS)
    for id in ("rfc9483:4.3.4#absent", "rfc9483:4.3.4#no-crl"):
        lab.check(not value, "a CRL to who has the newest", id)


def _crl(lab: CmpLab, value: bytes, issuer: x509.Name, id: str) -> x509.CertificateRevocationList:
    lab.require(value, "no CRL", id)
    found = der.element(value).children
    lab.check(len(found) == 1, f"expected one CRL, got {len(found)}", "rfc9483:4.3.4#one-crl")
    try:
        crl = x509.load_der_x509_crl(found[0].raw)
    except (ValueError, IndexError) as error:
        raise der.Garbled(f"not a CRL: {error}") from None
    lab.check(crl.issuer == issuer, f"the CRL of {crl.issuer.rfc4514_string()}", id)
    return crl


negative(
    "cmp.lightweight.crls-of-nothing",
    "A genm for CRLs names one",
    covers=["rfc9483:4.3.4#request"],
    control=lambda lab: lab.genm(_status(lab.device.certificate.issuer)),
    mutation=header("an empty sequence", "RFC 9483 section 4.3.4", content=der.sequence(asked(22, der.sequence()))),
    failures=("badDataFormat", "badRequest"),
    kills=["cmp.support.crls-of-nothing"],
    feature="crl-update",
)
