"""The certification requests of a PKIData (RFC 5272 section 3.2.1.2): PKCS #10 or CRMF, as facts, with what CMC itself needs of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.refused import Reason, Refused
from privca.issuance.ports import Requested
from privca.pkix import der, rfc2986, rfc4211
from privca.pkix.requested import AlgorithmIdentifier, public_key
from privca.pkix.rfc5272 import proofs
from privca.pkix.rfc5272.identifiers import NO_SIGNATURE, POP_LINK_WITNESS, POP_LINK_WITNESS_V2
from privca.pkix.rfc5272.pki_data import CrmfRequest, OtherRequest, Pkcs10Request, TaggedRequest
from privca.pkix.rfc5272.proofs import Proof
from privca.pkix.rfc6402 import CHANGE_SUBJECT_NAME
from privca.pkix.weak import SigningPublicKey

_CRMF = "RFC 5272 section 3.2.1.2.2"
_PKCS10 = "RFC 5272 section 3.2.1.2.1"
_NO_SIGNATURE = der.tlv(0x30, der.oid(NO_SIGNATURE), b"\x05\x00")
# RFC 5274 section 4.3: what must not be used, and what is not supported.
_REFUSED_CONTROLS = {
    rfc4211.REG_TOKEN: "regToken",
    rfc4211.AUTHENTICATOR: "authenticator",
    rfc4211.PKI_ARCHIVE_OPTIONS: "pkiArchiveOptions",
}


@dataclass(frozen=True, slots=True)
class Certification:
    """One request. ``proven`` tells that it is signed with its own key. Without that its possession is to be proven by deciphering, which
    ``deciphers`` tells that it asks for, or a registration authority vouches for it, and ``claimed`` tells that it says so (raVerified).
    ``element`` is the TaggedRequest as received.

    ``witnesses`` are its POP link witnesses; ``change`` the values of its ChangeSubjectName; ``attributes`` what tells this request from
    another one of the same key and subject; ``csr`` the request as a CSR for the profile's CSR attributes, also if it is CRMF.
    """

    body: int
    requested: Requested
    proven: bool
    claimed: bool
    deciphers: bool
    element: bytes = field(repr=False)
    key_identifier: bytes
    attributes: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    witnesses: tuple[Proof, ...]
    change: tuple[bytes, ...] | None
    challenge_password: str | None = field(repr=False)
    csr: rfc2986.CertificationRequest = field(repr=False)


def read(request: TaggedRequest) -> Certification:
    """A request, its proof of possession verified if it is a signature.

    :raises Refused: ``BAD_CSR``, ``BAD_PUBLIC_KEY``, ``BAD_POP``, ``MALFORMED``; ``UNSUPPORTED_OPERATION`` for another format.
    """
    match request:
        case Pkcs10Request():
            return _pkcs10(request)
        case CrmfRequest():
            return _crmf(request)
        case OtherRequest():
            raise Refused(
                Reason.UNSUPPORTED_OPERATION,
                "RFC 5272 section 3.2.1",
                "a request of a format that is not served here",
                expected="PKCS #10 or CRMF",
                got=request.type.dotted_string[:80],
            )


def _pkcs10(request: Pkcs10Request) -> Certification:
    unsigned = _is_unsigned(request.der)
    csr = _unsigned(request.der) if unsigned else rfc2986.parse(request.der)
    return Certification(
        body=request.body,
        requested=csr,
        proven=not unsigned,
        claimed=False,
        deciphers=unsigned,
        element=request.element,
        key_identifier=_key_identifier(csr),
        attributes=csr.attributes,
        witnesses=_witnesses(csr.attributes),
        change=csr.attributes.get(CHANGE_SUBJECT_NAME.dotted_string),
        challenge_password=csr.challenge_password,
        csr=csr,
    )


def _is_unsigned(octets: bytes) -> bool:
    """Whether a CSR has the signature algorithm that says that there is none (section C.1): its key only deciphers."""
    parts = der.children(octets, clause=_PKCS10)
    return len(parts) == 3 and parts[1] == _NO_SIGNATURE


def _unsigned(octets: bytes) -> rfc2986.CertificationRequest:
    """The facts of such a CSR; the hash in the place of the signature says nothing (erratum 8137)."""
    wishes = rfc2986.parse_wishes(octets)
    spki = der.children(der.children(octets, clause=_PKCS10)[0], clause=_PKCS10)[2]
    key = cast("SigningPublicKey", public_key(spki, rfc4211.CERTIFIED_KEYS))
    return rfc2986.CertificationRequest(
        der=wishes.der,
        subject=wishes.subject,
        spki=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public_key=key,
        names=wishes.names,
        extensions=wishes.extensions,
        attributes=wishes.attributes,
        challenge_password=wishes.challenge_password,
        signature_algorithm=NO_SIGNATURE.dotted_string,
        signature_hash="",
    )


def _crmf(request: CrmfRequest) -> Certification:
    message = rfc4211.parse_one(request.der)
    if message.registration:
        raise Refused(Reason.BAD_CSR, _CRMF, "regInfo is not used in CMC", expected="the regInfo control (section 6.12)")
    for identifier, name in _REFUSED_CONTROLS.items():
        if identifier in message.controls:
            raise Refused(Reason.BAD_CSR, "RFC 5274 section 4.3", "a control of CRMF that is not used in CMC", got=name)
    if message.template.subject is None or not message.template.has_key:
        raise Refused(Reason.BAD_CSR, _CRMF, "subject and publicKey of the template must be present; the subject may be empty")
    requested = message.template.requested(message.der)
    proven = isinstance(message.proof, rfc4211.PopSignature)
    if proven:
        message.check_signature(requested.public_key)
    deciphers = isinstance(message.proof, rfc4211.PopPrivateKey) and message.proof.method == "challengeResp"
    if isinstance(message.proof, rfc4211.PopPrivateKey) and not deciphers:
        raise Refused(
            Reason.BAD_POP,
            _CRMF,
            "possession is proven by a signature or by challenge and response here, or vouched for by a registration authority",
            got=f"{message.proof.use}, {message.proof.method}",
        )
    controls = {identifier.dotted_string: (value,) for identifier, value in message.controls.items()}
    return Certification(
        body=request.body,
        requested=requested,
        proven=proven,
        claimed=isinstance(message.proof, rfc4211.RaVerified),
        deciphers=deciphers,
        element=request.element,
        key_identifier=_key_identifier(requested),
        attributes={**controls, "template": (message.template.der,)},
        witnesses=_witnesses(controls),
        change=controls.get(CHANGE_SUBJECT_NAME.dotted_string),
        challenge_password=None,
        csr=_as_csr(message, requested, controls),
    )


def _as_csr(
    message: rfc4211.CertReqMsg, requested: Requested, controls: Mapping[str, tuple[bytes, ...]]
) -> rfc2986.CertificationRequest:
    """The same wishes in the other format, for rules that are written for that."""
    algorithm = ""
    if isinstance(message.proof, rfc4211.PopSignature):
        identifier = der.decode(AlgorithmIdentifier, message.proof.algorithm, clause="RFC 4211 section 4.1")
        algorithm = identifier.algorithm.dotted_string
    return rfc2986.CertificationRequest(
        der=message.der,
        subject=requested.subject,
        spki=requested.spki,
        public_key=cast("SigningPublicKey", requested.public_key),
        names=requested.names,
        extensions=requested.extensions,
        attributes=controls,
        challenge_password=None,
        signature_algorithm=algorithm,
        signature_hash="",
    )


def _key_identifier(requested: Requested) -> bytes:
    for extension in requested.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest
    return b""


def _witnesses(attributes: Mapping[str, tuple[bytes, ...]]) -> tuple[Proof, ...]:
    found = [proofs.read_pop_link_witness_v2(value) for value in attributes.get(POP_LINK_WITNESS_V2.dotted_string, ())]
    found += [proofs.read_pop_link_witness(value) for value in attributes.get(POP_LINK_WITNESS.dotted_string, ())]
    return tuple(found)
