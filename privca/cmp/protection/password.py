"""Protection by a shared secret: password-based MAC (RFC 9810 section 5.1.3.1, RFC 9481 section 6.1.1) and PBMAC1 (section 6.1.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509

from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused
from privca.cmp.protection import hmac
from privca.pkix import der
from privca.pkix.requested import AlgorithmIdentifier

PASSWORD_BASED_MAC = x509.ObjectIdentifier("1.2.840.113533.7.66.13")
PBMAC1 = x509.ObjectIdentifier("1.2.840.113549.1.5.14")
_PBKDF2 = x509.ObjectIdentifier("1.2.840.113549.1.5.12")
_PBM_OID, _PBMAC1_OID, _PBKDF2_OID = (der.oid(one) for one in (PASSWORD_BASED_MAC, PBMAC1, _PBKDF2))
_SALT_OCTETS = 16
_MAXIMUM_SALT = 1024
_MAXIMUM_KEY = 1024
_PBM_CLAUSE = "RFC 9810 section 5.1.3.1"
_PBMAC1_CLAUSE = "RFC 9481 section 6.1.2"


@der.sequence
class _PbmParameters:
    salt: bytes
    owf: AlgorithmIdentifier
    iterations: int
    mac: AlgorithmIdentifier


@der.sequence
class _Pbm:
    algorithm: x509.ObjectIdentifier
    parameters: _PbmParameters


@der.sequence
class _Pbkdf2Parameters:
    # CHOICE: the other alternative, otherSource, was never used.
    salt: bytes
    iterations: int
    key_length: int | None
    prf: AlgorithmIdentifier | None


@der.sequence
class _Pbkdf2:
    algorithm: x509.ObjectIdentifier
    parameters: _Pbkdf2Parameters


@der.sequence
class _Pbmac1Parameters:
    derivation: _Pbkdf2
    mac: AlgorithmIdentifier


@der.sequence
class _Pbmac1:
    algorithm: x509.ObjectIdentifier
    parameters: _Pbmac1Parameters


@dataclass(frozen=True, slots=True)
class Limits:
    """What a profile accepts of iterations."""

    minimum: int
    maximum: int

    def check(self, iterations: int, clause: str) -> None:
        """Refuse a count that protects nothing, or costs more than the request is worth. :raises Refused: ``BAD_SIGNATURE_ALGORITHM``."""
        if not self.minimum <= iterations <= self.maximum:
            raise Refused(
                Reason.BAD_SIGNATURE_ALGORITHM,
                clause,
                "the iteration count is out of bounds",
                expected=f"{self.minimum} to {self.maximum}",
                got=str(iterations)[:20],
            )


@dataclass(frozen=True, slots=True)
class PasswordMac:
    """The parameters of a MAC under a key derived from a secret. ``scheme`` is ``pbm`` or ``pbmac1``; ``derivation`` names the one-way
    function or PRF, ``mac`` the hash of the HMAC."""

    scheme: str
    salt: bytes
    iterations: int
    derivation: str
    mac: str
    key_octets: int

    def key(self, secret: bytes) -> bytes:
        """The key of the MAC. Takes ``iterations`` hashes: bounds were checked when the parameters were read."""
        if self.scheme == "pbmac1":
            return hashlib.pbkdf2_hmac(self.derivation, secret, self.salt, self.iterations, self.key_octets)
        function = getattr(hashlib, self.derivation)
        value = secret + self.salt
        for _ in range(self.iterations):
            value = function(value).digest()
        return bytes(value)

    def compute(self, key: bytes, message: bytes) -> bytes:
        """The MAC of a message under a derived key."""
        return hmac.compute(key, message, self.mac)

    def for_reply(self, entropy: Entropy, iterations: int) -> PasswordMac:
        """The same algorithms with a salt of our own and at least so many iterations."""
        return PasswordMac(
            self.scheme,
            entropy.octets(_SALT_OCTETS),
            max(iterations, self.iterations),
            self.derivation,
            self.mac,
            self.key_octets,
        )

    def encode(self) -> bytes:
        """As AlgorithmIdentifier, DER."""
        iterations, mac, salt = der.integer(self.iterations), hmac.MAC_IDENTIFIERS[self.mac], der.tlv(0x04, self.salt)
        if self.scheme == "pbm":
            owf = hmac.HASH_IDENTIFIERS[self.derivation]
            return der.tlv(0x30, _PBM_OID, der.tlv(0x30, salt, owf, iterations, mac))
        # SHA-1 is the default, which DER leaves out.
        prf = b"" if self.derivation == "sha1" else hmac.PRF_IDENTIFIERS[self.derivation]
        kdf = der.tlv(0x30, _PBKDF2_OID, der.tlv(0x30, salt, iterations, der.integer(self.key_octets), prf))
        return der.tlv(0x30, _PBMAC1_OID, der.tlv(0x30, kdf, mac))


def parse(algorithm: bytes, limits: Limits) -> PasswordMac | None:
    """The parameters of a protectionAlg (DER); None if it is another kind of protection.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM``, ``MALFORMED``.
    """
    oid = der.decode(AlgorithmIdentifier, algorithm, clause=_PBM_CLAUSE).algorithm
    if oid == PASSWORD_BASED_MAC:
        return _pbm(algorithm, limits)
    return _pbmac1(algorithm, limits) if oid == PBMAC1 else None


def _pbm(algorithm: bytes, limits: Limits) -> PasswordMac:
    parameters = der.decode(_Pbm, algorithm, clause=_PBM_CLAUSE).parameters
    limits.check(parameters.iterations, _PBM_CLAUSE)
    _check_salt(parameters.salt, _PBM_CLAUSE)
    mac = hmac.name(parameters.mac, hmac.MACS, "MAC")
    owf = hmac.name(parameters.owf, hmac.HASHES, "one-way function")
    # HMAC takes a key of any length, so that BASEKEY is neither expanded nor cut (RFC 9045 section 4).
    return PasswordMac("pbm", parameters.salt, parameters.iterations, owf, mac, hmac.size(owf))


def _pbmac1(algorithm: bytes, limits: Limits) -> PasswordMac:
    parameters = der.decode(_Pbmac1, algorithm, clause=_PBMAC1_CLAUSE).parameters
    if parameters.derivation.algorithm != _PBKDF2:
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            _PBMAC1_CLAUSE,
            "unknown key derivation",
            expected="PBKDF2",
            got=parameters.derivation.algorithm.dotted_string,
        )
    derivation = parameters.derivation.parameters
    limits.check(derivation.iterations, _PBMAC1_CLAUSE)
    _check_salt(derivation.salt, _PBMAC1_CLAUSE)
    mac = hmac.name(parameters.mac, hmac.MACS, "MAC")
    prf = "sha1" if derivation.prf is None else hmac.name(derivation.prf, hmac.PRFS, "PRF")
    octets = hmac.size(mac) if derivation.key_length is None else derivation.key_length
    if not 0 < octets <= _MAXIMUM_KEY:
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, _PBMAC1_CLAUSE, "the length of the key is out of bounds")
    return PasswordMac("pbmac1", derivation.salt, derivation.iterations, prf, mac, octets)


def _check_salt(salt: bytes, clause: str) -> None:
    if not 0 < len(salt) <= _MAXIMUM_SALT:
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            clause,
            "the length of the salt is out of bounds",
            expected=f"1 to {_MAXIMUM_SALT} octets",
        )
