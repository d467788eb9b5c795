"""Proofs under a shared secret: identity proof (RFC 5272 section 6.2) and the link from identity to proof of possession (section 6.3.1).

Both are a MAC whose key is a hash of the secret. The algorithms are a closed list; SHA-1 is in it because RFC 5274 section 4.1 demands it,
and because collisions, which it no longer resists, do not touch HMAC (RFC 6194 section 3.3). A profile can refuse it (:attr:`Proof.sha1`).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272.values import SEQUENCE, AlgorithmIdentifier, algorithm_identifier, read_octets

MAXIMUM_WITNESS = 64
MAXIMUM_RANDOM = 1024

_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_MACS = {
    "1.3.6.1.5.5.8.1.2": "sha1",  # RFC 3370 section 3.1: hMAC-SHA1
    "1.2.840.113549.2.7": "sha1",  # RFC 8018 section B.1.1: id-hmacWithSHA1, the same function
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_IDENTITY = "RFC 5272 section 6.2.1"
_LINK = "RFC 5272 section 6.3.1.1"


@der.sequence
class _Proof:
    hash: AlgorithmIdentifier
    mac: AlgorithmIdentifier
    witness: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A MAC under a key that is ``hash`` of a shared secret; ``mac`` names the hash of the HMAC."""

    hash: str
    mac: str
    witness: bytes = field(repr=False)

    @property
    def sha1(self) -> bool:
        """Whether SHA-1 is in it."""
        return "sha1" in (self.hash, self.mac)

    def verifies(self, message: bytes, secret: bytes) -> bool:
        """Whether the witness is the MAC of ``message`` under ``secret``; compared in constant time, never cut short."""
        key = hashlib.new(self.hash, secret).digest()
        return hmac.compare_digest(hmac.digest(key, message, self.mac), self.witness)


def read_identity_proof(value: bytes) -> Proof:
    """An IdentityProof (section 6.2.2): SHA-1 and HMAC-SHA1. :raises Refused: ``MALFORMED``."""
    return Proof("sha1", "sha1", read_octets(value, "RFC 5272 section 6.2.2", maximum=MAXIMUM_WITNESS))


def read_identity_proof_v2(value: bytes) -> Proof:
    """An IdentityProofV2 (section 6.2.1). :raises Refused: ``MALFORMED``, ``BAD_SIGNATURE_ALGORITHM``."""
    return _read(value, _IDENTITY)


def read_pop_link_witness(value: bytes) -> Proof:
    """A PopLinkWitness (section 6.3.1.2): SHA-1 and HMAC-SHA1. :raises Refused: ``MALFORMED``."""
    return Proof("sha1", "sha1", read_octets(value, "RFC 5272 section 6.3.1.2", maximum=MAXIMUM_WITNESS))


def read_pop_link_witness_v2(value: bytes) -> Proof:
    """A PopLinkWitnessV2 (section 6.3.1.1). :raises Refused: ``MALFORMED``, ``BAD_SIGNATURE_ALGORITHM``."""
    return _read(value, _LINK)


def identity_secret(secret: bytes, identification: str | None) -> bytes:
    """What the key of an identity proof is the hash of: the secret, and the identification after it if there is one (section 6.2.3)."""
    return secret + (identification or "").encode()


def _read(value: bytes, clause: str) -> Proof:
    # Decoded inside a SEQUENCE by the one type that both controls have.
    if value[:1] != bytes((SEQUENCE,)):
        raise Refused(Reason.MALFORMED, clause, "the control is not a SEQUENCE")
    proof = der.decode(_Proof, value, clause=clause)
    return Proof(
        _known(_HASHES, proof.hash, clause, "SHA-256, SHA-384, SHA-512 or SHA-1"),
        _known(_MACS, proof.mac, clause, "HMAC with SHA-256, SHA-384, SHA-512 or SHA-1"),
        proof.witness,
    )


def _known(table: dict[str, str], algorithm: AlgorithmIdentifier, clause: str, expected: str) -> str:
    identifier = algorithm_identifier(algorithm, clause)
    found = table.get(identifier)
    if found is None:
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            clause,
            "an algorithm of the proof that we do not accept",
            expected=expected,
            got=identifier[:64],
        )
    return found
