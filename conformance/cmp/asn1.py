"""What a CMP server sends, for pyasn1: RFC 9810 appendix F.

pyasn1-modules has RFC 4210, without EncryptedKey, hashAlg and what else RFC 9480 and 9810 changed, and with certificates of 1999: here
certificates and other foreign structures are kept as they stand.
"""

from __future__ import annotations

from typing import Any

from pyasn1.codec.der.decoder import decode as _decode
from pyasn1.error import PyAsn1Error
from pyasn1.type import char, namedtype, tag, univ, useful
from pyasn1_modules import rfc5280

from conformance.cmp.der import Garbled

_NT, _OPT = namedtype.NamedType, namedtype.OptionalNamedType


def _sequence(*types: Any) -> Any:
    return univ.Sequence(componentType=namedtype.NamedTypes(*types))


def _explicit(kind: Any, number: int) -> Any:
    return kind.subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number))


PKI_FREE_TEXT = univ.SequenceOf(componentType=char.UTF8String())
"""PKIFreeText."""

CERTIFICATES = univ.SequenceOf(componentType=univ.Any())
"""SEQUENCE OF CMPCertificate, as they stand."""

INFO_TYPE_AND_VALUE = _sequence(_NT("infoType", univ.ObjectIdentifier()), _OPT("infoValue", univ.Any()))
"""InfoTypeAndValue."""

INFORMATIONS = univ.SequenceOf(componentType=INFO_TYPE_AND_VALUE)
"""GenRepContent."""

PKI_HEADER = _sequence(
    _NT("pvno", univ.Integer()),
    _NT("sender", univ.Any()),
    _NT("recipient", univ.Any()),
    _OPT("messageTime", _explicit(useful.GeneralizedTime(), 0)),
    _OPT("protectionAlg", _explicit(rfc5280.AlgorithmIdentifier(), 1)),
    _OPT("senderKID", _explicit(univ.OctetString(), 2)),
    _OPT("recipKID", _explicit(univ.OctetString(), 3)),
    _OPT("transactionID", _explicit(univ.OctetString(), 4)),
    _OPT("senderNonce", _explicit(univ.OctetString(), 5)),
    _OPT("recipNonce", _explicit(univ.OctetString(), 6)),
    _OPT("freeText", _explicit(PKI_FREE_TEXT, 7)),
    _OPT("generalInfo", _explicit(INFORMATIONS, 8)),
)
"""PKIHeader (section 5.1.1)."""

PKI_MESSAGE = _sequence(
    _NT("header", univ.Any()),
    _NT("body", univ.Any()),
    _OPT("protection", _explicit(univ.BitString(), 0)),
    _OPT("extraCerts", _explicit(CERTIFICATES, 1)),
)
"""PKIMessage (section 5.1): header and body as they stand, since the protection is over them."""

PKI_STATUS_INFO = _sequence(
    _NT("status", univ.Integer()), _OPT("statusString", PKI_FREE_TEXT), _OPT("failInfo", univ.BitString())
)
"""PKIStatusInfo (section 5.2.3)."""

ERROR_MSG_CONTENT = _sequence(
    _NT("pKIStatusInfo", PKI_STATUS_INFO), _OPT("errorCode", univ.Integer()), _OPT("errorDetails", PKI_FREE_TEXT)
)
"""ErrorMsgContent (section 5.3.21)."""

CERTIFIED_KEY_PAIR = univ.SequenceOf(componentType=univ.Any())
"""CertifiedKeyPair (section 5.3.4): its elements, as they stand, since pyasn1 cannot tell two ANYs of one SEQUENCE apart."""

CERT_RESPONSE = _sequence(
    _NT("certReqId", univ.Integer()),
    _NT("status", PKI_STATUS_INFO),
    _OPT("certifiedKeyPair", CERTIFIED_KEY_PAIR),
    _OPT("rspInfo", univ.OctetString()),
)
"""CertResponse (section 5.3.4)."""

CERT_RESPONSES = univ.SequenceOf(componentType=CERT_RESPONSE)
"""The responses of a CertRepMessage."""

CERT_REP_MESSAGE = _sequence(_OPT("caPubs", _explicit(CERTIFICATES, 1)), _NT("response", CERT_RESPONSES))
"""CertRepMessage (section 5.3.4)."""

STATUSES = univ.SequenceOf(componentType=PKI_STATUS_INFO)
"""The statuses of a RevRepContent."""

CERT_ID = _sequence(_NT("issuer", univ.Any()), _NT("serialNumber", univ.Integer()))
"""CertId (RFC 4211 section 6.5)."""

CERT_IDS = univ.SequenceOf(componentType=CERT_ID)
"""SEQUENCE OF CertId."""

REV_REP_CONTENT = _sequence(
    _NT("status", STATUSES), _OPT("revCerts", _explicit(CERT_IDS, 0)), _OPT("crls", _explicit(CERTIFICATES, 1))
)
"""RevRepContent (section 5.3.10)."""

POLL_REP = _sequence(_NT("certReqId", univ.Integer()), _NT("checkAfter", univ.Integer()), _OPT("reason", PKI_FREE_TEXT))
"""One element of a PollRepContent."""

POLL_REP_CONTENT = univ.SequenceOf(componentType=POLL_REP)
"""PollRepContent (section 5.3.22)."""

ENVELOPED = univ.SequenceOf(componentType=univ.Any())
"""EnvelopedData: its elements, as they stand."""

CHALLENGE = _sequence(
    _OPT("owf", rfc5280.AlgorithmIdentifier()),
    _NT("witness", univ.OctetString()),
    _NT("challenge", univ.OctetString()),
    _OPT("encryptedRand", _explicit(ENVELOPED, 0)),
)
"""Challenge (section 5.2.8.3.3); encryptedRand is new in RFC 9810."""

CHALLENGES = univ.SequenceOf(componentType=CHALLENGE)
"""POPODecKeyChallContent."""

PBM_PARAMETER = _sequence(
    _NT("salt", univ.OctetString()),
    _NT("owf", rfc5280.AlgorithmIdentifier()),
    _NT("iterationCount", univ.Integer()),
    _NT("mac", rfc5280.AlgorithmIdentifier()),
)
"""PBMParameter (section 5.1.3.1)."""

PBKDF2_PARAMETERS = _sequence(
    _NT("salt", univ.OctetString()),
    _NT("iterationCount", univ.Integer()),
    _OPT("keyLength", univ.Integer()),
    _OPT("prf", rfc5280.AlgorithmIdentifier()),
)
"""PBKDF2-params (RFC 8018 appendix A.2), with the specified salt."""

PBMAC1_PARAMETERS = _sequence(
    _NT("keyDerivationFunc", rfc5280.AlgorithmIdentifier()), _NT("messageAuthScheme", rfc5280.AlgorithmIdentifier())
)
"""PBMAC1-params (RFC 8018 appendix A.5)."""


def read(octets: bytes, kind: Any) -> Any:
    """The structure that ``octets`` are, all of them. :raises Garbled:"""
    try:
        value, rest = _decode(octets, asn1Spec=kind)
    except (PyAsn1Error, ValueError, IndexError, RecursionError) as error:
        raise Garbled(f"not the structure that is expected here: {str(error)[:120]}") from None
    if rest:
        raise Garbled(f"{len(rest)} octets behind the structure")
    return value


def field(value: Any, name: str) -> Any:
    """A field that may be absent; None if it is."""
    found = value[name]
    return found if found.isValue else None
