"""RecipientInfos as they come (RFC 5652 section 6.2, RFC 9629 section 3): parsed, and nothing computed with them yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5652.identifiers import Identifier, identifier_of

_CLAUSE = "RFC 5652 section 6.2"
_SEQUENCE, _BIT_STRING = 0x30, 0x03
_AGREEMENT, _PRE_SHARED, _PASSWORD, _OTHER = 0xA1, 0xA2, 0xA3, 0xA4
_ORIGINATOR_KEY, _KEY_IDENTIFIER = 0xA1, 0xA0
_ORI_KEM = "1.2.840.113549.1.9.16.13.3"


@der.sequence
class _KeyTransport:
    version: int
    rid: der.TLV
    algorithm: der.TLV
    encrypted: bytes


@der.sequence
class _OriginatorKey:
    algorithm: der.TLV
    public_key: der.BitString


@der.sequence
class _EncryptedKey:
    rid: der.TLV
    encrypted: bytes


@der.sequence
class _KeyAgreement:
    version: int
    originator: Annotated[der.Null | der.TLV, der.Explicit(0)]
    ukm: Annotated[bytes | None, der.Explicit(1)]
    algorithm: der.TLV
    keys: list[_EncryptedKey]


@der.sequence
class _KeyIdentifier:
    identifier: bytes
    date: der.GeneralizedTime | None
    other: der.Null | der.TLV | None


@der.sequence
class _PreShared:
    version: int
    key: _KeyIdentifier
    algorithm: der.TLV
    encrypted: bytes


@der.sequence
class _Derivation:
    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@der.sequence
class _Password:
    version: int
    derivation: Annotated[_Derivation | None, der.Implicit(0)]
    algorithm: der.TLV
    encrypted: bytes


@der.sequence
class _Other:
    type: x509.ObjectIdentifier
    value: der.TLV


@der.sequence
class _Kem:
    version: int
    rid: der.TLV
    kem: der.TLV
    ciphertext: bytes
    kdf: der.TLV
    kek_octets: int
    ukm: Annotated[bytes | None, der.Explicit(0)]
    wrap: der.TLV
    encrypted: bytes


@dataclass(frozen=True, slots=True)
class KeyTransport:
    """A content-encryption key that is encrypted for an RSA key (section 6.2.1)."""

    identifier: Identifier
    algorithm: bytes
    encrypted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyAgreement:
    """One that is wrapped under a secret agreed with a static key (section 6.2.2): one for each recipient of the same originator.

    ``point`` is the originator's public key, ``originator`` the OID of its kind.
    """

    identifier: Identifier
    originator: str
    point: bytes
    ukm: bytes | None
    algorithm: bytes
    encrypted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreShared:
    """One that is wrapped under a key that both sides have (section 6.2.3)."""

    key_identifier: bytes
    algorithm: bytes
    encrypted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """One that is wrapped under a key made from a password (section 6.2.4). ``derivation`` is DER, empty if it is absent."""

    derivation: bytes
    algorithm: bytes
    encrypted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kem:
    """One that is wrapped under a secret that was encapsulated for a static key (RFC 9629 section 3)."""

    identifier: Identifier
    kem: bytes
    ciphertext: bytes
    kdf: bytes
    kek_octets: int
    ukm: bytes | None
    wrap: bytes
    encrypted: bytes = field(repr=False)


Recipient: TypeAlias = KeyTransport | KeyAgreement | PreShared | Password | Kem


def read(element: bytes) -> tuple[Recipient, ...]:
    """The recipients in one RecipientInfo; none for a kind that we do not know, which may be meant for others.

    :raises Refused: ``MALFORMED``.
    """
    tag, sequence = element[0], bytes((_SEQUENCE,)) + element[1:]
    if tag == _SEQUENCE:
        transport = der.decode(_KeyTransport, element, clause="RFC 5652 section 6.2.1")
        return (KeyTransport(identifier_of(transport.rid), der.encode(transport.algorithm), transport.encrypted),)
    if tag == _AGREEMENT:
        return _agreement(der.decode(_KeyAgreement, sequence, clause="RFC 5652 section 6.2.2"))
    if tag == _PRE_SHARED:
        shared = der.decode(_PreShared, sequence, clause="RFC 5652 section 6.2.3")
        return (PreShared(shared.key.identifier, der.encode(shared.algorithm), shared.encrypted),)
    if tag == _PASSWORD:
        password = der.decode(_Password, sequence, clause="RFC 5652 section 6.2.4")
        derivation = der.encode(password.derivation) if password.derivation is not None else b""
        return (Password(derivation, der.encode(password.algorithm), password.encrypted),)
    if tag == _OTHER:
        other = der.decode(_Other, sequence, clause="RFC 5652 section 6.2.5")
        if other.type.dotted_string == _ORI_KEM:
            return (_kem(der.decode(_Kem, der.encode(other.value), clause="RFC 9629 section 3")),)
    return ()


def _agreement(agreement: _KeyAgreement) -> tuple[KeyAgreement, ...]:
    originator = der.encode(agreement.originator) if isinstance(agreement.originator, der.TLV) else b"\x05\x00"
    if originator[0] != _ORIGINATOR_KEY:
        # A static key of the originator, which nobody uses: RFC 5753 section 3.1.1 wants an ephemeral one.
        return ()
    key = der.decode(_OriginatorKey, bytes((_SEQUENCE,)) + originator[1:], clause="RFC 5652 section 6.2.2")
    kind = der.decode(_Derivation, der.encode(key.algorithm), clause="RFC 5652 section 6.2.2").algorithm.dotted_string
    return tuple(
        [
            KeyAgreement(
                _agreed_with(der.encode(one.rid)),
                kind,
                key.public_key.as_bytes(),
                agreement.ukm,
                der.encode(agreement.algorithm),
                one.encrypted,
            )
            for one in agreement.keys
        ]
    )


def _agreed_with(rid: bytes) -> Identifier:
    """A KeyAgreeRecipientIdentifier."""
    if rid[0] == _KEY_IDENTIFIER:
        sequence = bytes((_SEQUENCE,)) + rid[1:]
        return Identifier(key=der.decode(_KeyIdentifier, sequence, clause="RFC 5652 section 6.2.2").identifier)
    return identifier_of(der.decode(_Any, der.tlv(_SEQUENCE, rid), clause="RFC 5652 section 6.2.2").value)


@der.sequence
class _Any:
    value: der.TLV


def _kem(kem: _Kem) -> Kem:
    if kem.version != 0 or not 0 < kem.kek_octets < 1 << 16:
        raise Refused(Reason.MALFORMED, "RFC 9629 section 3", "wrong version or length of the key-encryption key")
    return Kem(
        identifier_of(kem.rid),
        der.encode(kem.kem),
        kem.ciphertext,
        der.encode(kem.kdf),
        kem.kek_octets,
        kem.ukm,
        der.encode(kem.wrap),
        kem.encrypted,
    )
