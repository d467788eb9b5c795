"""SCEP (RFC 8894): every messageType, its replies, and what must be refused with which failInfo."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding

from vectors import der
from vectors.generator import keys
from vectors.generator.conversation import Conversation, Entropy, Files, get, post
from vectors.harness import Harness, Reply

_PATH = "/scep/vector"
_SCEP = "2.16.840.1.113733.1.9."
_DATA, _SIGNED, _ENVELOPED = (f"1.2.840.113549.1.7.{number}" for number in (1, 2, 3))
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SHA256, _RSA = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1"
_AES128_CBC = "2.16.840.1.101.3.4.1.2"
_NULL = b"\x05\x00"
PKCS_REQ, RENEWAL_REQ, CERT_POLL, GET_CERT, GET_CRL = "19", "17", "20", "21", "22"
_SECRET = "vector secret"  # noqa: S105
_NEEDS = ("vector-ca.key", "vector-client-rsa.key")


class Client:
    """A client with an RSA key, a certificate for it, and a transaction."""

    def __init__(self, name: str, certificate: bytes | None = None) -> None:
        self.entropy = Entropy(name)
        self.key = keys.key("vector-client-rsa")
        self.certificate = certificate or keys.self_signed(self.key, "device", self.entropy)
        self.transaction = hashlib.sha256(name.encode()).hexdigest()

    def message(
        self,
        kind: str,
        content: bytes,
        *,
        transaction: str | None = None,
        spoil: Callable[[bytes], bytes] = lambda signature: signature,
        spoil_envelope: Callable[[bytes], bytes] = lambda envelope: envelope,
    ) -> bytes:
        """A PKIMessage (section 3), DER. :param spoil: changes the signature; ``spoil_envelope`` the pkcsPKIEnvelope before it is signed."""
        envelope = spoil_envelope(self._enveloped(content))
        attributes = [
            (_CONTENT_TYPE, der.oid(_DATA)),
            (_DIGEST, der.octet_string(hashlib.sha256(envelope).digest())),
            (_SCEP + "2", der.printable(kind)),
            (_SCEP + "5", der.octet_string(self.entropy.octets(16))),
            (_SCEP + "7", der.printable(self.transaction if transaction is None else transaction)),
        ]
        signed = der.set_of(*(der.sequence(der.oid(name), der.set_of(value)) for name, value in attributes))
        signer = der.sequence(
            der.integer(1),
            _issuer_and_serial(self.certificate),
            der.algorithm(_SHA256, _NULL),
            b"\xa0" + signed[1:],
            der.algorithm(_RSA, _NULL),
            der.octet_string(spoil(keys.signature(self.key, signed))),
        )
        return _content_info(
            _SIGNED,
            der.sequence(
                der.integer(1),
                der.set_of(der.algorithm(_SHA256, _NULL)),
                der.sequence(der.oid(_DATA), der.explicit(0, der.octet_string(envelope))),
                der.explicit(0, self.certificate),
                der.set_of(signer),
            ),
        )

    def _enveloped(self, content: bytes) -> bytes:
        content_key, vector = self.entropy.octets(16), self.entropy.octets(16)
        padder = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(content_key), modes.CBC(vector)).encryptor()
        encrypted = cipher.update(padder.update(content) + padder.finalize()) + cipher.finalize()
        recipient = der.sequence(
            der.integer(0),
            _issuer_and_serial(keys.ca().public_bytes(Encoding.DER)),
            der.algorithm(_RSA, _NULL),
            der.octet_string(keys.wrapped(keys.ca(), content_key, self.entropy)),
        )
        inner = der.sequence(der.oid(_DATA), der.algorithm(_AES128_CBC, der.octet_string(vector)), der.tlv(0x80, encrypted))
        return _content_info(_ENVELOPED, der.sequence(der.integer(0), der.set_of(recipient), inner))


def _content_info(kind: str, content: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.explicit(0, content))


def _issuer_and_serial(certificate: bytes) -> bytes:
    parts = der.one(certificate).parts[0].parts
    return der.sequence(parts[3].octets, parts[1].octets)


def _operation(message: bytes) -> bytes:
    return post(f"{_PATH}?operation=PKIOperation", "application/x-pki-message", message)


def _issued(reply: Reply) -> bytes:
    """The certificate in a CertRep, opened with the client's key; DER."""
    content = der.one(reply.body).parts[1].parts[0].parts[2].parts[1].parts[0].content
    enveloped = der.one(content).parts[1].parts[0].parts
    recipient = next(part for part in enveloped if part.tag == 0x31).parts[0].parts
    encrypted = enveloped[-1].parts
    content_key = keys.key("vector-client-rsa").decrypt(recipient[3].content, rsa.PKCS1v15())
    vector = encrypted[1].parts[1].content
    cipher = Cipher(algorithms.AES(content_key), modes.CBC(vector)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    plain = unpadder.update(cipher.update(encrypted[2].content) + cipher.finalize()) + unpadder.finalize()
    degenerate = der.one(plain).parts[1].parts[0]
    certificates = degenerate.tagged(0)
    assert certificates is not None
    return certificates.parts[0].octets


def generate(harness: Harness, files: Files) -> None:
    """Write all of them down."""

    def alone(case: str, octets: bytes, comment: str, operation: str, **more: Any) -> None:
        Conversation(harness, files, "scep").send(case, octets, comment, operation, **more)

    for operation in ("GetCACaps", "GetCACert", "GetNextCACert"):
        alone(operation.lower(), get(f"{_PATH}?operation={operation}"), f"{operation}.", operation)
    unknown = get(f"{_PATH}?operation=GetCACertificate")
    alone("unknown-operation", unknown, "No such operation.", "GetCACert", spoilt=("getcacert", "RFC 8894 section 4.1"))
    _lifetime(harness, files)
    _waiting(harness, files)
    _refused(alone)


def _lifetime(harness: Harness, files: Files) -> None:
    """First certificate, renewal, and the questions of who has one."""
    client = Client("pkcsreq")
    csr = keys.csr(client.key, "device", "device.example.test", challenge=_SECRET)
    talk = Conversation(harness, files, "scep")
    comment = "A first certificate, with the password."
    reply = talk.send("pkcsreq", _operation(client.message(PKCS_REQ, csr)), comment, "PKCSReq", needs=_NEEDS, match="answer")
    certificate = _issued(reply)
    named = _issuer_and_serial(certificate)
    renewing = Client("renewalreq", certificate)
    message = renewing.message(RENEWAL_REQ, keys.csr(client.key, "device", "device.example.test"))
    comment = "A renewal, signed with the certificate of the reply before."
    talk.send("renewalreq", _operation(message), comment, "RenewalReq", needs=_NEEDS, match="answer")
    asking = Client("getcert", certificate)
    comment = "The certificate of the first reply, by its issuer and serial number."
    talk.send("getcert", _operation(asking.message(GET_CERT, named)), comment, "GetCert", needs=_NEEDS, match="answer")
    asking = Client("getcrl", certificate)
    comment = "The CRL that the certificate of the first reply would be on."
    talk.send("getcrl", _operation(asking.message(GET_CRL, named)), comment, "GetCRL", needs=_NEEDS, match="answer")
    by_get = Client("pkcsreq-get")
    text = quote(base64.b64encode(by_get.message(PKCS_REQ, csr)), safe="")
    octets = get(f"{_PATH}?operation=PKIOperation&message={text}")
    other = Conversation(harness, files, "scep")
    comment = "The message in the query of a GET (section 4.1)."
    other.send("pkcsreq-get", octets, comment, "PKCSReq", needs=_NEEDS, match="answer")


def _waiting(harness: Harness, files: Files) -> None:
    client = Client("waits")
    csr = keys.csr(client.key, "device", "device.example.test", challenge=_SECRET)
    talk = Conversation(harness, files, "scep", "generated-scep-waits")
    comment = "A person has to decide: PENDING."
    talk.send("waits-1", _operation(client.message(PKCS_REQ, csr)), comment, "PKCSReq", needs=_NEEDS)
    names = der.sequence(_part(keys.ca().public_bytes(Encoding.DER), 5), _part(client.certificate, 5))
    comment = "The client asks, and nobody has decided: PENDING."
    talk.send("waits-2", _operation(client.message(CERT_POLL, names)), comment, "CertPoll", needs=_NEEDS)
    talk.act({"approve": True})
    comment = "The client asks after the request was approved."
    talk.send("waits-3", _operation(client.message(CERT_POLL, names)), comment, "CertPoll", needs=_NEEDS, match="answer")


def _refused(alone: Callable[..., None]) -> None:
    """Each is a control with one change; randomness is the control's, so that nothing else differs."""

    def message(csr: bytes, **more: Any) -> bytes:
        return _operation(Client("pkcsreq").message(PKCS_REQ, csr, **more))

    key = keys.key("vector-client-rsa")
    right = keys.csr(key, "device", "device.example.test", challenge=_SECRET)
    cases: tuple[tuple[str, bytes, str, str], ...] = (
        (
            "signature",
            message(right, spoil=lambda octets: octets[:-1] + bytes([octets[-1] ^ 1])),
            "The last bit of the signature is flipped.",
            "RFC 8894 section 3.2",
        ),
        (
            "password",
            message(keys.csr(key, "device", "device.example.test", challenge=_SECRET[:-1] + "T")),
            "The last letter of the challengePassword is another one.",
            "RFC 8894 section 2.3",
        ),
        (
            "csr-signature",
            message(right[:-1] + bytes([right[-1] ^ 1])),
            "The last bit of the CSR's signature is flipped.",
            "RFC 2986 section 4.2",
        ),
        ("no-csr", message(b"\x04\x00"), "What is enveloped is no CSR.", "RFC 8894 section 3.3.1"),
        (
            "envelope",
            message(right, spoil_envelope=lambda octets: octets[:-1] + bytes([octets[-1] ^ 1])),
            "The last octet of the encrypted content is another one.",
            "RFC 8894 section 3.2.2",
        ),
    )
    for name, octets, comment, clause in cases:
        alone(f"pkcsreq-bad-{name}", octets, comment, "PKCSReq", needs=_NEEDS, spoilt=("pkcsreq", clause))


def _part(certificate: bytes, position: int) -> bytes:
    """A part of the TBSCertificate: 3 is the issuer, 5 the subject."""
    return der.one(certificate).parts[0].parts[position].octets
