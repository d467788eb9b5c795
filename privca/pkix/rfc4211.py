"""Certificate request messages (CRMF, RFC 4211): parsed, and reduced to the facts that the CA judges.

Used by CMP (RFC 9810) and by CMC (RFC 5272). What a POPO signs is kept as it was received. A template may lack what another message
completes (subject and names of a key update, the key of central key generation): :meth:`CertTemplate.requested` takes them as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.pkix import der, requested, signatures, weak
from privca.pkix.requested import AlgorithmIdentifier, Extension, RdnSequence, SubjectPublicKeyInfo

MAXIMUM_REQUESTS = 16
MAXIMUM_CONTROLS = 16

_CLAUSE = "RFC 4211 section 4"
_TEMPLATE = "RFC 4211 section 5"
_SEQUENCE, _SEQUENCE_OF = 0x30, 0x30
_EMPTY_NAME = b"\x30\x00"

_PKIX_REGISTRATION = "1.3.6.1.5.5.7.5"
REG_TOKEN = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.1")
AUTHENTICATOR = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.2")
PKI_PUBLICATION_INFO = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.3")
PKI_ARCHIVE_OPTIONS = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.4")
OLD_CERT_ID = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.5")
PROTOCOL_ENCR_KEY = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.6")
ALT_CERT_TEMPLATE = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.7")
ALG_ID = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.11")
"""keySpec of a certificate request template (RFC 9810 section 5.3.19.16)."""
RSA_KEY_LEN = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.1.12")
UTF8_PAIRS = x509.ObjectIdentifier(f"{_PKIX_REGISTRATION}.2.1")

CERTIFIED_KEYS = requested.SIGNATURE_KEYS | {
    x509.ObjectIdentifier("1.3.101.110"),  # X25519, X448 (RFC 8410)
    x509.ObjectIdentifier("1.3.101.111"),
    x509.ObjectIdentifier("2.16.840.1.101.3.4.4.2"),  # ML-KEM-768, ML-KEM-1024
    x509.ObjectIdentifier("2.16.840.1.101.3.4.4.3"),
}
"""Algorithms of keys that CRMF has a proof of possession for."""


@der.sequence
class AttributeTypeAndValue:
    """A control or a piece of registration information (sections 6 and 7)."""

    type: x509.ObjectIdentifier
    value: der.TLV


@der.sequence
class _OptionalValidity:
    not_before: Annotated[der.GeneralizedTime | der.UTCTime | None, der.Explicit(0)]
    not_after: Annotated[der.GeneralizedTime | der.UTCTime | None, der.Explicit(1)]


@der.sequence
class _CertTemplate:
    version: Annotated[int | None, der.Implicit(0)]
    serial_number: Annotated[int | None, der.Implicit(1)]
    signing_alg: Annotated[AlgorithmIdentifier | None, der.Implicit(2)]
    # Name is a CHOICE: its tag is explicit.
    issuer: Annotated[RdnSequence | None, der.Explicit(3)]
    validity: Annotated[_OptionalValidity | None, der.Implicit(4)]
    subject: Annotated[RdnSequence | None, der.Explicit(5)]
    public_key: Annotated[SubjectPublicKeyInfo | None, der.Implicit(6)]
    issuer_uid: Annotated[der.BitString | None, der.Implicit(7)]
    subject_uid: Annotated[der.BitString | None, der.Implicit(8)]
    extensions: Annotated[list[Extension] | None, der.Implicit(9)]


@der.sequence
class _CertRequest:
    cert_req_id: int
    template: der.TLV
    controls: list[AttributeTypeAndValue] | None


@der.sequence
class _PkmacValue:
    algorithm: AlgorithmIdentifier
    value: der.BitString


@der.sequence
class _SigningKeyInput:
    # AuthInfo: [0] GeneralName, or PKMACValue, a SEQUENCE.
    auth_info: der.TLV
    public_key: SubjectPublicKeyInfo


@der.sequence
class _SigningKey:
    algorithm: AlgorithmIdentifier
    signature: der.BitString


@der.sequence
class _SigningKeyWithInput:
    input: Annotated[_SigningKeyInput, der.Implicit(0)]
    algorithm: AlgorithmIdentifier
    signature: der.BitString


@der.sequence
class _Name:
    name: RdnSequence


@der.sequence
class _SpkiBox:
    spki: SubjectPublicKeyInfo


@der.sequence
class _CertId:
    issuer: der.TLV
    serial_number: int


@dataclass(frozen=True, slots=True)
class CertId:
    """A certificate by issuer (Name as DER, empty if it is another kind of GeneralName) and serial number."""

    issuer: bytes
    serial: int

    @classmethod
    def parse(cls, octets: bytes) -> CertId:
        """From DER (section 6.5). :raises Refused: ``MALFORMED``."""
        value = der.decode(_CertId, octets, clause="RFC 4211 section 6.5")
        directory = value.issuer.tag_bytes == b"\xa4"
        return cls(bytes(value.issuer.data) if directory else b"", value.serial_number)

    def encode(self) -> bytes:
        """As DER."""
        return der.tlv(_SEQUENCE, der.tlv(0xA4, self.issuer), der.integer(self.serial))


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What a CRMF template asks for, as the CA judges it (:class:`privca.issuance.ports.Requested`).

    ``der`` is the CertReqMsg as received.
    """

    der: bytes = field(repr=False)
    subject: x509.Name
    spki: bytes = field(repr=False)
    public_key: weak.CertifiedPublicKey
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]


