"""RFC 9810 sections 5.3.17 and 5.3.18: certificates are accepted or rejected, once, and by their hash."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import der
from conformance.cmp.algorithms import HASHES
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, Enrolled, cert_status, certificate_hash, implicitly, negative, status_info
from conformance.cmp.message import IMPLICIT_CONFIRM, Body, Draft
from conformance.cmp.mutations import Mutation, content
from conformance.examination import Unsupported

_C = "rfc9810:5.3.18#"
_CLAUSE = "RFC 9810 section 5.3.18"


def _confirming(lab: CmpLab) -> Draft:
    return lab.confirmation(lab.unconfirmed())


def _status(name: str, number: int, new: bytes) -> Mutation:
    """Another part of the first CertStatus."""

    def change(old: bytes) -> bytes:
        first, *others = der.element(old).children
        parts = [part.raw for part in first.children]
        parts[number] = new
        return der.sequence(der.sequence(*parts), *(one.raw for one in others))

    return content(name, _CLAUSE, change)


def _enrolled(lab: CmpLab, answer: Answer) -> Enrolled:
    certificate = lab.issued(answer)[0].certificate
    assert certificate is not None
    return Enrolled(certificate, answer.draft.requests[0].key, answer)


negative(
    "cmp.confirmation.wrong-hash",
    "A certConf with the hash of something else is refused",
    covers=[_C + "certificate-hash"],
    control=_confirming,
    mutation=_status("certHash of nothing", 0, der.octets(bytes(32))),
    failures={"badCertId", "incorrectData", "badRequest"},
    kills=["cmp.confirmation.hash-unchecked"],
)


@case(
    "cmp.confirmation.other-hash-function",
    covers=[_C + "certificate-hash"],
    kills=["cmp.confirmation.hash-unchecked", "cmp.confirmation.any-hash-function"],
)
def other_hash_function(lab: CmpLab) -> None:
    """The certHash is by the hash function of the certificate's signature: another one is refused."""
    lab.settle(lab.unconfirmed())
    answer = lab.unconfirmed()
    (issued, *_) = lab.issued(answer)
    right = certificate_hash(issued.certificate_der or b"")
    name = "sha384" if len(right) != 48 else "sha256"
    digest = certificate_hash(issued.certificate_der or b"", name)
    with lab.examination.during("spoilt"):
        refused = lab.send(lab.confirmation(answer, cert_status(issued, digest=digest)))
    lab.refused(refused, {"badCertId", "incorrectData", "badRequest"})


@case(
    "cmp.confirmation.unverified-is-revoked",
    covers=["rfc9810:4.2.2.2#revoked-unverified"],
    kills=["cmp.confirmation.unverified-kept"],
)
def unverified_is_revoked(lab: CmpLab) -> None:
    """A certificate whose confirmation does not verify is worth nothing any more."""
    lab.settle(lab.unconfirmed())
    answer = lab.unconfirmed()
    (issued, *_) = lab.issued(answer)
    with lab.examination.during("spoilt"):
        refused = lab.send(lab.confirmation(answer, cert_status(issued, digest=bytes(32))))
    lab.require(refused.reply is not None and refused.reply.refused, f"a certConf with a wrong certHash gives {refused}")
    lab.withdrawn(_enrolled(lab, answer))


negative(
    "cmp.confirmation.unknown-id",
    "A certConf for a certReqId that the ip does not have is refused",
    covers=[_C + "omission-rejects"],
    control=_confirming,
    mutation=_status("certReqId 77", 1, der.integer(77)),
    failures={"badCertId", "badRequest"},
    kills=["cmp.confirmation.id-unchecked"],
)


def _twice(old: bytes) -> bytes:
    (first,) = der.element(old).children
    return der.sequence(first.raw, first.raw)


negative(
    "cmp.confirmation.id-twice",
    "A certConf that confirms one certReqId twice is refused",
    covers=[_C + "certificate-hash"],
    control=_confirming,
    mutation=content("the same CertStatus twice", _CLAUSE, _twice),
    failures={"duplicateCertReq", "badRequest", "badDataFormat", "badCertId"},
    kills=["cmp.confirmation.id-twice"],
)


def _hash_alg(old: bytes) -> bytes:
    (first,) = der.element(old).children
    tagged = der.tlv(0xA0, der.algorithm(HASHES["sha256"]))
    return der.sequence(der.sequence(*(part.raw for part in first.children), tagged))


negative(
    "cmp.confirmation.hash-alg-cmp2000",
    "hashAlg in a certConf of version cmp2000 is refused",
    covers=[_C + "hash-alg-version"],
    control=_confirming,
    mutation=content("hashAlg under pvno 2", _CLAUSE, _hash_alg),
    failures={"badRequest", "unsupportedVersion", "badDataFormat"},
    kills=["cmp.confirmation.hash-alg-any-version"],
)


@case(
    "cmp.confirmation.hash-alg", covers=[_C + "hash-alg-version"], feature="hash-alg", kills=["cmp.confirmation.hash-alg-ignored"]
)
def hash_alg(lab: CmpLab) -> None:
    """Under cmp2021 hashAlg says by which hash function certHash was made."""
    answer = lab.send(lab.ir(pvno=3))
    if answer.reply is not None and answer.reply.refused:
        raise Unsupported(f"cmp2021 is not supported: {answer}")
    lab.require(not lab.denied(answer), f"an ir with pvno 3 gives {answer}")
    (issued, *_) = lab.issued(answer)
    digest = certificate_hash(issued.certificate_der or b"", "sha512")
    status = cert_status(issued, digest=digest, hash_alg=der.algorithm(HASHES["sha512"]))
    confirmed = lab.send(lab.confirmation(answer, status))
    lab.check(not lab.denied(confirmed), f"a certHash by the hashAlg of its certConf gives {confirmed}")


