"""Certification requests (RFC 2986), right ones and wrong ones."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from conformance.acme.client import Identifier
from conformance.acme.keys import Key


def general_name(identifier: Identifier) -> x509.GeneralName:
    """An ACME identifier as GeneralName (RFC 8555 section 7.4, RFC 8738 section 4)."""
    if identifier["type"] == "ip":
        return x509.IPAddress(ipaddress.ip_address(identifier["value"]))
    return x509.DNSName(identifier["value"])


def request(
    key: Key,
    identifiers: Iterable[Identifier],
    *,
    common_name: str | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A certification request as DER, with every identifier in its subjectAltName (none if there are none)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name is not None else [])
    builder = x509.CertificateSigningRequestBuilder(subject)
    names = [general_name(identifier) for identifier in identifiers]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    edwards = isinstance(key.private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key.private, None if edwards else hashes.SHA256()).public_bytes(Encoding.DER)


def badly_signed(csr: bytes) -> bytes:
    """The same request with the last octet of its signature changed (the last octet of an ECDSA signature is the end of ``s``)."""
    return csr[:-1] + bytes([csr[-1] ^ 1])