@dataclass(frozen=True, slots=True)
class CertTemplate:
    """Section 5. Every field but ``der`` may be absent: None.

    ``der`` is the template as received; ``issuer`` and ``subject`` are Names and ``spki`` a SubjectPublicKeyInfo, as DER. ``spki`` may
    have an algorithm and no key (RFC 9483 section 4.1.6: central key generation with a wish for the kind of key).
    """

    der: bytes = field(repr=False)
    version: int | None = None
    serial: int | None = None
    issuer: bytes | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    subject: bytes | None = None
    spki: bytes | None = None
    key_algorithm: AlgorithmIdentifier | None = None
    has_key: bool = False
    extensions: tuple[Extension, ...] = ()

    @classmethod
    def parse(cls, octets: bytes) -> CertTemplate:
        """From DER. :raises Refused: ``MALFORMED``, ``BAD_CSR`` for too much of anything."""
        template = der.decode(_CertTemplate, octets, clause=_TEMPLATE)
        if template.subject is not None:
            requested.check_subject(template.subject)
        if template.extensions is not None:
            requested.check_extensions(template.extensions)
        key = template.public_key
        return cls(
            der=octets,
            version=template.version,
            serial=template.serial_number,
            issuer=None if template.issuer is None else _name(template.issuer),
            not_before=_time(template.validity.not_before) if template.validity is not None else None,
            not_after=_time(template.validity.not_after) if template.validity is not None else None,
            subject=None if template.subject is None else _name(template.subject),
            spki=None if key is None else _unboxed(_SpkiBox(spki=key)),
            key_algorithm=None if key is None else key.algorithm,
            has_key=key is not None and bool(key.public_key.as_bytes()),
            extensions=tuple(template.extensions or ()),
        )

    def public_key(self) -> weak.CertifiedPublicKey:
        """The key, checked. :raises Refused: ``BAD_PUBLIC_KEY`` for a bad one, ``BAD_CSR`` if there is none."""
        if self.spki is None or not self.has_key:
            raise Refused(Reason.BAD_CSR, _TEMPLATE, "the template has no publicKey")
        return requested.public_key(self.spki, CERTIFIED_KEYS)

    def requested(
        self,
        octets: bytes,
        *,
        public_key: weak.CertifiedPublicKey | None = None,
        subject: bytes | None = None,
        extensions: Sequence[Extension] | None = None,
    ) -> CertificateRequest:
        """The facts for the CA.

        :param octets: the CertReqMsg.
        :param public_key, subject, extensions: in place of what the template has, or has not.
        :raises Refused: ``BAD_CSR``, ``BAD_PUBLIC_KEY``.
        """
        key = self.public_key() if public_key is None else public_key
        name = subject if subject is not None else self.subject if self.subject is not None else _EMPTY_NAME
        wanted = list(self.extensions if extensions is None else extensions)
        found_subject, found = requested.wishes(name, wanted, clause=_TEMPLATE)
        return CertificateRequest(
            der=octets,
            subject=found_subject,
            spki=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            public_key=key,
            names=requested.names_in(found),
            extensions=found,
        )


@dataclass(frozen=True, slots=True)
class RaVerified:
    """The RA has verified possession (section 4)."""


@dataclass(frozen=True, slots=True)
class PopSignature:
    """POPOSigningKey (section 4.1). ``algorithm`` is an AlgorithmIdentifier, ``signed`` the octets under the signature.

    With a poposkInput: ``input_key`` is its public key (DER); ``sender`` the GeneralName (DER) in it, or ``mac`` the PKMACValue as
    algorithm (DER) and value.
    """

    algorithm: bytes
    signature: bytes
    signed: bytes = field(repr=False)
    input_key: bytes | None = None
    sender: bytes | None = None
    mac: tuple[bytes, bytes] | None = None


