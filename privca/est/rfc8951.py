"""CSR attributes (RFC 8951 section 4, RFC 9908 section 3.2): what a CA would like to find in a CSR, as octets, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from privca.base.refused import Reason, Refused
from privca.pkix import der, weak
from privca.pkix.requested import EXTENSION_REQUEST, Extension
from privca.pkix.rfc2986 import CHALLENGE_PASSWORD, CertificationRequest, Wishes

_CLAUSE = "RFC 8951 section 4"
_SEQUENCE, _SET, _INTEGER, _OID = 0x30, 0x31, 0x02, 0x06

EC_PUBLIC_KEY, RSA_ENCRYPTION = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"
CURVES = {"P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35"}
EDWARDS = {"Ed25519": "1.3.101.112", "Ed448": "1.3.101.113"}
_KEYS = frozenset({EC_PUBLIC_KEY, RSA_ENCRYPTION, *EDWARDS.values()})


@der.sequence
class _Extensions:
    extensions: list[Extension]


@der.sequence
class _Integer:
    value: int


@dataclass(frozen=True, slots=True)
class Entry:
    """AttrOrOID: ``values`` (DER) is None for an OID by itself."""

    oid: str
    values: tuple[bytes, ...] | None = None

    @property
    def is_key(self) -> bool:
        """Whether it is about the kind of key."""
        return self.values is not None and self.oid in _KEYS


CHALLENGE = Entry(CHALLENGE_PASSWORD.dotted_string)
"""What tells a client that it has to link identity and proof of possession."""


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER as DER."""
    return der.oid(x509.ObjectIdentifier(dotted))


def integer(number: int) -> bytes:
    """A positive INTEGER as DER."""
    return der.tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def attribute(dotted: str, values: Iterable[bytes]) -> bytes:
    """An Attribute as DER (RFC 2986 section 4.1)."""
    return der.tlv(_SEQUENCE, oid(dotted), der.tlv(_SET, *sorted(values)))


def key_entry(kind: str, rsa_bits: int = 0) -> Entry | None:
    """The entry that asks for a kind of key, and for a size if one is given; None for kinds that have no parameters of that form.

    RFC 9908 section 3.2: the values may be none at all.
    """
    if kind == "RSA":
        return Entry(RSA_ENCRYPTION, (integer(rsa_bits),) if rsa_bits else ())
    if kind in CURVES:
        return Entry(EC_PUBLIC_KEY, (oid(CURVES[kind]),))
    return Entry(EDWARDS[kind], ()) if kind in EDWARDS else None


def encode(entries: Sequence[Entry]) -> bytes:
    """CsrAttrs as DER."""
    return der.tlv(_SEQUENCE, *[oid(one.oid) if one.values is None else attribute(one.oid, one.values) for one in entries])


def check(entries: Sequence[Entry], csr: Wishes | CertificationRequest, key: CertificationRequest | None) -> None:
    """Whether a CSR has what the entries ask for.

    :param key: the same CSR where its key and signature count, None where they do not (``/serverkeygen``).
    :raises Refused: ``BAD_CSR`` with the first entry that is missing.
    """
    for entry in entries:
        if entry.is_key:
            _check_key(entry, key)
        elif entry.oid == EXTENSION_REQUEST.dotted_string and entry.values is not None:
            for value in entry.values:
                _check_extensions(value, csr)
        elif entry.values is not None:
            if not set(entry.values) <= set(csr.attributes.get(entry.oid, ())) or entry.oid not in csr.attributes:
                raise missing("an attribute of the CSR is missing or has another value", entry.oid)
        elif not _mentions(csr, key, entry.oid):
            raise missing("the CSR lacks something that the CSR attributes ask for", entry.oid)


def missing(detail: str, expected: str) -> Refused:
    """The refusal of a CSR that does not follow the CSR attributes."""
    return Refused(Reason.BAD_CSR, _CLAUSE, detail, expected=expected)


def _mentions(csr: Wishes | CertificationRequest, key: CertificationRequest | None, wanted: str) -> bool:
    """Whether an OID by itself is answered: by an attribute, a subject attribute, an extension, a directory attribute, or the signature."""
    if wanted in csr.attributes or any(one.oid.dotted_string == wanted for one in csr.subject):
        return True
    if key is None and wanted in _SIGNATURES:
        return True
    if key is not None and key.signature_algorithm == wanted:
        return True
    for extension in csr.extensions:
        if extension.oid.dotted_string == wanted:
            return True
        if extension.oid == ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES and oid(wanted) in extension.value.public_bytes():
            return True
    return False


_SIGNATURES = frozenset(
    {
        *(f"1.2.840.113549.1.1.{last}" for last in (5, 10, 11, 12, 13, 14)),
        *(f"1.2.840.10045.4.3.{last}" for last in (1, 2, 3, 4)),
        *EDWARDS.values(),
    }
)


def _check_key(entry: Entry, key: CertificationRequest | None) -> None:
    if key is None:
        return
    kind = weak.kind(key.public_key)
    algorithm = RSA_ENCRYPTION if kind == "RSA" else EC_PUBLIC_KEY if kind in CURVES else EDWARDS.get(kind, "")
    parameters = integer(weak.bits(key.public_key)) if kind == "RSA" else oid(CURVES[kind]) if kind in CURVES else b""
    if algorithm != entry.oid or (entry.values and parameters not in entry.values):
        raise missing(
            "the key of the CSR is not of the kind that the CSR attributes ask for", f"{entry.oid} {_shown(entry)}".strip()
        )


def _shown(entry: Entry) -> str:
    return " or ".join(value.hex() for value in entry.values or ())


def _check_extensions(value: bytes, csr: Wishes | CertificationRequest) -> None:
    if value[0] == _OID:
        # What RFC 7030 had in its example, and RFC 9908 calls wrong: the OID of something without a value.
        if not any(oid(one.oid.dotted_string) == value for one in csr.extensions):
            raise missing("an extension is missing in the CSR", value.hex())
        return
    for wanted in der.decode(_Extensions, der.tlv(_SEQUENCE, value), clause="RFC 9908 section 3.2").extensions:
        check_extension(csr, wanted.id, wanted.value, critical=wanted.critical)


def check_extension(
    csr: Wishes | CertificationRequest, wanted: x509.ObjectIdentifier, value: bytes | None, *, critical: bool
) -> None:
    """Whether a CSR asks for an extension, with this value if one is given, and critical if that is wanted. :raises Refused: ``BAD_CSR``."""
    for one in csr.extensions:
        if one.oid == wanted:
            if (value is not None and one.value.public_bytes() != value) or (critical and not one.critical):
                raise missing("an extension of the CSR has another value than the CSR attributes give it", wanted.dotted_string)
            return
    raise missing("an extension is missing in the CSR", wanted.dotted_string)
