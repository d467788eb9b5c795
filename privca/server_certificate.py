"""The certificate of the server's own TLS listener: read it, tell whether it fits, and in a lab have the root issue it.

Key and chain of a lab lie in one file, so that a renewal is one rename and no reader ever sees halves that do not match.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from privca.base.names import Name, dns_name, ip_name
from privca.base.refused import Refused
from privca.composition import Parts, replace_file
from privca.config import Config
from privca.issuance.issue import Request
from privca.issuance.profile import Profile, Revisioned, SubjectRule, Template
from privca.keys.files import read_private
from privca.pkix import rfc2986
from privca.pkix.rfc5280.names import subject_alternative_name

PROFILE_ID = "server"
"""What the records of these certificates name as their profile; it has no endpoint."""
ServerKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_MAXIMUM = 1 << 18
EARLY = timedelta(days=10)
"""So long before its end a lab's server certificate is renewed."""


class UnusableCertificateError(Exception):
    """The server's certificate or key cannot be used: one sentence with the cure."""


def read_server_certificate(config: Config) -> tuple[list[x509.Certificate], ServerKey]:
    """Chain (own first) and private key. :raises UnusableCertificateError: if they are missing, open to others, or do not belong together."""
    certificate, key_file = config.file(config.server.certificate), config.file(config.server.key)
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    except OSError as error:
        raise UnusableCertificateError(
            f"{certificate}: {error.strerror}; [server] certificate names the PEM file of the server's certificate"
        ) from None
    except ValueError:
        raise UnusableCertificateError(f"{certificate}: has no certificates in PEM") from None
    try:
        key = load_pem_private_key(read_private(key_file, _MAXIMUM), None)
    except Refused as refused:
        raise UnusableCertificateError(str(refused)) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: what a parser says of a file with a key in it stays here.
        raise UnusableCertificateError(f"{key_file}: has no private key without a passphrase in PEM") from None
    if not isinstance(key, ServerKey):
        raise UnusableCertificateError(f"{key_file}: is no EC, RSA or Ed25519 key, which TLS clients know")
    if _spki(key.public_key()) != _spki(chain[0].public_key()):
        raise UnusableCertificateError(f"{key_file}: is not the key of the certificate in {certificate}")
    return chain, key


def fits(certificate: x509.Certificate, config: Config, now: datetime) -> bool:
    """Whether it names all hosts of the configuration and does not end soon."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    there = {str(one) for one in names.get_values_for_type(x509.IPAddress)} | set(names.get_values_for_type(x509.DNSName))
    return there >= set(config.server.hosts) and now + EARLY < certificate.not_valid_after_utc


async def issue_server_certificate(parts: Parts) -> None:
    """Have the lab's root certify a new key for the hosts of the configuration, and put both into the server's file at once."""
    config = parts.config
    names = tuple(_name(host) for host in config.server.hosts)
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(subject_alternative_name(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    profile = Revisioned(
        id=PROFILE_ID,
        revision=1,
        profile=Profile(
            protocol="acme",
            issuer=next(name for name, authority in config.ca.items() if not authority.parent),
            template=PROFILE_ID,
            authentication=("account",),
        ),
        template=Template(subject={"CN": SubjectRule(source="first-name")}),
    )
    exchange = parts.exchange(PROFILE_ID)
    request = Request(exchange.id, "operator", rfc2986.parse(csr.public_bytes(Encoding.DER)), names)
    issued = await parts.issuer.issue(exchange, profile, request)
    assert issued.der is not None
    leaf = x509.load_der_x509_certificate(issued.der).public_bytes(Encoding.PEM)
    replace_file(config.file(config.server.key), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf)


def _name(host: str) -> Name:
    try:
        return ip_name(host)
    except Refused:
        return dns_name(host)


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
