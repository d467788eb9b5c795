"""Certificates and CRLs as their octets say (RFC 5280 sections 4.1 and 5.1), and what they have in common.

Nothing is forgiven and nothing is repaired: fields are values of :mod:`conformance.der`, so that a lint sees which string type, which kind of
time and which octets somebody chose. What cannot be taken apart at all is :class:`~conformance.der.DerError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from conformance.der import DerError, Value, decode, encode

INTEGER, BIT_STRING, OCTET_STRING, SEQUENCE, SET = b"\x02", b"\x03", b"\x04", b"\x30", b"\x31"
UTC_TIME, GENERALIZED_TIME = b"\x17", b"\x18"
OTHER_NAME, MAIL, DNS, X400, DIRECTORY, EDI, URI, ADDRESS, REGISTERED = (
    b"\xa0",
    b"\x81",
    b"\x82",
    b"\xa3",
    b"\xa4",
    b"\xa5",
    b"\x86",
    b"\x87",
    b"\x88",
)
"""The tags of GeneralName (section 4.2.1.6)."""

SUBJECT_DIRECTORY_ATTRIBUTES, SUBJECT_KEY, KEY_USAGE, USAGE_PERIOD = "2.5.29.9", "2.5.29.14", "2.5.29.15", "2.5.29.16"
SUBJECT_NAMES, ISSUER_NAMES, BASIC_CONSTRAINTS, CRL_NUMBER = "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.20"
NAME_CONSTRAINTS, DISTRIBUTION_POINTS, POLICIES, POLICY_MAPPINGS = "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33"
AUTHORITY_KEY, POLICY_CONSTRAINTS, EXTENDED_KEY_USAGE, FRESHEST_CRL = "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.46"
INHIBIT_ANY_POLICY, AUTHORITY_ACCESS, SUBJECT_ACCESS = "2.5.29.54", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"

DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, DATA_ENCIPHERMENT, KEY_AGREEMENT, CERT_SIGN, CRL_SIGN = range(7)
"""The bits of keyUsage (section 4.2.1.3)."""

MOST_ENTRIES = 2000
"""Entries of a CRL whose extensions are looked at: they are alike."""

Attribute = tuple[str, Value]
"""The type of an attribute of a name, dotted, and its value."""


def dotted(content: bytes) -> str:
    """An object identifier from its content octets. :raises DerError: if they are none."""
    if not content or content[-1] & 0x80:
        raise DerError("an object identifier ends in the midst of an arc")
    arcs, number = list[int](), 0
    for octet in content:
        if octet == 0x80 and number == 0:
            raise DerError("an arc of an object identifier begins with zeros (X.690 section 8.19.2)")
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def integer(value: Value) -> int:
    """The number that an INTEGER holds."""
    return int.from_bytes(value.octets, "big", signed=True)


def bits(value: Value) -> frozenset[int]:
    """The numbers of the bits that are set in a BIT STRING of names (or its content under another tag)."""
    return frozenset(n for n in range(8 * (len(value.octets) - 1)) if value.octets[1 + n // 8] >> (7 - n % 8) & 1)


def text(value: Value) -> str:
    """A string as text, whatever its type; what is no text shows as escapes."""
    encoding = {b"\x1e": "utf-16-be", b"\x1c": "utf-32-be", b"\x14": "latin-1"}.get(value.identifier, "utf-8")
    return value.octets.decode(encoding, "backslashreplace")


def is_name(value: Value) -> bool:
    """Whether it is a Name: a SEQUENCE of SETs, none of them empty, of pairs of a type and a value (section 4.1.2.4)."""
    return value.identifier == SEQUENCE and all(
        rdn.identifier == SET
        and rdn.parts
        and all(one.identifier == SEQUENCE and len(one.parts) == 2 and one.parts[0].identifier == b"\x06" for one in rdn.parts)
        for rdn in value.parts
    )


def attributes(name: Value) -> list[Attribute]:
    """The attributes of a Name in its order; none of what is no Name."""
    if not is_name(name):
        return []
    return [(dotted(one.parts[0].octets), one.parts[1]) for rdn in name.parts for one in rdn.parts]


def inner(octets: bytes) -> Value | None:
    """The one DER value that the octets are; None if they are none."""
    try:
        return decode(octets)
    except DerError:
        return None


def walk(value: Value) -> Iterator[Value]:
    """The value and all that is in it."""
    yield value
    for part in value.parts:
        yield from walk(part)


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension. ``critical`` is as said, or as is the default; ``value`` the octets inside its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


def extensions_of(listed: Value) -> tuple[Extension, ...]:
    """Extensions (section 4.2). :raises DerError: if a part of it is none."""
    found = []
    for one in listed.parts:
        kinds = [part.identifier for part in one.parts]
        if kinds not in ([b"\x06", OCTET_STRING], [b"\x06", b"\x01", OCTET_STRING]):
            raise DerError("an extension is no SEQUENCE of an OBJECT IDENTIFIER, a BOOLEAN and an OCTET STRING")
        critical = len(one.parts) == 3 and one.parts[1].octets != b"\x00"
        found.append(Extension(dotted(one.parts[0].octets), critical, one.parts[-1].octets))
    return tuple(found)


class Extended:
    """What has extensions: the same questions to a certificate and to a CRL."""

    octets: bytes
    extensions: tuple[Extension, ...]

    @property
    def fingerprint(self) -> str:
        """The first half of its SHA-256 digest, to find it by."""
        return hashlib.sha256(self.octets).hexdigest()[:32]

    def extension(self, oid: str) -> Extension | None:
        """The first extension of that type."""
        return next((one for one in self.extensions if one.oid == oid), None)

    def value(self, oid: str) -> Value | None:
        """What is inside an extension; None if it is absent or no DER, which is another lint's matter."""
        found = self.extension(oid)
        return None if found is None else inner(found.value)

    @property
    def authority_key(self) -> bytes | None:
        """The keyIdentifier of the authority key identifier (section 4.2.1.1)."""
        value = self.value(AUTHORITY_KEY)
        return None if value is None else next((part.octets for part in value.parts if part.identifier == b"\x80"), None)


