"""How the examiner protects its messages, and how it verifies the protection of replies (RFC 9810 section 5.1.3, RFC 9481)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ

from conformance.cmp import algorithms, der
from conformance.cmp.asn1 import PBKDF2_PARAMETERS, PBM_PARAMETER, PBMAC1_PARAMETERS, read
from conformance.cmp.asn1 import field as optional


class Protection(Protocol):
    """Protects messages. ``sender`` is a GeneralName (DER), ``kid`` the senderKID, ``certificates`` begin extraCerts."""

    @property
    def sender(self) -> bytes:
        """Who sends."""

    @property
    def kid(self) -> bytes | None:
        """Which key or secret it is."""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """Certificates that go with it (DER)."""

    @property
    def algorithm(self) -> bytes | None:
        """The AlgorithmIdentifier (DER); None: not protected."""

    def protect(self, part: bytes) -> bytes | None:
        """The protection over a ProtectedPart (DER)."""


@dataclass(frozen=True)
class Unprotected:
    """No protection at all."""

    sender: bytes = der.NULL_DN
    kid: bytes | None = None
    certificates: tuple[bytes, ...] = ()
    algorithm: bytes | None = None

    def protect(self, part: bytes) -> None:
        """Nothing."""
        return


@dataclass(frozen=True)
class Pbm:
    """Password-based MAC (section 5.1.3.1). ``owf`` and ``mac`` are names of hash functions."""

    reference: str
    secret: bytes = field(repr=False)
    owf: str = "sha256"
    mac: str = "sha256"
    iterations: int = 1000
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    sender: bytes = der.NULL_DN
    certificates: tuple[bytes, ...] = ()

    @property
    def kid(self) -> bytes:
        """The reference."""
        return self.reference.encode()

    @property
    def algorithm(self) -> bytes:
        """With the parameters."""
        mac = der.algorithm(algorithms.HMACS[self.mac], der.NULL)
        owf = der.algorithm(algorithms.HASHES[self.owf])
        parameters = der.sequence(der.octets(self.salt), owf, der.integer(self.iterations), mac)
        return der.algorithm(algorithms.PBM, parameters)

    def protect(self, part: bytes) -> bytes:
        """The MAC."""
        return algorithms.mac(algorithms.pbm_key(self.secret, self.salt, self.owf, self.iterations), part, self.mac)


@dataclass(frozen=True)
class Pbmac1(Pbm):
    """PBMAC1 (RFC 9481 section 6.1.2). ``owf`` names the PRF."""

    key_octets: int = 32

    @property
    def algorithm(self) -> bytes:
        """With the parameters."""
        prf = der.algorithm(algorithms.HMACS[self.owf], der.NULL)
        kdf = der.sequence(der.octets(self.salt), der.integer(self.iterations), der.integer(self.key_octets), prf)
        mac = der.algorithm(algorithms.HMACS[self.mac], der.NULL)
        return der.algorithm(algorithms.PBMAC1, der.sequence(der.algorithm(algorithms.PBKDF2, kdf), mac))

    def protect(self, part: bytes) -> bytes:
        """The MAC."""
        key = hashlib.pbkdf2_hmac(self.owf, self.secret, self.salt, self.iterations, self.key_octets)
        return algorithms.mac(key, part, self.mac)


@dataclass(frozen=True)
class Signer:
    """A signature with the key of a certificate. ``chain`` leads from it to a trust anchor."""

    certificate: x509.Certificate
    key: Any = field(repr=False)
    chain: tuple[bytes, ...] = ()
    hash_name: str = "sha256"

    @property
    def sender(self) -> bytes:
        """The certificate's subject."""
        return der.directory_name(self.certificate.subject.public_bytes())

    @property
    def kid(self) -> bytes | None:
        """The certificate's key identifier, if it has one."""
        try:
            found = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return None
        return found.value.digest

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The certificate, then its chain."""
        return (self.certificate.public_bytes(Encoding.DER), *self.chain)

    @property
    def algorithm(self) -> bytes:
        """That of the signature."""
        return algorithms.sign(self.key, b"", self.hash_name)[1]

    def protect(self, part: bytes) -> bytes:
        """The signature."""
        return algorithms.sign(self.key, part, self.hash_name)[0]


class NotVerified(Exception):
    """The protection of a reply does not hold: says why."""


@dataclass(frozen=True, slots=True)
class Protected:
    """What is to be verified of a reply: protectionAlg as OID and parameters (DER), the value, what it is over, and extraCerts (DER)."""

    algorithm: str
    parameters: bytes
    value: bytes
    part: bytes
    certificates: tuple[bytes, ...]


def verify(protected: Protected, protection: Protection, anchors: Sequence[x509.Certificate]) -> str:
    """Verify the protection of a reply: ``mac`` or ``signature``, whichever it is.

    :param protection: that of the request, whose secret a MAC is under.
    :param anchors: where the chain of a signer has to end; none: any signer will do.
    :raises NotVerified: if it does not hold, or is by an algorithm that the examiner does not know.
    """
    try:
        if protected.algorithm in (algorithms.PBM, algorithms.PBMAC1):
            if not isinstance(protection, Pbm):
                raise NotVerified("a MAC, where the request was not protected by one")
            computed = _mac(protected, protection.secret)
            if not hmac.compare_digest(computed, protected.value):
                raise NotVerified("the MAC is not one under the secret of the request")
            return "mac"
        _check_signature(protected, anchors)
        return "signature"
    except (algorithms.Unknown, der.Garbled) as error:
        raise NotVerified(str(error)) from None


def _mac(protected: Protected, secret: bytes) -> bytes:
    if protected.algorithm == algorithms.PBM:
        parameters = read(protected.parameters, PBM_PARAMETER)
        owf = algorithms.hash_name(str(parameters["owf"]["algorithm"]))
        key = algorithms.pbm_key(secret, bytes(parameters["salt"]), owf, _bounded(parameters["iterationCount"]))
        return algorithms.mac(key, protected.part, algorithms.mac_name(str(parameters["mac"]["algorithm"])))
    scheme = read(protected.parameters, PBMAC1_PARAMETERS)
    derivation = read(bytes(scheme["keyDerivationFunc"]["parameters"]), PBKDF2_PARAMETERS)
    prf = optional(derivation, "prf")
    length = optional(derivation, "keyLength")
    mac = algorithms.mac_name(str(scheme["messageAuthScheme"]["algorithm"]))
    key = hashlib.pbkdf2_hmac(
        "sha1" if prf is None else algorithms.mac_name(str(prf["algorithm"])),
        secret,
        bytes(derivation["salt"]),
        _bounded(derivation["iterationCount"]),
        hashlib.new(mac).digest_size if length is None else int(length),
    )
    return algorithms.mac(key, protected.part, mac)


def _bounded(count: Any) -> int:
    if not 0 < int(count) <= 5_000_000:
        raise der.Garbled(f"an iteration count of {int(count)}")
    return int(count)


def _check_signature(protected: Protected, anchors: Sequence[x509.Certificate]) -> None:
    try:
        certificates = [x509.load_der_x509_certificate(octets) for octets in protected.certificates]
    except ValueError:
        raise NotVerified("extraCerts has what is no certificate") from None
    if not certificates:
        raise NotVerified("a signature, and no certificate in extraCerts to verify it with")
    signer = certificates[0]
    if not algorithms.verifies(signer, protected.algorithm, protected.parameters, protected.value, protected.part):
        raise NotVerified("the signature is not one by the first certificate of extraCerts")
    if anchors and not leads_to(signer, certificates[1:], anchors):
        raise NotVerified("the certificate of the signer does not lead to the trust anchors of the run")


def leads_to(certificate: x509.Certificate, others: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> bool:
    """Whether a chain of issuers goes from a certificate to one of the anchors: names and signatures, nothing else."""
    current = certificate
    for _ in range(8):
        if current in anchors or any(_issued(current, anchor) for anchor in anchors):
            return True
        step = next((one for one in others if one != current and _issued(current, one)), None)
        if step is None:
            return False
        current = step
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def parameters_of(identifier: Any) -> tuple[str, bytes]:
    """OID and parameters (DER, or empty) of an AlgorithmIdentifier that pyasn1 read."""
    parameters = identifier["parameters"]
    value = bytes(parameters) if isinstance(parameters, univ.OctetString) and parameters.isValue else b""
    return str(identifier["algorithm"]), value


def encoded(identifier: Any) -> bytes:
    """An AlgorithmIdentifier that pyasn1 read, as DER."""
    made: bytes = encode(identifier)
    return made