@dataclass(frozen=True, slots=True)
class PopPrivateKey:
    """POPOPrivKey (sections 4.2 and 4.3). ``use`` is ``keyEncipherment`` or ``keyAgreement``; ``method`` the alternative's name:
    ``thisMessage``, ``encrCert``, ``challengeResp``, ``dhMAC``, ``agreeMAC`` or ``encryptedKey``; ``value`` its octets, as DER."""

    use: str
    method: str
    value: bytes = field(repr=False)


ProofOfPossession: TypeAlias = RaVerified | PopSignature | PopPrivateKey


@dataclass(frozen=True, slots=True)
class CertReqMsg:
    """One request (section 3). ``der`` is the CertReqMsg, ``request`` the CertRequest in it; ``controls`` and ``registration`` hold the
    value of each type as DER. ``proof`` None: absent."""

    der: bytes = field(repr=False)
    request: bytes = field(repr=False)
    id: int
    template: CertTemplate
    controls: dict[x509.ObjectIdentifier, bytes]
    proof: ProofOfPossession | None
    registration: dict[x509.ObjectIdentifier, bytes]

    def old_certificate(self) -> CertId | None:
        """The certificate that is to be replaced (section 6.5). :raises Refused: ``MALFORMED``."""
        value = self.controls.get(OLD_CERT_ID)
        return None if value is None else CertId.parse(value)

    def text(self, control: x509.ObjectIdentifier) -> str | None:
        """A control that is a UTF8String: regToken, authenticator (sections 6.1 and 6.2). :raises Refused: ``MALFORMED``."""
        value = self.controls.get(control)
        return None if value is None else der.decode(_Utf8, der.tlv(_SEQUENCE, value), clause="RFC 4211 section 6").text

    def check_signature(self, public_key: weak.CertifiedPublicKey, *, tolerant: bool = False) -> None:
        """Hold the proof of possession by signature against the key (section 4.1).

        :param tolerant: accept a signature over a certReq without subject, as OpenSSL makes it; it covers the key all the same.

        Who sent a poposkInput with a sender or MAC in it is for the caller to hold against what it knows.

        :raises Refused: ``BAD_POP``.
        """
        clause = "RFC 4211 section 4.1"
        proof, template = self.proof, self.template
        if not isinstance(proof, PopSignature):
            raise Refused(Reason.BAD_POP, clause, "there is no proof of possession by signature")
        complete = template.subject is not None and template.has_key
        if complete and proof.input_key is not None:
            raise Refused(
                Reason.BAD_POP, clause, "a template with subject and publicKey needs no poposkInput, and must have none"
            )
        if not complete and proof.input_key is None and not (tolerant and template.has_key):
            raise Refused(Reason.BAD_POP, clause, "a template without subject or publicKey needs a poposkInput")
        spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if proof.input_key is not None and proof.input_key not in (spki, template.spki):
            raise Refused(Reason.BAD_POP, clause, "poposkInput has another public key than the template")
        try:
            signatures.verify(public_key, proof.algorithm, proof.signature, proof.signed)
        except Refused as refused:
            # An algorithm that we do not know is the client's to change, all else is a proof that fails.
            reason = Reason.BAD_SIGNATURE_ALGORITHM if refused.reason is Reason.BAD_SIGNATURE_ALGORITHM else Reason.BAD_POP
            raise Refused(reason, clause, refused.detail, expected=refused.expected, got=refused.got) from None


def parse(octets: bytes) -> tuple[CertReqMsg, ...]:
    """The CertReqMessages that ``octets`` (DER) are. Ids may occur twice: that is for the protocol to say.

    :raises Refused: ``MALFORMED``, ``TOO_LARGE``, ``BAD_CSR``.
    """
    messages = der.elements(octets, clause="RFC 4211 section 3")
    if not octets.startswith(b"\x30") or not messages:
        raise Refused(Reason.MALFORMED, "RFC 4211 section 3", "CertReqMessages is a SEQUENCE of at least one CertReqMsg")
    if len(messages) > MAXIMUM_REQUESTS:
        raise Refused(
            Reason.TOO_LARGE, "RFC 4211 section 3", "too many requests in one message", expected=f"at most {MAXIMUM_REQUESTS}"
        )
    return tuple(parse_one(message) for message in messages)


