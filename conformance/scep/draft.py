"""A pkiMessage before it is made (RFC 8894 section 3), so that it can be spoilt in one named place, and a mutation that does so.

What is spoilt before a layer is made is spoilt in an otherwise right message: a wrong attribute is signed rightly, and so is a wrong
envelope. Each list of spoilers is applied to one stage, in the order in which they are made.
"""

from __future__ import annotations

import copy
import datetime as dt
import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyasn1.type import useful

from conformance.scep import password as passwords
from conformance.scep import structures
from conformance.scep.algorithms import CIPHERS, DIGESTS, ECDSA, RSA_ENCRYPTION, digest
from conformance.scep.applicants import Signer
from conformance.scep.structures import DATA, algorithm, encode, octet_string, oid, printable
from conformance.transport import HttpRequest

RENEWAL_REQ, PKCS_REQ, CERT_POLL, GET_CERT, GET_CRL = "17", "19", "20", "21", "22"
CERT_REP = "3"
_SCEP = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = (f"{_SCEP}{n}" for n in range(2, 8))
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
MEDIA_TYPE = "application/x-pki-message"

Attributes = dict[str, list[bytes]]
"""Signed attributes: the DER of their values by OID."""


@dataclass(slots=True)
class Draft:
    """The recipe of one message, and of the HTTP request that carries it.

    ``content`` is the messageData, ``recipient`` the certificate (DER) that it is encrypted for, ``signing_time`` an attribute that is there
    if it is not None. ``certificates`` go along with the message; None: the signer's.
    """

    url: str
    kind: str
    content: bytes
    signer: Signer
    recipient: bytes
    transaction_id: str
    nonce: bytes = field(default_factory=lambda: os.urandom(16))
    digest: str = "sha256"
    cipher: str = "aes128"
    signing_time: dt.datetime | None = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    certificates: tuple[bytes, ...] | None = None
    method: str = "POST"
    password: str = ""
    """What the content is encrypted under in place of the recipient's key (section 3.1); empty: nothing."""
    iterations: int = 0
    """Of the derivation of a key from the password, as the message says it; 0: those that were done."""
    csr_key: bytes = b""
    """The public key that a certificate is asked for; empty if none is."""
    last_envelope: bytes = b""
    """The envelope of the message that was made last."""
    spoil_enveloped: list[Callable[[Any], None]] = field(default_factory=list)
    """Change the EnvelopedData."""
    spoil_envelope: list[Callable[[bytes], bytes]] = field(default_factory=list)
    """Change the octets of the pkcsPKIEnvelope, which are what is signed."""
    spoil_attributes: list[Callable[[Attributes], None]] = field(default_factory=list)
    """Change the signed attributes before they are signed."""
    spoil_signed: list[Callable[[Any], None]] = field(default_factory=list)
    """Change the SignedData after it was signed."""
    spoil_message: list[Callable[[bytes], bytes]] = field(default_factory=list)
    """Change the octets of the whole message."""
    spoil_request: list[Callable[[HttpRequest], HttpRequest]] = field(default_factory=list)
    """Change the HTTP request."""

    def copy(self) -> Draft:
        """A draft of its own that can be spoilt; keys are shared."""
        made = copy.copy(self)
        for stage in ("enveloped", "envelope", "attributes", "signed", "message", "request"):
            setattr(made, f"spoil_{stage}", list(getattr(self, f"spoil_{stage}")))
        return made

    def envelope(self) -> bytes:
        """The pkcsPKIEnvelope (section 3.2.2)."""
        if self.password:
            enveloped = passwords.enveloped_data(self.content, self.password.encode(), self.cipher, claimed=self.iterations)
        else:
            enveloped = enveloped_data(self.content, self.recipient, self.cipher)
        for spoil in self.spoil_enveloped:
            spoil(enveloped)
        made = structures.content_info(structures.ENVELOPED_DATA, encode(enveloped))
        for change in self.spoil_envelope:
            made = change(made)
        self.last_envelope = made
        return made

    def attributes(self, envelope: bytes) -> Attributes:
        """The signed attributes (section 3.2.1)."""
        made: Attributes = {
            CONTENT_TYPE: [oid(DATA)],
            MESSAGE_DIGEST: [octet_string(digest(self.digest, envelope))],
            MESSAGE_TYPE: [printable(self.kind)],
            TRANSACTION_ID: [printable(self.transaction_id)],
            SENDER_NONCE: [octet_string(self.nonce)],
        }
        if self.signing_time is not None:
            made[SIGNING_TIME] = [encode(useful.UTCTime(self.signing_time.strftime("%y%m%d%H%M%SZ")))]
        for spoil in self.spoil_attributes:
            spoil(made)
        return made

    def message(self) -> bytes:
        """The pkiMessage."""
        envelope = self.envelope()
        attributes = self.attributes(envelope)
        signed = structures.SignedData()
        signed["version"] = 1
        signed["digestAlgorithms"].append(encode(algorithm(DIGESTS[self.digest][0])))
        signed["encapContentInfo"]["eContentType"] = DATA
        signed["encapContentInfo"]["eContent"] = envelope
        signed["certificates"].extend((self.signer.certificate,) if self.certificates is None else self.certificates)
        signed["signerInfos"].append(signer_info(self.signer, self.digest, attributes))
        for spoil in self.spoil_signed:
            spoil(signed)
        made = structures.content_info(structures.SIGNED_DATA, encode(signed))
        for change in self.spoil_message:
            made = change(made)
        return made

    def request(self) -> HttpRequest:
        """The HTTP request to send (section 4.1)."""
        message = self.message()
        if self.method == "GET":
            text = quote(b64encode(message).decode("ascii"), safe="")
            request = HttpRequest("GET", f"{self.url}?operation=PKIOperation&message={text}")
        else:
            request = HttpRequest(self.method, f"{self.url}?operation=PKIOperation", (("Content-Type", MEDIA_TYPE),), message)
        for change in self.spoil_request:
            request = change(request)
        return request


