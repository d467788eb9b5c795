"""Faults of enrollment and of what comes back (RFC 7030 sections 4.2.1 and 4.2.3)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.est.naming import fault, with_body, with_status, with_type

_ANSWER, _ENROLL, _WAITING = "est.rfc7030.enrollment:answer", "est.rfc7030.simpleenroll:enroll", "est.rfc7030.enrollment:waiting"
_BODY = "transfer.certificates(outcome.certificate.der)"
_SUBMITS = "return enrollment.answer(call, await enrollment.submit(call, identity, requested, id))"
_CHECKED = "csrattrs.check(call.profile, csr, csr)"
_APPROVAL = "lab-est-approval"


def _replying(statements: str, certificates: str) -> Edit:
    """Another reply of /simpleenroll, made of what was ``issued``."""
    return instead(
        _ENROLL,
        _SUBMITS,
        "issued = await enrollment.submit(call, identity, requested, id)\n"
        f"    {statements}\n"
        f"    return transfer.reply(transfer.CERTIFICATES, transfer.certificates({certificates}), transfer_encoding=False)",
    )


FAULTS = (
    fault("enroll.status-201", "A certificate comes with 201", "4.2.3", with_status(_ANSWER, 201)),
    fault(
        "enroll.media-type-wrong",
        "A certificate comes as one in PEM would",
        "4.2.3",
        with_type(_ANSWER, "application/x-pem-file"),
    ),
    fault(
        "enroll.pem-armour",
        "A certificate comes with PEM armour",
        "RFC 8951 section 3",
        with_body(_ANSWER, "b'-----BEGIN PKCS7-----\\n' + result.body + b'-----END PKCS7-----\\n'"),
    ),
    fault(
        "enroll.with-content",
        "A certificate comes beside a content",
        "RFC 5272 section 4.1",
        instead(
            _ANSWER,
            _BODY,
            "transfer.encode(transfer.certificates_only.__globals__['assemble'](b'x', certificates=[outcome.certificate.der]))",
        ),
    ),
    fault(
        "enroll.bare-certificate",
        "A certificate comes without a message around it",
        "4.2.3",
        instead(_ANSWER, _BODY, "transfer.encode(outcome.certificate.der)"),
    ),
    fault(
        "enroll.chain-included",
        "The issuers come with a certificate",
        "4.2.3",
        _replying("chain = (await call.core.door.chains(issued.certificate))[0].certificates", "issued.certificate.der, *chain"),
    ),
    fault(
        "enroll.another-certificate",
        "Everybody gets the certificate that was issued first",
        "4.2.3",
        _replying("first = enroll.__dict__.setdefault('first', issued.certificate.der)", "first"),
    ),
    fault(
        "enroll.rsa-refused",
        "RSA keys are refused, and the CSR attributes do not say so",
        "4.5.2",
        instead(
            _ENROLL, _CHECKED, f"{_CHECKED}\n    if 'RSA' in type(csr.public_key).__name__:\n        csr = rfc2986.parse(b'')"
        ),
    ),
    fault(
        "csrattrs.kind-of-key-missing",
        "Keys of one curve alone are certified, and the CSR attributes do not say so",
        "4.5.2",
        instead(
            _ENROLL,
            _CHECKED,
            f"{_CHECKED}\n    if getattr(getattr(csr.public_key, 'curve', None), 'name', '') != 'secp256r1':\n"
            "        csr = rfc2986.parse(b'')",
        ),
    ),
    fault(
        "waiting.no-retry-after",
        "202 does not say when to ask again",
        "4.2.3",
        ending(_WAITING, "result = type(result)(202)"),
        like=_APPROVAL,
    ),
    fault(
        "waiting.bad-retry-after",
        "202 says to ask again soon",
        "4.2.3",
        ending(_WAITING, "result = type(result)(202, (('Retry-After', 'soon'),))"),
        like=_APPROVAL,
    ),
    fault(
        "waiting.refused-when-repeated",
        "A request that waits is refused when it comes again",
        "4.2.3",
        instead(
            _ENROLL,
            _SUBMITS,
            "seen = enroll.__dict__.setdefault('seen', set())\n"
            "    if id in seen:\n"
            "        rfc2986.parse(b'')\n"
            "    seen.add(id)\n"
            f"    {_SUBMITS}",
        ),
        like=_APPROVAL,
    ),
)
