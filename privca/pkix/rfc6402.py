"""The Change Subject Name attribute of a certification request (RFC 6402 section 2.8, with errata 3943 and 8385).

A client that proves its identity by a certificate repeats the names of that certificate in its request; the names that it wants instead
stand in this attribute. RFC 7030 section 4.2.2 refers to it for re-enrollment.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.x509 import ObjectIdentifier

from privca.base.refused import Reason, Refused
from privca.pkix import der

CHANGE_SUBJECT_NAME = ObjectIdentifier("1.3.6.1.5.5.7.7.36")

_CLAUSE = "RFC 6402 section 2.8"
# The tag of subjectAlt is the erratum's; the module of appendix A.1 had none, and no client can have used that: both fields are SEQUENCEs.
_NAME, _ALT = 0x30, 0xA1
_MAXIMUM_OCTETS = 1 << 14


@dataclass(frozen=True, slots=True)
class ChangeSubjectName:
    """The names wanted: a Name and GeneralNames as DER. What is None is absent from the certificate, not kept as it was."""

    subject: bytes | None
    subject_alt: bytes | None


def read_change_subject_name(value: bytes) -> ChangeSubjectName:
    """A ChangeSubjectName (DER). :raises Refused: ``BAD_CSR``."""
    parts = der.children(value, clause=_CLAUSE) if value[:1] == bytes((_NAME,)) and len(value) <= _MAXIMUM_OCTETS else []
    subject = parts.pop(0) if parts and parts[0][0] == _NAME else None
    alternative = parts.pop(0) if parts and parts[0][0] == _ALT else None
    if parts or (subject is None and alternative is None):
        raise Refused(Reason.BAD_CSR, _CLAUSE, "not a ChangeSubjectName with a subject or a subjectAlt")
    names = None if alternative is None else der.tlv(_NAME, *der.children(alternative, clause=_CLAUSE))
    return ChangeSubjectName(subject, names)
