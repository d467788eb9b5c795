"""A TBSCertificate of ours with one thing in it changed, as DER to DER (or to what is none).

What it gets was made by the honest steps, so that nothing is looked for twice and nothing has to be doubted.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509

from privca.pkix import der

VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS = range(8)
"""The fields of a TBSCertificate of version 3 without unique identifiers (RFC 5280 section 4.1)."""

AUTHORITY_KEY, SUBJECT_KEY, USAGE, NAMES = "2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.17"
CONSTRAINTS, CRL, ACCESS = "2.5.29.19", "2.5.29.31", "1.3.6.1.5.5.7.1.1"
NOT_BEFORE, NOT_AFTER = range(2)
_CLAUSE = "RFC 5280 section 4.1"
_OID, _BOOLEAN, _OCTETS, _SEQUENCE, _SET, _UTF8 = 0x06, 0x01, 0x04, 0x30, 0x31, 0x0C
TRUE = der.tlv(_BOOLEAN, b"\xff")
_COMMON_NAME = "2.5.4.3"


def fields(tbs: bytes) -> list[bytes]:
    """The fields, each with its header."""
    return der.children(tbs, clause=_CLAUSE)


def put(tbs: bytes, field: int, *octets: bytes) -> bytes:
    """With these octets in the place of a field; none: without it."""
    found = fields(tbs)
    found[field : field + 1] = octets
    return der.tlv(_SEQUENCE, *found)


def _listed(tbs: bytes) -> list[bytes]:
    """The extensions, each with its header."""
    return der.children(der.content(fields(tbs)[EXTENSIONS]), clause=_CLAUSE)


def extensions(tbs: bytes, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """With the extensions changed."""
    return put(tbs, EXTENSIONS, der.tlv(0xA3, der.tlv(_SEQUENCE, *change(_listed(tbs)))))


def _is(octets: bytes, oid: str) -> bool:
    return der.children(octets, clause=_CLAUSE)[0] == identifier(oid)


def extension(tbs: bytes, oid: str, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """With one extension as ``change`` makes it of its criticality (a BOOLEAN, or nothing) and its value.

    :raises ValueError: if there is no such extension.
    """
    listed = _listed(tbs)
    if not any(_is(one, oid) for one in listed):
        raise ValueError(f"the certificate has no extension {oid}")

    def changed(one: bytes) -> bytes:
        _, *critical, value = der.children(one, clause=_CLAUSE)
        return change(b"".join(critical), der.content(value))

    return extensions(tbs, lambda all: [changed(one) if _is(one, oid) else one for one in all])


def identifier(oid: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    return der.oid(x509.ObjectIdentifier(oid))


def made(oid: str, critical: bytes, value: bytes) -> bytes:
    """An extension. :param critical: a BOOLEAN, or nothing."""
    return der.tlv(_SEQUENCE, identifier(oid), critical, der.tlv(_OCTETS, value))


def without(tbs: bytes, oid: str) -> bytes:
    """Without an extension."""
    return extension(tbs, oid, lambda critical, value: b"")


def marked(tbs: bytes, oid: str, critical: bytes) -> bytes:
    """With another criticality of an extension."""
    return extension(tbs, oid, lambda was, value: made(oid, critical, value))


def filled(tbs: bytes, oid: str, value: bytes) -> bytes:
    """With another value of an extension."""
    return extension(tbs, oid, lambda critical, was: made(oid, critical, value))


def added(tbs: bytes, oid: str, critical: bytes, value: bytes) -> bytes:
    """With one extension more."""
    return extensions(tbs, lambda listed: [*listed, made(oid, critical, value)])


def doubled(tbs: bytes, oid: str) -> bytes:
    """With an extension twice."""
    return extension(tbs, oid, lambda critical, value: made(oid, critical, value) * 2)


def serial(tbs: bytes, content: bytes) -> bytes:
    """With another serial number, by its content octets."""
    return put(tbs, SERIAL, der.tlv(0x02, content))


def time(tbs: bytes, which: int, tag: int, text: bytes) -> bytes:
    """With another time of the validity."""
    times = der.children(fields(tbs)[VALIDITY], clause=_CLAUSE)
    times[which] = der.tlv(tag, text)
    return put(tbs, VALIDITY, der.tlv(_SEQUENCE, *times))


def spelled(tbs: bytes, which: int, *, seconds: bool = True, fraction: bytes = b"", century: bool = False) -> bytes:
    """With a time of the validity, which is a UTCTime, in another spelling."""
    text = der.content(der.children(fields(tbs)[VALIDITY], clause=_CLAUSE)[which]).removesuffix(b"Z")
    text = text if seconds else text[:-2]
    return time(tbs, which, 0x18 if century else 0x17, (b"20" if century else b"") + text + fraction + b"Z")


def attribute(oid: str, tag: int, text: bytes) -> bytes:
    """An attribute of a name."""
    return der.tlv(_SEQUENCE, identifier(oid), der.tlv(tag, text))


def subject(tbs: bytes, *attributes: bytes) -> bytes:
    """With a subject of these attributes, all in one RDN; none: empty."""
    return put(tbs, SUBJECT, der.tlv(_SEQUENCE, *([der.tlv(_SET, *attributes)] if attributes else [])))


def common_name(tbs: bytes, tag: int, text: bytes) -> bytes:
    """With a subject that is this common name."""
    return subject(tbs, attribute(_COMMON_NAME, tag, text))


def respelled_issuer(tbs: bytes) -> bytes:
    """With the issuer's strings of other types: UTF8String for PrintableString and the other way round."""
    issuer = der.children(fields(tbs)[ISSUER], clause=_CLAUSE)
    rdns = []
    for rdn in issuer:
        kind, value = der.children(der.children(rdn, clause=_CLAUSE)[0], clause=_CLAUSE)
        other = 0x13 if value[0] == _UTF8 else _UTF8
        rdns.append(der.tlv(_SET, der.tlv(_SEQUENCE, kind, bytes((other,)) + value[1:])))
    return put(tbs, ISSUER, der.tlv(_SEQUENCE, *rdns))


def replaced(tbs: bytes, oid: str, old: bytes, new: bytes) -> bytes:
    """With octets in the value of an extension replaced by as many others. :raises ValueError: if they are not there."""

    def change(critical: bytes, value: bytes) -> bytes:
        if old not in value or len(old) != len(new):
            raise ValueError(f"extension {oid} has no {old!r}")
        return made(oid, critical, value.replace(old, new))

    return extension(tbs, oid, change)


def point(tbs: bytes, uri: Callable[[bytes], bytes] = lambda uri: uri, *more: bytes) -> bytes:
    """With one distribution point whose URI is changed, and with these fields behind it."""

    def change(critical: bytes, value: bytes) -> bytes:
        first = der.children(der.children(value, clause=_CLAUSE)[0], clause=_CLAUSE)[0]
        name = der.children(der.children(first, clause=_CLAUSE)[0], clause=_CLAUSE)[0]
        place = der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, uri(der.content(name)))))
        return made(CRL, critical, der.tlv(_SEQUENCE, der.tlv(_SEQUENCE, place, *more)))

    return extension(tbs, CRL, change)


def own_issuer(tbs: bytes) -> bytes:
    """The field cRLIssuer of a distribution point that names the certificate's own issuer."""
    return der.tlv(0xA2, der.tlv(0xA4, fields(tbs)[ISSUER]))