@dataclass(frozen=True, eq=False)
class Certificate(Extended):
    """A certificate. ``version`` is None where it is left out, which means v1; ``unique`` are the unique identifiers."""

    octets: bytes
    version: int | None
    serial: Value
    algorithm: Value
    issuer: Value
    times: tuple[Value, ...]
    subject: Value
    key: Value
    unique: tuple[Value, ...]
    has_extensions: bool
    extensions: tuple[Extension, ...]
    outer_algorithm: Value

    @classmethod
    def read(cls, octets: bytes) -> Certificate:
        """:raises DerError: if it has not the parts of a certificate."""
        tbs, outer, _ = _three(decode(octets), "certificate")
        fields = list(tbs.parts)
        version = None
        if fields and fields[0].identifier == b"\xa0":
            version = integer(fields.pop(0).parts[0])
        if len(fields) < 6:
            raise DerError("a TBSCertificate has at least six fields beside its version")
        serial, algorithm, issuer, validity, subject, key, *rest = fields
        listed = [one for one in rest if one.identifier == b"\xa3"]
        return cls(
            octets=octets,
            version=version,
            serial=serial,
            algorithm=algorithm,
            issuer=issuer,
            times=validity.parts,
            subject=subject,
            key=key,
            unique=tuple(one for one in rest if one.identifier in (b"\x81", b"\xa1", b"\x82", b"\xa2")),
            has_extensions=bool(listed),
            extensions=extensions_of(listed[0].parts[0]) if listed and listed[0].parts else (),
            outer_algorithm=outer,
        )

    def __str__(self) -> str:
        return f"certificate {self.serial.octets.hex() or '(no serial number)'}, SHA-256 {self.fingerprint}"

    @cached_property
    def is_ca(self) -> bool:
        """Whether basicConstraints says cA (section 4.2.1.9)."""
        value = self.value(BASIC_CONSTRAINTS)
        return value is not None and any(part.identifier == b"\x01" and part.octets != b"\x00" for part in value.parts[:1])

    @cached_property
    def key_usage(self) -> frozenset[int] | None:
        """The bits of keyUsage that are set; None without one."""
        value = self.value(KEY_USAGE)
        return None if value is None or value.identifier != BIT_STRING else bits(value)

    @property
    def subject_key(self) -> bytes | None:
        """The subject key identifier (section 4.2.1.2)."""
        value = self.value(SUBJECT_KEY)
        return None if value is None else value.octets

    @property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject are one, octet by octet."""
        return encode(self.issuer) == encode(self.subject)

    @property
    def key_algorithm(self) -> str:
        """The algorithm of the subject's key, dotted; empty if it is none."""
        try:
            return dotted(self.key.parts[0].parts[0].octets)
        except (IndexError, DerError):
            return ""

    def names(self, oid: str = SUBJECT_NAMES) -> tuple[Value, ...] | None:
        """The general names of subjectAltName or issuerAltName; None without one."""
        value = self.value(oid)
        return None if value is None else value.parts


@dataclass(frozen=True, eq=False)
class RevocationList(Extended):
    """A CRL. ``entries`` are the lines of its list as values; None where the list is left out."""

    octets: bytes
    version: int | None
    algorithm: Value
    issuer: Value
    this_update: Value
    next_update: Value | None
    entries: tuple[Value, ...] | None
    extensions: tuple[Extension, ...]
    outer_algorithm: Value

    @classmethod
    def read(cls, octets: bytes) -> RevocationList:
        """:raises DerError: if it has not the parts of a CRL."""
        tbs, outer, _ = _three(decode(octets), "CRL")
        fields = list(tbs.parts)
        version = integer(fields.pop(0)) if fields and fields[0].identifier == INTEGER else None
        if len(fields) < 3:
            raise DerError("a TBSCertList has at least three fields beside its version")
        algorithm, issuer, this_update, *rest = fields
        next_update = rest.pop(0) if rest and rest[0].identifier in (UTC_TIME, GENERALIZED_TIME) else None
        entries = rest.pop(0).parts if rest and rest[0].identifier == SEQUENCE else None
        listed = rest[0].parts[0] if rest and rest[0].identifier == b"\xa0" and rest[0].parts else None
        extensions = () if listed is None else extensions_of(listed)
        return cls(octets, version, algorithm, issuer, this_update, next_update, entries, extensions, outer)

    def __str__(self) -> str:
        return f"CRL, SHA-256 {self.fingerprint}"

    def entry_extensions(self) -> Iterator[tuple[Extension, ...]]:
        """The extensions of each of the first entries that have any. What is no extension is left to the lint of the encoding."""
        for entry in (self.entries or ())[:MOST_ENTRIES]:
            if len(entry.parts) > 2:
                with suppress(DerError):
                    yield extensions_of(entry.parts[2])


def _three(value: Value, what: str) -> Sequence[Value]:
    if value.identifier != SEQUENCE or [part.identifier for part in value.parts] != [SEQUENCE, SEQUENCE, BIT_STRING]:
        raise DerError(f"a {what} is a SEQUENCE of a SEQUENCE, an algorithm and a BIT STRING")
    return value.parts
