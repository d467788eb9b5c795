"""PKIMessages: drafted by the examiner, part by part, and read as a server sent them (RFC 9810 sections 5.1 and 5.3)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property
from typing import Any

from cryptography import x509

from conformance.cmp import asn1, der
from conformance.cmp.asn1 import field as optional
from conformance.cmp.asn1 import read
from conformance.cmp.crmf import CertRequest
from conformance.cmp.protection import Protected, Protection, parameters_of


class Body(IntEnum):
    """The alternatives of PKIBody by their tags (section 5.1.2)."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    POPDECC = 5
    POPDECR = 6
    KUR = 7
    KUP = 8
    KRR = 9
    KRP = 10
    RR = 11
    RP = 12
    CCR = 13
    CCP = 14
    CKUANN = 15
    CANN = 16
    RANN = 17
    CRLANN = 18
    PKICONF = 19
    NESTED = 20
    GENM = 21
    GENP = 22
    ERROR = 23
    CERTCONF = 24
    POLLREQ = 25
    POLLREP = 26


ANSWERS = {Body.IR: Body.IP, Body.CR: Body.CP, Body.P10CR: Body.CP, Body.KUR: Body.KUP, Body.RR: Body.RP, Body.GENM: Body.GENP}
ANSWERS |= {Body.CERTCONF: Body.PKICONF, Body.KRR: Body.KRP, Body.CCR: Body.CCP, Body.NESTED: Body.NESTED}
"""What answers a request where all goes well."""
GRANTS = frozenset({Body.IP, Body.CP, Body.KUP, Body.CCP})
FAILURES = tuple(
    "badAlg badMessageCheck badRequest badTime badCertId badDataFormat wrongAuthority incorrectData missingTimeStamp badPOP "
    "certRevoked certConfirmed wrongIntegrity badRecipientNonce timeNotAvailable unacceptedPolicy unacceptedExtension "
    "addInfoNotAvailable badSenderNonce badCertTemplate signerNotTrusted transactionIdInUse unsupportedVersion notAuthorized "
    "systemUnavail systemFailure duplicateCertReq".split()
)
"""PKIFailureInfo, bit by bit (section 5.2.3)."""
STATUSES = (
    "accepted",
    "grantedWithMods",
    "rejection",
    "waiting",
    "revocationWarning",
    "revocationNotification",
    "keyUpdateWarning",
)
ACCEPTED, GRANTED_WITH_MODS, REJECTION, WAITING = range(4)
IT = "1.3.6.1.5.5.7.4."
IMPLICIT_CONFIRM, CONFIRM_WAIT_TIME, ORIG_PKI_MESSAGE, CERT_PROFILE = (f"{IT}{number}" for number in (13, 14, 15, 21))


def information(dotted: str, value: bytes = b"") -> bytes:
    """InfoTypeAndValue (DER)."""
    return der.sequence(der.oid(dotted), value)


IMPLICITLY = information(IMPLICIT_CONFIRM, der.NULL)


@dataclass(frozen=True)
class Draft:
    """A request before it is protected. What is None, or empty, is left out.

    ``content`` is the DER inside the body's tag; ``requests`` are in its place where the body asks for certificates, so that a change of one
    is signed anew. ``sender`` and ``kid`` None: those of the protection. ``algorithm`` stands in the header in place of that of the
    protection, ``value`` in place of what it computes; both empty: absent. ``after`` are octets behind the message.
    """

    body: int
    protection: Protection
    content: bytes = b""
    requests: tuple[CertRequest, ...] = ()
    pvno: int = 2
    sender: bytes | None = None
    recipient: bytes = der.NULL_DN
    message_time: bytes | None = None
    algorithm: bytes | None = None
    kid: bytes | None = None
    transaction_id: bytes | None = field(default_factory=lambda: secrets.token_bytes(16))
    sender_nonce: bytes | None = field(default_factory=lambda: secrets.token_bytes(16))
    recip_nonce: bytes | None = None
    information: tuple[bytes, ...] = ()
    value: bytes | None = None
    extra_certs: tuple[bytes, ...] | None = None
    after: bytes = b""

    def header(self) -> bytes:
        """PKIHeader (DER)."""
        protection = self.protection
        algorithm = protection.algorithm if self.algorithm is None else self.algorithm
        kid = protection.kid if self.kid is None else self.kid
        parts = [der.integer(self.pvno), protection.sender if self.sender is None else self.sender, self.recipient]
        for number, inner in (
            (0, self.message_time),
            (1, algorithm),
            (2, kid and der.octets(kid)),
            (4, None if self.transaction_id is None else der.octets(self.transaction_id)),
            (5, None if self.sender_nonce is None else der.octets(self.sender_nonce)),
            (6, None if self.recip_nonce is None else der.octets(self.recip_nonce)),
            (8, der.sequence(*self.information) if self.information else None),
        ):
            if inner:
                parts.append(der.tlv(0xA0 | number, inner))
        return der.sequence(*parts)

    def body_der(self) -> bytes:
        """PKIBody (DER)."""
        content = der.sequence(*(one.encode() for one in self.requests)) if self.requests else self.content
        return der.tlv(0xA0 | self.body, content)

    def protected(self) -> bytes:
        """The value of the protection."""
        return self.protection.protect(der.sequence(self.header(), self.body_der())) or b""

    def encode(self) -> bytes:
        """The message (DER), protected."""
        header, body = self.header(), self.body_der()
        value = self.protection.protect(der.sequence(header, body)) if self.value is None else self.value
        certificates = self.protection.certificates if self.extra_certs is None else self.extra_certs
        parts = [header, body]
        if value:
            parts.append(der.tlv(0xA0, der.bits(value)))
        if certificates:
            parts.append(der.tlv(0xA1, der.sequence(*certificates)))
        return der.sequence(*parts) + self.after

    def at(self, moment: datetime) -> Draft:
        """The same with this messageTime."""
        return replace(self, message_time=der.time(moment))


