"""A SCEP client for tests: messages put together octet by octet, so that each can be wrong in one place; replies read by pyasn1.

No part of the server's codec is in it, but for what is encrypted under a password.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyasn1.codec.ber import decoder as ber
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import rfc5652

from tests.support.cms import run

PKCS_REQ, RENEWAL_REQ, CERT_POLL, GET_CERT, GET_CRL = "19", "17", "20", "21", "22"
DATA, SIGNED, ENVELOPED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.3"
SCEP = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = (f"{SCEP}{number}" for number in range(2, 8))
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
DIGESTS: dict[str, tuple[str, Any]] = {
    "md5": ("1.2.840.113549.2.5", hashes.MD5()),
    "sha1": ("1.3.14.3.2.26", hashes.SHA1()),
    "sha224": ("2.16.840.1.101.3.4.2.4", hashes.SHA224()),
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256()),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384()),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512()),
}
CIPHERS: dict[str, tuple[str, int, int]] = {
    "des": ("1.3.14.3.2.7", 8, 8),
    "3des": ("1.2.840.113549.3.7", 24, 8),
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16),
    "aes192": ("2.16.840.1.101.3.4.1.22", 24, 16),
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16),
}


def tlv(tag: int, *contents: bytes) -> bytes:
    """One DER element."""
    content = b"".join(contents)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(size)]) + size + content


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = b""
    for number in (first * 40 + second, *rest):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, out)


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(0x30, *parts)


def attribute(kind: str, *values: bytes) -> bytes:
    """An Attribute."""
    return sequence(oid(kind), tlv(0x31, *values))


def printable(text: str) -> bytes:
    """A PrintableString."""
    return tlv(0x13, text.encode())


def algorithm(dotted: str, parameters: bytes = b"\x05\x00") -> bytes:
    """An AlgorithmIdentifier."""
    return sequence(oid(dotted), parameters)


def content_info(kind: str, content: bytes) -> bytes:
    """A ContentInfo."""
    return sequence(oid(kind), tlv(0xA0, content))


def split(octets: bytes) -> tuple[bytes, bytes, bytes]:
    """The first element of DER octets: header, content; and what follows it."""
    length, at = octets[1], 2
    if length >= 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(octets[2 : 2 + size], "big"), 2 + size
    return octets[:at], octets[at : at + length], octets[at + length :]


def children(octets: bytes) -> list[bytes]:
    """The elements inside one element."""
    _, rest, _ = split(octets)
    found = []
    while rest:
        header, content, rest = split(rest)
        found.append(header + content)
    return found


def issuer_and_serial(certificate: bytes) -> bytes:
    """The IssuerAndSerialNumber of a certificate, as its own octets have them."""
    parts = children(children(certificate)[0])
    at = 1 if parts[0][0] == 0xA0 else 0
    return sequence(parts[at + 2], parts[at])


def public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate."""
    parts = children(children(certificate)[0])
    return parts[(1 if parts[0][0] == 0xA0 else 0) + 5]


def self_signed(key: Any, common_name: str, now: datetime, *, days: int = 6) -> bytes:
    """A self-signed certificate as a client makes it for its first message."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        int.from_bytes(os.urandom(16), "big") >> 1,
        now - timedelta(hours=1),
        now + timedelta(days=days),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def request(
    key: Any, common_name: str, *, names: Sequence[str] = (), challenge: str | None = None, subject: x509.Name | None = None
) -> bytes:
    """A PKCS #10."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        subject if subject is not None else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    if challenge is not None:
        builder = builder.add_attribute(x509.ObjectIdentifier("1.2.840.113549.1.9.7"), challenge.encode())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def signed_with(csr: bytes, key: Any, digest: str) -> bytes:
    """The same PKCS #10, signed as old devices sign."""
    info = children(csr)[0]
    arc, hash = {"md5": ("4", hashes.MD5()), "sha1": ("5", hashes.SHA1())}[digest]
    return sequence(info, algorithm(f"1.2.840.113549.1.1.{arc}"), tlv(0x03, b"\0", key.sign(info, padding.PKCS1v15(), hash)))


def encrypt(content: bytes, cipher: str = "aes128", *, key: bytes | None = None) -> tuple[bytes, bytes]:
    """The key, and the EncryptedContentInfo."""
    dotted, octets, block = CIPHERS[cipher]
    key = os.urandom(octets) if key is None else key
    iv = os.urandom(block)
    missing = block - len(content) % block
    work = Cipher(TripleDES(key * 3 if cipher == "des" else key) if "des" in cipher else AES(key), modes.CBC(iv)).encryptor()
    encrypted = work.update(content + bytes([missing]) * missing) + work.finalize()
    return key, sequence(oid(DATA), algorithm(dotted, tlv(0x04, iv)), tlv(0x80, encrypted))


