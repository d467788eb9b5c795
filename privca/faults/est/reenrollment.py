"""Faults of re-enrollment (RFC 7030 section 4.2.2)."""

from __future__ import annotations

from privca.faults.edits import Edit, instead, unchecked
from privca.faults.est.naming import AS_NEW, NOBODY, fault

_REENROLL, _SAME = "est.rfc7030.simplereenroll:reenroll", "est.rfc7030.simplereenroll:check_same"
_AUTHENTICATED = "identity = await authenticate(call, renews=True)"
_SUBMITTED = "await enrollment.submit(call, identity, requested, id, renews)"
_CHECKED = "check_same(csr, renews)"
_IDENTITY = "Identity = __import__('privca.enrollment.door').enrollment.door.Identity"


def _without_certificate(when: str, identity: str) -> Edit:
    """A request that comes without a client certificate is treated as an enrollment."""
    return instead(
        _REENROLL,
        _AUTHENTICATED,
        f"if call.request.peer.certificate is None and {when}:\n"
        f"        {_IDENTITY}\n"
        f"        identity = {identity}\n"
        "        csr = rfc2986.parse(transfer.read(call.request, transfer.PKCS10, tolerant=call.tolerant), tolerant=call.tolerant)\n"
        "        requested = renamed(csr)\n"
        "        id = enrollment.request_id(identity, requested, csr.attributes)\n"
        "        return enrollment.answer(call, await enrollment.submit(call, identity, requested, id))\n"
        f"    {_AUTHENTICATED}",
    )


FAULTS = (
    fault(
        "reenroll.old-certificate",
        "The certificate that is renewed comes back",
        "4.2.2",
        instead(
            _REENROLL,
            f"return enrollment.answer(call, {_SUBMITTED})",
            "return transfer.reply(transfer.CERTIFICATES, transfer.certificates(renews.der), transfer_encoding=False)",
        ),
    ),
    fault(
        "reenroll.rekey-refused",
        "A new key is refused",
        "4.2.2",
        instead(_REENROLL, _CHECKED, f"{_CHECKED}\n    if csr.spki not in renews.der:\n        csr = rfc2986.parse(b'')"),
    ),
    fault(
        "reenroll.subject-unchecked", "The subject is not compared", "4.2.2", unchecked(_SAME, "the subject of the CSR"), AS_NEW
    ),
    fault(
        "reenroll.names-unchecked",
        "The names are not compared",
        "4.2.2",
        unchecked(_SAME, "the subjectAltName of the CSR"),
        AS_NEW,
    ),
    fault(
        "reenroll.without-certificate",
        "Who presents nothing renews",
        "4.2.2",
        _without_certificate("'authorization' not in call.request.headers", NOBODY),
    ),
    fault(
        "reenroll.password-enough",
        "Who has a password renews without a certificate",
        "4.2.2",
        _without_certificate("'authorization' in call.request.headers", "await authenticate(call)"),
    ),
    fault(
        "reenroll.change-ignored",
        "ChangeSubjectName is overlooked",
        "RFC 6402 section 2.8",
        instead(_REENROLL, "requested = renamed(csr)", "requested = csr"),
    ),
)
