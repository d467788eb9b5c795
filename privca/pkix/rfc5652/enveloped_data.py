"""EnvelopedData (RFC 5652 section 6) and AuthEnvelopedData (RFC 5083): read, opened by one recipient, and made for any number of them."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from cryptography import x509

from privca.base.entropy import Entropy
from privca.base.refused import Reason, Refused
from privca.pkix import algorithms, der
from privca.pkix.rfc5652 import ber, content_encryption, opening
from privca.pkix.rfc5652.content import AUTH_ENVELOPED_DATA, DATA, ENVELOPED_DATA, content_type, wrap
from privca.pkix.rfc5652.content_encryption import Undecryptable
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.recipients import Kem, KeyAgreement, KeyTransport, Password, PreShared, Recipient, read
from privca.pkix.rfc5652.signed_data import decode, set_of
from privca.pkix.rfc5652.wrapping import Wrap

MAXIMUM_RECIPIENTS = 16
MAXIMUM_ITERATIONS = 100_000
"""Of PBKDF2, unless the caller says less: about 25 ms."""

_CLAUSE = "RFC 5652 section 6.1"
_SEQUENCE, _SET, _IMPLICIT_0, _OCTET_STRING = 0x30, 0x31, 0x80, 0x04
_PASSWORD, _OTHER = 0xA3, 0xA4


@der.sequence
class _Originator:
    certificates: Annotated[list[der.TLV] | None, der.Implicit(0)]
    crls: Annotated[list[der.TLV] | None, der.Implicit(1)]


@der.sequence
class _EncryptedContent:
    type: x509.ObjectIdentifier
    algorithm: der.TLV
    content: Annotated[bytes | None, der.Implicit(0)]


@der.sequence
class _Enveloped:
    version: int
    originator: Annotated[_Originator | None, der.Implicit(0)]
    recipients: der.SetOf[der.TLV]
    encrypted: _EncryptedContent
    unprotected: Annotated[list[der.TLV] | None, der.Implicit(1)]


@der.sequence
class _AuthEnveloped:
    version: int
    originator: Annotated[_Originator | None, der.Implicit(0)]
    recipients: der.SetOf[der.TLV]
    encrypted: _EncryptedContent
    attributes: Annotated[list[der.TLV] | None, der.Implicit(1)]
    tag: bytes
    unauthenticated: Annotated[list[der.TLV] | None, der.Implicit(2)]


@der.sequence
class _Message:
    type: x509.ObjectIdentifier
    content: Annotated[_Enveloped, der.Explicit(0)]


@der.sequence
class _AuthMessage:
    type: x509.ObjectIdentifier
    content: Annotated[_AuthEnveloped, der.Explicit(0)]


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A message for recipients, not opened. ``cipher`` is a name of :mod:`privca.pkix.algorithms`, ``iv`` its IV or nonce; ``tag`` and
    ``authenticated`` (what the tag is over beside the content) belong to authenticated ciphers."""

    recipients: tuple[Recipient, ...]
    content_type: str
    cipher: str
    iv: bytes
    encrypted: bytes = field(repr=False)
    tag: bytes = b""
    authenticated: bytes = b""

    def recipient(self, named: Named) -> KeyTransport | KeyAgreement | Kem | None:
        """The recipient that a certificate is, if it is one."""
        for one in self.recipients:
            if isinstance(one, KeyTransport | KeyAgreement | Kem) and named.is_meant(one.identifier):
                return one
        return None

    def password_recipient(self) -> Password | None:
        """The first recipient who has a password."""
        return next((one for one in self.recipients if isinstance(one, Password)), None)


def parse(octets: bytes) -> Enveloped:
    """The EnvelopedData or AuthEnvelopedData in a ContentInfo, DER or BER.

    :raises Refused: ``MALFORMED``, ``TOO_LARGE``; ``BAD_SIGNATURE_ALGORITHM`` for a content encryption that is unknown.
    """
    tag = attributes = b""
    enveloped: _Enveloped | _AuthEnveloped
    try:
        enveloped = decode(_Message, octets, ENVELOPED_DATA, ber.enveloped_data, _CLAUSE).content
    except Refused:
        if content_type(octets) != AUTH_ENVELOPED_DATA:
            raise
        clause = "RFC 5083 section 2.1"
        enveloped = authenticated = decode(_AuthMessage, octets, AUTH_ENVELOPED_DATA, ber.auth_enveloped_data, clause).content
        tag = authenticated.tag
        if authenticated.attributes is not None:
            # Section 2.2: what is authenticated is the SET OF in DER.
            attributes = set_of([der.encode(one) for one in authenticated.attributes])
    infos = enveloped.recipients.as_list()
    if not 0 < len(infos) <= MAXIMUM_RECIPIENTS:
        raise Refused(
            Reason.MALFORMED,
            "RFC 5652 section 6.1",
            "a wrong number of recipients",
            expected=f"1 to {MAXIMUM_RECIPIENTS}",
            got=str(len(infos)),
        )
    cipher, iv = content_encryption.name_and_iv(der.encode(enveloped.encrypted.algorithm))
    if (cipher in algorithms.GCM) != bool(tag):
        raise algorithms.unsupported(
            "RFC 5083 section 2.1", "an authenticated cipher belongs in AuthEnvelopedData, and no other", got=cipher
        )
    return Enveloped(
        recipients=tuple([recipient for info in infos for recipient in read(der.encode(info))]),
        content_type=enveloped.encrypted.type.dotted_string,
        cipher=cipher,
        iv=iv,
        encrypted=enveloped.encrypted.content or b"",
        tag=tag,
        authenticated=attributes,
    )


