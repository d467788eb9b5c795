"""RFC 8894 sections 3.3.2.3, 3.3.3 and 4.4: requests that wait for a person, and clients that ask again."""

from __future__ import annotations

from conformance.case import case
from conformance.scep import structures
from conformance.scep.applicants import name
from conformance.scep.client import Answer
from conformance.scep.draft import Draft
from conformance.scep.lab import FAIL_INFO, STATUS, ScepLab
from conformance.scep.mutations import content
from conformance.verdict import Level

UNMATCHED = "rfc8894:4.4#unmatched"
UNKNOWN = {"badCertId", "badRequest"}


@case(
    "scep.poll.unmatched",
    covers=[UNMATCHED, STATUS, FAIL_INFO],
    kills=["scep.poll.unmatched-pending", "scep.failure.http-500", "scep.failure.always-bad-time"],
)
def unmatched(lab: ScepLab) -> None:
    """A CertPoll for which there was no request is rejected."""
    draft = lab.pkcs_req()
    lab.granted(lab.pkcs_req(), "control before")
    with lab.examination.during("spoilt"):
        answer = lab.client.send(lab.client.poll(draft))
    lab.refused(answer, UNKNOWN)
    why = lab.why_not(lab.client.send(draft))
    lab.check(not why, f"then the request itself was refused: {why}", STATUS)


@case(
    "scep.poll.other-signer",
    covers=[UNMATCHED, STATUS, FAIL_INFO],
    kills=["scep.poll.any-signer"],
)
def other_signer(lab: ScepLab) -> None:
    """A CertPoll with the transactionID of another client does not get that one's certificate."""
    first = lab.granted(lab.pkcs_req(), "control before")
    poll = lab.client.poll(first.sent)
    poll.signer = lab.applicant(key=2)
    with lab.examination.during("spoilt"):
        answer = lab.client.send(poll)
    lab.refused(answer, UNKNOWN)


@case(
    "scep.poll.finished",
    covers=["rfc8894:4.4.1#same-replies", STATUS],
    kills=["scep.poll.finished-refused"],
    feature="polling",
)
def finished(lab: ScepLab) -> None:
    """A CertPoll for a request that was granted, whose reply was lost, brings the certificate, or is refused in CMS."""
    first = lab.granted(lab.pkcs_req(), "control before")
    answer = lab.client.send(lab.client.poll(first.sent))
    lab.require(answer.rep is not None and not answer.wrong, f"expected a CertRep, got {answer.said}", STATUS)
    if lab.check(answer.status == "SUCCESS", f"expected SUCCESS, got {answer.said}", level=Level.MAY):
        lab.check(answer.issued == first.issued, "the certificate is another one than the request got")


def _waiting(lab: ScepLab) -> Answer:
    client = lab.pending_client()
    answer = client.send(lab.pkcs_req(client=client, challenge=lab.shared.target.approval_code or None))
    lab.require(answer.status == "PENDING" and not answer.wrong, f"expected PENDING, got {answer.said} {answer.wrong}", STATUS)
    return answer


def _poll(lab: ScepLab, sent: Draft) -> Draft:
    return lab.pending_client().poll(sent)


@case(
    "scep.pending.no-envelope",
    covers=["rfc8894:3.3.2.3#no-envelope", "rfc8894:3#empty-omitted", "rfc8894:4.3.1#pending", STATUS],
    kills=["scep.pending.with-envelope"],
    feature="approval",
)
def no_envelope(lab: ScepLab) -> None:
    """PENDING has no pkcsPKIEnvelope."""
    answer = _waiting(lab)
    lab.check(answer.rep and not answer.rep.signed.content, "the reply has a content")


@case(
    "scep.pending.poll",
    covers=["rfc8894:4.4.1#same-replies", STATUS],
    kills=["scep.pending.poll-refused"],
    feature="approval",
)
def poll(lab: ScepLab) -> None:
    """A CertPoll is answered with PENDING until a person has decided."""
    answer = _waiting(lab)
    for _ in range(2):
        again = lab.pending_client().send(_poll(lab, answer.sent))
        lab.check(again.status == "PENDING" and not again.wrong, f"expected PENDING, got {again.said} {again.wrong}", STATUS)


@case(
    "scep.pending.by-transaction",
    covers=["rfc8894:3.3.3#by-transaction", STATUS],
    kills=["scep.pending.content-opened"],
    feature="approval",
)
def by_transaction(lab: ScepLab) -> None:
    """A CertPoll is known by its transactionID and signer, not by the subject that is encrypted in it."""
    answer = _waiting(lab)
    other = structures.pair(structures.subject_of(lab.client.ca().issuer), name("another subject").public_bytes())
    mutation = content("other-subject", "RFC 8894 section 3.3.3", lambda octets: other)
    again = lab.pending_client().send(_poll(lab, answer.sent), mutation)
    lab.check(again.status == "PENDING" and not again.wrong, f"expected PENDING, got {again.said} {again.wrong}")


@case(
    "scep.pending.other-signer",
    covers=[UNMATCHED, STATUS, FAIL_INFO],
    kills=["scep.pending.any-signer"],
    feature="approval",
)
def pending_other_signer(lab: ScepLab) -> None:
    """A CertPoll for a request that waits, by another client, is rejected."""
    answer = _waiting(lab)
    poll = _poll(lab, answer.sent)
    poll.signer = lab.applicant(key=2)
    lab.refused(lab.pending_client().send(poll), UNKNOWN)


@case(
    "scep.pending.approved",
    covers=["rfc8894:4.4.1#same-replies", STATUS, "rfc8894:3.3.2.1#issued"],
    kills=["scep.pending.never-granted"],
    feature="approval",
)
def approved(lab: ScepLab) -> None:
    """Once a person has approved, CertPoll brings the certificate, and brings it again if the reply was lost."""
    answer = _waiting(lab)
    lab.decide("approve", answer.sent)
    first = lab.pending_client().send(_poll(lab, answer.sent))
    lab.require(first.status == "SUCCESS" and not first.wrong, f"expected SUCCESS, got {first.said} {first.wrong}")
    lab.require(not lab.why_not(first), lab.why_not(first), "rfc8894:3.3.2.1#issued")
    again = lab.pending_client().send(_poll(lab, answer.sent))
    if lab.check(again.status == "SUCCESS", f"then expected SUCCESS again, got {again.said}", level=Level.MAY):
        lab.check(again.issued == first.issued, "a second CertPoll brings another certificate")


@case(
    "scep.pending.rejected",
    covers=["rfc8894:4.4.1#same-replies", STATUS, FAIL_INFO],
    kills=["scep.pending.rejection-unsaid"],
    feature="approval",
)
def rejected(lab: ScepLab) -> None:
    """Once a person has rejected, CertPoll is answered with FAILURE."""
    answer = _waiting(lab)
    lab.decide("reject", answer.sent)
    lab.refused(lab.pending_client().send(_poll(lab, answer.sent)), {"badRequest", "badCertId"})
