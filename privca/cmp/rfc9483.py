"""The Lightweight CMP Profile (RFC 9483) as rules: what a profile with ``rules = "rfc9483"`` refuses that RFC 9810 allows, by section."""

from __future__ import annotations

from privca.base.refused import Reason, Refused
from privca.cmp.protection.password import PASSWORD_BASED_MAC, PBMAC1
from privca.cmp.rfc9810.call import Call
from privca.cmp.rfc9810.message import (
    CERT_PROFILE,
    CONFIRM_WAIT_TIME,
    IMPLICIT_CONFIRM,
    Body,
    PkiMessage,
    directory_name,
)
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned
from privca.pkix import der, rfc4211
from privca.pkix.requested import AlgorithmIdentifier

OPERATIONS: dict[str, tuple[Body, ...]] = {
    "initialization": (Body.IR,),
    "certification": (Body.CR,),
    "keyupdate": (Body.KUR,),
    "pkcs10": (Body.P10CR,),
    "revocation": (Body.RR,),
    "getcacerts": (Body.GENM,),
    "getrootupdate": (Body.GENM,),
    "getcertreqtemplate": (Body.GENM,),
    "getcrls": (Body.GENM,),
    "nested": (Body.NESTED,),
}
"""Section 6.1: what may begin an operation at the path of each label. certConf and pollReq go to the same path."""
FOLLOWING = (Body.CERTCONF, Body.POLLREQ, Body.POPDECR, Body.ERROR, Body.NESTED)
_ENROLLMENT = (Body.IR, Body.CR, Body.KUR, Body.P10CR)


def _on(call: Call) -> bool:
    return call.options.rules == "rfc9483"


def check_header(message: PkiMessage, *, first: bool) -> None:
    """Section 3.1: fields of the header. :param first: whether the message begins a transaction."""
    clause, header = "RFC 9483 section 3.1", message.header
    if first and len(header.transaction_id or b"") != 16:
        raise Refused(Reason.MALFORMED, clause, "transactionID has 128 bits", got=f"{len(header.transaction_id or b'')} octets")
    if first and header.recip_nonce is not None:
        raise Refused(Reason.BAD_NONCE, clause, "the first message of an operation has no recipNonce")
    if header.protection_alg is None:
        raise Refused(Reason.UNAUTHENTICATED, clause, "protectionAlg is required")
    if _by_mac(header.protection_alg):
        name = header.sender_name()
        kid = header.sender_kid
        if kid is None:
            raise Refused(Reason.BAD_SIGNATURE, clause, "senderKID is required with a MAC")
        if name is None or not name.endswith(kid):
            raise Refused(Reason.BAD_SIGNATURE, clause, "the common name of sender and senderKID are the same name")
    if header.information(IMPLICIT_CONFIRM) is not None and message.body not in _ENROLLMENT:
        raise Refused(Reason.UNSUPPORTED_OPERATION, clause, "implicitConfirm has no place in this message")
    if header.information(CONFIRM_WAIT_TIME) is not None:
        raise Refused(Reason.UNSUPPORTED_OPERATION, clause, "confirmWaitTime is for answers")
    if header.information(CERT_PROFILE) is not None and message.body not in (*_ENROLLMENT, Body.GENM):
        raise Refused(Reason.UNSUPPORTED_OPERATION, clause, "certProfile has no place in this message")
    implicit = header.information(IMPLICIT_CONFIRM)
    if implicit is not None and implicit.value != b"\x05\x00":
        raise Refused(Reason.MALFORMED, clause, "the value of implicitConfirm is NULL")
    if first and not _by_mac(header.protection_alg) and not message.extra_certs:
        raise Refused(
            Reason.BAD_SIGNATURE,
            "RFC 9483 section 3.3",
            "extraCerts begins with the certificate of the signer, in the first message",
        )


