"""A TBSCertificate (RFC 5280 section 4.1) read from its octets: raw where encoding matters, parsed where meaning does."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from cryptography import x509

from privca.base.refused import Refused
from privca.pkix import der
from privca.pkix.rfc5280.tbs import assemble

_CLAUSE = "RFC 5280 section 4.1"
# Enough of a signature for a parser that reads and does not verify.
_NO_SIGNATURE = b"\x00"


@der.sequence
class _Validity:
    not_before: der.TLV
    not_after: der.TLV


@der.sequence
class Extension:
    """One extension; ``value`` is the DER inside its OCTET STRING."""

    id: x509.ObjectIdentifier
    critical: Annotated[bool, der.Default(False)]
    value: bytes


@der.sequence
class Tbs:
    """TBSCertificate with the fields that we fill; one with unique identifiers does not decode, as section 4.1.2.8 wants."""

    version: Annotated[int, der.Explicit(0), der.Default(0)]
    serial: der.TLV
    signature: der.TLV
    issuer: der.TLV
    validity: _Validity
    subject: der.TLV
    spki: der.TLV
    extensions: Annotated[list[Extension] | None, der.Explicit(3)]


class Unreadable(Exception):
    """The octets are no TBSCertificate, or an extension in them cannot be parsed."""


E_ = TypeVar("E_", bound=x509.ExtensionType)


class Reading(msgspec.Struct, frozen=True):
    """``raw`` are the fields as encoded, ``extensions`` the raw extensions by OID (the last one of duplicates), ``parsed`` their meaning."""

    raw: Tbs
    extensions: dict[x509.ObjectIdentifier, Extension]
    parsed: dict[x509.ObjectIdentifier, x509.ExtensionType]
    certificate: x509.Certificate

    def value(self, kind: type[E_]) -> E_ | None:
        """The value of an extension, or None if it is absent."""
        found = self.parsed.get(kind.oid)
        return found if isinstance(found, kind) else None


def read(tbs: bytes) -> Reading:
    """Read a TBS. :raises Unreadable:"""
    try:
        raw = der.decode(Tbs, tbs, clause=_CLAUSE)
    except Refused as refused:
        raise Unreadable(str(refused)) from None
    listed = raw.extensions or []
    extensions = {item.id: item for item in listed}
    try:
        certificate = x509.load_der_x509_certificate(assemble(tbs, der.encode(raw.signature), _NO_SIGNATURE))
        # Duplicates make the parser refuse them all; they are one rule's matter, and the others still have to say theirs.
        parsed = {item.oid: item.value for item in certificate.extensions} if len(extensions) == len(listed) else {}
    except (ValueError, KeyError, x509.UnsupportedGeneralNameType) as error:
        raise Unreadable(f"the parser refuses it: {error}") from None
    return Reading(raw, extensions, parsed, certificate)
