"""RFC 8894 sections 3.2 and 3.3.2: what a CertRep is made of, SUCCESS and FAILURE."""

from __future__ import annotations

from conformance.case import case
from conformance.scep.algorithms import CIPHERS
from conformance.scep.client import Answer
from conformance.scep.draft import (
    CERT_REP,
    FAIL_INFO,
    FAIL_INFO_TEXT,
    MEDIA_TYPE,
    MESSAGE_TYPE,
    PKI_STATUS,
    RECIPIENT_NONCE,
    SENDER_NONCE,
    TRANSACTION_ID,
)
from conformance.scep.lab import STATUS, ScepLab
from conformance.scep.mutations import SIGNATURE_FLIPPED
from conformance.scep.reply import FAIL_INFOS, STATUSES, CertRep, leaf
from conformance.scep.structures import DATA, Malformed
from conformance.verdict import Level

NONCE = "rfc8894:3.2.1.5#recipient-nonce"
FRESH = "rfc8894:3.2.1.5#fresh-nonce"


def _success(lab: ScepLab) -> tuple[Answer, CertRep]:
    """The reply to a correct request, whatever is wrong with it."""
    return _rep(lab, lab.client.send(lab.pkcs_req()), "SUCCESS")


def _failure(lab: ScepLab) -> tuple[Answer, CertRep]:
    """The reply to a request whose signature is wrong, after one that was right."""
    lab.granted(lab.pkcs_req(), "control before")
    return _rep(lab, lab.client.send(lab.pkcs_req(), SIGNATURE_FLIPPED), "FAILURE")


def _rep(lab: ScepLab, answer: Answer, status: str) -> tuple[Answer, CertRep]:
    lab.require(answer.rep is not None, f"expected a CertRep, got {answer.said}", STATUS)
    assert answer.rep is not None
    lab.require(answer.status in (status, ""), f"expected {status}, got {answer.said}", STATUS)
    return answer, answer.rep


@case(
    "scep.reply.pki-status",
    covers=[STATUS, "rfc8894:3.2.1#cert-rep-attributes"],
    kills=["scep.reply.without-status"],
)
def pki_status(lab: ScepLab) -> None:
    """A reply says how the request fared."""
    answer, rep = _success(lab)
    lab.check(rep.status == "SUCCESS", f"the pkiStatus is {rep.status!r}, and the certificate is there: {answer.response.status}")


@case(
    "scep.reply.signature",
    covers=["rfc8894:3.2.1#attributes", STATUS, "rfc8894:3.2#signed-attributes"],
    kills=["scep.reply.signature-wrong", "scep.reply.message-digest-wrong"],
)
def signature(lab: ScepLab) -> None:
    """A reply is signed by a certificate that GetCACert shows, with the attributes that CMS demands."""
    answer, rep = _success(lab)
    bad = rep.signed.wrong(answer.trusted)
    lab.check(not bad, bad)


@case(
    "scep.reply.transaction-id",
    covers=["rfc8894:3.2.1.1#transaction-id", STATUS, "rfc8894:3.2.1#attributes"],
    kills=["scep.reply.transaction-id-of-its-own", "scep.reply.transaction-id-absent"],
)
def transaction_id(lab: ScepLab) -> None:
    """A reply has the transactionID of its request."""
    answer, rep = _success(lab)
    wanted = answer.sent.transaction_id
    lab.check(rep.transaction_id == wanted, f"expected {wanted!r}, got {rep.transaction_id!r}")


@case(
    "scep.reply.message-type",
    covers=["rfc8894:3.2.1.2#included", STATUS, "rfc8894:3.3#type-specified"],
    kills=["scep.reply.message-type-of-request", "scep.reply.message-type-absent"],
)
def message_type(lab: ScepLab) -> None:
    """The messageType of a reply is CertRep."""
    _, rep = _success(lab)
    lab.check(rep.message_type, "the reply has no messageType")
    lab.check(rep.message_type == CERT_REP, f"expected 3 (CertRep), got {rep.message_type!r}", "rfc8894:3.3#type-specified")


@case(
    "scep.reply.recipient-nonce",
    covers=[NONCE, STATUS, "rfc8894:3.2.1#cert-rep-attributes"],
    kills=["scep.reply.recipient-nonce-absent", "scep.reply.recipient-nonce-fresh"],
)
def recipient_nonce(lab: ScepLab) -> None:
    """The recipientNonce of a reply is the senderNonce of its request."""
    answer, rep = _success(lab)
    there = rep.recipient_nonce.hex() or "none"
    lab.check(rep.recipient_nonce == answer.sent.nonce, f"expected {answer.sent.nonce.hex()}, got {there}")