def terminates(profile: Revisioned, message: PkiMessage) -> bool:
    """Section 3.6.4: an error in a message that goes on with an operation, from who has begun it, ends the operation. A request that
    uses its transactionID anew is no such message."""
    return profile.profile.cmp.rules == "rfc9483" and message.body in (Body.CERTCONF, Body.POLLREQ, Body.POPDECR)


def _by_mac(algorithm: bytes) -> bool:
    oid = der.decode(AlgorithmIdentifier, algorithm, clause="RFC 9483 section 3.1").algorithm
    return oid in (PASSWORD_BASED_MAC, PBMAC1)


def check_requests(call: Call, ids: list[int]) -> None:
    """Section 4.1.1: one request, whose certReqId is 0."""
    if _on(call) and ids != [0]:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            "RFC 9483 section 4.1.1",
            "a message has one request, and its certReqId is 0",
            got=", ".join(map(str, ids[:5])),
        )


def check_request(call: Call, message: rfc4211.CertReqMsg) -> None:
    """Sections 4.1.1, 4.1.3 and 5.1.1: what a request contains."""
    if not _on(call):
        return
    clause, template = "RFC 9483 section 4.1.1", message.template
    if template.subject is None:
        raise Refused(Reason.BAD_CSR, clause, "subject is required; the NULL-DN where the name is in the subjectAltName alone")
    proof = message.proof
    if isinstance(proof, rfc4211.PopSignature) and proof.input_key is not None:
        raise Refused(Reason.BAD_POP, clause, "poposkInput must not be used")
    if isinstance(proof, rfc4211.PopPrivateKey):
        raise Refused(Reason.BAD_POP, clause, "possession is proven by a signature, or vouched for by an RA")
    own = call.sender.certificate
    if call.message.body is Body.KUR:
        if own is None:
            raise Refused(
                Reason.WRONG_PROTECTION, "RFC 9483 section 4.1.3", "an update is signed with the certificate that is updated"
            )
        old = message.old_certificate()
        if old is not None and old.serial != int.from_bytes(own.serial, "big"):
            raise Refused(
                Reason.UNKNOWN_CERTIFICATE, "RFC 9483 section 4.1.3", "an update is signed with the certificate that is updated"
            )
    elif isinstance(proof, rfc4211.PopSignature) and own is not None and not (call.sender.ra or call.nested):
        _check_subject(call, template.subject)


def _check_subject(call: Call, subject: bytes) -> None:
    if directory_name(subject) != call.message.header.sender:
        raise Refused(
            Reason.UNAUTHORIZED,
            "RFC 9483 section 5.1.1",
            "the subject of the request is not that of the certificate that signs it, whose holder is no registration authority",
        )


def check_revocation(call: Call, certificate: Certificate) -> None:
    """Section 4.2: a revocation is signed with the certificate that is revoked, unless an RA asks for it (section 5.3.2)."""
    own = call.sender.certificate
    if _on(call) and not call.sender.ra and (own is None or own.serial != certificate.serial):
        raise Refused(
            Reason.UNAUTHORIZED, "RFC 9483 section 4.2", "a revocation is signed with the certificate that is to be revoked"
        )


def check_count(call: Call, what: str, clause: str, count: int) -> None:
    """Sections 4.1.1, 4.2 and 4.3: one element in a message."""
    if _on(call) and count != 1:
        raise Refused(Reason.UNSUPPORTED_OPERATION, clause, f"a message has one {what}", got=str(count))


def check_operation(label: str, message: PkiMessage) -> None:
    """Section 6.1: a message comes to the path of its operation. :raises Refused: ``UNSUPPORTED_OPERATION``, ``NOT_FOUND``."""
    begin = OPERATIONS.get(label)
    if begin is None:
        raise Refused(Reason.NOT_FOUND, "RFC 9483 section 6.1", "there is no operation of this name", got=repr(label[:40]))
    if message.body not in (*begin, *FOLLOWING):
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            "RFC 9483 section 6.1",
            "this message does not belong to the operation of this path",
            expected=" or ".join(body.name.lower() for body in begin),
            got=message.body.name.lower(),
        )