def parse_one(octets: bytes) -> CertReqMsg:
    """The CertReqMsg that ``octets`` (DER) are. :raises Refused: ``MALFORMED``, ``BAD_CSR``."""
    clause = "RFC 4211 section 3"
    if not octets.startswith(b"\x30"):
        raise Refused(Reason.MALFORMED, clause, "a CertReqMsg is a SEQUENCE")
    parts = der.elements(octets, clause=clause)
    proof: ProofOfPossession | None = None
    registration: list[AttributeTypeAndValue] = []
    rest = parts[1:]
    if rest and rest[0][0] != _SEQUENCE:
        proof = _proof(rest.pop(0), parts[0])
    if rest and rest[0][0] == _SEQUENCE_OF:
        registration = der.decode(_Attributes, der.tlv(_SEQUENCE, rest.pop(0)), clause="RFC 4211 section 7").attributes
    if rest or not parts:
        raise Refused(Reason.MALFORMED, clause, "a CertReqMsg has certReq, popo and regInfo, in this order")
    request = der.decode(_CertRequest, parts[0], clause="RFC 4211 section 5")
    return CertReqMsg(
        der=octets,
        request=parts[0],
        id=request.cert_req_id,
        template=CertTemplate.parse(der.encode(request.template)),
        controls=_table(request.controls or [], "RFC 4211 section 6"),
        proof=proof,
        registration=_table(registration, "RFC 4211 section 7"),
    )


@der.sequence
class _Attributes:
    attributes: list[AttributeTypeAndValue]


@der.sequence
class _Utf8:
    text: str


def _table(attributes: list[AttributeTypeAndValue], clause: str) -> dict[x509.ObjectIdentifier, bytes]:
    if len(attributes) > MAXIMUM_CONTROLS:
        raise Refused(Reason.TOO_LARGE, clause, "too many controls", expected=f"at most {MAXIMUM_CONTROLS}")
    table = {attribute.type: der.encode(attribute.value) for attribute in attributes}
    if len(table) != len(attributes):
        raise Refused(Reason.MALFORMED, clause, "a control occurs more than once")
    return table


_METHODS = {0x80: "thisMessage", 0x81: "subsequentMessage", 0x82: "dhMAC", 0xA3: "agreeMAC", 0xA4: "encryptedKey"}
_SUBSEQUENT = {b"\x81\x01\x00": "encrCert", b"\x81\x01\x01": "challengeResp"}
_USES = {0xA2: "keyEncipherment", 0xA3: "keyAgreement"}


def _proof(octets: bytes, request: bytes) -> ProofOfPossession:
    clause = "RFC 4211 section 4"
    if octets == b"\x80\x00":
        return RaVerified()
    if octets[0] == 0xA1:
        return _signature(octets, request)
    use = _USES.get(octets[0])
    if use is None:
        raise Refused(Reason.MALFORMED, clause, "an unknown kind of proof of possession", got=f"tag {octets[0]:#x}")
    (inner,) = der.elements(octets, clause=clause)[:1] or (b"\x00",)
    method = _METHODS.get(inner[0], "")
    if method == "subsequentMessage":
        method = _SUBSEQUENT.get(inner, "")
    if not method or der.tlv(octets[0], inner) != octets:
        raise Refused(Reason.MALFORMED, "RFC 4211 section 4.2", "an unknown alternative of POPOPrivKey")
    return PopPrivateKey(use, method, inner)


def _signature(octets: bytes, request: bytes) -> PopSignature:
    clause = "RFC 4211 section 4.1"
    parts = der.elements(octets, clause=clause)
    sequence = der.tlv(_SEQUENCE, *parts)
    if not parts or parts[0][0] != 0xA0:
        plain = der.decode(_SigningKey, sequence, clause=clause)
        return PopSignature(parts[0], _octets(plain.signature), request)
    value = der.decode(_SigningKeyWithInput, sequence, clause=clause)
    # The signature is over the DER of POPOSigningKeyInput, a SEQUENCE: the tag [0] is not part of it.
    signed = b"\x30" + parts[0][1:]
    auth_info = value.input.auth_info
    sender = mac = None
    if auth_info.tag_bytes == b"\xa0":
        sender = bytes(auth_info.data)
    else:
        found = der.decode(_PkmacValue, der.encode(auth_info), clause=clause)
        mac = (der.elements(der.encode(auth_info), clause=clause)[0], _octets(found.value))
    return PopSignature(parts[1], _octets(value.signature), signed, _unboxed(_SpkiBox(spki=value.input.public_key)), sender, mac)


def _octets(bits: der.BitString) -> bytes:
    if bits.padding_bits():
        raise Refused(Reason.MALFORMED, "RFC 4211 section 4.1", "a signature is a whole number of octets")
    return bits.as_bytes()


def _time(value: der.GeneralizedTime | der.UTCTime | None) -> datetime | None:
    return None if value is None else value.as_datetime().replace(microsecond=0)


def _name(value: RdnSequence) -> bytes:
    return _unboxed(_Name(name=value))


def _unboxed(box: object) -> bytes:
    """What is inside a SEQUENCE of one, as the codec encodes declared types alone."""
    return der.elements(der.encode(box), clause=_CLAUSE)[0]
