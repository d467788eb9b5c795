"""What EST servers send back, read strictly: base64 (RFC 8951 section 3), certs-only messages (RFC 5272 section 4.1), generated keys
(RFC 7030 section 4.4.2) and CSR attributes (RFC 8951 section 4)."""

from __future__ import annotations

import binascii
import email.parser
import email.policy
from dataclasses import dataclass

from cryptography import x509
from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc5652

from conformance import der
from conformance.transport import HttpResponse

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
CERTIFICATES = "application/pkcs7-mime"


class Unreadable(Exception):
    """A reply is not what it has to be: what is wrong with it."""


def unspelled(body: bytes, *, strict: bool = True) -> bytes:
    """The octets of a body in base64; white space counts for nothing.

    :param strict: whether anything else that is no base64 is refused; if not, it is skipped.
    :raises Unreadable:
    """
    text = body.translate(None, b" \t\r\n")
    if not text:
        raise Unreadable("the body is empty")
    try:
        return binascii.a2b_base64(text, strict_mode=strict)
    except (binascii.Error, ValueError) as error:
        what = "PEM" if text.startswith(b"-----") else "DER" if body[:1] == b"\x30" else "something else"
        raise Unreadable(f"the body is no base64 but {what} ({error}): {body[:40]!r}") from None


def parameters(response: HttpResponse) -> dict[str, str]:
    """The parameters of the Content-Type; names in lower case, values without quotes."""
    found = {}
    for part in (response.header("Content-Type") or "").split(";")[1:]:
        name, _, value = part.partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found


@dataclass(frozen=True, slots=True)
class SignedData:
    """A CMS SignedData as far as EST needs it; ``content`` is None if there is none. Certificates are DER, as they came."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[rfc5652.SignerInfo, ...]


def signed_data(octets: bytes) -> SignedData:
    """What is in a ContentInfo. :raises Unreadable:"""
    try:
        info, rest = decoder.decode(octets, asn1Spec=rfc5652.ContentInfo())
        if rest or str(info["contentType"]) != SIGNED_DATA:
            raise Unreadable(f"no ContentInfo with SignedData, but {info['contentType']} with {len(rest)} octets behind it")
        data, rest = decoder.decode(info["content"], asn1Spec=rfc5652.SignedData())
        if rest:
            raise Unreadable("there is something behind the SignedData")
        inside = data["encapContentInfo"]
        return SignedData(
            str(inside["eContentType"]),
            bytes(inside["eContent"]) if inside["eContent"].isValue else None,
            tuple(_certificates(octets)) if data["certificates"].isValue else (),
            tuple(data["signerInfos"]),
        )
    except (PyAsn1Error, der.DerError) as error:
        raise Unreadable(f"no SignedData: {error}"[:300]) from None


def _certificates(octets: bytes) -> list[bytes]:
    """The certificates, as octets: what follows EncapsulatedContentInfo under [0] (RFC 5652 section 5.1)."""
    parts = der.at(der.decode(octets), (1, 0)).parts
    found = [part for part in parts[3:] if part.identifier == b"\xa0"]
    return [der.encode(one) for part in found for one in part.parts if one.identifier == b"\x30"]


def issued(response: HttpResponse) -> tuple[bytes, ...]:
    """The certificates (DER) in a reply, whatever else is in it; none if there are none. :raises Unreadable:"""
    if response.media_type != CERTIFICATES or not response.body:
        return ()
    return signed_data(unspelled(response.body)).certificates


def certificates(response: HttpResponse) -> tuple[x509.Certificate, ...]:
    """Those of a certs-only message. :raises Unreadable:"""
    return certs_only(unspelled(response.body))


def certs_only(octets: bytes) -> tuple[x509.Certificate, ...]:
    """RFC 5272 section 4.1: a SignedData without content and without signers. :raises Unreadable:"""
    found = signed_data(octets)
    if found.content is not None or found.content_type != DATA:
        raise Unreadable(f"a certs-only message has no content, and this one has {found.content_type}")
    if found.signers:
        raise Unreadable("a certs-only message is not signed, and this one is")
    if not found.certificates:
        raise Unreadable("a certs-only message without a certificate")
    try:
        return tuple(x509.load_der_x509_certificate(one) for one in found.certificates)
    except ValueError as error:
        raise Unreadable(f"a certificate that cannot be read: {error}"[:200]) from None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart reply. ``smime`` is its smime-type, ``body`` is as it was sent."""

    media_type: str
    smime: str
    body: bytes


def parts(response: HttpResponse) -> list[Part]:
    """Those of multipart/mixed (RFC 2046 section 5.1), as far as the body goes. :raises Unreadable:"""
    if response.media_type != "multipart/mixed":
        raise Unreadable(f"no multipart/mixed but {response.media_type or 'no media type'}")
    head = f"Content-Type: {response.header('Content-Type')}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + response.body)
    if not message.is_multipart():
        raise Unreadable("the body has no parts with this boundary")
    found = []
    for part in message.iter_parts():
        payload = part.get_payload(decode=False)
        text = payload if isinstance(payload, str) else ""
        smime = part.get_param("smime-type") or ""
        found.append(Part(part.get_content_type(), str(smime), text.encode("utf-8", "surrogateescape")))
    return found


def is_closed(response: HttpResponse) -> bool:
    """Whether a multipart reply ends with its last delimiter."""
    return f"--{parameters(response).get('boundary', '')}--".encode("latin-1", "replace") in response.body


@dataclass(frozen=True, slots=True)
class Entry:
    """AttrOrOID: ``values`` (DER) is None for an OID by itself."""

    oid: str
    values: tuple[bytes, ...] | None = None


def csr_attributes(octets: bytes) -> list[Entry]:
    """CsrAttrs: a SEQUENCE OF OID or Attribute. :raises Unreadable:"""
    found = []
    for element in elements(octets, 0x30):
        if element[0] == 0x06:
            found.append(Entry(identifier(element)))
            continue
        pair = elements(element, 0x30)
        if len(pair) != 2:
            raise Unreadable(f"an Attribute has a type and values, and this has {len(pair)} elements")
        found.append(Entry(identifier(pair[0]), tuple(elements(pair[1], 0x31))))
    return found


def elements(octets: bytes, tag: int) -> list[bytes]:
    """What is directly inside a SEQUENCE (0x30), a SET (0x31), or any constructed element with this first octet. :raises Unreadable:"""
    try:
        value = der.decode(octets)
    except der.DerError as error:
        raise Unreadable(f"no DER: {error}") from None
    if value.identifier != bytes([tag]):
        raise Unreadable(f"expected an element that begins with {tag:#04x}, got {octets[:4].hex()}")
    return [der.encode(part) for part in value.parts]


def identifier(octets: bytes) -> str:
    """An OBJECT IDENTIFIER. :raises Unreadable:"""
    try:
        found, rest = decoder.decode(octets, asn1Spec=univ.ObjectIdentifier())
    except PyAsn1Error as error:
        raise Unreadable(f"no OBJECT IDENTIFIER: {error}"[:200]) from None
    if rest:
        raise Unreadable("there is something behind an OBJECT IDENTIFIER")
    return str(found)
