"""CMP (RFC 9810): the messages of a client, protected by a shared secret or a signature, and what must be refused with which failInfo."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from vectors import der
from vectors.generator import keys
from vectors.generator.conversation import Conversation, Entropy, Files
from vectors.harness import Harness, Reply

IR, CR, P10CR, KUR, RR, GENM, CERTCONF, POLLREQ = 0, 2, 4, 7, 11, 21, 24, 25
_SECRET, _REFERENCE = b"vector secret", b"lab"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_PBM = "1.2.840.113533.7.66.13"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_OLD_CERT_ID = "1.3.6.1.5.5.7.5.1.5"
_CA_CERTS, _UNKNOWN = "1.3.6.1.5.5.7.4.17", "1.2.3.4"
_ITERATIONS = 500
_TIME = der.generalized_time("20260102030405Z")


@dataclass(slots=True)
class Client:
    """A client in one transaction. With a certificate it signs, without one it knows the secret."""

    name: str
    certificate: bytes = b""
    secret: bytes = _SECRET
    reference: bytes = _REFERENCE
    pvno: int = 2
    server_nonce: bytes = b""
    entropy: Entropy = field(init=False)
    transaction: bytes = field(init=False)
    key: Any = field(init=False)

    def __post_init__(self) -> None:
        self.entropy = Entropy(self.name)
        self.transaction = self.entropy.octets(16)
        self.key = keys.key("vector-client-p256")

    def message(self, body: int, content: bytes, spoil: Callable[[bytes], bytes] = lambda protection: protection) -> bytes:
        """A PKIMessage (section 5.1), DER. :param spoil: changes the protection."""
        if self.certificate:
            sender, algorithm = _part(self.certificate, 5), der.algorithm(_ECDSA_SHA256)
            identifier = _subject_key_identifier(self.certificate)
        else:
            sender, identifier = der.sequence(), self.reference
            salt = self.entropy.octets(16)
            parameters = der.sequence(
                der.octet_string(salt), der.algorithm(_SHA256), der.integer(_ITERATIONS), der.algorithm(_HMAC_SHA256)
            )
            algorithm = der.algorithm(_PBM, parameters)
        header = der.sequence(
            der.integer(self.pvno),
            der.explicit(4, sender),
            der.explicit(4, _part(keys.ca().public_bytes(Encoding.DER), 5)),
            der.explicit(0, _TIME),
            der.explicit(1, algorithm),
            der.explicit(2, der.octet_string(identifier)),
            der.explicit(4, der.octet_string(self.transaction)),
            der.explicit(5, der.octet_string(self.entropy.octets(16))),
            *([der.explicit(6, der.octet_string(self.server_nonce))] if self.server_nonce else []),
        )
        tagged = der.explicit(body, content)
        protected = der.sequence(header, tagged)
        protection = keys.signature(self.key, protected) if self.certificate else _mac(self.secret, salt, protected)
        extra = [der.explicit(1, der.sequence(self.certificate))] if self.certificate else []
        return der.sequence(header, tagged, der.explicit(0, der.bit_string(spoil(protection))), *extra)

    def heard(self, reply: Reply) -> der.Value:
        """Keep the server's nonce for the next message; the reply's body."""
        header, body, *_ = der.one(reply.body).parts
        nonce = header.tagged(5)
        assert nonce is not None
        self.server_nonce = nonce.parts[0].content
        return body


def _mac(secret: bytes, salt: bytes, octets: bytes) -> bytes:
    """RFC 4211 section 4.4."""
    base = secret + salt
    for _ in range(_ITERATIONS):
        base = hashlib.sha256(base).digest()
    return hmac.digest(base, octets, "sha256")


def _request(
    key: Any,
    *controls: bytes,
    identifier: int = 0,
    subject: str = "device",
    spoil: Callable[[bytes], bytes] = lambda signature: signature,
    possession: bytes | None = None,
) -> bytes:
    """CertReqMessages (RFC 4211 section 3) with one request and a signature as proof of possession."""
    name = der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8(subject))))
    template = der.sequence(der.explicit(5, name), b"\xa6" + keys.spki(key)[1:])
    request = der.sequence(der.integer(identifier), template, *([der.sequence(*controls)] if controls else []))
    if possession is None:
        signed = der.sequence(der.algorithm(_ECDSA_SHA256), der.bit_string(spoil(keys.signature(key, request))))
        possession = b"\xa1" + signed[1:]
    return der.sequence(der.sequence(request, possession))


def _confirmed(certificate: bytes, identifier: int = 0, digest: bytes | None = None) -> bytes:
    """CertConfirmContent (section 5.3.18) that accepts a certificate."""
    return der.sequence(der.sequence(der.octet_string(digest or hashlib.sha256(certificate).digest()), der.integer(identifier)))


def _issued(body: der.Value) -> bytes:
    """The certificate in an ip, cp or kup; DER."""
    response = next(part for part in body.parts[0].parts if part.tag == 0x30).parts[0]
    return response.parts[2].parts[0].parts[0].octets


def _part(certificate: bytes, position: int) -> bytes:
    return der.one(certificate).parts[0].parts[position].octets


def _subject_key_identifier(certificate: bytes) -> bytes:
    extensions = der.one(certificate).parts[0].tagged(3)
    assert extensions is not None
    found = next(one for one in extensions.parts[0].parts if one.parts[0].octets == der.oid("2.5.29.14"))
    return der.one(found.parts[-1].content).content


def generate(harness: Harness, files: Files) -> None:
    """Write all of them down."""
    certificate, nonce = _first(harness, files)
    _second(harness, files)
    _questions(harness, files)
    _waiting(harness, files)
    _refused(harness, files, certificate, nonce)


def _first(harness: Harness, files: Files) -> tuple[bytes, bytes]:
    """By the secret: ir and its confirmation; then by the certificate: cr, kur, rr. The first certificate, and the nonce beside it."""
    key = keys.key("vector-client-p256")
    talk = Conversation(harness, files, "cmp")
    client = Client("ir")
    reply = talk.send("ir", client.message(IR, _request(key)), "A first certificate, protected by the secret (PBM).", "ir")
    certificate = _issued(client.heard(reply))
    nonce = client.server_nonce
    talk.send("ir-certconf", client.message(CERTCONF, _confirmed(certificate)), "The client accepts the certificate.", "certConf")
    client = Client("cr", certificate)
    reply = talk.send("cr", client.message(CR, _request(key)), "Another certificate, signed with the first one.", "cr")
    another = _issued(client.heard(reply))
    talk.send("cr-certconf", client.message(CERTCONF, _confirmed(another)), "The client accepts it.", "certConf")
    client = Client("kur", certificate)
    old = der.sequence(der.oid(_OLD_CERT_ID), der.sequence(der.explicit(4, _part(certificate, 3)), _part(certificate, 1)))
    reply = talk.send("kur", client.message(KUR, _request(key, old)), "An update of the first one, with oldCertId.", "kur")
    updated = _issued(client.heard(reply))
    talk.send("kur-certconf", client.message(CERTCONF, _confirmed(updated)), "The client accepts it.", "certConf")
    client = Client("rr", updated)
    details = der.sequence(b"\x81" + _part(another, 1)[1:], der.explicit(3, _part(another, 3)))
    reason = der.sequence(der.sequence(der.oid("2.5.29.21"), der.octet_string(der.tlv(0x0A, b"\x04"))))
    rr = der.sequence(der.sequence(details, reason))
    talk.send("rr", client.message(RR, rr), "Revocation of the second one: superseded.", "rr")
    return certificate, nonce


def _second(harness: Harness, files: Files) -> None:
    """p10cr."""
    talk = Conversation(harness, files, "cmp")
    client = Client("p10cr")
    csr = keys.csr(client.key, "device", "device.example.test")
    reply = talk.send("p10cr", client.message(P10CR, csr), "A PKCS #10 request in CMP.", "p10cr")
    certificate = _issued(client.heard(reply))
    talk.send("p10cr-certconf", client.message(CERTCONF, _confirmed(certificate, -1)), "certReqId is -1.", "certConf")


def _questions(harness: Harness, files: Files) -> None:
    for case, kind, comment in (
        ("genm-cacerts", _CA_CERTS, "What CA certificates are there? (section 5.3.19.14)"),
        ("genm-unknown", _UNKNOWN, "An infoType that nobody knows."),
    ):
        talk = Conversation(harness, files, "cmp")
        talk.send(case, Client(case).message(GENM, der.sequence(der.sequence(der.oid(kind)))), comment, "genm")


def _waiting(harness: Harness, files: Files) -> None:
    talk = Conversation(harness, files, "cmp", "generated-cmp-waits")
    client = Client("waits")
    reply = talk.send("waits-ir", client.message(IR, _request(client.key)), "A person has to decide: waiting.", "ir")
    client.heard(reply)
    asks = der.sequence(der.sequence(der.integer(0)))
    reply = talk.send("waits-pollreq-1", client.message(POLLREQ, asks), "Nobody has decided: pollRep.", "pollReq")
    client.heard(reply)
    talk.act({"approve": True})
    talk.act({"advance": 60})
    talk.send("waits-pollreq-2", client.message(POLLREQ, asks), "After the request was approved: ip.", "pollReq")


def _refused(harness: Harness, files: Files, certificate: bytes, nonce: bytes) -> None:
    """Each is a control with one change; randomness is the control's, so that nothing else differs."""
    key = keys.key("vector-client-p256")

    def flipped(octets: bytes) -> bytes:
        return octets[:-1] + bytes([octets[-1] ^ 1])

    right = _request(key)
    ra_verified = _request(key, possession=b"\x80\x00")
    twice = der.sequence(*(part.octets for part in der.one(right).parts * 2))
    cases: tuple[tuple[str, bytes, str, str], ...] = (
        ("mac", Client("ir").message(IR, right, flipped), "The last bit of the MAC is flipped.", "RFC 9810 section 5.1.3"),
        (
            "secret",
            Client("ir", secret=b"vector secreT").message(IR, right),
            "The MAC is made with another secret.",
            "RFC 9810 section 5.1.3",
        ),
        ("reference", Client("ir", reference=b"lac").message(IR, right), "Nobody has this reference.", "RFC 9810 section 5.1.1"),
        (
            "possession",
            Client("ir").message(IR, _request(key, spoil=flipped)),
            "The last bit of the proof of possession is flipped.",
            "RFC 4211 section 4.1",
        ),
        (
            "raverified",
            Client("ir").message(IR, ra_verified),
            "The client says that an RA has verified possession.",
            "RFC 9810 section 5.2.8.1",
        ),
        ("version", Client("ir", pvno=1).message(IR, right), "cmp1999.", "RFC 9810 section 7"),
        ("certreqid", Client("ir").message(IR, twice), "Two requests have the same certReqId.", "RFC 9810 section 5.2.3"),
    )
    for name, octets, comment, clause in cases:
        Conversation(harness, files, "cmp").send(f"ir-bad-{name}", octets, comment, "ir", spoilt=("ir", clause))
    client = Client("ir")
    client.message(IR, right)
    client.server_nonce = nonce
    digest = flipped(hashlib.sha256(certificate).digest())
    Conversation(harness, files, "cmp", after="ir").send(
        "certconf-bad-hash",
        client.message(CERTCONF, _confirmed(certificate, digest=digest)),
        "certHash is that of no certificate of this transaction.",
        "certConf",
        spoilt=("ir-certconf", "RFC 9810 section 5.3.18"),
    )
