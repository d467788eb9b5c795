"""Proof of possession beside a signature: what a registration authority says of it (RFC 5272 section 6.8), and challenge and response for
keys that only decipher (section 6.7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272.values import (
    SEQUENCE,
    AlgorithmIdentifier,
    algorithm_identifier,
    body_part,
    body_parts,
    octet_string,
)

_WITNESS = "RFC 5272 section 6.8"
_CHALLENGE = "RFC 5272 section 6.7"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_HMAC_IDENTIFIER = bytes.fromhex("300a06082a864886f70d0209")
_SHA256_IDENTIFIER = bytes.fromhex("300b0609608648016503040201")
_MAC_OCTETS = 32


@der.sequence
class _LraPopWitness:
    data: int
    bodies: list[int]


@der.sequence
class _DecryptedPop:
    body: int
    algorithm: AlgorithmIdentifier
    value: bytes


@dataclass(frozen=True, slots=True)
class PopWitness:
    """The requests of which the RA has proof of possession: in the message inside that has the identifier ``data``, 0 in this one."""

    data: int
    requests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecryptedPop:
    """The answer to a challenge for the request of a body part: an HMAC with SHA-256."""

    request: int
    value: bytes = field(repr=False)


def read_pop_witness(value: bytes) -> PopWitness:
    """An LraPopWitness. :raises Refused: ``MALFORMED``."""
    witness = der.decode(_LraPopWitness, value, clause=_WITNESS)
    return PopWitness(body_part(witness.data, _WITNESS), body_parts(witness.bodies, _WITNESS))


def read_decrypted_pop(value: bytes) -> DecryptedPop:
    """A DecryptedPOP. :raises Refused: ``MALFORMED``; ``BAD_SIGNATURE_ALGORITHM`` for another algorithm than was asked for."""
    answer = der.decode(_DecryptedPop, value, clause=_CHALLENGE)
    if algorithm_identifier(answer.algorithm, _CHALLENGE) != _HMAC_SHA256:
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            _CHALLENGE,
            "thePOPAlgID is copied from the challenge",
            expected="HMAC with SHA-256",
            got=answer.algorithm.algorithm.dotted_string[:64],
        )
    if len(answer.value) != _MAC_OCTETS:
        raise Refused(Reason.MALFORMED, _CHALLENGE, "thePOP has a wrong length", expected=f"{_MAC_OCTETS} octets")
    return DecryptedPop(body_part(answer.body, _CHALLENGE), answer.value)


def encrypted_pop(request: bytes, enveloped: bytes, witness: bytes) -> bytes:
    """An EncryptedPOP as DER, that asks for an HMAC with SHA-256.

    :param request: the TaggedRequest as it was received.
    :param enveloped: a ContentInfo with EnvelopedData, whose content is the POP Proof Value.
    :param witness: SHA-256 of the POP Proof Value.
    """
    return der.tlv(SEQUENCE, request, enveloped, _HMAC_IDENTIFIER, _SHA256_IDENTIFIER, octet_string(witness))
