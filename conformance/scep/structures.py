"""The structures of CMS (RFC 5652) and SCEP (RFC 8894), as pyasn1 types in which certificates, attributes and recipients stay octets.

Those of pyasn1-modules would take every certificate apart, and put it together again in their own way; here what is signed is what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyasn1.codec.ber import decoder as ber
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import char, namedtype, tag, univ
from pyasn1_modules import rfc5280

from conformance import der
from conformance.scep.ber import BerError, definite

DATA, SIGNED_DATA, ENVELOPED_DATA = (f"1.2.840.113549.1.7.{number}" for number in (1, 2, 3))
NULL = bytes(encoder.encode(univ.Null("")))


class Malformed(Exception):
    """Octets are not what they should be: what they are not."""


def implicit(number: int, constructed: bool = True) -> Any:
    """The context-specific tag of this number."""
    form = tag.tagFormatConstructed if constructed else tag.tagFormatSimple
    return tag.Tag(tag.tagClassContext, form, number)


class Octets(univ.SetOf):  # type: ignore[misc]
    """SET OF anything, each element as its octets."""

    componentType = univ.Any()  # noqa: N815 - pyasn1's name


class Attribute(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 5.3."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("type", univ.ObjectIdentifier()), namedtype.NamedType("values", Octets())
    )


class SignerInfo(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 5.3."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("sid", univ.Any()),
        namedtype.NamedType("digestAlgorithm", rfc5280.AlgorithmIdentifier()),
        namedtype.OptionalNamedType("signedAttrs", Octets().subtype(implicitTag=implicit(0))),
        namedtype.NamedType("signatureAlgorithm", rfc5280.AlgorithmIdentifier()),
        namedtype.NamedType("signature", univ.OctetString()),
        namedtype.OptionalNamedType("unsignedAttrs", Octets().subtype(implicitTag=implicit(1))),
    )


class SignerInfos(univ.SetOf):  # type: ignore[misc]
    """RFC 5652 section 5.1."""

    componentType = SignerInfo()  # noqa: N815


class EncapsulatedContentInfo(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 5.2."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("eContentType", univ.ObjectIdentifier()),
        namedtype.OptionalNamedType("eContent", univ.OctetString().subtype(explicitTag=implicit(0))),
    )


class SignedData(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 5.1."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("digestAlgorithms", Octets()),
        namedtype.NamedType("encapContentInfo", EncapsulatedContentInfo()),
        namedtype.OptionalNamedType("certificates", Octets().subtype(implicitTag=implicit(0))),
        namedtype.OptionalNamedType("crls", Octets().subtype(implicitTag=implicit(1))),
        namedtype.NamedType("signerInfos", SignerInfos()),
    )


class EncryptedContentInfo(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 6.1."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("contentType", univ.ObjectIdentifier()),
        namedtype.NamedType("contentEncryptionAlgorithm", rfc5280.AlgorithmIdentifier()),
        namedtype.OptionalNamedType("encryptedContent", univ.OctetString().subtype(implicitTag=implicit(0, constructed=False))),
    )


class EnvelopedData(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 6.1, without originatorInfo and unprotectedAttrs, which SCEP has no use for."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("recipientInfos", Octets()),
        namedtype.NamedType("encryptedContentInfo", EncryptedContentInfo()),
    )


class KeyTransRecipientInfo(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 6.2.1."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("rid", univ.Any()),
        namedtype.NamedType("keyEncryptionAlgorithm", rfc5280.AlgorithmIdentifier()),
        namedtype.NamedType("encryptedKey", univ.OctetString()),
    )


class ContentInfo(univ.Sequence):  # type: ignore[misc]
    """RFC 5652 section 3."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("contentType", univ.ObjectIdentifier()),
        namedtype.NamedType("content", univ.Any().subtype(explicitTag=implicit(0))),
    )


class Pair(univ.Sequence):  # type: ignore[misc]
    """IssuerAndSerialNumber (RFC 5652 section 10.2.4) and IssuerAndSubject (RFC 8894 section 3.3.3): two elements, each as its octets."""

    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.NamedType("issuer", univ.Any()), namedtype.NamedType("of", univ.Any())
    )


def encode(value: Any) -> bytes:
    """A pyasn1 value as DER."""
    return bytes(encoder.encode(value))


