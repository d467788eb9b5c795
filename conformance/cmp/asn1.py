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


def _explicit(kind: Any, number: int) -> Any:
    return kind.subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number))


class PkiFreeText(univ.SequenceOf):
    """PKIFreeText."""

    componentType = char.UTF8String()


class Certificates(univ.SequenceOf):
    """SEQUENCE OF CMPCertificate, as they stand."""

    componentType = univ.Any()


class InfoTypeAndValue(univ.Sequence):
    """InfoTypeAndValue."""

    componentType = namedtype.NamedTypes(_NT("infoType", univ.ObjectIdentifier()), _OPT("infoValue", univ.Any()))


class Informations(univ.SequenceOf):
    """GenRepContent."""

    componentType = InfoTypeAndValue()


class PkiHeader(univ.Sequence):
    """PKIHeader (section 5.1.1)."""

    componentType = namedtype.NamedTypes(
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
        _OPT("freeText", _explicit(PkiFreeText(), 7)),
        _OPT("generalInfo", _explicit(Informations(), 8)),
    )


class PkiMessage(univ.Sequence):
    """PKIMessage (section 5.1): header and body as they stand, since the protection is over them."""

    componentType = namedtype.NamedTypes(
        _NT("header", univ.Any()),
        _NT("body", univ.Any()),
        _OPT("protection", _explicit(univ.BitString(), 0)),
        _OPT("extraCerts", _explicit(Certificates(), 1)),
    )


class PkiStatusInfo(univ.Sequence):
    """PKIStatusInfo (section 5.2.3)."""

    componentType = namedtype.NamedTypes(
        _NT("status", univ.Integer()), _OPT("statusString", PkiFreeText()), _OPT("failInfo", univ.BitString())
    )


class ErrorMsgContent(univ.Sequence):
    """ErrorMsgContent (section 5.3.21)."""

    componentType = namedtype.NamedTypes(
        _NT("pKIStatusInfo", PkiStatusInfo()), _OPT("errorCode", univ.Integer()), _OPT("errorDetails", PkiFreeText())
    )


class CertifiedKeyPair(univ.SequenceOf):
    """CertifiedKeyPair (section 5.3.4): its elements, as they stand, since pyasn1 cannot tell two ANYs of one SEQUENCE apart."""

    componentType = univ.Any()


class CertResponse(univ.Sequence):
    """CertResponse (section 5.3.4)."""

    componentType = namedtype.NamedTypes(
        _NT("certReqId", univ.Integer()),
        _NT("status", PkiStatusInfo()),
        _OPT("certifiedKeyPair", CertifiedKeyPair()),
        _OPT("rspInfo", univ.OctetString()),
    )


class CertResponses(univ.SequenceOf):
    """The responses of a CertRepMessage."""

    componentType = CertResponse()


class CertRepMessage(univ.Sequence):
    """CertRepMessage (section 5.3.4)."""

    componentType = namedtype.NamedTypes(_OPT("caPubs", _explicit(Certificates(), 1)), _NT("response", CertResponses()))


class Statuses(univ.SequenceOf):
    """The statuses of a RevRepContent."""

    componentType = PkiStatusInfo()


class CertId(univ.Sequence):
    """CertId (RFC 4211 section 6.5)."""

    componentType = namedtype.NamedTypes(_NT("issuer", univ.Any()), _NT("serialNumber", univ.Integer()))


class CertIds(univ.SequenceOf):
    """SEQUENCE OF CertId."""

    componentType = CertId()


class RevRepContent(univ.Sequence):
    """RevRepContent (section 5.3.10)."""

    componentType = namedtype.NamedTypes(
        _NT("status", Statuses()), _OPT("revCerts", _explicit(CertIds(), 0)), _OPT("crls", _explicit(Certificates(), 1))
    )


class PollRep(univ.Sequence):
    """One element of a PollRepContent."""

    componentType = namedtype.NamedTypes(
        _NT("certReqId", univ.Integer()), _NT("checkAfter", univ.Integer()), _OPT("reason", PkiFreeText())
    )


class PollRepContent(univ.SequenceOf):
    """PollRepContent (section 5.3.22)."""

    componentType = PollRep()


class Enveloped(univ.SequenceOf):
    """EnvelopedData: its elements, as they stand."""

    componentType = univ.Any()


class Challenge(univ.Sequence):
    """Challenge (section 5.2.8.3.3); encryptedRand is new in RFC 9810."""

    componentType = namedtype.NamedTypes(
        _OPT("owf", rfc5280.AlgorithmIdentifier()),
        _NT("witness", univ.OctetString()),
        _NT("challenge", univ.OctetString()),
        _OPT("encryptedRand", _explicit(Enveloped(), 0)),
    )


class Challenges(univ.SequenceOf):
    """POPODecKeyChallContent."""

    componentType = Challenge()


class PbmParameter(univ.Sequence):
    """PBMParameter (section 5.1.3.1)."""

    componentType = namedtype.NamedTypes(
        _NT("salt", univ.OctetString()),
        _NT("owf", rfc5280.AlgorithmIdentifier()),
        _NT("iterationCount", univ.Integer()),
        _NT("mac", rfc5280.AlgorithmIdentifier()),
    )


class Pbkdf2Parameters(univ.Sequence):
    """PBKDF2-params (RFC 8018 appendix A.2), with the specified salt."""

    componentType = namedtype.NamedTypes(
        _NT("salt", univ.OctetString()),
        _NT("iterationCount", univ.Integer()),
        _OPT("keyLength", univ.Integer()),
        _OPT("prf", rfc5280.AlgorithmIdentifier()),
    )


class Pbmac1Parameters(univ.Sequence):
    """PBMAC1-params (RFC 8018 appendix A.5)."""

    componentType = namedtype.NamedTypes(
        _NT("keyDerivationFunc", rfc5280.AlgorithmIdentifier()), _NT("messageAuthScheme", rfc5280.AlgorithmIdentifier())
    )


def read(octets: bytes, kind: Any) -> Any:
    """The structure that ``octets`` are, all of them. :raises Garbled:"""
    try:
        value, rest = _decode(octets, asn1Spec=kind)
    except (PyAsn1Error, ValueError, IndexError, RecursionError) as error:
        raise Garbled(f"not a {type(kind).__name__}: {str(error)[:120]}") from None
    if rest:
        raise Garbled(f"{len(rest)} octets behind a {type(kind).__name__}")
    return value


def field(value: Any, name: str) -> Any:
    """A field that may be absent; None if it is."""
    found = value[name]
    return found if found.isValue else None