@case(
    "scep.reply.sender-nonce",
    covers=[FRESH, STATUS, "rfc8894:3.2.1.5#sixteen-octets"],
    kills=[
        "scep.reply.sender-nonce-absent",
        "scep.reply.sender-nonce-echoed",
        "scep.reply.sender-nonce-constant",
        "scep.reply.sender-nonce-short",
    ],
)
def sender_nonce(lab: ScepLab) -> None:
    """A reply has a senderNonce of its own, 16 octets, another one each time.

    One that is the client's is a warning: the section asks for a fresh one, and then calls it redundant.
    """
    answer, first = _success(lab)
    _, second = _success(lab)
    lab.require(first.sender_nonce, "the reply has no senderNonce")
    echoed = first.sender_nonce == answer.sent.nonce
    lab.check(not echoed, "the senderNonce of the reply is that of the request", level=Level.SHOULD)
    lab.check(first.sender_nonce != second.sender_nonce, "two replies have the same senderNonce")
    octets = len(first.sender_nonce)
    lab.check(octets == 16, f"a senderNonce of {octets} octets", "rfc8894:3.2.1.5#sixteen-octets")


@case(
    "scep.reply.encodings",
    covers=["rfc8894:3.2.1#encodings", STATUS],
    kills=["scep.reply.status-as-integer", "scep.failure.fail-info-as-utf8"],
)
def encodings(lab: ScepLab) -> None:
    """Attributes are encoded as Table 1 has it: text as PrintableString, failInfoText as UTF8String, nonces as OCTET STRING."""
    wanted = dict.fromkeys((TRANSACTION_ID, MESSAGE_TYPE, PKI_STATUS, FAIL_INFO), "PrintableString")
    wanted |= {FAIL_INFO_TEXT: "UTF8String"} | dict.fromkeys((SENDER_NONCE, RECIPIENT_NONCE), "OctetString")
    for _, rep in (_success(lab), _failure(lab)):
        for kind, name in wanted.items():
            if kind in rep.signed.attributes:
                found = rep.type_of(kind)
                lab.check(found == name, f"{kind}: expected one {name}, got {found or 'something else'}")


@case("scep.reply.econtent-type", covers=["rfc8894:3.2#econtent-type", STATUS], kills=["scep.reply.econtent-type-enveloped"])
def econtent_type(lab: ScepLab) -> None:
    """The eContentType of a reply is data."""
    _, rep = _success(lab)
    lab.check(rep.signed.content_type == DATA, f"expected {DATA}, got {rep.signed.content_type}")


@case(
    "scep.reply.envelope",
    covers=[
        "rfc8894:3.2#content",
        STATUS,
        "rfc8894:3.2.2#encrypted-content",
        "rfc8894:3.1#key-transport",
        "rfc8894:3.1#no-cleartext",
        "rfc8894:2.3#reply-key",
    ],
    kills=["scep.reply.in-the-clear", "scep.reply.names-other-recipient", "scep.reply.content-no-cms"],
)
def envelope(lab: ScepLab) -> None:
    """What a reply brings is encrypted, by key transport, for the certificate that signed the request."""
    answer, rep = _success(lab)
    lab.require(rep.signed.content, "the reply has no content")
    try:
        opened = answer.opened
    except Malformed as failure:
        lab.check(False, f"the content is no pkcsPKIEnvelope that the client can open: {failure}")
        return
    lab.check(opened.ours, "the recipient that is named is not the certificate that signed the request", "rfc8894:2.3#reply-key")
    try:
        _ = answer.inside
    except Malformed as failure:
        lab.check(False, f"what is encrypted is no certificates-only SignedData: {failure}", "rfc8894:3.2.2#encrypted-content")


@case(
    "scep.reply.envelope-content-type",
    covers=["rfc8894:3.2.2#content-type", STATUS],
    kills=["scep.reply.envelope-content-type-signed"],
)
def envelope_content_type(lab: ScepLab) -> None:
    """The contentType in the envelope of a reply is data."""
    answer, _ = _success(lab)
    lab.check(answer.opened.content_type == DATA, f"expected {DATA}, got {answer.opened.content_type}")


@case(
    "scep.reply.certificates-only",
    covers=["rfc8894:3.4#content-omitted", STATUS],
    kills=["scep.reply.certificates-with-content"],
)
def certificates_only(lab: ScepLab) -> None:
    """The certificates-only SignedData in a reply has no content."""
    answer, _ = _success(lab)
    lab.check(answer.inside.empty, "its content is there")


