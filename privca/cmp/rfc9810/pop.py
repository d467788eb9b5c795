"""Proof of possession of the private key (RFC 9810 section 5.2.8): which kind a request has, and whether it holds."""

from __future__ import annotations

import enum
import hmac

from privca.base.refused import Reason, Refused
from privca.cmp.protection import password
from privca.cmp.rfc9810.call import Call
from privca.pkix import rfc4211, weak
from privca.pkix.rfc5652 import wrapping

_CLAUSE = "RFC 9810 section 5.2.8"


class Proof(enum.Enum):
    """How possession is, or will be, proven."""

    GIVEN = "by a signature, or an RA vouches for it"
    ENCRYPTED_CERTIFICATE = "by confirming a certificate that was sent encrypted"
    CHALLENGE = "by answering a challenge"
    NONE_NEEDED = "the key is generated here"


def _refuse(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_POP, clause, detail, expected=expected, got=got)


def judge(call: Call, message: rfc4211.CertReqMsg) -> Proof:
    """Hold the proof of a request against its key.

    :raises Refused: ``BAD_POP``; ``BAD_PUBLIC_KEY``, ``BAD_CSR`` for the key.
    """
    proof = message.proof
    if proof is None:
        if message.template.has_key:
            raise _refuse(_CLAUSE, "the request has a public key and no proof of possession")
        if not call.options.central_key_generation:
            raise Refused(
                Reason.BAD_POP,
                "profile: cmp.central_key_generation",
                "the request has no public key, and this profile generates none",
            )
        return Proof.NONE_NEEDED
    if isinstance(proof, rfc4211.RaVerified):
        # Section 5.2.8.1: an end entity must not use it.
        if not (call.sender.ra or call.nested):
            raise _refuse(
                "RFC 9810 section 5.2.8.1", "raVerified is for registration authorities (extended key usage cmcRA) alone"
            )
        return Proof.GIVEN
    key = message.template.public_key()
    if isinstance(proof, rfc4211.PopSignature):
        tolerant = call.profile.profile.tolerant and call.options.rules != "rfc9483"
        message.check_signature(key, tolerant=tolerant)
        _check_input(call, proof)
        return Proof.GIVEN
    if not wrapping.can_encrypt(key):
        raise _refuse("RFC 9810 section 5.2.8.2", "a key that only signs proves possession by a signature", got=weak.kind(key))
    if proof.method == "encrCert":
        return Proof.ENCRYPTED_CERTIFICATE
    if proof.method == "challengeResp":
        return Proof.CHALLENGE
    raise _refuse(
        "RFC 9810 section 5.2.8.3",
        "this proof of possession is not supported",
        expected="signature, encrCert or challengeResp",
        got=proof.method,
    )


def _check_input(call: Call, proof: rfc4211.PopSignature) -> None:
    """Who is named in a poposkInput is who sent the message (RFC 4211 section 4.1)."""
    clause = "RFC 4211 section 4.1"
    if proof.sender is not None and proof.sender != call.message.header.sender:
        raise _refuse(clause, "poposkInput names another sender than the message")
    if proof.mac is None:
        return
    algorithm, value = proof.mac
    options = call.options
    mac = password.parse(algorithm, password.Limits(options.iterations_minimum, options.iterations_maximum))
    if mac is None or call.secret is None or mac.scheme != "pbm":
        raise _refuse(clause, "publicKeyMAC is a password-based MAC under the secret that protects the message")
    if not hmac.compare_digest(mac.compute(mac.key(call.secret.value), proof.input_key or b""), value):
        raise _refuse(clause, "publicKeyMAC does not verify")