def transport(recipient: bytes, key: bytes, *, oaep: bool = False, by_key: bool = False) -> bytes:
    """A KeyTransRecipientInfo for a certificate."""
    certificate = x509.load_der_x509_certificate(recipient)
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    rid, version = issuer_and_serial(recipient), b"\x02\x01\x00"
    if by_key:
        digest = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        rid, version = tlv(0x80, digest), b"\x02\x01\x02"
    if oaep:
        sha256 = algorithm(DIGESTS["sha256"][0])
        mgf = sequence(oid("1.2.840.113549.1.1.8"), sha256)
        way = algorithm("1.2.840.113549.1.1.7", sequence(tlv(0xA0, sha256), tlv(0xA1, mgf)))
        encrypted = public_key.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    else:
        way, encrypted = algorithm("1.2.840.113549.1.1.1"), public_key.encrypt(key, padding.PKCS1v15())
    return sequence(version, rid, way, tlv(0x04, encrypted))


def envelop(content: bytes, recipient: bytes, cipher: str = "aes128", **options: bool) -> bytes:
    """A ContentInfo with EnvelopedData for a certificate."""
    key, encrypted = encrypt(content, cipher)
    return content_info(ENVELOPED, sequence(b"\x02\x01\x00", tlv(0x31, transport(recipient, key, **options)), encrypted))


@dataclass
class Client:
    """One client: its key and certificate, and how it makes messages."""

    key: Any
    certificate: bytes
    recipient: bytes
    """The certificate of who answers."""
    digest: str = "sha256"
    cipher: str = "aes128"
    transaction_id: str = ""
    nonce: bytes = field(default_factory=lambda: os.urandom(16))
    certificates: tuple[bytes, ...] | None = None
    """What the message carries; None: its own."""

    def __post_init__(self) -> None:
        self.transaction_id = self.transaction_id or hashlib.sha256(public_key_info(self.certificate)).hexdigest().upper()[:40]

    def attributes(self, kind: str, content: bytes | None) -> list[bytes]:
        """The signed attributes of a message."""
        hasher = hashes.Hash(DIGESTS[self.digest][1])
        hasher.update(content or b"")
        return [
            attribute(CONTENT_TYPE, oid(DATA)),
            attribute(MESSAGE_DIGEST, tlv(0x04, hasher.finalize())),
            attribute(MESSAGE_TYPE, printable(kind)),
            attribute(TRANSACTION_ID, printable(self.transaction_id)),
            attribute(SENDER_NONCE, tlv(0x04, self.nonce)),
        ]

    def sign(self, attributes: Sequence[bytes], content: bytes | None, *, signature: bytes | None = None) -> bytes:
        """A pkiMessage of these attributes."""
        dotted, hash_algorithm = DIGESTS[self.digest]
        inside = b"".join(sorted(attributes))
        if signature is None:
            if isinstance(self.key, rsa.RSAPrivateKey):
                signature = self.key.sign(tlv(0x31, inside), padding.PKCS1v15(), hash_algorithm)
            else:
                signature = self.key.sign(tlv(0x31, inside), ec.ECDSA(hash_algorithm))
        ecdsa = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3"}
        way = (
            algorithm("1.2.840.113549.1.1.1")
            if isinstance(self.key, rsa.RSAPrivateKey)
            else sequence(oid(ecdsa.get(self.digest, ecdsa["sha256"])))
        )
        info = sequence(
            b"\x02\x01\x01",
            issuer_and_serial(self.certificate),
            algorithm(dotted),
            tlv(0xA0, inside) if attributes else b"",
            way,
            tlv(0x04, signature),
        )
        carried = (self.certificate,) if self.certificates is None else self.certificates
        return content_info(
            SIGNED,
            sequence(
                b"\x02\x01\x01",
                tlv(0x31, algorithm(dotted)),
                sequence(oid(DATA), b"" if content is None else tlv(0xA0, tlv(0x04, content))),
                tlv(0xA0, *carried) if carried else b"",
                tlv(0x31, info),
            ),
        )

    def message(self, kind: str, content: bytes, **options: bool) -> bytes:
        """A whole message: ``content`` encrypted, then signed."""
        return self.wrap(kind, envelop(content, self.recipient, self.cipher, **options))

    def wrap(self, kind: str, envelope: bytes) -> bytes:
        """A message around an envelope."""
        return self.sign(self.attributes(kind, envelope), envelope)


@dataclass
class Reply:
    """A CertRep, verified under the certificate of who answers, and opened with the client's key."""

    status: str
    fail_info: str | None
    text: str | None
    transaction_id: str
    message_type: str
    sender_nonce: bytes
    recipient_nonce: bytes | None
    digest: str
    cipher: str
    outer: list[bytes]
    certificates: list[bytes]
    crls: list[bytes]
    content: bytes | None

    @property
    def issued(self) -> x509.Certificate:
        """The certificate that was asked for: the first."""
        assert self.status == "0", (self.status, self.fail_info, self.text)
        return x509.load_der_x509_certificate(self.certificates[0])


def name_of(dotted: str, table: dict[str, Any]) -> str:
    """The name of an algorithm."""
    return next(name for name, row in table.items() if row[0] == dotted)


