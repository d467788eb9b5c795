"""popdecc: possession of a key that decrypts is proven by decrypting a number (RFC 9810 section 5.2.8.3.3)."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from privca.base.refused import Reason, Refused
from privca.cmp.ports import Part
from privca.cmp.rfc9810 import encrypted
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body, directory_name
from privca.pkix import der, rfc4211, weak
from privca.pkix.rfc5652.identifiers import Identifier

_CLAUSE = "RFC 9810 section 5.2.8.3.3"
_SHA256 = der.tlv(0x30, der.oid(x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")))
NUMBER_OCTETS = 16


async def challenge(call: Call) -> Reply:
    """The challenges of a transaction that was just begun: one for each part that has a number."""
    assert call.transaction is not None
    authority = await call.core.authorities.current(call.authority)
    sender = directory_name(authority.signer.subject_der)
    found: list[bytes] = []
    for part in call.transaction.parts:
        if part.challenge:
            key = rfc4211.parse_one(part.octets).template.public_key()
            found.append(_challenge(call, part, key, sender, first=not found))
    call.exchange.decided("challenged", _CLAUSE)
    return Reply(Body.POPDECC, der.tlv(0x30, *found))


def _challenge(call: Call, part: Part, key: weak.CertifiedPublicKey, sender: bytes, *, first: bool) -> bytes:
    """One Challenge as DER; the one-way function stands in the first (appendix F)."""
    number = der.integer(int.from_bytes(part.challenge, "big"))
    rand = der.tlv(0x30, number, sender)
    # Over the contents of the INTEGER.
    witness = hashlib.sha256(number[2:]).digest()
    if call.message.header.pvno < 3:
        if not isinstance(key, rsa.RSAPublicKey):
            raise Refused(Reason.UNSUPPORTED_VERSION, _CLAUSE, "a challenge for such a key comes in an EnvelopedData: version 3")
        if len(rand) > key.key_size // 8 - 11:
            rand = der.tlv(0x30, number, directory_name(b"\x30\x00"))
        return der.tlv(0x30, _SHA256 if first else b"", der.tlv(4, witness), der.tlv(4, key.encrypt(rand, padding.PKCS1v15())))
    identifier = Identifier(issuer=b"\x30\x00", serial=der.integer(part.id))
    enveloped = encrypted.enveloped(rand, encrypted.for_key(key, identifier), call.exchange.entropy)
    # encryptedRand, [0] EXPLICIT in this module, though EnvelopedData is no CHOICE.
    return der.tlv(0x30, _SHA256 if first else b"", der.tlv(4, witness), b"\x04\x00", der.tlv(0xA0, enveloped))
