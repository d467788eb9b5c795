"""Direct proof of possession (RFC 5272 section 6.7): for keys that only decipher, a value that its holder alone can read.

The server keeps nothing: the value follows from its secret, the day, the profile, who asks and the request, so that the answer can be
verified when it comes, that day or the next one. Section 6.7 describes this way.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, mlkem, rsa, x25519

from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity
from privca.est.rfc5272.certification import Certification
from privca.est.rfc5272.failures import PopRequired
from privca.pkix import der
from privca.pkix.rfc5272.possession import DecryptedPop, encrypted_pop
from privca.pkix.rfc5652 import enveloped_data, wrapping
from privca.pkix.rfc5652.identifiers import Identifier

_CLAUSE = "RFC 5272 section 6.7"
_NO_NAME = b"\x30\x00"  # erratum 8027: NULL-DN


class PopChallenges:
    """Makes challenges and knows the answers. :param key: secret, the same in all workers of one store."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def challenge(self, profile_id: str, identity: Identity, one: Certification, now: datetime, entropy: Entropy) -> PopRequired:
        """The refusal that asks for possession of the key of a request.

        :raises Refused: ``BAD_POP`` for a key to which nothing can be encrypted.
        """
        value = self._value(profile_id, identity, one, now)
        enveloped = enveloped_data.encrypt(value, [_recipient(one)], entropy)
        return PopRequired(
            _CLAUSE,
            "the key of the request is to prove that it deciphers",
            encrypted_pop(one.element, enveloped, hashlib.sha256(value).digest()),
        )

    def verify(self, profile_id: str, identity: Identity, one: Certification, answer: DecryptedPop, now: datetime) -> bool:
        """Whether this is the answer to the challenge of today or yesterday."""
        for day in (now, now - timedelta(days=1)):
            value = self._value(profile_id, identity, one, day)
            if hmac.compare_digest(hmac.digest(value, one.element, "sha256"), answer.value):
                return True
        return False

    def _value(self, profile_id: str, identity: Identity, one: Certification, now: datetime) -> bytes:
        """The POP Proof Value: 64 octets, as many as the HMAC takes of it."""
        message = b""
        for part in (f"{now:%Y-%m-%d}".encode(), profile_id.encode(), identity.id.encode(), one.element):
            message += len(part).to_bytes(4, "big") + part
        return hmac.digest(self._key, message, "sha512")


def _recipient(one: Certification) -> wrapping.Wrap:
    key = one.requested.public_key
    # Section 6.7: by the key identifier of the request; else no name, and its body part as the serial number.
    identifier = (
        Identifier(key=one.key_identifier) if one.key_identifier else Identifier(issuer=_NO_NAME, serial=der.integer(one.body))
    )
    if isinstance(key, rsa.RSAPublicKey):
        return wrapping.key_transport(key, identifier)
    if isinstance(key, ec.EllipticCurvePublicKey | x25519.X25519PublicKey):
        return wrapping.key_agreement(key, identifier)
    if isinstance(key, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey):
        return wrapping.kem(key, identifier)
    raise Refused(Reason.BAD_POP, _CLAUSE, "a key of this kind does not decipher; it proves possession by a signature")