@case(
    "scep.reply.issued",
    covers=["rfc8894:3.3.2.1#issued", STATUS, "rfc8894:3.3.2.1#issued-leaf"],
    kills=["scep.reply.without-issued", "scep.reply.with-other-leaf"],
)
def issued(lab: ScepLab) -> None:
    """A reply has the certificate that was issued, and it is the leaf of what is there."""
    answer, _ = _success(lab)
    try:
        certificate = answer.issued
    except Malformed as failure:
        lab.check(False, str(failure))
        return
    found = leaf(answer.inside.certificates)
    said = f"{len(found)} certificates of the reply certify no other one"
    lab.check(found == [certificate], said, "rfc8894:3.3.2.1#issued-leaf")


@case(
    "scep.reply.algorithms",
    covers=["rfc8894:2.9#no-des-md5", STATUS, "rfc8894:7.5#no-des-md5", "rfc8894:3.5.2#aes128-sha256"],
    kills=["scep.reply.single-des", "scep.reply.md5", "scep.reply.aes256", "scep.reply.sha1"],
)
def algorithms(lab: ScepLab) -> None:
    """A reply to a request with AES128-CBC and SHA-256 has these, and neither single DES nor MD5."""
    answer, rep = _success(lab)
    cipher = answer.opened.cipher
    lab.check(cipher != "des", "the reply to a request with AES128-CBC is encrypted with single DES")
    lab.check(rep.signed.digest != "md5", "the reply to a request with SHA-256 is signed with MD5")
    used = f"{cipher if cipher in CIPHERS else 'another cipher'} and {rep.signed.digest}"
    lab.check((cipher, rep.signed.digest) == ("aes128", "sha256"), f"the reply has {used}", "rfc8894:3.5.2#aes128-sha256")


@case(
    "scep.reply.media-type",
    covers=["rfc8894:4.3.1#content-type", STATUS],
    kills=["scep.reply.other-media-type"],
)
def media_type(lab: ScepLab) -> None:
    """The type of a reply is application/x-pki-message."""
    answer, _ = _success(lab)
    lab.check(answer.response.media_type == MEDIA_TYPE, f"got {answer.response.media_type or 'no type'}")


@case(
    "scep.failure.fail-info",
    covers=["rfc8894:3.2.1.3#fail-info-present", STATUS, "rfc8894:3.2.1.4#one-of", "rfc8894:4.3.1#rejected"],
    kills=["scep.failure.without-fail-info", "scep.failure.fail-info-undefined", "scep.failure.http-500"],
)
def fail_info(lab: ScepLab) -> None:
    """A FAILURE says why, by one of the five reasons."""
    _, rep = _failure(lab)
    lab.require(rep.fail_info, "the FAILURE has no failInfo")
    lab.check(rep.fail_info in FAIL_INFOS.values(), f"failInfo {rep.fail_info!r} is not defined", "rfc8894:3.2.1.4#one-of")


@case(
    "scep.failure.no-envelope",
    covers=["rfc8894:3.3.2.2#no-envelope", STATUS, "rfc8894:3#empty-omitted"],
    kills=["scep.failure.with-envelope"],
)
def no_envelope(lab: ScepLab) -> None:
    """A FAILURE has no pkcsPKIEnvelope."""
    _, rep = _failure(lab)
    lab.check(not rep.signed.content, f"there is a content of {len(rep.signed.content or b'')} octets")


@case(
    "scep.failure.attributes",
    covers=["rfc8894:3.2.1#cert-rep-attributes", STATUS, NONCE, "rfc8894:3.2.1.1#transaction-id", FRESH],
    kills=["scep.failure.recipient-nonce-absent", "scep.failure.transaction-id-other", "scep.failure.sender-nonce-absent"],
)
def attributes(lab: ScepLab) -> None:
    """A FAILURE has the transactionID of its request, its nonce, and one of its own."""
    answer, rep = _failure(lab)
    lab.check(rep.status in STATUSES.values(), f"the pkiStatus is {rep.status!r}")
    same = rep.transaction_id == answer.sent.transaction_id
    lab.check(same, f"the transactionID is {rep.transaction_id!r}", "rfc8894:3.2.1.1#transaction-id")
    lab.check(rep.recipient_nonce == answer.sent.nonce, "the recipientNonce is not the nonce of the request", NONCE)
    lab.check(rep.sender_nonce, "there is no senderNonce", FRESH)


@case(
    "scep.failure.signature",
    covers=["rfc8894:3.2.1#attributes", STATUS],
    kills=["scep.failure.signature-wrong"],
)
def failure_signature(lab: ScepLab) -> None:
    """A FAILURE is signed as a SUCCESS is: who believes an unsigned one lets anybody deny."""
    answer, rep = _failure(lab)
    bad = rep.signed.wrong(answer.trusted)
    lab.check(not bad, bad)
