"""The bench at the endpoint that follows the Lightweight CMP Profile (RFC 9483), and negative cases at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.case import Case, register
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.crmf import CertRequest
from conformance.cmp.lab import CmpLab, Enrolled, asked
from conformance.cmp.message import Body, Draft
from conformance.cmp.mutations import Mutation
from conformance.cmp.protection import NotVerified, Pbm, Signer, verify
from conformance.examination import NotApplicable, Unsupported


class LightweightLab(CmpLab):
    """The bench at that endpoint."""

    @property
    def mac(self) -> Pbm:
        """Protection by the shared secret, whose name is in the common name of the sender, too (section 3.1)."""
        mac = super().mac
        return replace(mac, sender=der.directory_name(crmf.common_name(mac.reference)))


def bench(lab: CmpLab) -> LightweightLab:
    """The same case's bench at that endpoint. :raises NotApplicable: if the run was given none."""
    if lab.shared.lightweight is None:
        raise NotApplicable(
            "the run was not given an endpoint that follows RFC 9483 ([cmp.lightweight], or the claim 'lightweight')"
        )
    return LightweightLab(lab.shared.lightweight, lab.examination)


def ir(lab: CmpLab) -> Draft:
    """A correct ir, whose certificate has to be confirmed."""
    return lab.ir()


def cr(lab: CmpLab) -> Draft:
    """A correct cr that is signed: for another certificate of the same subject (section 4.1.2)."""
    return lab.ir(same_subject(lab, lab.signer), body=Body.CR, protection=lab.signer)


def kur(lab: CmpLab) -> Draft:
    """A correct kur: a new certificate is updated, and signs (section 4.1.3)."""
    device = lab.enroll()
    control = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(device.certificate))
    return lab.ir(same_subject(lab, device.signer, controls=(control,)), body=Body.KUR, protection=device.signer)


def revoked(lab: CmpLab) -> Enrolled:
    """A certificate that was revoked. :raises Inconclusive: if none can be had."""
    device = lab.enroll()
    lab.ask(lab.rr(device.certificate, protection=device.signer, extensions=[REASON]))
    return device


def rr(lab: CmpLab) -> Draft:
    """A correct rr: a new certificate asks for its own revocation (section 4.2)."""
    device = lab.enroll()
    return lab.rr(device.certificate, protection=device.signer, extensions=[REASON])


def same_subject(lab: CmpLab, signer: Signer, **fields: object) -> CertRequest:
    """A request for the subject of a signer."""
    return lab.request(subject=signer.certificate.subject.public_bytes(), **fields)


CA_CERTS = asked(17)
"""A genm's piece that asks for CA certificates (section 4.3.1)."""
REASON = der.sequence(der.oid("2.5.29.21"), der.octets(b"\x0a\x01\x00"))
"""crlEntryDetails: a reasonCode, unspecified."""


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    control: Callable[[CmpLab], Draft],
    mutation: Mutation | Callable[[CmpLab], Mutation],
    failures: Collection[str],
    kills: Sequence[str] = (),
    feature: str = "",
    bare: bool = False,
) -> Case:
    """Declare a negative case, as :func:`conformance.cmp.lab.negative`, at the endpoint that follows RFC 9483."""

    def body(lab: CmpLab) -> None:
        at = bench(lab)
        change = mutation if isinstance(mutation, Mutation) else at.sure(lambda: mutation(at))
        at.paired(lambda: control(at), change, failures=failures, bare=bare)

    name = mutation.name if isinstance(mutation, Mutation) else "made for the request"
    return register(Case(id, title, tuple(covers), body, tuple(kills), (), feature, negative=True, mutation=name))


def name(text: str) -> bytes:
    """A Name (DER)."""
    return crmf.common_name(text)


def with_certificates(draft: Draft, certificates: Sequence[bytes]) -> Draft:
    """The same with other extraCerts (DER)."""
    return replace(draft, extra_certs=tuple(certificates))


def self_signed(subject: str, *, like: x509.Certificate | None = None) -> Signer:
    """Who vouches for itself: a certificate that nobody issued, with the subject of another one if there is one."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]) if like is None else like.subject
    return Signer(_certificate(key.public_key(), named, named, key), key)


def issued_by(signer: Signer, subject: x509.Name) -> Signer:
    """A certificate that the holder of an end entity's certificate issued, as if it were a CA; the issuer's is behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(key.public_key(), subject, signer.certificate.subject, signer.key)
    return Signer(made, key, signer.certificates)


def _certificate(key: ec.EllipticCurvePublicKey, subject: x509.Name, issuer: x509.Name, signing: Any) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        x509.CertificateBuilder(
            issuer, subject, key, x509.random_serial_number(), now - dt.timedelta(days=1), now + dt.timedelta(days=30)
        )
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    return builder.sign(signing, hashes.SHA256())


def read(octets: Sequence[bytes]) -> list[x509.Certificate]:
    """Certificates of DER. :raises Garbled:"""
    try:
        return [x509.load_der_x509_certificate(one) for one in octets]
    except ValueError as error:
        raise der.Garbled(f"not a certificate: {error}") from None


def unverified(lab: CmpLab, answer: Answer, first: Answer) -> str:
    """Why the protection of a later answer does not hold; empty if it does. pkiConf and pollRep may leave out the certificates that the
    first answer of the operation had (section 3.3)."""
    reply = answer.reply
    if reply is None or reply.protected is None or reply.extra_certs or first.reply is None:
        return lab.unverified(answer)
    try:
        verify(replace(reply.protected, certificates=first.reply.extra_certs), answer.draft.protection, lab.shared.anchors)
    except NotVerified as error:
        return str(error)
    return ""


def holder(certificate: x509.Certificate, answer: Answer) -> Signer:
    """Who got the first certificate of an answer."""
    return Signer(certificate, answer.draft.requests[0].key)


def unsupported(answer: Answer, feature: str) -> None:
    """End a case where a server says that it does not have something. :raises Unsupported:"""
    reply = answer.reply
    if reply is None or reply.body is not Body.ERROR or not reply.refused:
        return
    if reply.statuses[0].failures & {"badRequest", "addInfoNotAvailable"}:
        raise Unsupported(f"{feature}: {reply}")
