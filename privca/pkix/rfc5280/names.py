"""Distinguished names by short attribute names, and GeneralName to and from :class:`privca.base.names.Name`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from privca.base.names import Name, NameKind, dns_name, email_name, ip_name, uri_name
from privca.base.refused import Reason, Refused

# Upper bounds in characters: RFC 5280 section A.1 (ub-...), RFC 4519 for UID, which has none there: 256 as for a directory's own limit.
_ATTRIBUTES: dict[str, tuple[x509.ObjectIdentifier, int]] = {
    "CN": (NameOID.COMMON_NAME, 64),
    "O": (NameOID.ORGANIZATION_NAME, 64),
    "OU": (NameOID.ORGANIZATIONAL_UNIT_NAME, 64),
    "C": (NameOID.COUNTRY_NAME, 2),
    "ST": (NameOID.STATE_OR_PROVINCE_NAME, 128),
    "L": (NameOID.LOCALITY_NAME, 128),
    "serialNumber": (NameOID.SERIAL_NUMBER, 64),
    "emailAddress": (NameOID.EMAIL_ADDRESS, 255),
    "DC": (NameOID.DOMAIN_COMPONENT, 63),
    "UID": (NameOID.USER_ID, 256),
}
SHORT_NAMES: dict[x509.ObjectIdentifier, str] = {oid: short for short, (oid, _) in _ATTRIBUTES.items()}
"""Short name of each subject attribute that templates know."""
# Controls of ASCII and Latin-1, and halves of surrogate pairs, which no encoding has.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def attribute(short: str, value: str) -> x509.NameAttribute[str]:
    """One attribute of a subject, with the string type and the length that RFC 5280 section A.1 gives it.

    :raises Refused: ``MALFORMED`` for an unknown short name, or a value that the attribute cannot have.
    """

    def refuse(detail: str, *, expected: str) -> Refused:
        return Refused(Reason.MALFORMED, "RFC 5280 section A.1", detail, expected=expected, got=repr(value[:80]))

    if short not in _ATTRIBUTES:
        raise Refused(
            Reason.MALFORMED,
            "RFC 5280 section 4.1.2.4",
            "unknown subject attribute",
            expected=", ".join(_ATTRIBUTES),
            got=repr(short[:80]),
        )
    oid, longest = _ATTRIBUTES[short]
    if not 1 <= len(value) <= longest:
        raise refuse(f"subject attribute {short} has a wrong length", expected=f"1 to {longest} characters")
    if _CONTROL.search(value):
        raise refuse(f"subject attribute {short} has a control character", expected="printable characters")
    if short == "C" and not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise refuse("a country is a code of two capital letters", expected="a code of ISO 3166")
    if short in ("emailAddress", "DC") and not value.isascii():
        raise refuse(f"subject attribute {short} is an IA5String", expected="ASCII characters")
    if short == "serialNumber" and not _printable(value):
        raise refuse(
            "subject attribute serialNumber is a PrintableString", expected="letters, digits and ' ( ) + , - . / : = ? or space"
        )
    try:
        return x509.NameAttribute(oid, value)
    except ValueError:
        # cryptography counts the upper bound of a common name in octets.
        raise refuse(f"subject attribute {short} is too long in UTF-8", expected=f"at most {longest} octets") from None


def _printable(value: str) -> bool:
    return value.isascii() and all(character.isalnum() or character in " '()+,-./:=?" for character in value)


def distinguished_name(attributes: Mapping[str, str]) -> x509.Name:
    """A Name of one attribute per RDN, in the order given, as ``{"CN": "Lab Root", "O": "Lab"}``.

    :raises Refused: ``MALFORMED`` as :func:`attribute` does.
    """
    return x509.Name([attribute(short, value) for short, value in attributes.items()])


def attributes_of(name: x509.Name) -> list[tuple[str, str]]:
    """Attributes of a Name in order, each as its short name (dotted OID where it has none) and its text (hex where it is no text)."""
    found = []
    for item in name:
        value = item.value
        found.append((SHORT_NAMES.get(item.oid, item.oid.dotted_string), value if isinstance(value, str) else value.hex()))
    return found


def general_name(name: Name) -> x509.GeneralName:
    """The GeneralName (RFC 5280 section 4.2.1.6) of a name."""
    match name.kind:
        case NameKind.DNS:
            return x509.DNSName(name.value)
        case NameKind.IP:
            return x509.IPAddress(ipaddress.ip_address(name.value))
        case NameKind.EMAIL:
            return x509.RFC822Name(name.value)
        case NameKind.URI:
            return x509.UniformResourceIdentifier(name.value)


def subject_alternative_name(names: Iterable[Name]) -> x509.SubjectAlternativeName:
    """The extension value that holds these names, in their order."""
    return x509.SubjectAlternativeName([general_name(name) for name in names])


def name_of(general: x509.GeneralName) -> Name:
    """The canonical name of a GeneralName.

    :raises Refused: ``UNSUPPORTED_IDENTIFIER`` for the kinds that we do not certify, else as the kind's own rule says.
    """
    if isinstance(general, x509.DNSName):
        return dns_name(general.value)
    if isinstance(general, x509.IPAddress):
        if isinstance(general.value, ipaddress.IPv4Network | ipaddress.IPv6Network):
            raise Refused(
                Reason.REJECTED_IDENTIFIER,
                "RFC 5280 section 4.2.1.6",
                "an iPAddress has 4 or 16 octets, not an address and a mask",
            )
        return ip_name(str(general.value))
    if isinstance(general, x509.RFC822Name):
        return email_name(general.value)
    if isinstance(general, x509.UniformResourceIdentifier):
        return uri_name(general.value)
    raise Refused(
        Reason.UNSUPPORTED_IDENTIFIER,
        "RFC 5280 section 4.2.1.6",
        "a kind of subjectAltName that we do not certify",
        expected="dNSName, iPAddress, rfc822Name or uniformResourceIdentifier",
        got=type(general).__name__,
    )


def names_of(generals: Iterable[x509.GeneralName]) -> tuple[Name, ...]:
    """The canonical names of GeneralNames in their order, each once."""
    return tuple(dict.fromkeys(name_of(general) for general in generals))
