"""The certification request template (RFC 9908 section 3.4): a CSR with blanks, which a client fills in.

In the attributes of the template, the value of id-aa-extensionReqTemplate is a SEQUENCE OF ExtensionTemplate, as the module of appendix A and
the published example have it; the prose of section 3.4 speaks of one ExtensionTemplate.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from privca.base.refused import Reason, Refused
from privca.est import rfc8951
from privca.est.rfc8951 import Entry
from privca.issuance.options.est import CsrTemplate, TemplateExtension
from privca.pkix import der, weak
from privca.pkix.requested import EXTENSION_REQUEST
from privca.pkix.rfc2986 import CertificationRequest, Wishes
from privca.pkix.rfc5280.names import SHORT_NAMES, attribute, attributes_of

TEMPLATE = "1.2.840.113549.1.9.16.2.61"
"""id-aa-certificationRequestInfoTemplate."""
EXTENSION_REQUEST_TEMPLATE = "1.2.840.113549.1.9.16.2.62"
"""id-aa-extensionReqTemplate."""

_CLAUSE = "RFC 9908 section 3.4"
_SEQUENCE, _SET, _OCTET_STRING, _BIT_STRING = 0x30, 0x31, 0x04, 0x03
_VERSION, _TRUE, _NULL = b"\x02\x01\x00", b"\x01\x01\xff", b"\x05\x00"
_KEY, _ATTRIBUTES = 0xA0, 0xA1
_OIDS = {short: oid.dotted_string for oid, short in SHORT_NAMES.items()}


def entry(template: CsrTemplate) -> Entry:
    """The attribute of CsrAttrs that holds the template."""
    return Entry(TEMPLATE, (encode(template),))


def encode(template: CsrTemplate) -> bytes:
    """CertificationRequestInfoTemplate as DER. What is not required is absent."""
    subject = [
        der.tlv(_SET, der.tlv(_SEQUENCE, rfc8951.oid(_OIDS[one.type]), _value(one.type, one.value) if one.value else b""))
        for one in template.subject
    ]
    return der.tlv(
        _SEQUENCE,
        _VERSION,
        der.tlv(_SEQUENCE, *subject) if subject else b"",
        _key(template),
        der.tlv(_ATTRIBUTES, *_attributes(template.extensions)),
    )


def _value(short: str, value: str) -> bytes:
    """The value of a subject attribute as DER, with the string type that certificates of ours have."""
    encoded = x509.Name([attribute(short, value)]).public_bytes()
    for _ in range(3):  # into the Name, the RelativeDistinguishedName, the AttributeTypeAndValue
        encoded = der.children(encoded, clause=_CLAUSE)[-1]
    return encoded


def _key(template: CsrTemplate) -> bytes:
    kind = template.key
    if not kind:
        return b""
    placeholder = b""
    if kind == "RSA":
        algorithm = der.tlv(_SEQUENCE, rfc8951.oid(rfc8951.RSA_ENCRYPTION), _NULL)
        if template.rsa_bits:
            # Nobody's key: it only has the length.
            modulus = rfc8951.integer((1 << (template.rsa_bits - 1)) | 1)
            placeholder = der.tlv(_BIT_STRING, b"\x00", der.tlv(_SEQUENCE, modulus, rfc8951.integer(65537)))
    elif kind in rfc8951.CURVES:
        algorithm = der.tlv(_SEQUENCE, rfc8951.oid(rfc8951.EC_PUBLIC_KEY), rfc8951.oid(rfc8951.CURVES[kind]))
    else:
        algorithm = der.tlv(_SEQUENCE, rfc8951.oid(rfc8951.EDWARDS[kind]))
    return der.tlv(_KEY, algorithm, placeholder)


def _attributes(extensions: tuple[TemplateExtension, ...]) -> list[bytes]:
    if not extensions:
        return []
    whole = all(one.value for one in extensions) and not any(_blanks(one) for one in extensions)
    sequence = der.tlv(
        _SEQUENCE,
        *[
            der.tlv(
                _SEQUENCE,
                rfc8951.oid(one.oid),
                _TRUE if one.critical else b"",
                der.tlv(_OCTET_STRING, bytes.fromhex(one.value)) if one.value else b"",
            )
            for one in extensions
        ],
    )
    return [rfc8951.attribute(EXTENSION_REQUEST.dotted_string if whole else EXTENSION_REQUEST_TEMPLATE, [sequence])]


def check(template: CsrTemplate, csr: Wishes | CertificationRequest, key: CertificationRequest | None) -> None:
    """Whether a CSR fills the template in.

    :param key: the same CSR where its key counts, None where it does not (``/serverkeygen``).
    :raises Refused: ``BAD_CSR`` with the first blank that is not filled in.
    """
    asked = attributes_of(csr.subject)
    for one in template.subject:
        if not any(short == one.type and one.value in ("", value) for short, value in asked):
            raise _unfilled("the subject of the CSR does not follow the template", f"{one.type}={one.value or '...'}")
    if key is not None and template.key:
        kind, bits = weak.kind(key.public_key), weak.bits(key.public_key)
        if kind != template.key or (kind == "RSA" and template.rsa_bits not in (0, bits)):
            raise _unfilled(
                "the key of the CSR does not follow the template", f"{template.key} {template.rsa_bits or ''}".strip()
            )
    for extension in template.extensions:
        _check_extension(extension, csr)


def _unfilled(detail: str, expected: str) -> Refused:
    return Refused(Reason.BAD_CSR, _CLAUSE, detail, expected=expected)


def _check_extension(wanted: TemplateExtension, csr: Wishes | CertificationRequest) -> None:
    oid, blanks = x509.ObjectIdentifier(wanted.oid), _blanks(wanted)
    value = bytes.fromhex(wanted.value) if wanted.value and not blanks else None
    rfc8951.check_extension(csr, oid, value, critical=wanted.critical)
    if not blanks:
        return
    names = next(one.value.public_bytes() for one in csr.extensions if one.oid == oid)
    given = der.children(names, clause=_CLAUSE)
    for name in der.children(bytes.fromhex(wanted.value), clause=_CLAUSE):
        if not any(one == name or (name in blanks and one[0] == name[0] and one != name) for one in given):
            raise _unfilled("the subjectAltName of the CSR does not follow the template", f"a name as {name.hex()}")


def _blanks(extension: TemplateExtension) -> frozenset[bytes]:
    """The names of a subjectAltName that a client fills in: those that are empty, or a directoryName with the empty Name."""
    if not extension.value or extension.oid != ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string:
        return frozenset()
    names = der.children(bytes.fromhex(extension.value), clause=_CLAUSE)
    return frozenset(name for name in names if name[1:] in (b"\x00", b"\x02\x30\x00"))
