"""RFC 8894 sections 2.3 to 2.5: who asks, by what, and whether that is looked at."""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.case import case
from conformance.examination import NotApplicable, Unsupported
from conformance.scep.applicants import Signer, name, public_octets, request, rsa_key, self_signed
from conformance.scep.draft import PKCS_REQ, RENEWAL_REQ, Draft, Mutation
from conformance.scep.lab import FAIL_INFO, STATUS, ScepLab, negative
from conformance.scep.mutations import content, flipped
from conformance.verdict import Level

PROVES_NOTHING = "rfc8894:2.4#self-signed-proves-nothing"


Change = Callable[[str], str | None]


def _challenge(label: str, other: Change) -> Callable[[ScepLab], Mutation]:
    """The same request with another challengePassword. :param other: makes it of the right one; None: there is none."""

    def made(lab: ScepLab) -> Mutation:
        if lab.challenge is None:
            raise NotApplicable("the target has no code, so that no challengePassword is asked for")
        wrong = other(lab.challenge)

        def change(draft: Draft) -> None:
            subject = x509.load_der_x509_csr(draft.content).subject
            draft.content = request(draft.signer.key, subject, challenge=wrong)

        return Mutation(f"content.challengePassword.{label}", "RFC 8894 section 2.4", change)

    return made


_CHALLENGES: tuple[tuple[str, str, Change, str], ...] = (
    ("wrong", "A wrong challengePassword is refused", lambda secret: f"not {secret}", "scep.enroll.any-challenge"),
    ("absent", "Without challengePassword nothing is issued", lambda secret: None, "scep.enroll.challenge-optional"),
    ("empty", "An empty challengePassword is none", lambda secret: "", ""),
    ("longer", "A challengePassword is compared to its end", lambda secret: f"{secret}x", "scep.enroll.any-challenge"),
    ("shorter", "The beginning of a challengePassword is not enough", lambda secret: secret[:-1], "scep.enroll.any-challenge"),
)
for label, title, other, fault in _CHALLENGES:
    negative(
        f"scep.challenge.{label}",
        title,
        covers=[PROVES_NOTHING, "rfc8894:2.4#unauthorised"],
        mutation=_challenge(label, other),
        or_pending=True,
        kills=[fault] if fault else [],
    )


def _other_key(draft: Draft) -> None:
    """The message is signed by one key, and asks for a certificate of another."""
    subject = x509.load_der_x509_certificate(draft.signer.certificate).subject
    draft.signer = self_signed(rsa_key(2), subject)


negative(
    "scep.signer.other-key-than-request",
    "A PKCSReq that is signed by another key than its PKCS #10 has is refused: who sends it does not show to have that key",
    covers=["rfc8894:2.3#signing-key"],
    mutation=Mutation("signer.other-key", "RFC 8894 section 2.3", _other_key),
    level=Level.SHOULD,
    kills=["scep.enroll.signer-key-unchecked"],
)


def _other_subject(draft: Draft) -> None:
    draft.signer = self_signed(draft.signer.key, name("somebody else"))


negative(
    "scep.signer.other-subject-than-request",
    "A self-signed certificate of another subject than the PKCS #10 has is refused",
    covers=["rfc8894:2.3#same-subject-and-key"],
    mutation=Mutation("signer.other-subject", "RFC 8894 section 2.3", _other_subject),
    level=Level.MAY,
    kills=["scep.enroll.signer-subject-unchecked"],
)
negative(
    "scep.request.signature",
    "A PKCS #10 whose signature is wrong is refused",
    covers=[FAIL_INFO],
    mutation=content("signature.flipped", "RFC 2986 section 4.2", flipped),
    fail_info={"badRequest", "badMessageCheck"},
    # RFC 2986 has a CA verify it, without a keyword; the signature of the message shows that the client has the key.
    level=Level.SHOULD,
    kills=["scep.enroll.request-signature-unchecked"],
)


def _weak_key(lab: ScepLab) -> Mutation:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - which is what must be refused

    def change(draft: Draft) -> None:
        subject = x509.load_der_x509_csr(draft.content).subject
        draft.signer = self_signed(key, subject)
        draft.content = request(key, subject, challenge=lab.challenge)
        draft.csr_key = public_octets(key.public_key())

    return Mutation("content.rsa-1024", "RFC 8894 section 7.1", change)


negative(
    "scep.request.weak-key",
    "An RSA key of 1024 bits is not certified",
    covers=[FAIL_INFO],
    mutation=_weak_key,
    fail_info={"badAlg", "badRequest"},
    level=Level.MAY,
)

# -- renewal: section 2.5 ----------------------------------------------------------------------------------------------


@case(
    "scep.renewal.new-key",
    covers=["rfc8894:2.5#renewal", "rfc8894:2.4#inclusion-in-renewal", STATUS],
    kills=["scep.renewal.challenge-demanded", "scep.renewal.refused"],
    feature="renewal",
)
def new_key(lab: ScepLab) -> None:
    """A RenewalReq for a new key, signed by the certificate that it renews and without challengePassword, is granted."""
    lab.needs_capability("Renewal")
    enrolled = lab.enroll()
    answer = lab.client.send(lab.renewal(enrolled))
    if not lab.why_not(answer):
        lab.succeeded(answer)
        return
    said = answer.said
    again = lab.client.send(lab.renewal(enrolled, challenge=True))
    if lab.challenge is not None and not lab.why_not(again):
        lab.check(False, f"granted with challengePassword alone; without: {said}", "rfc8894:2.4#inclusion-in-renewal")
    else:
        lab.check(False, f"expected SUCCESS, got {said}")