async def decrypt(enveloped: Enveloped, recipient: Recipient, key: opening.PrivateKey, spki: bytes, entropy: Entropy) -> bytes:
    """The content, by the private key of a recipient.

    :param spki: the recipient's SubjectPublicKeyInfo, DER.
    :raises Refused: ``MALFORMED`` with one text, whatever does not decrypt; ``BAD_SIGNATURE_ALGORITHM`` for an algorithm that is unknown.
    """
    if isinstance(recipient, KeyTransport):
        return await _decrypt(enveloped, opening.open_transport(recipient, key), entropy)
    if isinstance(recipient, KeyAgreement):
        return await _decrypt(enveloped, opening.open_agreement(recipient, key, spki), entropy)
    if isinstance(recipient, Kem):
        return await _decrypt(enveloped, opening.open_kem(recipient, key), entropy)
    raise undecryptable()


async def decrypt_by_password(
    enveloped: Enveloped, recipient: Password, secret: bytes, entropy: Entropy, *, iterations: int = MAXIMUM_ITERATIONS
) -> bytes:
    """The content, by a password. :param iterations: the most that are done. :raises Refused: as :func:`decrypt`."""

    async def unwrapped() -> bytes:
        return opening.open_password(recipient, secret, maximum=iterations)

    return await _decrypt(enveloped, unwrapped(), entropy)


async def decrypt_by_shared_key(enveloped: Enveloped, recipient: PreShared, kek: bytes, entropy: Entropy) -> bytes:
    """The content, by a key that both sides have. :raises Refused: as :func:`decrypt`."""

    async def unwrapped() -> bytes:
        return opening.open_pre_shared(recipient, kek)

    return await _decrypt(enveloped, unwrapped(), entropy)


async def _decrypt(enveloped: Enveloped, unwrapped: Awaitable[bytes], entropy: Entropy) -> bytes:
    # RFC 3218 section 2.3.2: a key that is not to be had, or of another length, is replaced by a random one, and the content is decrypted
    # with that: so what fails in the first step fails in the second, at the same cost and with the same words.
    octets = content_encryption.key_octets(enveloped.cipher)
    key = entropy.octets(octets)
    try:
        found = await unwrapped
        if len(found) == octets:
            key = found
    except Undecryptable:
        pass
    try:
        if enveloped.cipher in algorithms.GCM:
            return content_encryption.decrypt_gcm(key, enveloped.iv, enveloped.encrypted, enveloped.tag, enveloped.authenticated)
        return content_encryption.decrypt_cbc(enveloped.cipher, key, enveloped.iv, enveloped.encrypted)
    except Undecryptable:
        raise undecryptable() from None


def undecryptable() -> Refused:
    """The one refusal for whatever does not decrypt."""
    return Refused(Reason.MALFORMED, "RFC 5652 section 6", "the message cannot be decrypted")


def encrypt(
    content: bytes, recipients: Sequence[Wrap], entropy: Entropy, *, cipher: str = "aes128", content_kind: str = DATA
) -> bytes:
    """A ContentInfo as DER: EnvelopedData, or AuthEnvelopedData where the cipher is an authenticated one.

    :param recipients: at least one, of :mod:`privca.pkix.rfc5652.wrapping`.
    """
    key = entropy.octets(content_encryption.key_octets(cipher))
    infos = [recipient(key) for recipient in recipients]
    tag = b""
    if cipher in algorithms.GCM:
        algorithm, encrypted, tag = content_encryption.encrypt_gcm(cipher, key, content, b"", entropy)
    else:
        algorithm, encrypted = content_encryption.encrypt_cbc(cipher, key, content, entropy)
    info = der.tlv(_SEQUENCE, algorithms.oid(content_kind), algorithm, der.tlv(_IMPLICIT_0, encrypted))
    if tag:
        return wrap(AUTH_ENVELOPED_DATA, der.tlv(_SEQUENCE, b"\x02\x01\x00", set_of(infos), info, der.tlv(_OCTET_STRING, tag)))
    return wrap(ENVELOPED_DATA, der.tlv(_SEQUENCE, _version(infos), set_of(infos), info))


def _version(infos: Sequence[bytes]) -> bytes:
    """Section 6.1: 3 with a password or another kind of recipient, 0 if all are key transport by issuer and serial number, else 2."""
    if any(info[0] in (_PASSWORD, _OTHER) for info in infos):
        return b"\x02\x01\x03"
    return (
        b"\x02\x01\x00"
        if all(info[0] == _SEQUENCE and der.content(info).startswith(b"\x02\x01\x00") for info in infos)
        else b"\x02\x01\x02"
    )
