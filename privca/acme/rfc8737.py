"""The TLS-ALPN challenge (RFC 8737): a certificate made for one handshake, holding the digest of the key authorization.

Its signature, validity and issuer do not matter (section 4), and are not looked at.
"""

from __future__ import annotations

import hashlib
import ipaddress

from cryptography import x509

from privca.acme import rfc8738
from privca.acme.ports import Observation, TlsAlpnProbe
from privca.acme.rfc8555.keyauthorization import key_authorization, mismatch, require_sight
from privca.base.names import Name, NameKind

TYPE = "tls-alpn-01"
CLAUSE = "RFC 8737 section 3"
PROTOCOL = "acme-tls/1"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_OCTET_STRING_32 = b"\x04\x20"


def offered_for(name: Name, wildcard: bool) -> bool:
    """For DNS names and IP addresses; not for wildcards, whose name no handshake can ask for."""
    return not wildcard and (name.kind is NameKind.DNS or rfc8738.allows(TYPE, name))


def plan(name: Name, profile_id: str, token: str, thumbprint: str) -> TlsAlpnProbe:
    """Whom to ask for in the handshake."""
    del token, thumbprint
    return TlsAlpnProbe(profile_id, name, rfc8738.server_name(name) if name.kind is NameKind.IP else name.value)


def judge(observation: Observation, name: Name, token: str, thumbprint: str) -> None:
    """Apply step 4 of section 3 to the certificate that the handshake showed.

    :raises Refused: ``DNS``, ``CONNECTION``, ``TLS``, ``INCORRECT_RESPONSE``.
    """
    require_sight(observation, CLAUSE, name)
    if observation.alpn != PROTOCOL:
        raise mismatch(
            observation,
            CLAUSE,
            name,
            "the server did not negotiate the protocol of this challenge",
            expected=PROTOCOL,
            got=ascii(observation.alpn[:40]) if observation.alpn else "no protocol",
        )
    if observation.certificate is None:
        raise mismatch(observation, CLAUSE, name, "the server showed no certificate")
    try:
        extensions = x509.load_der_x509_certificate(observation.certificate).extensions
    # KeyError: what the parser raises for a number in a TLS feature extension (RFC 7633) that it does not know.
    except (ValueError, KeyError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise mismatch(observation, CLAUSE, name, f"the certificate cannot be read: {str(error)[:80]!a}") from None
    _check_name(extensions, observation, name)
    _check_digest(extensions, observation, name, token, thumbprint)


def _check_name(extensions: x509.Extensions, observation: Observation, name: Name) -> None:
    clause = "RFC 8738 section 6" if name.kind is NameKind.IP else CLAUSE
    try:
        names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        raise mismatch(observation, clause, name, "the certificate has no subjectAltName", expected=str(name)) from None
    if name.kind is NameKind.IP:
        fits = names == [x509.IPAddress(ipaddress.ip_address(name.value))]
    else:
        fits = [one.value.lower() for one in names if isinstance(one, x509.DNSName)] == [name.value] and len(names) == 1
    if fits:
        return
    raise mismatch(
        observation,
        clause,
        name,
        "the subjectAltName of the certificate is not the identifier alone",
        expected=str(name),
        got=", ".join(ascii(str(one.value)[:80]) for one in names[:5]) or "no name",
    )


def _check_digest(extensions: x509.Extensions, observation: Observation, name: Name, token: str, thumbprint: str) -> None:
    try:
        extension = extensions.get_extension_for_oid(ACME_IDENTIFIER)
    except x509.ExtensionNotFound:
        raise mismatch(observation, CLAUSE, name, "the certificate has no acmeIdentifier extension") from None
    if not extension.critical:
        raise mismatch(observation, CLAUSE, name, "the acmeIdentifier extension is not critical")
    digest = hashlib.sha256(key_authorization(token, thumbprint).encode("ascii")).digest()
    value = extension.value.public_bytes()
    if value != _OCTET_STRING_32 + digest:
        raise mismatch(
            observation,
            CLAUSE,
            name,
            "the acmeIdentifier extension does not hold the digest of the key authorization",
            expected=(_OCTET_STRING_32 + digest).hex(),
            got=value[:64].hex(),
        )