def read_reply(octets: bytes, answering: bytes, key: Any = None, *, password: bytes | None = None) -> Reply:
    """Take a reply apart. :raises: whatever is wrong with it."""
    info, rest = decoder.decode(octets, asn1Spec=rfc5652.ContentInfo())
    assert not rest
    signed, rest = decoder.decode(bytes(info["content"]), asn1Spec=rfc5652.SignedData())
    assert not rest
    (signer,) = signed["signerInfos"]
    assert bytes_of(signer["sid"]["issuerAndSerialNumber"]) == issuer_and_serial(answering)
    digest = name_of(str(signer["digestAlgorithm"]["algorithm"]), DIGESTS)
    content = bytes(signed["encapContentInfo"]["eContent"]) if signed["encapContentInfo"]["eContent"].isValue else None
    assert str(signed["encapContentInfo"]["eContentType"]) == DATA
    attributes = {str(one["attrType"]): bytes(one["attrValues"][0]) for one in signer["signedAttrs"]}
    assert len(attributes) == len(signer["signedAttrs"])
    hasher = hashes.Hash(DIGESTS[digest][1])
    hasher.update(content or b"")
    assert attributes[MESSAGE_DIGEST] == tlv(0x04, hasher.finalize())
    assert attributes[CONTENT_TYPE] == oid(DATA)
    signed_octets = tlv(0x31, split(bytes_of(signer["signedAttrs"]))[1])
    public_key = x509.load_der_x509_certificate(answering).public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    public_key.verify(bytes(signer["signature"]), signed_octets, padding.PKCS1v15(), DIGESTS[digest][1])

    def text(kind: str) -> str | None:
        return split(attributes[kind])[1].decode() if kind in attributes else None

    reply = Reply(
        status=text(STATUS) or "",
        fail_info=text(FAIL_INFO),
        text=text(FAIL_INFO_TEXT),
        transaction_id=text(TRANSACTION_ID) or "",
        message_type=text(MESSAGE_TYPE) or "",
        sender_nonce=split(attributes[SENDER_NONCE])[1],
        recipient_nonce=split(attributes[RECIPIENT_NONCE])[1] if RECIPIENT_NONCE in attributes else None,
        digest=digest,
        cipher="",
        outer=[bytes_of(one["certificate"]) for one in signed["certificates"]],
        certificates=[],
        crls=[],
        content=content,
    )
    if content:
        reply.cipher, degenerate = open_envelope(content, key, password=password)
        inner, rest = decoder.decode(degenerate, asn1Spec=rfc5652.ContentInfo())
        assert not rest
        only, rest = decoder.decode(bytes(inner["content"]), asn1Spec=rfc5652.SignedData())
        assert not rest
        assert not only["encapContentInfo"]["eContent"].isValue
        assert len(only["signerInfos"]) == 0
        reply.certificates = [bytes_of(one["certificate"]) for one in only["certificates"]]
        reply.crls = [bytes_of(one["crl"]) for one in only["crls"]]
    return reply


def open_envelope(octets: bytes, key: Any, *, password: bytes | None = None) -> tuple[str, bytes]:
    """The cipher and the content of EnvelopedData."""
    info, _ = decoder.decode(octets, asn1Spec=rfc5652.ContentInfo())
    enveloped, _ = decoder.decode(bytes(info["content"]), asn1Spec=rfc5652.EnvelopedData())
    (recipient,) = enveloped["recipientInfos"]
    if password is not None:
        from privca.base.entropy import SystemEntropy
        from privca.pkix.rfc5652 import enveloped_data

        parsed = enveloped_data.parse(octets)
        found = parsed.password_recipient()
        assert found is not None
        return parsed.cipher, run(enveloped_data.decrypt_by_password(parsed, found, password, SystemEntropy()))
    content_key = key.decrypt(bytes(recipient["ktri"]["encryptedKey"]), padding.PKCS1v15())
    encrypted = enveloped["encryptedContentInfo"]
    cipher = name_of(str(encrypted["contentEncryptionAlgorithm"]["algorithm"]), CIPHERS)
    assert len(content_key) == CIPHERS[cipher][1]
    iv = split(bytes(encrypted["contentEncryptionAlgorithm"]["parameters"]))[1]
    work = Cipher(
        TripleDES(content_key * 3 if cipher == "des" else content_key) if "des" in cipher else AES(content_key), modes.CBC(iv)
    ).decryptor()
    padded = work.update(bytes(encrypted["encryptedContent"])) + work.finalize()
    return cipher, padded[: -padded[-1]]


def bytes_of(value: Any) -> bytes:
    """A pyasn1 value as DER again."""
    return bytes(encoder.encode(value))


def certificates_of(octets: bytes) -> list[bytes]:
    """The certificates of a certificates-only SignedData, DER or BER."""
    info, _ = ber.decode(octets, asn1Spec=rfc5652.ContentInfo())
    signed, _ = ber.decode(bytes(info["content"]), asn1Spec=rfc5652.SignedData())
    return [bytes_of(one["certificate"]) for one in signed["certificates"]]


def query(message: bytes, *, operation: str = "PKIOperation") -> str:
    """The query of a GET, as section 4.1 says it."""
    return f"operation={operation}&message={quote(b64encode(message).decode(), safe='')}"


def today() -> datetime:
    """Now."""
    return datetime.now(UTC)
