"""A CMP client for tests, on its own: messages are written and read by hand, no codec of the server takes part."""

import hashlib
import hmac
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

IR, IP, CR, CP, P10CR, POPDECC, POPDECR, KUR, KUP, KRR, KRP, RR, RP, CCR, CCP = range(15)
PKICONF, NESTED, GENM, GENP, ERROR, CERTCONF, POLLREQ, POLLREP = range(19, 27)
AUTOMATIC, NULL = b"", b"\x05\x00"

FAILURES = (
    "badAlg badMessageCheck badRequest badTime badCertId badDataFormat wrongAuthority incorrectData missingTimeStamp badPOP "
    "certRevoked certConfirmed wrongIntegrity badRecipientNonce timeNotAvailable unacceptedPolicy unacceptedExtension "
    "addInfoNotAvailable badSenderNonce badCertTemplate signerNotTrusted transactionIdInUse unsupportedVersion notAuthorized "
    "systemUnavail systemFailure duplicateCertReq"
).split()


def tlv(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def seq(*contents):
    return tlv(0x30, *contents)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value):
    return tlv(4, value)


def bits(value):
    return tlv(3, b"\0", value)


def utf8(text):
    return tlv(0x0C, text.encode())


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        chunk = [arc & 0x7F]
        while arc := arc >> 7:
            chunk.append(0x80 | arc & 0x7F)
        out += bytes(reversed(chunk))
    return tlv(6, bytes(out))


def algorithm(dotted, parameters=b""):
    return seq(oid(dotted), parameters)


def time(at):
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


class Node:
    """One DER element, with those inside it."""

    def __init__(self, raw):
        self.tag, at = raw[0], 2
        length = raw[1]
        if length & 0x80:
            at += length & 0x7F
            length = int.from_bytes(raw[2:at], "big")
        self.content = raw[at : at + length]
        self.raw = raw[: at + length]
        self.rest = raw[at + length :]

    @property
    def inside(self):
        found, left = [], self.content
        while left:
            node = Node(left)
            found.append(node)
            left = node.rest
        return found

    def __getitem__(self, number):
        return self.inside[number]

    def tagged(self, tag):
        """What is inside the child with a context tag; None if there is none."""
        return next((child for child in self.inside if child.tag == 0xA0 | tag), None)

    @property
    def number(self):
        return int.from_bytes(self.content, "big", signed=True)

    @property
    def text(self):
        return self.content.decode()


HASHES = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
HMACS = {
    "sha1": "1.2.840.113549.2.7",
    "sha224": "1.2.840.113549.2.8",
    "sha256": "1.2.840.113549.2.9",
    "sha384": "1.2.840.113549.2.10",
    "sha512": "1.2.840.113549.2.11",
}


@dataclass(frozen=True)
class Pbm:
    """Password-based MAC."""

    secret: bytes = b"secret"
    reference: str = "lab"
    owf: str = "sha256"
    mac: str = "sha256"
    iterations: int = 500
    salt: bytes = b"0123456789abcdef"
    sender: bytes | None = None

    def header(self):
        parameters = seq(
            octets(self.salt), algorithm(HASHES[self.owf]), integer(self.iterations), algorithm(HMACS[self.mac], NULL)
        )
        return algorithm("1.2.840.113533.7.66.13", parameters)

    def key(self):
        key = self.secret + self.salt
        for _ in range(self.iterations):
            key = hashlib.new(self.owf, key).digest()
        return key

    def protect(self, part):
        return hmac.digest(self.key(), part, self.mac)

    def name(self):
        return self.sender if self.sender is not None else x509.Name([]).public_bytes()

    def kid(self):
        return self.reference.encode()

    certificates = ()


@dataclass(frozen=True)
class Pbmac1(Pbm):
    """PBMAC1."""

    prf: str = "sha512"
    length: int | None = 32

    def header(self):
        length = b"" if self.length is None else integer(self.length)
        prf = b"" if self.prf == "sha1" else algorithm(HMACS[self.prf], NULL)
        kdf = algorithm("1.2.840.113549.1.5.12", seq(octets(self.salt), integer(self.iterations), length, prf))
        return algorithm("1.2.840.113549.1.5.14", seq(kdf, algorithm(HMACS[self.mac], NULL)))

    def key(self):
        length = self.length or hashlib.new(self.mac).digest_size
        return hashlib.pbkdf2_hmac(self.prf, self.secret, self.salt, self.iterations, length)