@dataclass(frozen=True, slots=True)
class Status:
    """PKIStatusInfo: ``failures`` are the names of the bits of failInfo, ``given`` whether there was any failInfo."""

    status: int
    failures: frozenset[str]
    text: str
    given: bool

    @property
    def granted(self) -> bool:
        """Whether it is accepted or grantedWithMods."""
        return self.status in (ACCEPTED, GRANTED_WITH_MODS)

    def __str__(self) -> str:
        name = STATUSES[self.status] if 0 <= self.status < len(STATUSES) else str(self.status)
        return " ".join(filter(None, (name, ",".join(sorted(self.failures)), self.text and repr(self.text[:160]))))


def _status(info: Any) -> Status:
    bits = optional(info, "failInfo")
    set_ = [] if bits is None else [number for number, bit in enumerate(bits) if bit]
    names = frozenset(FAILURES[number] if number < len(FAILURES) else f"bit{number}" for number in set_)
    texts = optional(info, "statusString")
    text = "" if texts is None else " ".join(str(one) for one in texts)
    return Status(int(info["status"]), names, text, bits is not None)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer to a request for a certificate. ``pair`` are the elements of its CertifiedKeyPair."""

    id: int
    status: Status
    pair: tuple[der.Element, ...] = ()

    @property
    def certificate_der(self) -> bytes | None:
        """The certificate, if it came in clear."""
        return self.pair[0].content if self.pair and self.pair[0].tag == 0xA0 else None

    @property
    def certificate(self) -> x509.Certificate | None:
        """The same. :raises Garbled: if it is none."""
        octets = self.certificate_der
        if octets is None:
            return None
        try:
            return x509.load_der_x509_certificate(octets)
        except ValueError as error:
            raise der.Garbled(f"not a certificate: {error}") from None

    @property
    def encrypted(self) -> bytes | None:
        """The EncryptedKey (DER) of a certificate that came encrypted."""
        return self.pair[0].content if self.pair and self.pair[0].tag == 0xA1 else None

    @property
    def private_key(self) -> bytes | None:
        """The EncryptedKey (DER) of a private key."""
        return next((one.content for one in self.pair[1:] if one.tag == 0xA0), None)


class Reply:
    """A PKIMessage that a server sent. :raises Garbled: if it is none; what is inside its body is read when it is asked for."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        message = read(octets, asn1.PKI_MESSAGE)
        self.header_der, self.body_der = bytes(message["header"]), bytes(message["body"])
        body = der.element(self.body_der)
        if body.tag & 0xE0 != 0xA0 or body.tag & 0x1F > max(Body):
            raise der.Garbled(f"a body with the tag {body.tag:#x}")
        self.body = Body(body.tag & 0x1F)
        self.content = der.element(body.content).raw
        protection, certificates = optional(message, "protection"), optional(message, "extraCerts")
        self.protection: bytes | None = None if protection is None else protection.asOctets()
        self.extra_certs = () if certificates is None else tuple(bytes(one) for one in certificates)
        header = self.header = read(self.header_der, asn1.PKI_HEADER)
        self.pvno = int(header["pvno"])
        self.sender, self.recipient = bytes(header["sender"]), bytes(header["recipient"])

    def _octets(self, name: str) -> bytes | None:
        found = optional(self.header, name)
        return None if found is None else bytes(found)

    @property
    def transaction_id(self) -> bytes | None:
        """The transactionID."""
        return self._octets("transactionID")

    @property
    def sender_nonce(self) -> bytes | None:
        """The senderNonce."""
        return self._octets("senderNonce")

    @property
    def recip_nonce(self) -> bytes | None:
        """The recipNonce."""
        return self._octets("recipNonce")

    @property
    def sender_kid(self) -> bytes | None:
        """The senderKID."""
        return self._octets("senderKID")

    @property
    def message_time(self) -> datetime | None:
        """The messageTime. :raises Garbled:"""
        found = optional(self.header, "messageTime")
        return None if found is None else generalized_time(str(found))

    @property
    def algorithm(self) -> tuple[str, bytes] | None:
        """protectionAlg: OID and parameters (DER)."""
        found = optional(self.header, "protectionAlg")
        return None if found is None else parameters_of(found)

    def information(self, dotted: str) -> bytes | None:
        """The value (DER) of the first piece of generalInfo of a type, empty if it has none; None if there is no such piece."""
        found = optional(self.header, "generalInfo")
        return next((value for type, value in _informations(found or ()) if type == dotted), None)

    @property
    def protected(self) -> Protected | None:
        """What is to be verified; None if the message is not protected."""
        algorithm = self.algorithm
        if algorithm is None or self.protection is None:
            return None
        part = der.sequence(self.header_der, self.body_der)
        return Protected(*algorithm, self.protection, part, self.extra_certs)

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        """The answers of an ip, cp, kup or ccp. :raises Garbled:"""
        found = []
        for one in read(self.content, asn1.CERT_REP_MESSAGE)["response"]:
            pair = optional(one, "certifiedKeyPair")
            parts = () if pair is None else tuple(der.element(bytes(part)) for part in pair)
            found.append(Response(int(one["certReqId"]), _status(one["status"]), parts))
        return tuple(found)

    @property
    def ca_pubs(self) -> tuple[bytes, ...]:
        """The caPubs of an ip, cp or kup (DER)."""
        found = optional(read(self.content, asn1.CERT_REP_MESSAGE), "caPubs")
        return () if found is None else tuple(bytes(one) for one in found)

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Every PKIStatusInfo of the body; none for a kind of body that has none. :raises Garbled:"""
        if self.body is Body.ERROR:
            return (_status(read(self.content, asn1.ERROR_MSG_CONTENT)["pKIStatusInfo"]),)
        if self.body is Body.RP:
            return tuple(_status(one) for one in read(self.content, asn1.REV_REP_CONTENT)["status"])
        if self.body in GRANTS:
            return tuple(response.status for response in self.responses)
        if self.body is Body.KRP:
            return (_status(read(der.element(self.content).children[0].raw, asn1.PKI_STATUS_INFO)),)
        return ()

    @property
    def revoked(self) -> tuple[tuple[bytes, int], ...]:
        """The revCerts of an rp: issuer (GeneralName, DER) and serial number. :raises Garbled:"""
        found = optional(read(self.content, asn1.REV_REP_CONTENT), "revCerts")
        return () if found is None else tuple((bytes(one["issuer"]), int(one["serialNumber"])) for one in found)

    @property
    def informed(self) -> tuple[tuple[str, bytes], ...]:
        """The elements of a genp: type and value (DER, or empty). :raises Garbled:"""
        return tuple(_informations(read(self.content, asn1.INFORMATIONS)))

    @property
    def polls(self) -> tuple[tuple[int, int], ...]:
        """The certReqId and checkAfter of each element of a pollRep. :raises Garbled:"""
        return tuple((int(one["certReqId"]), int(one["checkAfter"])) for one in read(self.content, asn1.POLL_REP_CONTENT))

    @property
    def refused(self) -> bool:
        """Whether it refuses: an error, or every status in it a rejection. :raises Garbled:"""
        statuses = self.statuses
        if self.body is Body.ERROR:
            return statuses[0].status != WAITING
        return bool(statuses) and all(one.status == REJECTION for one in statuses)

    def __str__(self) -> str:
        try:
            said = "; ".join(map(str, self.statuses))
        except der.Garbled as error:
            said = str(error)
        return f"{self.body.name.lower()}{f' {said}' if said else ''}"


def _informations(found: Sequence[Any]) -> list[tuple[str, bytes]]:
    pairs = []
    for one in found:
        value = optional(one, "infoValue")
        pairs.append((str(one["infoType"]), b"" if value is None else bytes(value)))
    return pairs


def generalized_time(text: str) -> datetime:
    """A GeneralizedTime as RFC 5280 section 4.1.2.5.2 has it. :raises Garbled: for any other."""
    try:
        # strptime takes one digit where there should be two.
        if len(text) != len("20260102030405Z"):
            raise ValueError(text)
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise der.Garbled(f"a GeneralizedTime {text!r}, which RFC 5280 section 4.1.2.5.2 does not allow") from None
