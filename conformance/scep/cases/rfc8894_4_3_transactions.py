"""RFC 8894 sections 3.2.1.1, 4.3 and 5.2: what belongs to one transaction, and what becomes of a message that comes twice."""

from __future__ import annotations

from cryptography import x509

from conformance.case import case
from conformance.scep.draft import PKCS_REQ
from conformance.scep.lab import STATUS, ScepLab
from conformance.scep.structures import Malformed

ISSUED = "rfc8894:3.3.2.1#issued"


@case("scep.transaction.replay", covers=["rfc8894:5.2#duplicate", STATUS], kills=["scep.transaction.replay-issues-again"])
def replay(lab: ScepLab) -> None:
    """A message that comes again, octet for octet, is answered in CMS, and brings no further certificate.

    The text leaves it to the CA, so that another certificate is a note: who records messages can have any number of them made.
    """
    draft = lab.pkcs_req()
    octets = draft.message()
    draft.spoil_message.append(lambda _: octets)
    first = lab.granted(draft, "control before")
    again = lab.client.send(draft)
    lab.require(again.rep is not None, f"expected a CertRep, got {again.said}", STATUS)
    if again.status == "SUCCESS":
        lab.check(again.issued == first.issued, "the same octets brought another certificate")
    else:
        lab.check(again.status == "FAILURE", f"expected SUCCESS or FAILURE, got {again.said}", STATUS)


@case(
    "scep.transaction.one-id-for-two-requests",
    covers=[ISSUED, STATUS],
    kills=["scep.transaction.id-alone"],
)
def two_requests(lab: ScepLab) -> None:
    """Two requests of one key and one transactionID, as clients send that make it of the key, do not get each other's certificate."""
    first = lab.granted(lab.pkcs_req())
    draft = lab.pkcs_req(transaction_id=first.sent.transaction_id)
    answer = lab.client.send(draft)
    lab.require(answer.rep is not None, f"expected a CertRep, got {answer.said}", STATUS)
    if answer.status == "SUCCESS":
        asked = x509.load_der_x509_csr(draft.content).subject
        got = x509.load_der_x509_certificate(answer.issued).subject
        there = "the certificate of the first request" if answer.issued == first.issued else got.rfc4514_string()
        lab.check(answer.issued != first.issued, f"asked for {asked.rfc4514_string()}, got {there}")
    else:
        lab.check(answer.status in ("FAILURE", "PENDING"), f"expected a CertRep, got {answer.said}", STATUS)


@case(
    "scep.transaction.one-id-for-two-clients",
    covers=[ISSUED, STATUS],
    kills=["scep.transaction.id-alone"],
)
def two_clients(lab: ScepLab) -> None:
    """A transactionID of another client's, which everybody can read, does not get that one's certificate."""
    first = lab.granted(lab.pkcs_req())
    answer = lab.client.send(lab.pkcs_req(signer=lab.applicant(key=2), transaction_id=first.sent.transaction_id))
    lab.require(answer.rep is not None, f"expected a CertRep, got {answer.said}", STATUS)
    if answer.status == "SUCCESS":
        try:
            lab.check(answer.issued != first.issued, "got the certificate of the other client")
        except Malformed as failure:
            lab.check(False, str(failure))
    else:
        lab.check(answer.status in ("FAILURE", "PENDING"), f"expected a CertRep, got {answer.said}", STATUS)


@case(
    "scep.transaction.odd-ids",
    covers=["rfc8894:3.2.1.1#transaction-id", STATUS],
    kills=["scep.transaction.hexadecimal-alone"],
)
def odd_ids(lab: ScepLab) -> None:
    """A transactionID is any PrintableString: with spaces, as base64, or a long decimal number, as clients make it."""
    for id in (f"SCEP id {lab.shared.name()}", "q+/" + "A" * 24 + "=", "9" * 77):
        answer = lab.client.send(lab.pkcs_req(kind=PKCS_REQ, transaction_id=id))
        why = lab.why_not(answer)
        lab.check(not why, f"transactionID {id!r}: expected SUCCESS, got {why}")