@case(
    "cmp.confirmation.confirmed",
    covers=["rfc9810:5.3.17#empty", _C + "omission-accepts"],
    kills=["cmp.confirmation.pkiconf-with-content", "cmp.confirmation.omission-rejects"],
)
def confirmed(lab: CmpLab) -> None:
    """A certConf without statusInfo is acceptance, its pkiConf is NULL, and the certificate can be used."""
    answer = lab.unconfirmed()
    said = lab.ask(lab.confirmation(answer))
    assert said.reply is not None
    lab.check(said.reply.content == der.NULL, f"the content of the pkiConf is {said.reply.content.hex()[:60]}")
    used = lab.send(lab.genm(protection=_enrolled(lab, answer).signer))
    lab.check(not lab.denied(used), f"a message under a certificate that was confirmed: {used}", _C + "omission-accepts")


@case(
    "cmp.confirmation.explicitly-accepted",
    covers=[_C + "explicit-status"],
    kills=["cmp.confirmation.explicit-rejects"],
)
def explicitly_accepted(lab: CmpLab) -> None:
    """A certConf with the status accepted is taken like one without."""
    answer = lab.unconfirmed()
    (issued, *_) = lab.issued(answer)
    said = lab.send(lab.confirmation(answer, cert_status(issued, info=status_info(0))))
    lab.require(not lab.denied(said), f"a certConf with the status accepted gives {said}")
    used = lab.send(lab.genm(protection=_enrolled(lab, answer).signer))
    lab.check(not lab.denied(used), f"a message under a certificate that was accepted: {used}")


@case(
    "cmp.confirmation.rejected",
    covers=[_C + "explicit-status", "rfc9810:5.3.17#empty"],
    kills=["cmp.confirmation.rejection-ignored"],
)
def rejected(lab: CmpLab) -> None:
    """A certificate that its client rejects is worth nothing any more, and the rejection is confirmed."""
    answer = lab.unconfirmed()
    (issued, *_) = lab.issued(answer)
    said = lab.send(lab.confirmation(answer, cert_status(issued, info=status_info(2, 7))))
    body = said.reply and said.reply.body
    lab.require(body is Body.PKICONF, f"a certConf that rejects gives {said}", "rfc9810:5.3.17#empty")
    lab.withdrawn(_enrolled(lab, answer))


@case(
    "cmp.confirmation.empty-rejects",
    covers=[_C + "empty-rejects", _C + "omission-rejects"],
    kills=["cmp.confirmation.omission-accepts"],
)
def empty_rejects(lab: CmpLab) -> None:
    """A certConf that leaves a certificate out rejects it."""
    answer = lab.unconfirmed()
    said = lab.send(lab.next(answer, Body.CERTCONF, content=der.sequence()))
    lab.require(said.reply is not None and said.reply.body is Body.PKICONF, f"an empty certConf gives {said}")
    lab.withdrawn(_enrolled(lab, answer), _C + "omission-rejects")


@case(
    "cmp.confirmation.twice",
    covers=["rfc9810:5.1.1#replay"],
    kills=["cmp.confirmation.twice"],
)
def twice(lab: CmpLab) -> None:
    """A certificate is confirmed once: a second certConf, with the nonce of the pkiConf, is refused."""
    answer = lab.unconfirmed()
    first = lab.ask(lab.confirmation(answer))
    assert first.reply is not None
    with lab.examination.during("spoilt"):
        again = lab.send(lab.confirmation(answer, recip_nonce=first.reply.sender_nonce))
    lab.refused(again, {"certConfirmed", "badRequest", "badRecipientNonce"})


@case(
    "cmp.confirmation.none-begun",
    covers=["rfc9810:5.1.1#transaction-id-kept"],
    kills=["cmp.header.transaction-id-unchecked"],
)
def none_begun(lab: CmpLab) -> None:
    """A certConf of a transaction that was never begun is refused."""
    lab.settle(lab.unconfirmed())
    status = der.sequence(der.octets(bytes(32)), der.integer(0))
    with lab.examination.during("spoilt"):
        answer = lab.send(lab.draft(Body.CERTCONF, content=der.sequence(status), recip_nonce=bytes(16)))
    lab.refused(answer, {"badRequest", "badCertId", "badRecipientNonce"})


@case(
    "cmp.confirmation.implicit",
    covers=["rfc9810:5.1.1.1#implicit-granted"],
    kills=["cmp.confirmation.implicit-unsaid", "cmp.confirmation.implicit-said-only"],
)
def implicit(lab: CmpLab) -> None:
    """Who asks for implicit confirmation is told whether it is granted; if not, a certConf is awaited."""
    answer = lab.ask(implicitly(lab.ir()))
    assert answer.reply is not None
    enrolled = _enrolled(lab, answer)
    if answer.reply.information(IMPLICIT_CONFIRM) is None:
        late = lab.send(lab.confirmation(answer))
        lab.check(not lab.denied(late), f"implicit confirmation was not granted, and a certConf gives {late}")
        return
    value = answer.reply.information(IMPLICIT_CONFIRM)
    lab.check(value == der.NULL, f"the value of implicitConfirm is {(value or b'').hex()[:40] or 'absent'}")
    used = lab.send(lab.genm(protection=enrolled.signer))
    lab.check(not lab.denied(used), f"a message under a certificate that was confirmed implicitly: {used}")
    with lab.examination.during("spoilt"):
        unasked = lab.send(lab.confirmation(answer))
    refused = unasked.reply is not None and unasked.reply.refused
    lab.check(refused, f"implicit confirmation was granted, and a certConf gives {unasked}")
