"""Faults of extensions (RFC 5280 section 4.2)."""

from __future__ import annotations

from privca.faults.pkix.naming import issued

_BITS = "s.der.tlv(0x03, bytes.fromhex('{}'))"

FAULTS = (
    issued("extension.twice", "An extension comes twice", "4.2", "s.doubled(tbs, s.SUBJECT_KEY)"),
    issued(
        "encoding.boolean",
        "TRUE is written as 01",
        "4.1",
        "s.marked(tbs, s.USAGE, s.der.tlv(0x01, bytes((1,))))",
    ),
    issued(
        "encoding.default",
        "FALSE, which is the default, is written out",
        "4.1",
        "s.marked(tbs, s.SUBJECT_KEY, s.der.tlv(0x01, bytes(1)))",
    ),
    issued("authority-key.missing", "The key of the CA is not identified", "4.2.1.1", "s.without(tbs, s.AUTHORITY_KEY)"),
    issued(
        "authority-key.other",
        "Another key than that of the CA is identified",
        "4.2.1.2",
        "s.filled(tbs, s.AUTHORITY_KEY, s.der.tlv(0x30, s.der.tlv(0x80, bytes(20))))",
    ),
    issued(
        "authority-key.critical", "The authority key identifier is critical", "4.2.1.1", "s.marked(tbs, s.AUTHORITY_KEY, s.TRUE)"
    ),
    issued(
        "authority-key.serial-alone",
        "The authority key identifier has a serial number, and no issuer",
        "A.2",
        "s.extension(tbs, s.AUTHORITY_KEY, lambda critical, value: "
        "s.made(s.AUTHORITY_KEY, critical, s.der.tlv(0x30, s.der.content(value), s.der.tlv(0x82, bytes((1,))))))",
    ),
    issued("subject-key.missing", "The key of the subject is not identified", "4.2.1.2", "s.without(tbs, s.SUBJECT_KEY)"),
    issued("subject-key.critical", "The subject key identifier is critical", "4.2.1.2", "s.marked(tbs, s.SUBJECT_KEY, s.TRUE)"),
    issued("key-usage.not-critical", "The key usage is not critical", "4.2.1.3", "s.marked(tbs, s.USAGE, b'')"),
    issued("key-usage.empty", "The key usage has no bit", "4.2.1.3", f"s.filled(tbs, s.USAGE, {_BITS.format('00')})"),
    issued(
        "key-usage.trailing-zeros",
        "The key usage ends in bits that are not set",
        "B",
        f"s.filled(tbs, s.USAGE, {_BITS.format('0080')})",
    ),
    issued(
        "key-usage.wrong-for-key",
        "EC keys are for key encipherment",
        "4.2.1.3",
        f"s.filled(tbs, s.USAGE, {_BITS.format('05a0')})",
    ),
    issued(
        "key-usage.cert-sign", "End entities may sign certificates", "4.2.1.9", f"s.filled(tbs, s.USAGE, {_BITS.format('0284')})"
    ),
    issued(
        "end-entity.path-length",
        "End entities have a path length",
        "4.2.1.9",
        "s.filled(tbs, s.CONSTRAINTS, s.der.tlv(0x30, s.der.integer(0)))",
    ),
    issued(
        "names.empty",
        "The subjectAltName has an empty name",
        "4.2.1.6",
        "s.filled(tbs, s.NAMES, s.der.tlv(0x30, s.der.tlv(0x82)))",
        like="lab-acme",
    ),
    issued(
        "names.critical",
        "The subjectAltName is critical beside a subject",
        "4.2.1.6",
        "s.marked(tbs, s.NAMES, s.TRUE)",
        like="lab-acme",
    ),
    issued(
        "names.underscore",
        "DNS names have underscores",
        "4.2.1.6",
        "s.filled(tbs, s.NAMES, s.der.tlv(0x30, s.der.tlv(0x82, b'a_b.example.test')))",
        like="lab-acme",
    ),
    issued("publication.critical-crl", "The CRL distribution points are critical", "4.2.1.13", "s.marked(tbs, s.CRL, s.TRUE)"),
    issued(
        "publication.critical-access",
        "The authority information access is critical",
        "4.2.2.1",
        "s.marked(tbs, s.ACCESS, s.TRUE)",
    ),
    issued(
        "publication.crl-issuer",
        "A distribution point names the CA as its CRL issuer",
        "4.2.1.13",
        "s.point(tbs, bytes, s.own_issuer(tbs))",
    ),
    issued(
        "publication.some-reasons",
        "The only distribution point is for one reason",
        "4.2.1.13",
        "s.point(tbs, bytes, s.der.tlv(0x81, bytes.fromhex('0640')))",
    ),
    issued(
        "publication.ftp",
        "The CRL is to be had by FTP alone",
        "4.2.1.13",
        "s.point(tbs, lambda uri: uri.replace(b'http:', b'ftp:'))",
    ),
    issued("publication.https", "The CRL is behind TLS", "8", "s.point(tbs, lambda uri: uri.replace(b'http:', b'https:'))"),
    issued(
        "publication.crl-nowhere",
        "There is nothing where the CRL should be",
        "4.2.1.13",
        "s.point(tbs, lambda uri: uri + b'-is-not-here')",
    ),
    issued(
        "publication.ca-certificate-nowhere",
        "There is nothing where the certificate of the CA should be",
        "4.2.2.1",
        "s.replaced(tbs, s.ACCESS, b'/ca/', b'/CA/')",
    ),
)
