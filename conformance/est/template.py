"""CertificationRequestInfoTemplate (RFC 9908 section 3.4): a CSR with blanks."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import der
from conformance.est.replies import Entry, Unreadable, elements, identifier

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
EXTENSION_REQUEST_TEMPLATE = "1.2.840.113549.1.9.16.2.62"
_SUBJECT_ALT_NAME = "2.5.29.17"


@dataclass(frozen=True, slots=True)
class ExtensionTemplate:
    """``value`` is the DER in extnValue, None where the client fills it in."""

    oid: str
    value: bytes | None

    @property
    def is_partial(self) -> bool:
        """Whether a client has to fill something in: all of it, or a name of a subjectAltName that is empty."""
        if self.value is None:
            return True
        if self.oid != _SUBJECT_ALT_NAME:
            return False
        return any(not one.octets or one.octets == b"\x30\x00" for one in der.decode(self.value).parts)


@dataclass(frozen=True, slots=True)
class Template:
    """``subject`` are pairs of type and value (DER; None: a blank), None where the field is absent; ``algorithm`` is that of the key, with
    ``public_key`` (the BIT STRING's octets) where there is one; ``attributes`` are as in a CSR."""

    version: bytes
    subject: tuple[tuple[str, bytes | None], ...] | None
    algorithm: str | None
    public_key: bytes | None
    attributes: tuple[Entry, ...]


def parse(octets: bytes) -> Template:
    """:raises Unreadable: with what is not as the ASN.1 of RFC 9908 appendix A has it."""
    parts = elements(octets, 0x30)
    if not parts or parts[0][:1] != b"\x02":
        raise Unreadable("the template has no version")
    subject, algorithm, public_key, rest = None, None, None, parts[1:]
    if rest and rest[0][:1] == b"\x30":
        subject = tuple(pair for rdn in elements(rest.pop(0), 0x30) for pair in map(_attribute, elements(rdn, 0x31)))
    if rest and rest[0][:1] == b"\xa0":
        key = elements(rest.pop(0), 0xA0)
        if not key:
            raise Unreadable("the key of the template has no algorithm")
        algorithm = identifier(elements(key[0], 0x30)[0]) if elements(key[0], 0x30) else None
        public_key = der.decode(key[1]).octets if len(key) > 1 else None
    if len(rest) != 1 or rest[0][:1] != b"\xa1":
        raise Unreadable(f"the template ends in {[one[:2].hex() for one in rest]}, and not in its attributes")
    found = []
    for one in elements(rest[0], 0xA1):
        pair = elements(one, 0x30)
        if len(pair) != 2:
            raise Unreadable("an attribute of the template has no type and values")
        found.append(Entry(identifier(pair[0]), tuple(elements(pair[1], 0x31))))
    return Template(parts[0], subject, algorithm, public_key, tuple(found))


def _attribute(octets: bytes) -> tuple[str, bytes | None]:
    """SingleAttributeTemplate."""
    pair = elements(octets, 0x30)
    if len(pair) not in (1, 2):
        raise Unreadable("an attribute of the subject has a type, and at most one value")
    return identifier(pair[0]), pair[1] if len(pair) == 2 else None


def extensions(value: bytes) -> list[ExtensionTemplate]:
    """SEQUENCE OF Extension or ExtensionTemplate; the prose of RFC 9908 section 3.4 has one ExtensionTemplate by itself, its module several.

    :raises Unreadable:
    """
    parts = elements(value, 0x30)
    if parts and parts[0][:1] == b"\x06":
        return [_extension(value)]
    return [_extension(one) for one in parts]


def _extension(octets: bytes) -> ExtensionTemplate:
    parts = elements(octets, 0x30)
    if not parts:
        raise Unreadable("an extension without an OID")
    rest = [one for one in parts[1:] if one[:1] != b"\x01"]
    if len(rest) > 1 or (rest and rest[0][:1] != b"\x04"):
        raise Unreadable("an extension has an OID, criticality and a value in an OCTET STRING")
    return ExtensionTemplate(identifier(parts[0]), der.decode(rest[0]).octets if rest else None)
