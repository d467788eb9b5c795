"""A request as a registration authority wants it (RFC 5272 section 6.5): fields replaced, removed, extensions added."""

from __future__ import annotations

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.est.rfc5272.authority import Authority
from privca.issuance.ports import Requested
from privca.pkix import der
from privca.pkix.requested import Extension, check_extensions
from privca.pkix.rfc4211 import CertTemplate

_ADD = "RFC 5272 section 6.5.2"
_NO_NAME = b"\x30\x00"


def modified(requested: Requested, body: int, authority: Authority) -> Requested:
    """The request of a body part after all changes, innermost first; itself if there are none.

    :raises Refused: ``MALFORMED`` for additions in one message that contradict each other, ``BAD_CSR``.
    """
    changes = [(control, here, one) for control, here, one in authority.modifications() if body in one.requests]
    if not changes:
        return requested
    subject = requested.subject.public_bytes()
    extensions = {
        one.oid: Extension(id=one.oid, critical=one.critical, value=one.value.public_bytes()) for one in requested.extensions
    }
    added: dict[tuple[bool, x509.ObjectIdentifier], bytes] = {}
    for control, here, one in changes:
        if one.subject is not None:
            subject = one.subject if one.replace else _NO_NAME
        for octets in one.extensions:
            extension = der.decode(Extension, octets, clause="RFC 5280 section 4.1")
            if one.additive:
                _check_addition(added, here, extension, octets, control)
            if one.replace:
                extensions[extension.id] = extension
            else:
                extensions.pop(extension.id, None)
    wanted = list(extensions.values())
    if wanted:
        check_extensions(wanted)
    template = CertTemplate(der=requested.der, subject=subject, extensions=tuple(wanted))
    return template.requested(requested.der, public_key=requested.public_key)


def _check_addition(
    added: dict[tuple[bool, x509.ObjectIdentifier], bytes], here: bool, extension: Extension, octets: bytes, control: int
) -> None:
    """Section 6.5.2: within one PKIData a conflict is refused; between several the outermost counts."""
    before = added.setdefault((here, extension.id), octets)
    if before != octets:
        raise Refused(
            Reason.MALFORMED,
            _ADD,
            f"the control in body part {control} contradicts another one of the same message",
            got=extension.id.dotted_string,
        )
