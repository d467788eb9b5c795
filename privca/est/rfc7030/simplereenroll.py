"""``/simplereenroll`` (RFC 7030 section 4.2.2): the client certificate of the connection is renewed, or rekeyed if the CSR has another key."""

from __future__ import annotations

from cryptography import x509

from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.est import csrattrs
from privca.est.rfc6402 import renamed
from privca.est.rfc7030 import enrollment, linking, transfer
from privca.est.rfc7030.authentication import authenticate
from privca.est.rfc7030.call import Call
from privca.issuance.ports import Certificate
from privca.pkix import rfc2986
from privca.pkix.rfc5280.names import names_of

_CLAUSE = "RFC 7030 section 4.2.2"


async def reenroll(call: Call) -> Response:
    """Authenticate by the certificate that is renewed, read, compare, judge, issue."""
    identity = await authenticate(call, renews=True)
    renews = identity.certificate
    assert renews is not None
    octets = transfer.read(call.request, transfer.PKCS10, tolerant=call.tolerant)
    csr = rfc2986.parse(octets, tolerant=call.tolerant)
    linking.check(call, identity, csr.challenge_password)
    check_same(csr, renews)
    csrattrs.check(call.profile, csr, csr)
    requested = renamed(csr)
    id = enrollment.request_id(identity, requested, csr.attributes, b"renews")
    return enrollment.answer(call, await enrollment.submit(call, identity, requested, id, renews))


def check_same(csr: rfc2986.CertificationRequest, renews: Certificate) -> None:
    """Subject and subjectAltName of the CSR are those of the certificate; other ones stand in ChangeSubjectName, and the profile judges
    that (``rename``).

    :raises Refused: ``BAD_CSR``.
    """
    assert renews.der is not None
    certificate = x509.load_der_x509_certificate(renews.der)
    if csr.subject != certificate.subject:
        raise Refused(
            Reason.BAD_CSR,
            _CLAUSE,
            "the subject of the CSR is not that of the certificate that it renews",
            expected=certificate.subject.rfc4514_string()[:200] or "an empty subject",
            got=csr.subject.rfc4514_string()[:200] or "an empty subject",
        )
    names = _names(certificate)
    if set(csr.names) != set(names):
        raise Refused(
            Reason.BAD_CSR,
            _CLAUSE,
            "the subjectAltName of the CSR is not that of the certificate that it renews",
            expected=", ".join(name.value for name in names)[:200] or "none",
            got=", ".join(name.value for name in csr.names)[:200] or "none",
        )


def _names(certificate: x509.Certificate) -> tuple[Name, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return names_of(found.value)