@case(
    "scep.renewal.same-key",
    covers=["rfc8894:2.5#new-keypair", STATUS],
    kills=["scep.renewal.same-key-refused", "scep.transaction.id-alone"],
    feature="renewal",
)
def same_key(lab: ScepLab) -> None:
    """A RenewalReq may be for the same key, and gives another certificate."""
    lab.needs_capability("Renewal")
    enrolled = lab.enroll()
    draft = lab.pkcs_req(signer=enrolled.signer, kind=RENEWAL_REQ, challenge=None)
    draft.transaction_id = enrolled.answer.sent.transaction_id
    answer = lab.client.send(draft)
    why = lab.why_not(answer)
    lab.require(not why, f"expected SUCCESS, got {why}")
    lab.check(answer.issued != enrolled.signer.certificate, "the renewal gives the certificate that it renews")


@case(
    "scep.renewal.by-pkcs-req",
    covers=["rfc8894:2.3#existing-certificate", STATUS],
    kills=["scep.renewal.pkcs-req-refused"],
    feature="renewal",
)
def by_pkcs_req(lab: ScepLab) -> None:
    """A PKCSReq that is signed by a certificate of this CA, as old clients renew, is answered in CMS, and granted as a renewal is."""
    lab.needs_capability("Renewal")
    answer = lab.client.send(lab.renewal(lab.enroll(), kind=PKCS_REQ))
    lab.require(answer.rep is not None, f"expected a CertRep, got {answer.said}", STATUS)
    lab.check(answer.status == "SUCCESS", f"expected SUCCESS, got {answer.said}", level=Level.MAY)


def _renewal(lab: ScepLab) -> Draft:
    if "Renewal" not in lab.client.capabilities():
        raise Unsupported("GetCACaps does not have Renewal")
    return lab.renewal(lab.enroll())


def _by_self_signed(draft: Draft) -> None:
    """Who has no certificate of the CA makes himself one of the same subject."""
    draft.signer = self_signed(draft.signer.key, x509.load_der_x509_certificate(draft.signer.certificate).subject)


negative(
    "scep.renewal.self-signed",
    "A RenewalReq that is signed by a self-signed certificate is refused",
    covers=[PROVES_NOTHING],
    control=_renewal,
    mutation=Mutation("signer.self-signed", "RFC 8894 section 2.4", _by_self_signed),
    fail_info={"badRequest", "badMessageCheck"},
    or_pending=True,
    kills=["scep.renewal.by-anybody"],
    feature="renewal",
)


def _forged(draft: Draft) -> None:
    """A certificate that says all that the right one says, by a CA that is none."""
    right = x509.load_der_x509_certificate(draft.signer.certificate)
    key = rsa_key(2)
    builder = x509.CertificateBuilder(
        right.issuer,
        right.subject,
        key.public_key(),
        right.serial_number,
        right.not_valid_before_utc,
        right.not_valid_after_utc,
        list(right.extensions),
    )
    draft.signer = Signer(key, builder.sign(rsa_key(3), hashes.SHA256()).public_bytes(Encoding.DER))


negative(
    "scep.renewal.forged-certificate",
    "A RenewalReq that is signed by a certificate which this CA did not issue, though it says so, is refused",
    covers=[PROVES_NOTHING],
    control=_renewal,
    mutation=Mutation("signer.forged", "RFC 8894 section 2.5", _forged),
    fail_info={"badRequest", "badMessageCheck"},
    or_pending=True,
    kills=["scep.renewal.by-anybody"],
    feature="renewal",
)


def _twins(forged_first: bool) -> Callable[[Draft], None]:
    """The right certificate, which everybody can have, beside a forged one of the same issuer and serial number, whose key signs."""

    def change(draft: Draft) -> None:
        right = draft.signer.certificate
        _forged(draft)
        forged = draft.signer.certificate
        draft.certificates = (forged, right)
        first, second = (forged, right) if forged_first else (right, forged)
        # DER sorts them. Nobody signed their order.
        draft.spoil_message.append(lambda octets: octets.replace(second + first, first + second))

    return change


for first in (True, False):
    negative(
        f"scep.renewal.twin-certificates-{'forged' if first else 'right'}-first",
        "A RenewalReq with two certificates of one issuer and serial number, one of which verifies it, and the other is good, is refused",
        covers=[PROVES_NOTHING],
        control=_renewal,
        mutation=Mutation("certificates.twins", "RFC 8894 section 2.5", _twins(first)),
        fail_info={"badRequest", "badMessageCheck"},
        or_pending=True,
        kills=[f"scep.renewal.any-twin{'' if first else '-reversed'}"],
        feature="renewal",
    )


def _for_another_subject(draft: Draft) -> None:
    key = rsa_key(1)
    draft.content = request(key, name("another device"))
    draft.csr_key = public_octets(key.public_key())


negative(
    "scep.renewal.other-subject",
    "A RenewalReq for another subject than the certificate has is refused: it renews nothing, and nobody vouches for that subject",
    covers=["rfc8894:2.5#renewal"],
    control=_renewal,
    mutation=Mutation("content.subject.other", "RFC 8894 section 2.5", _for_another_subject),
    or_pending=True,
    kills=["scep.renewal.any-subject"],
    feature="renewal",
)