def signed_attributes(attributes: Attributes) -> Any:
    """The set of attributes."""
    made = structures.Octets()
    made.extend(structures.attribute(kind, values) for kind, values in attributes.items())
    return made


def signer_info(signer: Signer, digest_name: str, attributes: Attributes) -> Any:
    """A SignerInfo over these attributes (RFC 5652 section 5.4)."""
    made = structures.SignerInfo()
    made["version"] = 1
    made["sid"] = signer.identifier
    made["digestAlgorithm"] = algorithm(DIGESTS[digest_name][0])
    made["signedAttrs"].extend(signed_attributes(attributes))
    ecdsa = isinstance(signer.key, ec.EllipticCurvePrivateKey)
    made["signatureAlgorithm"] = algorithm(ECDSA[digest_name], b"") if ecdsa else algorithm(RSA_ENCRYPTION)
    made["signature"] = signer.sign(encode(signed_attributes(attributes)), digest_name)
    return made


def enveloped_data(content: bytes, recipient: bytes, cipher: str, *, content_type: str = DATA, key: bytes | None = None) -> Any:
    """An EnvelopedData for the RSA key of a certificate. :param key: what is encrypted as the key; None: the key."""
    way = CIPHERS[cipher]
    fresh, iv = way.fresh()
    public_key = x509.load_der_x509_certificate(recipient).public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise structures.Malformed("the recipient's certificate has no RSA key (section 3.1)")
    transport = structures.KeyTransRecipientInfo()
    transport["version"] = 0
    transport["rid"] = structures.issuer_and_serial(recipient)
    transport["keyEncryptionAlgorithm"] = algorithm(RSA_ENCRYPTION)
    transport["encryptedKey"] = public_key.encrypt(fresh if key is None else key, padding.PKCS1v15())
    made = structures.EnvelopedData()
    made["version"] = 0
    made["recipientInfos"].append(encode(transport))
    encrypted = made["encryptedContentInfo"]
    encrypted["contentType"] = content_type
    encrypted["contentEncryptionAlgorithm"] = algorithm(way.oid, octet_string(iv))
    encrypted["encryptedContent"] = way.encrypt(content, fresh, iv)
    return made


@dataclass(frozen=True, slots=True)
class Mutation:
    """One named change of a correct message. ``clause`` is what the spoilt one violates, or what its tolerance rests on."""

    name: str
    clause: str
    change: Callable[[Draft], None]

    def of(self, draft: Draft) -> Draft:
        """The spoilt message."""
        spoilt = draft.copy()
        self.change(spoilt)
        return spoilt