def signature(key, message, *, pss=False, digest="sha256"):
    """Signature and AlgorithmIdentifier."""
    chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(), "sha1": hashes.SHA1()}[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        last = {"sha1": "1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}[digest]
        return key.sign(message, ec.ECDSA(chosen)), algorithm(f"1.2.840.10045.4.{last}")
    if isinstance(key, rsa.RSAPrivateKey):
        if pss:
            size = chosen.digest_size
            parameters = seq(
                tlv(0xA0, algorithm(HASHES[digest])),
                tlv(0xA1, algorithm("1.2.840.113549.1.1.8", algorithm(HASHES[digest]))),
                tlv(0xA2, integer(size)),
            )
            signed = key.sign(message, padding.PSS(padding.MGF1(chosen), size), chosen)
            return signed, algorithm("1.2.840.113549.1.1.10", parameters)
        last = {"sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}[digest]
        return key.sign(message, padding.PKCS1v15(), chosen), algorithm(f"1.2.840.113549.1.1.{last}", NULL)
    names = {
        "Ed25519PrivateKey": "1.3.101.112",
        "Ed448PrivateKey": "1.3.101.113",
        "MLDSA44PrivateKey": "2.16.840.1.101.3.4.3.17",
        "MLDSA65PrivateKey": "2.16.840.1.101.3.4.3.18",
        "MLDSA87PrivateKey": "2.16.840.1.101.3.4.3.19",
    }
    kind = next(
        dotted for name, dotted in names.items() if name in (type(key).__name__, *(c.__name__ for c in type(key).__mro__))
    )
    return key.sign(message), algorithm(kind)


@dataclass(frozen=True)
class Signer:
    """Protection by signature with a certificate and its key."""

    certificate: x509.Certificate
    key: object
    pss: bool = False
    digest: str = "sha256"
    others: tuple = ()
    sender: bytes | None = None
    key_identifier: bytes | None = b""

    def header(self):
        return signature(self.key, b"", pss=self.pss, digest=self.digest)[1]

    def protect(self, part):
        return signature(self.key, part, pss=self.pss, digest=self.digest)[0]

    def name(self):
        return self.sender if self.sender is not None else self.certificate.subject.public_bytes()

    def kid(self):
        if self.key_identifier != b"":
            return self.key_identifier
        return self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

    @property
    def certificates(self):
        return tuple(one.public_bytes(Encoding.DER) for one in (self.certificate, *self.others))


@dataclass
class Message:
    """A message before it is protected: what is None is left out."""

    body: int
    content: bytes
    protection: object
    pvno: int = 2
    recipient: bytes = b"\xa4\x02\x30\x00"
    at: datetime | None = None
    transaction_id: bytes | None = None
    sender_nonce: bytes | None = None
    recip_nonce: bytes | None = None
    information: tuple = ()
    certificates: tuple | None = None
    algorithm: bytes | None = None
    spoil: bool = False

    def header(self):
        def optional(tag, value):
            return b"" if value is None else tlv(0xA0 | tag, value)

        def string(tag, value):
            return b"" if value is None else tlv(0xA0 | tag, octets(value))

        protection = self.protection
        return seq(
            integer(self.pvno),
            tlv(0xA4, b"\x30\x00" if protection is None else protection.name()),
            self.recipient,
            optional(0, None if self.at is None else time(self.at)),
            optional(1, None if protection is None else self.algorithm or protection.header()),
            string(2, None if protection is None else protection.kid()),
            string(4, self.transaction_id),
            string(5, self.sender_nonce),
            string(6, self.recip_nonce),
            optional(8, seq(*self.information) if self.information else None),
        )

    def encode(self):
        header, body = self.header(), tlv(0xA0 | self.body, self.content)
        if self.protection is None:
            return seq(header, body)
        value = bytearray(self.protection.protect(seq(header, body)))
        if self.spoil:
            value[-1] ^= 1
        certificates = self.protection.certificates if self.certificates is None else self.certificates
        return seq(header, body, tlv(0xA0, bits(bytes(value))), tlv(0xA1, seq(*certificates)) if certificates else b"")


class Reply:
    """A PKIMessage that the server sent."""

    def __init__(self, raw):
        self.raw = raw
        message = Node(raw)
        assert not message.rest
        self.header, self.body = message[0], message[1]
        self.kind = self.body.tag & 0x1F
        self.content = self.body[0]
        behind = {part.tag & 0x1F: part for part in message.inside[2:]}
        protection, extra = behind.get(0), behind.get(1)
        self.protection = None if protection is None else protection[0].content[1:]
        self.extra = [] if extra is None else [x509.load_der_x509_certificate(one.raw) for one in extra[0].inside]

    def field(self, tag):
        found = next((child for child in self.header.inside[3:] if child.tag == 0xA0 | tag), None)
        return None if found is None else found[0]

    @property
    def pvno(self):
        return self.header[0].number

    @property
    def sender(self):
        return self.header[1][0].raw

    @property
    def transaction_id(self):
        return self.field(4).content

    @property
    def sender_nonce(self):
        return self.field(5).content

    @property
    def recip_nonce(self):
        return self.field(6).content

    @property
    def sender_kid(self):
        found = self.field(2)
        return None if found is None else found.content

    @property
    def algorithm(self):
        found = self.field(1)
        return None if found is None else found[0].raw

    def information(self, dotted):
        found = self.field(8)
        for one in [] if found is None else found.inside:
            if one[0].raw == oid(dotted):
                return one
        return None

    def protected_part(self):
        return seq(self.header.raw, self.body.raw)

    def verify(self, protection):
        """By which kind it is protected, after that was verified: ``mac`` (under the secret of ``protection``), ``signature`` or ``""``."""
        if self.protection is None:
            return ""
        if self.algorithm in (oid("1.2.840.113533.7.66.13"), oid("1.2.840.113549.1.5.14")):
            parameters = self.field(1)[1]
            assert hmac.compare_digest(_replied(protection, parameters).protect(self.protected_part()), self.protection)
            return "mac"
        signer = self.extra[0]
        assert self.sender_kid == signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert self.sender == signer.subject.public_bytes()
        assert signer.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
        signer.public_key().verify(self.protection, self.protected_part(), ec.ECDSA(hashes.SHA256()))
        return "signature"

    def status(self, number=0):
        """(status, failure, text) of an error, or of an answer of this number."""
        if self.kind in (ERROR, KRP):
            info = self.content[0]
        elif self.kind == RP:
            info = self.content[0][number]
        else:
            info = self.responses[number][1]
        status, failure, text = info[0].number, "", ""
        for part in info.inside[1:]:
            if part.tag == 3:
                value = int.from_bytes(part.content[1:], "big")
                position = (len(part.content) - 1) * 8 - value.bit_length()
                assert value.bit_count() == 1
                failure = FAILURES[position]
            else:
                text = part[0].text
        return status, failure, text

    @property
    def responses(self):
        return next(part for part in self.content.inside if part.tag == 0x30).inside

    def certificate(self, number=0):
        pair = self.responses[number][2]
        assert pair[0].tag == 0xA0, "the certificate is not in clear"
        return x509.load_der_x509_certificate(pair[0][0].raw)

    @property
    def ca_pubs(self):
        found = self.content.tagged(1)
        return [] if found is None else [x509.load_der_x509_certificate(one.raw) for one in found[0].inside]


def _replied(protection, parameters):
    """The same secret with the parameters of a reply."""
    if isinstance(protection, Pbmac1):
        kdf = parameters[0][1]
        length = next((part.number for part in kdf.inside[2:] if part.tag == 2), None)
        return replace(protection, salt=kdf[0].content, iterations=kdf[1].number, length=length)
    return replace(protection, salt=parameters[0].content, iterations=parameters[2].number)


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name(common_name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]).public_bytes()


def extension(value, *, critical=False):
    return seq(oid(value.oid.dotted_string), b"\x01\x01\xff" if critical else b"", octets(value.public_bytes()))


@dataclass
class Request:
    """A CertReqMsg."""

    key: object = None
    subject: str | bytes | None = "device-1"
    id: int = 0
    extensions: tuple = ()
    controls: tuple = ()
    proof: bytes | None = AUTOMATIC
    more: dict = field(default_factory=dict)
    signer: object = None

    def template(self):
        fields = dict(self.more)
        if self.subject is not None:
            fields[5] = tlv(0xA5, name(self.subject) if isinstance(self.subject, str) else self.subject)
        if self.key is not None and 6 not in fields:
            fields[6] = b"\xa6" + spki(self.key)[1:]
        if self.extensions:
            fields[9] = tlv(0xA9, *self.extensions)
        return seq(*(fields[number] for number in sorted(fields)))

    def encode(self):
        request = seq(integer(self.id), self.template(), seq(*self.controls) if self.controls else b"")
        proof = self.proof
        if proof == AUTOMATIC:
            signed, kind = signature(self.signer or self.key, request)
            proof = tlv(0xA1, kind, bits(signed))
        return seq(request, proof or b"")


def cert_status(certificate, *, id=0, digest=None, status=None, hash_alg=None, failure=b""):
    name = certificate.signature_hash_algorithm.name if digest is None else digest
    value = hashlib.new(name, certificate.public_bytes(Encoding.DER)).digest()
    info = b"" if status is None else seq(integer(status), failure)
    return seq(octets(value), integer(id), info, tlv(0xA0, algorithm(hash_alg)) if hash_alg else b"")


def poll_request(*ids):
    return seq(*(seq(integer(id)) for id in ids))


class Client:
    """A client in one transaction after another. ``send`` takes the DER of a message and gives the DER of the answer."""

    def __init__(self, send, protection, now, **more):
        self.send = send
        self.protection = protection
        self.now = now
        self.more = more
        self.begin()

    def begin(self):
        self.transaction_id, self.answer = os.urandom(16), None
        return self

    def message(self, body, content, **changes):
        facts = {
            "transaction_id": self.transaction_id,
            "sender_nonce": os.urandom(16),
            "recip_nonce": None if self.answer is None else self.answer.sender_nonce,
            "at": self.now().replace(tzinfo=UTC),
            **self.more,
            **changes,
        }
        return Message(body, content, facts.pop("protection", self.protection), **facts)

    def call(self, body, content, **changes):
        """Send one message; the answer, whose protection was verified, and which answers this message."""
        message = self.message(body, content, **changes)
        reply = Reply(self.send(message.encode()))
        if reply.field(6) is not None:
            assert reply.recip_nonce == message.sender_nonce
        if message.transaction_id is not None:
            assert reply.transaction_id == message.transaction_id
        self.answer = reply
        return reply

    def enroll(self, *requests, body=IR, **changes):
        return self.begin().call(body, seq(*(request.encode() for request in requests)), **changes)

    def confirm(self, *statuses, **changes):
        return self.call(CERTCONF, seq(*statuses), **changes)
