"""What a registration authority changes in the requests of others: Modify Certification Request and Add Extensions (RFC 5272 section 6.5).

Read as octets: subject and extensions are made into values where they are applied, since only together with the request are they judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272.values import SEQUENCE, body_part, body_parts

MAXIMUM_EXTENSIONS = 32

_MODIFY = "RFC 5272 section 6.5.1"
_ADD = "RFC 5272 section 6.5.2"
_SUBJECT, _EXTENSIONS = b"\xa5", b"\xa9"
# What is left of a CertTemplate (RFC 4211 section 5): nothing of it is for an RA to set here. A new key would have no proof of
# possession, and the rest belongs to the profile.
_REFUSED = {
    b"\x80": "version",
    b"\x81": "serialNumber",
    b"\xa2": "signingAlg",
    b"\xa3": "issuer",
    b"\xa4": "validity",
    b"\xa6": "publicKey",
    b"\x87": "issuerUID",
    b"\x88": "subjectUID",
}


@der.sequence
class _ModCertTemplate:
    data: list[int]
    requests: list[int]
    replace: Annotated[bool, der.Default(True)]
    template: der.TLV


@der.sequence
class _AddExtensions:
    data: int
    requests: list[int]
    extensions: list[der.TLV]


@dataclass(frozen=True, slots=True)
class Modification:
    """A change of some requests.

    ``data`` is the path to the PKIData with the requests, ``(0,)`` for the one that the control stands in. ``subject`` is a Name (DER) or
    None, ``extensions`` are Extensions (DER): with ``replace`` they take the place of what is there, without it what is there is removed.
    ``additive`` marks the older control, which may not contradict another in the same PKIData.
    """

    data: tuple[int, ...]
    requests: tuple[int, ...]
    replace: bool
    subject: bytes | None = field(repr=False)
    extensions: tuple[bytes, ...] = field(repr=False)
    additive: bool = False


def read_modification(value: bytes) -> Modification:
    """A ModCertTemplate. :raises Refused: ``MALFORMED``; ``BAD_CSR`` for a field that an RA cannot change here."""
    control = der.decode(_ModCertTemplate, value, clause=_MODIFY)
    template = der.encode(control.template)
    if template[:1] != bytes((SEQUENCE,)):
        raise Refused(Reason.MALFORMED, _MODIFY, "certTemplate is not a SEQUENCE")
    subject: bytes | None = None
    extensions: tuple[bytes, ...] = ()
    for element in der.children(template, clause=_MODIFY):
        tag = element[:1]
        if tag == _SUBJECT:
            (subject,) = _children(element, 1)
        elif tag == _EXTENSIONS:
            extensions = tuple(der.children(element, clause=_MODIFY))
        else:
            raise Refused(
                Reason.BAD_CSR,
                _MODIFY,
                "a field of certTemplate that a registration authority cannot change",
                expected="subject or extensions",
                got=_REFUSED.get(tag, tag.hex()),
            )
    if len(extensions) > MAXIMUM_EXTENSIONS:
        raise Refused(Reason.MALFORMED, _MODIFY, "too many extensions", expected=f"at most {MAXIMUM_EXTENSIONS}")
    return Modification(
        body_parts(control.data, _MODIFY), body_parts(control.requests, _MODIFY), control.replace, subject, extensions
    )


def read_added_extensions(value: bytes) -> Modification:
    """An AddExtensions. :raises Refused: ``MALFORMED``."""
    control = der.decode(_AddExtensions, value, clause=_ADD)
    if not 0 < len(control.extensions) <= MAXIMUM_EXTENSIONS:
        raise Refused(Reason.MALFORMED, _ADD, "a wrong number of extensions", expected=f"1 to {MAXIMUM_EXTENSIONS}")
    return Modification(
        (body_part(control.data, _ADD),),
        body_parts(control.requests, _ADD),
        True,
        None,
        tuple(der.encode(extension) for extension in control.extensions),
        additive=True,
    )


def _children(element: bytes, count: int) -> list[bytes]:
    found = der.children(element, clause=_MODIFY)
    if len(found) != count:
        raise Refused(Reason.MALFORMED, _MODIFY, "a field of certTemplate is malformed")
    return found