def decode(octets: bytes, specification: Any, what: str) -> Any:
    """Octets, DER or BER, as one value and nothing behind it. :raises Malformed: if they are not."""
    try:
        value, rest = ber.decode(octets, asn1Spec=specification)
    except (PyAsn1Error, ValueError, TypeError, IndexError, RecursionError) as error:
        raise Malformed(f"no {what}: {str(error).splitlines()[0][:120] if str(error) else type(error).__name__}") from None
    if rest:
        raise Malformed(f"{len(rest)} octets behind the {what}")
    return value


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER as DER."""
    return encode(univ.ObjectIdentifier(dotted))


def printable(text: str) -> bytes:
    """A PrintableString as DER."""
    return encode(char.PrintableString(text))


def octet_string(octets: bytes) -> bytes:
    """An OCTET STRING as DER."""
    return encode(univ.OctetString(octets))


def integer(number: int) -> bytes:
    """An INTEGER as DER."""
    return encode(univ.Integer(number))


def algorithm(dotted: str, parameters: bytes = NULL) -> Any:
    """An AlgorithmIdentifier; empty parameters are left out."""
    made = rfc5280.AlgorithmIdentifier()
    made["algorithm"] = dotted
    if parameters:
        made["parameters"] = parameters
    return made


def attribute(kind: str, values: Sequence[bytes]) -> bytes:
    """An Attribute as DER. :param values: DER."""
    made = Attribute()
    made["type"] = kind
    made["values"].extend(values)
    return encode(made)


def content_info(kind: str, content: bytes) -> bytes:
    """A ContentInfo as DER."""
    made = ContentInfo()
    made["contentType"] = kind
    made["content"] = content
    return encode(made)


def pair(issuer: bytes, of: bytes) -> bytes:
    """IssuerAndSerialNumber or IssuerAndSubject as DER."""
    made = Pair()
    made["issuer"] = issuer
    made["of"] = of
    return encode(made)


def content_of(octets: bytes, kind: str, specification: Any, what: str) -> Any:
    """What a ContentInfo of this type holds. :raises Malformed: if it is none, or of another type."""
    info = decode(_definite(octets), ContentInfo(), f"ContentInfo of {what}")
    if str(info["contentType"]) != kind:
        raise Malformed(f"the ContentInfo of {what} is {info['contentType']}")
    return decode(bytes(info["content"]), specification, what)


def _definite(octets: bytes) -> bytes:
    """What is DER, as it is; BER of indefinite length, definite."""
    try:
        der.decode(octets)
    except der.DerError:
        try:
            return definite(octets)
        except BerError as error:
            raise Malformed(f"no CMS: {error}") from None
    return octets


def text_of(octets: bytes) -> tuple[str, str]:
    """The ASN.1 type and the text of a string. :raises Malformed: if it is none."""
    try:
        value, rest = decoder.decode(octets)
        return type(value).__name__, "" if rest else str(value)
    except (PyAsn1Error, UnicodeError, ValueError, IndexError) as error:
        raise Malformed(f"no string: {type(error).__name__}") from None


def elements(octets: bytes) -> list[bytes]:
    """The elements inside one DER element, each as its octets. :raises Malformed: if it is no DER."""
    return [der.encode(part) for part in _decoded(octets).parts]


def value_of(octets: bytes) -> bytes:
    """The content octets of one DER element. :raises Malformed: if it is no DER."""
    return _decoded(octets).octets


def element(identifier: int, octets: bytes) -> bytes:
    """An element of DER from its identifier octet and content."""
    return bytes([identifier]) + der.length(len(octets)) + octets


def _decoded(octets: bytes) -> der.Value:
    try:
        return der.decode(octets)
    except der.DerError as error:
        raise Malformed(str(error)) from None


def issuer_and_serial(certificate: bytes) -> bytes:
    """The IssuerAndSerialNumber of a certificate, from its own octets. :raises Malformed: if it is no certificate."""
    return pair(_fields(certificate)[2], _fields(certificate)[0])


def issuer_of(certificate: bytes) -> bytes:
    """The issuer of a certificate, as its octets."""
    return _fields(certificate)[2]


def subject_of(certificate: bytes) -> bytes:
    """The subject of a certificate, as its octets."""
    return _fields(certificate)[4]


def _fields(certificate: bytes) -> list[bytes]:
    """The fields of a TBSCertificate from the serial number on."""
    parts = elements(certificate)
    fields = elements(parts[0]) if parts else []
    fields = fields[1:] if fields and fields[0][0] == 0xA0 else fields
    if len(fields) < 6:
        raise Malformed("no certificate")
    return fields
