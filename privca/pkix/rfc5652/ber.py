"""Messages in BER, as ``openssl cms -stream`` and some devices send them: their types for the fallback of :func:`privca.pkix.der.decode_ber`.

Certificates and CRLs are ANY here: they are signed as they are, and stay so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyasn1.type.base import Asn1Type

# pyasn1 is imported in the functions: only messages in BER need it.


def signed_data() -> Asn1Type:
    """ContentInfo with SignedData (RFC 5652 section 5.1)."""
    from pyasn1.type import namedtype, tag, univ

    signer = univ.Sequence(
        componentType=namedtype.NamedTypes(
            namedtype.NamedType("version", univ.Integer()),
            namedtype.NamedType("sid", univ.Any()),
            namedtype.NamedType("digestAlgorithm", univ.Any()),
            namedtype.OptionalNamedType("signedAttrs", _set(0)),
            namedtype.NamedType("signatureAlgorithm", univ.Any()),
            namedtype.NamedType("signature", univ.OctetString()),
            namedtype.OptionalNamedType("unsignedAttrs", _set(1)),
        )
    )
    encapsulated = univ.Sequence(
        componentType=namedtype.NamedTypes(
            namedtype.NamedType("eContentType", univ.ObjectIdentifier()),
            namedtype.OptionalNamedType("eContent", univ.OctetString().subtype(explicitTag=_context(tag, 0))),
        )
    )
    signed = univ.Sequence(
        componentType=namedtype.NamedTypes(
            namedtype.NamedType("version", univ.Integer()),
            namedtype.NamedType("digestAlgorithms", univ.SetOf(componentType=univ.Any())),
            namedtype.NamedType("encapContentInfo", encapsulated),
            namedtype.OptionalNamedType("certificates", _set(0)),
            namedtype.OptionalNamedType("crls", _set(1)),
            namedtype.NamedType("signerInfos", univ.SetOf(componentType=signer)),
        )
    )
    return _content_info(signed)


def enveloped_data() -> Asn1Type:
    """ContentInfo with EnvelopedData (RFC 5652 section 6.1)."""
    from pyasn1.type import namedtype, univ

    return _content_info(univ.Sequence(componentType=namedtype.NamedTypes(*_enveloped())))


def auth_enveloped_data() -> Asn1Type:
    """ContentInfo with AuthEnvelopedData (RFC 5083 section 2.1)."""
    from pyasn1.type import namedtype, univ

    *common, _ = _enveloped()
    return _content_info(
        univ.Sequence(
            componentType=namedtype.NamedTypes(
                *common,
                namedtype.OptionalNamedType("authAttrs", _set(1)),
                namedtype.NamedType("mac", univ.OctetString()),
                namedtype.OptionalNamedType("unauthAttrs", _set(2)),
            )
        )
    )


def _enveloped() -> tuple[Any, ...]:
    from pyasn1.type import namedtype, tag, univ

    encrypted = univ.Sequence(
        componentType=namedtype.NamedTypes(
            namedtype.NamedType("contentType", univ.ObjectIdentifier()),
            namedtype.NamedType("contentEncryptionAlgorithm", univ.Any()),
            namedtype.OptionalNamedType("encryptedContent", univ.OctetString().subtype(implicitTag=_context(tag, 0))),
        )
    )
    return (
        namedtype.NamedType("version", univ.Integer()),
        namedtype.OptionalNamedType("originatorInfo", _set(0)),
        namedtype.NamedType("recipientInfos", univ.SetOf(componentType=univ.Any())),
        namedtype.NamedType("encryptedContentInfo", encrypted),
        namedtype.OptionalNamedType("unprotectedAttrs", _set(1)),
    )


def _context(tag: Any, number: int) -> Any:
    return tag.Tag(tag.tagClassContext, tag.tagFormatSimple, number)


def _set(number: int) -> Asn1Type:
    from pyasn1.type import tag, univ

    return univ.SetOf(componentType=univ.Any()).subtype(implicitTag=_context(tag, number))


def _content_info(content: Asn1Type) -> Asn1Type:
    from pyasn1.type import namedtype, tag, univ

    return univ.Sequence(
        componentType=namedtype.NamedTypes(
            namedtype.NamedType("contentType", univ.ObjectIdentifier()),
            namedtype.NamedType("content", content.subtype(explicitTag=_context(tag, 0))),
        )
    )
