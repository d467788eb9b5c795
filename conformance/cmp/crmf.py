"""Requests for certificates as the examiner writes them (RFC 4211), part by part, and the proof that goes with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.cmp import algorithms, der

RA_VERIFIED = b"\x80\x00"
ENCRYPTED_CERTIFICATE = der.tlv(0xA2, b"\x81\x01\x00")
CHALLENGE = der.tlv(0xA2, b"\x81\x01\x01")
"""POPOPrivKey keyEncipherment, subsequentMessage encrCert and challengeResp (section 4.2)."""
CONTROL = "1.3.6.1.5.5.7.5.1."
OLD_CERT_ID, PROTOCOL_ENCRYPTION_KEY, REG_TOKEN, AUTHENTICATOR, PKI_ARCHIVE_OPTIONS, PUBLICATION = (
    f"{CONTROL}{number}" for number in (5, 6, 1, 2, 4, 3)
)


def spki(key: Any) -> bytes:
    """SubjectPublicKeyInfo (DER) of a private key's other half."""
    made: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made


def common_name(text: str) -> bytes:
    """A Name (DER) of one common name."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]).public_bytes()


def extension(value: x509.ExtensionType, *, critical: bool = False) -> bytes:
    """An Extension (DER)."""
    return der.sequence(der.oid(value.oid.dotted_string), b"\x01\x01\xff" if critical else b"", der.octets(value.public_bytes()))


def control(dotted: str, value: bytes) -> bytes:
    """AttributeTypeAndValue (DER)."""
    return der.sequence(der.oid(dotted), value)


def cert_id(certificate: x509.Certificate, *, issuer: bytes | None = None, serial: int | None = None) -> bytes:
    """CertId (section 6.5) of a certificate, or with another issuer (Name, DER) or serial number."""
    name = certificate.issuer.public_bytes() if issuer is None else issuer
    return der.sequence(der.directory_name(name), der.integer(certificate.serial_number if serial is None else serial))


@dataclass(frozen=True)
class CertRequest:
    """A CertReqMsg.

    ``subject`` is a Name (DER), None: absent. ``fields`` are those of the template by their tags, with it (DER), in place of what follows
    from the others; an empty one is left out. ``proof`` is a ProofOfPossession (DER), empty: absent, None: a signature by ``signer``, or by
    ``key``; ``signed`` is what is signed in place of the CertRequest.
    """

    key: Any = field(default=None, repr=False)
    subject: bytes | None = None
    id: int = 0
    extensions: tuple[bytes, ...] = ()
    controls: tuple[bytes, ...] = ()
    fields: Mapping[int, bytes] = field(default_factory=dict)
    proof: bytes | None = None
    signer: Any = field(default=None, repr=False)
    signed: bytes | None = field(default=None, repr=False)
    spoil: bool = False
    input: bytes = b""
    """A POPOSigningKeyInput (DER, a SEQUENCE) that is signed and sent; empty: none."""
    registration: bytes = b""

    def template(self) -> bytes:
        """CertTemplate (DER)."""
        found: dict[int, bytes] = {}
        if self.subject is not None:
            found[5] = der.tlv(0xA5, self.subject)
        if self.key is not None:
            found[6] = b"\xa6" + spki(self.key)[1:]
        if self.extensions:
            found[9] = der.tlv(0xA9, *self.extensions)
        found |= self.fields
        return der.sequence(*(found[number] for number in sorted(found)))

    def request(self) -> bytes:
        """CertRequest (DER)."""
        return der.sequence(der.integer(self.id), self.template(), der.sequence(*self.controls) if self.controls else b"")

    def encode(self) -> bytes:
        """CertReqMsg (DER)."""
        request = self.request()
        return der.sequence(request, self._proof(request) if self.proof is None else self.proof, self.registration)

    def _proof(self, request: bytes) -> bytes:
        octets = self.signed if self.signed is not None else self.input or request
        signature, algorithm = algorithms.sign(self.signer or self.key, octets)
        if self.spoil:
            signature = signature[:-1] + bytes((signature[-1] ^ 1,))
        given = b"\xa0" + self.input[1:] if self.input else b""
        return der.tlv(0xA1, given, algorithm, der.bits(signature))


def signing_key_input(auth_info: bytes, public_key: bytes) -> bytes:
    """POPOSigningKeyInput (section 4.1). :param auth_info: [0] GeneralName, or PKMACValue (DER)."""
    return der.sequence(auth_info, public_key)
