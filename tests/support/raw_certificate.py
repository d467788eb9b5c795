"""Certificates and CRLs put together octet by octet, right or wrong, so that no library has a say in what they may hold."""

from __future__ import annotations

from conformance.der import length

CN, COUNTRY, ORG, DC, EMAIL = "2.5.4.3", "2.5.4.6", "2.5.4.10", "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1"
UTF8, PRINTABLE, TELETEX, IA5, BMP, VISIBLE = 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1A


def tlv(tag, *parts):
    body = b"".join(parts)
    return bytes((tag,)) + length(len(body)) + body


def seq(*parts):
    return tlv(0x30, *parts)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in (40 * first + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.insert(0, arc & 0x7F | 0x80)
        out += bytes(octets)
    return tlv(0x06, out)


def integer(octets):
    return tlv(0x02, octets)


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def octets(content):
    return tlv(0x04, content)


def named_bits(*numbers):
    """A BIT STRING in DER with these bits set."""
    if not numbers:
        return tlv(0x03, b"\x00")
    last = max(numbers)
    body = bytearray(last // 8 + 1)
    for number in numbers:
        body[number // 8] |= 0x80 >> number % 8
    return tlv(0x03, bytes((7 - last % 8,)), bytes(body))


def attribute(kind, text, tag=UTF8):
    encoding = {BMP: "utf-16-be", TELETEX: "latin-1"}.get(tag, "utf-8")
    return seq(oid(kind), tlv(tag, text.encode(encoding)))


def name(*attributes):
    """A Name of one attribute per RDN."""
    return seq(*(tlv(0x31, one) for one in attributes))


def extension(kind, value, *, critical=False):
    return seq(oid(kind), *([boolean(True)] if critical else []), octets(value))


def utc(text=b"260101000000Z"):
    return tlv(0x17, text)


def generalized(text=b"20510101000000Z"):
    return tlv(0x18, text)


ECDSA = seq(oid("1.2.840.10045.4.3.2"))
EC_KEY = seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(0x03, b"\x00\x04" + b"\x11" * 64))
RSA_KEY = seq(
    seq(oid("1.2.840.113549.1.1.1"), tlv(0x05)), tlv(0x03, b"\x00", seq(integer(b"\x11" * 256), integer(b"\x01\x00\x01")))
)
ED25519_KEY = seq(seq(oid("1.3.101.112")), tlv(0x03, b"\x00" + b"\x22" * 32))
X25519_KEY = seq(seq(oid("1.3.101.110")), tlv(0x03, b"\x00" + b"\x22" * 32))
CA_NAME = name(attribute(CN, "Test CA"))
CA_KEY_ID, KEY_ID = b"\xca" * 20, b"\xee" * 20
V3 = tlv(0xA0, integer(b"\x02"))
V2 = integer(b"\x01")

AKI = extension("2.5.29.35", seq(tlv(0x80, CA_KEY_ID)))
SKI = extension("2.5.29.14", octets(KEY_ID))
USAGE = extension("2.5.29.15", named_bits(0), critical=True)
NAMES = extension("2.5.29.17", seq(tlv(0x82, b"a.example.test")))
LEAF_EXTENSIONS = {"aki": AKI, "ski": SKI, "usage": USAGE, "names": NAMES}
CA_EXTENSIONS = {
    "constraints": extension("2.5.29.19", seq(boolean(True)), critical=True),
    "usage": extension("2.5.29.15", named_bits(5, 6), critical=True),
    "ski": extension("2.5.29.14", octets(CA_KEY_ID)),
    "aki": AKI,
}


def certificate(
    *,
    version=V3,
    serial=b"\x11" * 20,
    algorithm=ECDSA,
    issuer=CA_NAME,
    validity=None,
    subject=None,
    key=EC_KEY,
    unique=(),
    extensions=None,
    outer=None,
    **changed,
):
    """A certificate of an end entity.

    :param changed: extensions by name (``aki``, ``ski`` ...), in place of or beside the usual ones; None leaves one out.
    """
    found = {**(LEAF_EXTENSIONS if extensions is None else extensions), **changed}
    listed = [one for one in found.values() if one is not None]
    tbs = seq(
        version,
        integer(serial),
        algorithm,
        issuer,
        seq(utc(), generalized()) if validity is None else seq(*validity),
        name(attribute(CN, "a.example.test")) if subject is None else subject,
        key,
        *unique,
        *([tlv(0xA3, seq(*listed))] if listed else []),
    )
    return seq(tbs, outer or algorithm, tlv(0x03, b"\x00\x30\x00"))


def ca(**changes):
    """A self-signed certificate of the CA."""
    return certificate(**{"serial": b"\x01", "subject": CA_NAME, "extensions": CA_EXTENSIONS, "key": ED25519_KEY, **changes})


def crl(*, version=V2, issuer=CA_NAME, entries=b"", extensions=(), algorithm=ECDSA, outer=None, times=None):
    """A CRL of the CA."""
    listed = extensions or (extension("2.5.29.35", seq(tlv(0x80, CA_KEY_ID))), extension("2.5.29.20", integer(b"\x01")))
    tbs = seq(
        version,
        algorithm,
        issuer,
        *((utc(), utc(b"260201000000Z")) if times is None else times),
        entries,
        tlv(0xA0, seq(*listed)),
    )
    return seq(tbs, outer or algorithm, tlv(0x03, b"\x00\x30\x00"))
