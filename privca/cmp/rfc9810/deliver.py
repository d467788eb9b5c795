"""How a certificate reaches its client: in clear, encrypted for its own key, or with a key that was made for it (RFC 9810 section 5.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives.serialization import load_der_private_key

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810 import algorithms, encrypted
from privca.cmp.rfc9810.call import Call
from privca.cmp.rfc9810.certrep import CertResponse
from privca.cmp.rfc9810.pop import Proof
from privca.issuance.delegates import Purpose
from privca.pkix import der, rfc4211, weak

if TYPE_CHECKING:
    from privca.cmp.rfc9810.enroll import Outcome
    from privca.issuance.profile import Revisioned

_CLAUSE = "RFC 9483 section 4.1.6"
_MADE = frozenset(algorithms.KEYS) - {"Ed448", "X448"}
"""Kinds of keys that are made for clients."""


async def response(call: Call, outcome: Outcome) -> CertResponse:
    """The answer that carries a certificate. :raises Refused: if it cannot be delivered as the client wants it."""
    certificate, asked = outcome.certificate, outcome.asked
    assert certificate is not None
    assert certificate.der is not None
    call.exchange.decided("issued", "profile: template", serial=certificate.serial.hex(), issuer=certificate.authority)
    granted = CertResponse.granted(outcome.id, certificate.der, outcome.modified)
    if outcome.encrypted or (asked is not None and asked.proof is Proof.ENCRYPTED_CERTIFICATE):
        return CertResponse(outcome.id, granted.status, encrypted=encrypted.certificate(call, certificate.der))
    if asked is None or not asked.private:
        return granted
    kga = await call.core.delegates.current(certificate.authority, Purpose.KGA)
    spki = asked.submission.csr.spki
    key = await encrypted.private_key(call, asked.private, spki, kga, call.core.keys)
    return CertResponse(outcome.id, granted.status, certificate.der, private_key=encrypted.encrypted_key(key))


def check_version(call: Call, profile: Revisioned) -> None:
    """Whether a private key can be answered with. :raises Refused: ``UNSUPPORTED_VERSION``."""
    # OpenSSL asks for it under version 2, and takes it.
    tolerant = profile.profile.tolerant and call.options.rules != "rfc9483"
    if call.message.header.pvno < 3 and not tolerant:
        raise Refused(
            Reason.UNSUPPORTED_VERSION,
            _CLAUSE,
            "a private key comes in an EnvelopedData, for which version 3 is needed",
            got="2",
        )


async def generated(call: Call, message: rfc4211.CertReqMsg, profile: Revisioned) -> tuple[weak.CertifiedPublicKey, bytes]:
    """A key that is made for a request: its public half, and PrivateKeyInfo (DER).

    :raises Refused: ``UNSUPPORTED_VERSION``, ``BAD_PUBLIC_KEY``, ``UNAUTHORIZED``; ``BAD_SIGNATURE_ALGORITHM`` if nothing can be encrypted
        for who asks.
    """
    check_version(call, profile)
    if call.sender.method == "approval" or profile.profile.approval_always:
        raise Refused(
            Reason.UNAUTHORIZED,
            "profile: approval_always",
            "a key that is made here is handed out at once, and this request has to wait",
        )
    encrypted.recipient(call)
    wanted = message.template.key_algorithm
    kind: str = profile.profile.cmp.central_key
    if wanted is not None:
        asked = algorithms.KINDS.get(der.encode(wanted), "")
        kind = "RSA-2048" if asked == "RSA" else asked
        if asked not in profile.profile.keys or asked not in _MADE:
            raise Refused(
                Reason.BAD_PUBLIC_KEY,
                "profile: keys",
                "this profile generates no keys of this kind",
                expected=", ".join(kind for kind in profile.profile.keys if kind in _MADE),
                got=asked or wanted.algorithm.dotted_string,
            )
    private = await call.core.maker.make(kind)
    public = cast("weak.CertifiedPublicKey", load_der_private_key(private, None).public_key())
    return public, private
