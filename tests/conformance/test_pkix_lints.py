"""Each lint on a thing that keeps the rule, on one that breaks it, and on one that it does not concern."""

import pytest

from conformance.catalogue import catalogue
from conformance.der import decode
from conformance.examination import Exchange, Issued, Kind
from conformance.pkix import lints
from conformance.pkix.cases.lints import _judged
from conformance.pkix.lint import LINTS
from conformance.pkix.seen import Seen
from conformance.transport import HttpRequest, HttpResponse
from tests.support.raw_certificate import (
    AKI,
    BMP,
    CA_KEY_ID,
    CA_NAME,
    CN,
    COUNTRY,
    DC,
    ECDSA,
    EMAIL,
    IA5,
    KEY_ID,
    ORG,
    PRINTABLE,
    RSA_KEY,
    TELETEX,
    UTF8,
    VISIBLE,
    X25519_KEY,
    attribute,
    boolean,
    ca,
    certificate,
    crl,
    extension,
    generalized,
    integer,
    name,
    named_bits,
    octets,
    oid,
    seq,
    tlv,
    utc,
)

lints.load()


def subject(kind, text, tag=UTF8):
    return certificate(subject=name(attribute(kind, text, tag)))


def names(*general, critical=False):
    return certificate(names=extension("2.5.29.17", seq(*general), critical=critical))


def usage(*bits, **more):
    return certificate(usage=extension("2.5.29.15", named_bits(*bits), critical=True), **more)


def with_(kind, value, *, critical=False, **more):
    return certificate(more=extension(kind, value, critical=critical), **more)


def ca_with(kind, value, *, critical=False):
    return ca(more=extension(kind, value, critical=critical))


def policies(*listed):
    return with_("2.5.29.32", seq(*listed))


def notice(*parts):
    return policies(seq(oid("1.2.3"), seq(seq(oid("1.3.6.1.5.5.7.2.2"), seq(*parts)))))


def constraints(*subtrees, tag=0xA0, critical=True):
    return ca_with("2.5.29.30", seq(tlv(tag, *subtrees)), critical=critical)


def base(tag, content, *more):
    return seq(tlv(tag, content), *more)


def entry(*extensions):
    return seq(integer(b"\x05"), utc(), *([seq(*extensions)] if extensions else []))


def reason(content, *, critical=False):
    return extension("2.5.29.21", tlv(0x0A, content), critical=critical)


NUMBER = extension("2.5.29.20", integer(b"\x01"))


def delta(*more, critical=True, entries=b""):
    return crl(extensions=(AKI, NUMBER, extension("2.5.29.27", integer(b"\x01"), critical=critical), *more), entries=entries)


def scoped(value, *, critical=True):
    return crl(extensions=(AKI, NUMBER, extension("2.5.29.28", value, critical=critical)))


NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
ERROR = seq(tlv(0x0A, b"\x06"))
RESPONDER = certificate(serial=b"\x71", more=extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.9"))))
NO_RESPONDER = certificate(serial=b"\x72", more=extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1"))))


def ocsp(*, status=b"\x00", version=b"", produced=None, certs=None):
    identifier = seq(seq(oid("2.16.840.1.101.3.4.2.1")), octets(bytes(32)), octets(bytes(32)), integer(b"\x05"))
    single = seq(identifier, tlv(0x80), generalized(b"20260101000000Z"), tlv(0xA0, generalized(b"20260201000000Z")))
    data = seq(version, tlv(0xA2, octets(bytes(20))), produced or generalized(b"20260101000000Z"), seq(single))
    listed = [] if certs is None else [tlv(0xA0, seq(*certs))]
    basic = seq(data, ECDSA, tlv(0x03, b"\x00\x30\x00"), *listed)
    return seq(tlv(0x0A, status), tlv(0xA0, seq(oid("1.3.6.1.5.5.7.48.1.1"), octets(basic))))


def points(*listed, critical=False):
    return with_("2.5.29.31", seq(*listed), critical=critical)


def point(*uris, more=()):
    return seq(tlv(0xA0, tlv(0xA0, *(tlv(0x86, uri) for uri in uris))), *more)


def access(kind, method, uri, *, critical=False, tag=0x86):
    return with_(kind, seq(seq(oid(method), tlv(tag, uri))), critical=critical)


def longer(der):
    """With the outermost length in one octet more than it needs."""
    body = decode(der).octets
    return b"\x30\x83" + len(body).to_bytes(3, "big") + body


AIA, SIA = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"
ISSUERS, REPOSITORY, STAMPING = "1.3.6.1.5.5.7.48.2", "1.3.6.1.5.5.7.48.5", "1.3.6.1.5.5.7.48.3"
HTTP, LDAP = b"http://a.example.test/x", b"ldap://a.example.test/cn=x?cACertificate;binary"
LEAF, CA = certificate(), ca()
ANY = "2.5.29.32.0"
RELATIVE = tlv(0xA0, tlv(0xA1, attribute(CN, "x")))
ISSUER_FIELD = tlv(0xA2, tlv(0xA4, CA_NAME))
OTHER_FIELD = tlv(0xA2, tlv(0xA4, name(attribute(CN, "Other"))))

# Lint: things that keep its rule, things that break it, things that it does not concern.
TABLE = {
    "certificate.der": (
        [LEAF, CA],
        [
            longer(LEAF),
            LEAF[:-1],
            b"",
            b"not DER",
            seq(),
            LEAF + b"\x00",
            certificate(subject=seq(tlv(0x31, attribute(ORG, "aaaaaaaa"), attribute(CN, "b")))),
            certificate(usage=seq(oid("2.5.29.15"), tlv(0x01, b"\x01"), octets(named_bits(0)))),
            certificate(usage=seq(oid("2.5.29.15"), boolean(False), octets(named_bits(0)))),
            certificate(serial=b"\x00\x11"),
            certificate(version=tlv(0xA0, integer(b"\x00")), extensions={}),
            with_("2.5.29.19", seq(boolean(False))),
            with_("2.5.29.19", b"\x30\x80\x00\x00"),
            with_("2.5.29.37", seq(tlv(0x06, b"\x80\x01"))),
            certificate(usage=extension("2.5.29.15", tlv(0x03, b"\x01\x01"))),
            certificate(key=seq(seq(oid("1.2.840.113549.1.1.1"), tlv(0x05, b"\x00")), tlv(0x03, b"\x00"))),
        ],
        [],
    ),
    "certificate.named-bits": (
        [LEAF, points(point(HTTP, more=(tlv(0x81, b"\x06\x40"),)))],
        [certificate(usage=extension("2.5.29.15", tlv(0x03, b"\x00\x80"))), points(point(HTTP, more=(tlv(0x81, b"\x00\x40"),)))],
        [certificate(usage=None)],
    ),
    "certificate.object-identifiers": (
        [LEAF, with_("1.2.3.268435455", b"\x05\x00")],
        [with_("1.2.3.268435456", b"\x05\x00"), with_("1.2." + "3." * 19 + "4", b"\x05\x00")],
        [],
    ),
    "certificate.version-of-fields": (
        [LEAF],
        [certificate(version=b""), certificate(version=tlv(0xA0, integer(b"\x01")))],
        [certificate(extensions={})],
    ),
    "certificate.version-of-unique-identifiers": (
        [certificate(unique=(tlv(0x81, b"\x00\x11"),))],
        [certificate(unique=(tlv(0x82, b"\x00\x11"),), version=b"", extensions={})],
        [LEAF],
    ),
    "certificate.version-lowest": (
        [
            certificate(version=b"", extensions={}),
            certificate(version=tlv(0xA0, integer(b"\x01")), extensions={}, unique=(tlv(0x81, b"\x00\x11"),)),
        ],
        [certificate(extensions={}), certificate(extensions={}, unique=(tlv(0x81, b"\x00\x11"),))],
        [LEAF],
    ),
    "certificate.unique-identifiers": ([LEAF], [certificate(unique=(tlv(0x81, b"\x00\x11"),))], []),
    "certificate.serial-positive": (
        [LEAF, certificate(serial=b"\x00\x80")],
        [certificate(serial=b"\x80"), certificate(serial=b"\x00"), certificate(serial=b"")],
        [],
    ),
    "certificate.serial-length": ([LEAF], [certificate(serial=b"\x11" * 21), certificate(serial=b"\x00" + b"\x80" * 20)], []),
    "certificate.serial-unique": ([LEAF], [certificate(serial=b"\x01")], [certificate(issuer=name(attribute(CN, "Another")))]),
    "certificate.same-algorithm": ([LEAF], [certificate(outer=seq(oid("1.2.840.10045.4.3.3")))], []),
    "certificate.times-by-year": (
        [LEAF, certificate(validity=(utc(), utc(b"491231235959Z")))],
        [certificate(validity=(utc(), generalized(b"20491231235959Z"))), certificate(validity=(utc(), tlv(0x16, b"x")))],
        [],
    ),
    "certificate.utc-time": (
        [LEAF],
        [
            certificate(validity=(utc(text), generalized()))
            for text in (b"2601010000Z", b"260101000000+0000", b"260101000000", b"261301000000Z", b"260101000060Z")
        ],
        [certificate(validity=(generalized(), generalized()))],
    ),
    "certificate.generalized-time": (
        [LEAF],
        [
            certificate(validity=(utc(), generalized(text)))
            for text in (b"20510101000000.5Z", b"205101010000Z", b"20510101000000", b"20510101000000+0000")
        ],
        [certificate(validity=(utc(), utc()))],
    ),
    "certificate.period": (
        [LEAF, certificate(validity=(utc(), utc())), certificate(validity=(utc(b"991231235959Z"), utc()))],
        [certificate(validity=(utc(b"260102000000Z"), utc())), certificate(validity=(utc(),))],
        [certificate(validity=(utc(b"x"), utc()))],
    ),
    "certificate.no-end": (
        [certificate(validity=(utc(), generalized(b"99991231235959Z")))],
        [certificate(validity=(utc(), generalized(b"99991231235900Z")))],
        [LEAF],
    ),
    "certificate.issuer": ([LEAF], [certificate(issuer=seq()), certificate(issuer=seq(tlv(0x31)))], []),
    "certificate.issuer-string-types": (
        [LEAF, certificate(issuer=name(attribute(CN, "x", PRINTABLE)))],
        [certificate(issuer=name(attribute(CN, "x", tag))) for tag in (TELETEX, BMP, IA5)],
        [certificate(issuer=name(attribute(DC, "x", IA5)))],
    ),
    "certificate.subject": (
        [LEAF],
        [certificate(subject=seq(tlv(0x31))), certificate(subject=seq(seq()))],
        [certificate(subject=seq())],
    ),
    "certificate.subject-string-types": (
        [LEAF, subject(CN, "x", PRINTABLE)],
        [subject(CN, "x", TELETEX), subject(ORG, "x", BMP)],
        [certificate(subject=seq())],
    ),
    "certificate.subject-older-types": ([LEAF], [subject(CN, "x", TELETEX), subject(CN, "x", BMP)], [certificate(subject=seq())]),
    "certificate.upper-bounds": (
        [LEAF, subject(CN, "x" * 64), subject(COUNTRY, "DE", PRINTABLE), subject(CN, "ü" * 64)],
        [subject(CN, "x" * 65), subject(COUNTRY, "DEU", PRINTABLE), subject(COUNTRY, "D", PRINTABLE), subject(CN, "")],
        [certificate(issuer=name(attribute(DC, "x", IA5)), subject=seq())],
    ),
    "certificate.printable-strings": (
        [subject(CN, "x y", PRINTABLE)],
        [subject(CN, "a@b", PRINTABLE), subject(CN, "a_b", PRINTABLE), subject(CN, "a*b", PRINTABLE)],
        [LEAF],
    ),
    "certificate.subject-mail-type": ([subject(EMAIL, "a@b.test", IA5)], [subject(EMAIL, "a@b.test")], [LEAF]),
    "certificate.subject-mail": (
        [certificate(subject=name(attribute(EMAIL, "a@b.test", IA5)), names=extension("2.5.29.17", seq(tlv(0x81, b"a@b.test"))))],
        [subject(EMAIL, "a@b.test", IA5)],
        [LEAF],
    ),
    "certificate.domain-components": (
        [subject(DC, "example", IA5), subject(DC, "xn--bcher-kva", IA5)],
        [subject(DC, "bücher"), subject(DC, "a.b", IA5), subject(DC, "xn--a-", IA5)],
        [LEAF],
    ),
    "certificate.empty-subject": (
        [certificate(subject=seq(), names=extension("2.5.29.17", seq(tlv(0x82, b"a.test")), critical=True))],
        [certificate(subject=seq()), certificate(subject=seq(), names=None)],
        [LEAF],
    ),
    "certificate.ca-subject": (
        [CA],
        [ca(subject=seq()), ca(issuer=name(attribute(CN, "Test CA", PRINTABLE)))],
        [LEAF],
    ),
    "certificate.crl-issuer-subject": ([CA], [ca(subject=seq())], [LEAF, certificate(usage=None)]),
    "certificate.alternative-names": ([LEAF], [names()], [certificate(names=None)]),
    "certificate.alternative-name-empty": (
        [LEAF, names(tlv(0xA4, CA_NAME))],
        [names(tlv(0x81, b"")), names(tlv(0x82, b"")), names(tlv(0xA4, seq()))],
        [certificate(names=None)],
    ),
    "certificate.alternative-names-criticality": (
        [LEAF],
        [names(tlv(0x82, b"a.test"), critical=True)],
        [certificate(names=None), certificate(subject=seq())],
    ),
    "certificate.addresses": (
        [names(tlv(0x87, b"\x7f\0\0\1")), names(tlv(0x87, b"\0" * 16))],
        [names(tlv(0x87, b"\0" * 8)), names(tlv(0x87, b"127.0.0.1"))],
        [LEAF],
    ),
    "certificate.dns-names": (
        [LEAF, names(tlv(0x82, b"*.a.test")), names(tlv(0x82, b"xn--bcher-kva.test"))],
        [
            names(tlv(0x82, value))
            for value in (b"a_b.test", b"-a.test", b"a..test", b"a.test.", b"a@b.test", b"xn--a-.test", "bücher.test".encode())
        ]
        + [names(tlv(0x82, b"a" * 64 + b".test")), names(tlv(0x82, b".".join([b"a" * 60] * 5)))],
        [names(tlv(0x81, b"a@b.test"))],
    ),
    "certificate.dns-name-space": ([LEAF], [names(tlv(0x82, b" "))], [certificate(names=None)]),
    "certificate.mail-addresses": (
        [names(tlv(0x81, b"a@b.test"))],
        [names(tlv(0x81, value)) for value in (b"a", b"@b.test", b"a@b_c.test", "ü@b.test".encode())],
        [LEAF],
    ),
    "certificate.uris": (
        [
            names(tlv(0x86, uri))
            for uri in (b"http://a.test/", b"urn:uuid:1", b"https://[::1]:1/x?y#z", b"mailto:a@b.test", b"spiffe://a.test/x")
        ],
        [names(tlv(0x86, uri)) for uri in (b"/x", b"http:", b"x", b"http:///x", b"http://a b/", b"http:x", "http://ü/".encode())]
        + [names(tlv(0x86, b"http://a_b.test/")), names(tlv(0x86, b"http://a.test/%zz")), names(tlv(0x86, b"http://[x/"))],
        [LEAF],
    ),
    "certificate.directory-names": ([names(tlv(0xA4, CA_NAME))], [names(tlv(0xA4, seq(seq()))), names(tlv(0xA4))], [LEAF]),
    "certificate.issuer-alternative-names": (
        [with_("2.5.29.18", seq(tlv(0x82, b"a.test")))],
        [with_("2.5.29.18", seq()), with_("2.5.29.18", seq(tlv(0x82, b"a_b")))],
        [LEAF],
    ),
    "certificate.issuer-alternative-names-criticality": (
        [with_("2.5.29.18", seq(tlv(0x82, b"a.test")))],
        [with_("2.5.29.18", seq(tlv(0x82, b"a.test")), critical=True)],
        [LEAF],
    ),
    "certificate.algorithms": (
        [LEAF, certificate(key=RSA_KEY)],
        [
            certificate(algorithm=seq(oid("1.2.840.10045.4.3.2"), tlv(0x05))),
            certificate(algorithm=seq(oid("1.2.840.113549.1.1.11"))),
            certificate(key=seq(seq(oid("1.2.840.113549.1.1.1")), tlv(0x03, b"\x00"))),
            certificate(key=seq(seq(oid("1.2.840.10045.2.1"), seq()), tlv(0x03, b"\x00"))),
            certificate(key=seq(seq(oid("1.3.101.112"), tlv(0x05)), tlv(0x03, b"\x00"))),
        ],
        [],
    ),
    "certificate.extension-once": (
        [LEAF],
        [certificate(more=extension("2.5.29.14", octets(KEY_ID)))],
        [certificate(extensions={})],
    ),
    "certificate.authority-key": (
        [LEAF, CA],
        [certificate(aki=None), certificate(aki=extension("2.5.29.35", seq()))],
        [ca(aki=None)],
    ),
    "certificate.authority-key-matches": (
        [LEAF, CA],
        [certificate(aki=extension("2.5.29.35", seq(tlv(0x80, b"\x01"))))],
        [certificate(aki=None), certificate(issuer=name(attribute(CN, "Another")))],
    ),
    "certificate.authority-key-criticality": (
        [LEAF],
        [certificate(aki=extension("2.5.29.35", seq(tlv(0x80, CA_KEY_ID)), critical=True))],
        [certificate(aki=None)],
    ),
    "certificate.authority-key-serial": (
        [LEAF, certificate(aki=extension("2.5.29.35", seq(tlv(0xA1, tlv(0xA4, CA_NAME)), tlv(0x82, b"\x01"))))],
        [certificate(aki=extension("2.5.29.35", seq(tlv(0x80, CA_KEY_ID), tlv(0x82, b"\x01"))))],
        [certificate(aki=None)],
    ),
    "certificate.ca-subject-key": ([CA], [ca(ski=None)], [LEAF]),
    "certificate.subject-key": ([LEAF], [certificate(ski=None)], [CA]),
    "certificate.subject-key-criticality": (
        [LEAF],
        [certificate(ski=extension("2.5.29.14", octets(KEY_ID), critical=True))],
        [certificate(ski=None)],
    ),
    "certificate.subject-key-established": (
        [ca(serial=b"\x02")],
        [ca(ski=extension("2.5.29.14", octets(KEY_ID)))],
        [LEAF, ca(key=RSA_KEY)],
    ),
    "certificate.ca-key-usage": ([CA], [ca(usage=None)], [LEAF]),
    "certificate.key-usage-criticality": (
        [LEAF],
        [certificate(usage=extension("2.5.29.15", named_bits(0)))],
        [certificate(usage=None)],
    ),
    "certificate.key-usage-bits": (
        [LEAF],
        [
            usage(),
            certificate(usage=extension("2.5.29.15", tlv(0x03, b"\x07\x00"))),
            certificate(usage=extension("2.5.29.15", seq())),
        ],
        [certificate(usage=None)],
    ),
    "certificate.key-usage-of-key": (
        [LEAF, CA, usage(0, 2, key=RSA_KEY), usage(0, 4), usage(4, 7), usage(4, key=X25519_KEY)],
        [
            usage(0, 2),
            usage(3),
            usage(4, key=RSA_KEY),
            usage(0, key=X25519_KEY),
            usage(0, 7),
            ca(usage=extension("2.5.29.15", named_bits(4))),
        ],
        [certificate(usage=None), certificate(key=seq(seq(oid("1.2.3")), tlv(0x03, b"\x00")))],
    ),
    "certificate.cert-sign": ([LEAF, CA], [usage(5)], [certificate(usage=None)]),
    "certificate.ca-basic-constraints": ([CA], [ca(constraints=extension("2.5.29.19", seq(boolean(True))))], [LEAF]),
    "certificate.path-length-sign": (
        [ca(constraints=extension("2.5.29.19", seq(boolean(True), integer(b"\x00"))))],
        [ca(constraints=extension("2.5.29.19", seq(boolean(True), integer(b"\xff"))))],
        [LEAF, CA],
    ),
    "certificate.path-length-of-ca": (
        [ca(constraints=extension("2.5.29.19", seq(boolean(True), integer(b"\x00"))))],
        [
            with_("2.5.29.19", seq(integer(b"\x00"))),
            ca(
                constraints=extension("2.5.29.19", seq(boolean(True), integer(b"\x00"))),
                usage=extension("2.5.29.15", named_bits(6)),
            ),
        ],
        [LEAF, CA],
    ),
    "certificate.any-key-usage-criticality": (
        [with_("2.5.29.37", seq(oid("2.5.29.37.0")))],
        [with_("2.5.29.37", seq(oid("2.5.29.37.0")), critical=True)],
        [LEAF, with_("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1")), critical=True)],
    ),
    "certificate.usage-period": ([with_("2.5.29.16", seq(tlv(0x80, b"20260101000000Z")))], [with_("2.5.29.16", seq())], [LEAF]),
    "certificate.directory-attributes-criticality": (
        [with_("2.5.29.9", seq(seq(oid("1.2.3"), tlv(0x31, integer(b"\x01")))))],
        [with_("2.5.29.9", seq(seq(oid("1.2.3"), tlv(0x31, integer(b"\x01")))), critical=True)],
        [LEAF],
    ),
    "certificate.policy-once": (
        [policies(seq(oid("1.2.3")), seq(oid("1.2.4")))],
        [policies(seq(oid("1.2.3")), seq(oid("1.2.3")))],
        [LEAF],
    ),
    "certificate.any-policy-qualifiers": (
        [policies(seq(oid(ANY), seq(seq(oid("1.3.6.1.5.5.7.2.1"), tlv(IA5, b"http://a.test/")))))],
        [policies(seq(oid(ANY), seq(seq(oid("1.2.3"), tlv(0x05)))))],
        [LEAF, policies(seq(oid("1.2.3"), seq(seq(oid("1.2.3"), tlv(0x05)))))],
    ),
    "certificate.notice-reference": ([notice(tlv(UTF8, b"x"))], [notice(seq(tlv(UTF8, b"o"), seq(integer(b"\x01"))))], [LEAF]),
    "certificate.explicit-text": ([notice(tlv(UTF8, b"x"))], [notice(tlv(IA5, b"x")), notice(tlv(VISIBLE, b"x"))], [LEAF]),
    "certificate.explicit-text-controls": ([notice(tlv(UTF8, b"x"))], [notice(tlv(UTF8, b"x\n"))], [LEAF]),
    "certificate.explicit-text-normal": (
        [notice(tlv(UTF8, "ü".encode()))],
        [notice(tlv(UTF8, "u\N{COMBINING DIAERESIS}".encode()))],
        [LEAF, notice(tlv(IA5, b"x"))],
    ),
    "certificate.mapping-asserted": (
        [
            ca(
                more=extension("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4")))),
                policies=extension("2.5.29.32", seq(seq(oid("1.2.3")))),
            )
        ],
        [ca_with("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4"))))],
        [LEAF],
    ),
    "certificate.mapping-any": (
        [ca_with("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4"))))],
        [ca_with("2.5.29.33", seq(seq(oid(ANY), oid("1.2.4")))), ca_with("2.5.29.33", seq(seq(oid("1.2.4"), oid(ANY))))],
        [LEAF],
    ),
    "certificate.mapping-criticality": (
        [ca_with("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4"))), critical=True)],
        [ca_with("2.5.29.33", seq(seq(oid("1.2.3"), oid("1.2.4"))))],
        [LEAF],
    ),
    "certificate.policy-constraints": ([ca_with("2.5.29.36", seq(tlv(0x80, b"\x00")))], [ca_with("2.5.29.36", seq())], [LEAF]),
    "certificate.policy-constraints-criticality": (
        [ca_with("2.5.29.36", seq(tlv(0x80, b"\x00")), critical=True)],
        [ca_with("2.5.29.36", seq(tlv(0x80, b"\x00")))],
        [LEAF],
    ),
    "certificate.inhibit-any-policy-criticality": (
        [ca_with("2.5.29.54", integer(b"\x00"), critical=True)],
        [ca_with("2.5.29.54", integer(b"\x00"))],
        [LEAF],
    ),
    "certificate.name-constraints-of-ca": (
        [constraints(base(0x82, b"a.test"))],
        [with_("2.5.29.30", seq(tlv(0xA0, base(0x82, b"a.test"))))],
        [LEAF],
    ),
    "certificate.name-constraints-criticality": (
        [constraints(base(0x82, b"a.test"))],
        [constraints(base(0x82, b"a.test"), critical=False)],
        [LEAF],
    ),
    "certificate.name-constraints-forms": ([constraints(base(0x82, b"a.test"))], [constraints(base(0x88, b"\x2a\x03"))], [LEAF]),
    "certificate.name-constraints": (
        [constraints(base(0x82, b"a.test")), constraints(base(0x82, b"a.test"), tag=0xA1)],
        [ca_with("2.5.29.30", seq(), critical=True), constraints()],
        [LEAF],
    ),
    "certificate.name-constraints-minimum": (
        [constraints(base(0x82, b"a.test"))],
        [constraints(base(0x82, b"a.test", tlv(0x80, b"\x01"))), constraints(base(0x82, b"a.test", tlv(0x81, b"\x00")))],
        [LEAF],
    ),
    "certificate.name-constraints-uri": (
        [constraints(base(0x86, b".a.test")), constraints(base(0x86, b"a.test"))],
        [constraints(base(0x86, b"http://a.test/"))],
        [LEAF, constraints(base(0x82, b"a.test"))],
    ),
    "certificate.name-constraints-mail": ([constraints(base(0x81, b".a.test"))], [constraints(base(0x81, b"a@b.test"))], [LEAF]),
    "certificate.name-constraints-address": (
        [constraints(base(0x87, b"\x0a\0\0\0\xff\0\0\0")), constraints(base(0x87, b"\0" * 32))],
        [constraints(base(0x87, b"\x0a\0\0\0")), constraints(base(0x87, b"\x0a\0\0\0\xff\0\xff\0"))],
        [LEAF],
    ),
    "certificate.name-constraints-directory": (
        [constraints(seq(tlv(0xA4, CA_NAME)))],
        [constraints(seq(tlv(0xA4, CA_NAME)), tag=0xA1)],
        [LEAF],
    ),
    "certificate.distribution-points-criticality": ([points(point(HTTP))], [points(point(HTTP), critical=True)], [LEAF]),
    "certificate.distribution-point-reasons": (
        [points(point(HTTP)), points(seq(OTHER_FIELD))],
        [points(seq(tlv(0x81, b"\x06\x40"))), points(seq())],
        [LEAF],
    ),
    "certificate.distribution-point-issuer": (
        [points(point(HTTP)), points(point(HTTP, more=(OTHER_FIELD,))), points(seq(OTHER_FIELD))],
        [points(point(HTTP, more=(ISSUER_FIELD,))), points(seq(tlv(0x81, b"\x06\x40")))],
        [LEAF],
    ),
    "certificate.crl-issuer": (
        [points(point(b"http://a.example.test/crl")), points(point(b"http://a.example.test/other", more=(OTHER_FIELD,)))],
        [points(point(b"http://a.example.test/other")), points(point(b"http://a.example.test/crl", more=(OTHER_FIELD,)))],
        [LEAF, points(point(b"http://a.example.test/nowhere"))],
    ),
    "certificate.crl-issuer-form": (
        [points(point(HTTP, more=(OTHER_FIELD,)))],
        [points(point(HTTP, more=(tlv(0xA2, tlv(0x82, b"a.test")),)))],
        [LEAF, points(point(HTTP))],
    ),
    "certificate.distribution-point-ldap": (
        [points(point(b"ldap://a.test/cn=x?certificateRevocationList;binary"))],
        [points(point(uri)) for uri in (b"ldap://a.test/", b"ldap://a.test/cn=x", b"ldap://a.test/cn=x?a,b")],
        [LEAF, points(point(HTTP))],
    ),
    "certificate.distribution-point-scheme": (
        [points(point(HTTP)), points(point(b"ftp://a.test/x", HTTP))],
        [points(point(b"ftp://a.test/x")), points(point(b"https://a.test/x")), points(seq(RELATIVE))],
        [LEAF, points(seq(OTHER_FIELD))],
    ),
    "certificate.distribution-point-relative": ([points(point(HTTP))], [points(seq(RELATIVE))], [LEAF, points(seq(OTHER_FIELD))]),
    "certificate.distribution-point-relative-to-one": (
        [points(seq(RELATIVE, OTHER_FIELD))],
        [points(seq(RELATIVE, tlv(0xA2, tlv(0xA4, CA_NAME), tlv(0xA4, CA_NAME))))],
        [LEAF, points(point(HTTP))],
    ),
    "certificate.distribution-points-reasons": (
        [points(point(HTTP)), points(point(HTTP, more=(tlv(0x81, b"\x06\x40"),)), point(HTTP))],
        [points(point(HTTP, more=(tlv(0x81, b"\x06\x40"),)))],
        [LEAF],
    ),
    "certificate.freshest-crl-criticality": (
        [with_("2.5.29.46", seq(point(HTTP)))],
        [with_("2.5.29.46", seq(point(HTTP)), critical=True)],
        [LEAF],
    ),
    "certificate.authority-access-criticality": (
        [access(AIA, ISSUERS, HTTP)],
        [access(AIA, ISSUERS, HTTP, critical=True)],
        [LEAF],
    ),
    "certificate.subject-access-criticality": (
        [access(SIA, REPOSITORY, HTTP)],
        [access(SIA, REPOSITORY, HTTP, critical=True)],
        [LEAF],
    ),
    "certificate.authority-access-ldap": (
        [access(AIA, ISSUERS, LDAP), access(AIA, ISSUERS, LDAP + b",crossCertificatePair;binary")],
        [access(AIA, ISSUERS, b"ldap://a.test/cn=x"), access(AIA, ISSUERS, b"ldap://a.test/?cACertificate")],
        [LEAF, access(AIA, ISSUERS, HTTP)],
    ),
    "certificate.subject-access-ldap": (
        [access(SIA, REPOSITORY, LDAP)],
        [access(SIA, REPOSITORY, b"ldap://a.test/cn=x")],
        [LEAF, access(SIA, REPOSITORY, HTTP)],
    ),
    "certificate.authority-access-scheme": (
        [access(AIA, ISSUERS, HTTP), access(AIA, ISSUERS, LDAP)],
        [access(AIA, ISSUERS, b"ftp://a.test/x"), access(AIA, ISSUERS, CA_NAME, tag=0xA4)],
        [LEAF],
    ),
    "certificate.subject-access-scheme": ([access(SIA, REPOSITORY, HTTP)], [access(SIA, REPOSITORY, b"ftp://a.test/x")], [LEAF]),
    "certificate.time-stamping": (
        [access(SIA, STAMPING, HTTP), access(SIA, STAMPING, b"a@b.test", tag=0x81)],
        [access(SIA, STAMPING, b"a.test", tag=0x82)],
        [LEAF, access(SIA, REPOSITORY, HTTP)],
    ),
    "certificate.publication-https": (
        [points(point(HTTP)), access(AIA, ISSUERS, LDAP)],
        [
            points(point(b"https://a.test/x")),
            access(AIA, ISSUERS, b"ldaps://a.test/x"),
            with_("2.5.29.46", seq(point(b"HTTPS://a/"))),
        ],
        [LEAF],
    ),
    "crl.der": ([crl(), crl(entries=seq(entry()))], [b"", longer(crl()), crl(entries=seq(entry(reason(b"\x00\x01"))))], []),
    "crl.version": ([crl()], [crl(version=b""), crl(version=integer(b"\x00"))], []),
    "crl.same-algorithm": ([crl()], [crl(outer=seq(oid("1.2.840.10045.4.3.3")))], []),
    "crl.issuer": ([crl()], [crl(issuer=seq()), crl(issuer=seq(seq()))], []),
    "crl.issuer-string-types": (
        [crl()],
        [crl(issuer=name(attribute(CN, "x", TELETEX)))],
        [crl(issuer=name(attribute(DC, "x", IA5)))],
    ),
    "crl.times-by-year": (
        [crl(), crl(times=(utc(), generalized()))],
        [crl(times=(generalized(b"20260101000000Z"), utc())), crl(times=(utc(), generalized(b"20490101000000Z")))],
        [],
    ),
    "crl.time-form": (
        [crl()],
        [crl(times=(utc(b"2601010000Z"), utc())), crl(times=(utc(), generalized(b"20510101000000.1Z")))],
        [],
    ),
    "crl.next-update": ([crl()], [crl(times=(utc(),))], []),
    "crl.empty-list": ([crl(), crl(entries=seq(entry()))], [crl(entries=seq())], []),
    "crl.entry-times": (
        [crl(entries=seq(entry()))],
        [crl(entries=seq(seq(integer(b"\x05"), time))) for time in (generalized(b"20260101000000Z"), utc(b"2601010000Z"))],
        [crl()],
    ),
    "crl.authority-key": ([crl()], [crl(extensions=(NUMBER,)), crl(extensions=(NUMBER, extension("2.5.29.35", seq())))], []),
    "crl.number": (
        [crl()],
        [crl(extensions=(AKI,)), crl(extensions=(AKI, extension("2.5.29.20", integer(b"\1"), critical=True)))],
        [],
    ),
    "crl.number-length": ([crl()], [crl(extensions=(extension("2.5.29.20", integer(b"\x11" * 21)),))], [crl(extensions=(AKI,))]),
    "crl.delta-indicator": ([delta()], [delta(critical=False)], [crl()]),
    "crl.issuing-point-criticality": (
        [scoped(seq(tlv(0x81, b"\xff")))],
        [scoped(seq(tlv(0x81, b"\xff")), critical=False)],
        [crl()],
    ),
    "crl.issuing-point": ([scoped(seq(tlv(0x81, b"\xff")))], [scoped(seq())], [crl()]),
    "crl.issuing-point-attributes": ([scoped(seq(tlv(0x81, b"\xff")))], [scoped(seq(tlv(0x85, b"\xff")))], [crl()]),
    "crl.freshest-crl-criticality": (
        [crl(extensions=(AKI, extension("2.5.29.46", seq(point(HTTP)))))],
        [crl(extensions=(AKI, extension("2.5.29.46", seq(point(HTTP)), critical=True)))],
        [crl()],
    ),
    "crl.freshest-crl-of-complete": ([delta()], [delta(extension("2.5.29.46", seq(point(HTTP))))], [crl()]),
    "crl.authority-access-criticality": (
        [crl(extensions=(AKI, extension(AIA, seq(seq(oid(ISSUERS), tlv(0x86, HTTP))))))],
        [crl(extensions=(AKI, extension(AIA, seq(seq(oid(ISSUERS), tlv(0x86, HTTP))), critical=True)))],
        [crl()],
    ),
    "crl.reason-criticality": (
        [crl(entries=seq(entry(reason(b"\x01"))))],
        [crl(entries=seq(entry(reason(b"\x01", critical=True))))],
        [crl(), crl(entries=seq(entry())), crl(entries=seq(entry(seq())))],
    ),
    "crl.reason-unspecified": (
        [crl(entries=seq(entry(reason(b"\x01"))))],
        [crl(entries=seq(entry(reason(b"\x00"))))],
        [crl(entries=seq(entry()))],
    ),
    "crl.reason-remove": (
        [crl(entries=seq(entry(reason(b"\x01"))))],
        [crl(entries=seq(entry(reason(b"\x08"))))],
        [crl(entries=seq(entry())), delta(entries=seq(entry(reason(b"\x08"))))],
    ),
    "crl.invalidity-criticality": (
        [crl(entries=seq(entry(extension("2.5.29.24", generalized(b"20260101000000Z")))))],
        [crl(entries=seq(entry(extension("2.5.29.24", generalized(b"20260101000000Z"), critical=True))))],
        [crl()],
    ),
    "crl.invalidity-form": (
        [crl(entries=seq(entry(extension("2.5.29.24", generalized(b"20260101000000Z")))))],
        [crl(entries=seq(entry(extension("2.5.29.24", value)))) for value in (generalized(b"202601010000Z"), utc(), b"")],
        [crl()],
    ),
    "crl.certificate-issuer-criticality": (
        [crl(entries=seq(entry(extension("2.5.29.29", seq(tlv(0xA4, CA_NAME)), critical=True))))],
        [crl(entries=seq(entry(extension("2.5.29.29", seq(tlv(0xA4, CA_NAME))))))],
        [crl()],
    ),
    "crl.object-identifiers": ([crl()], [crl(extensions=(extension("1.2.3.268435456", tlv(0x05)),))], []),
    "ocsp.der": (
        [ocsp(), ERROR, ocsp(certs=(LEAF,))],
        [b"", longer(ocsp()), seq(), ocsp(version=tlv(0xA0, integer(b"\x00")))],
        [],
    ),
    "ocsp.error-alone": ([ERROR], [ocsp(status=b"\x01")], [ocsp()]),
    "ocsp.version": ([ocsp()], [ocsp(version=tlv(0xA0, integer(b"\x01")))], [ERROR]),
    "ocsp.times": (
        [ocsp()],
        [ocsp(produced=generalized(b"20260101000000.5Z")), ocsp(produced=generalized(b"202601010000Z"))],
        [ERROR],
    ),
    "ocsp.certificates": ([ocsp()], [ocsp(certs=())], [ERROR, ocsp(certs=(LEAF,))]),
    "certificate.no-check-criticality": (
        [with_(NO_CHECK, tlv(0x05))],
        [with_(NO_CHECK, tlv(0x05), critical=True)],
        [LEAF],
    ),
    "certificate.no-check-value": ([with_(NO_CHECK, tlv(0x05))], [with_(NO_CHECK, seq())], [LEAF]),
    "certificate.ocsp-signing": (
        [RESPONDER],
        [NO_RESPONDER],
        [LEAF, CA],
    ),
}


def issued(thing, kind):
    return Issued(kind, thing)


def fetched(url, thing):
    reply = HttpResponse(200, (), thing, HttpRequest("GET", url))
    return Issued(Kind.CRL, thing, Exchange("seen", reply))


def judged(lint, thing):
    """What the lint finds in a thing that was seen together with the CA's certificate and two CRLs."""
    one = issued(thing, lint.kind)
    others = [
        issued(CA, Kind.CERTIFICATE),
        fetched("http://a.example.test/crl", crl()),
        issued(ocsp(certs=(RESPONDER,)), Kind.OCSP_RESPONSE),
        issued(ocsp(certs=(NO_RESPONDER,)), Kind.OCSP_RESPONSE),
        fetched(
            "http://a.example.test/other",
            crl(issuer=name(attribute(CN, "Other")), extensions=(extension("2.5.29.20", integer(b"\x01")),)),
        ),
    ]
    return _judged(lint, one, Seen([one, *others]))


@pytest.mark.parametrize(("name_", "number"), [(name_, n) for name_, row in TABLE.items() for n in range(len(row[0]))])
def test_what_keeps_the_rule(name_, number):
    assert judged(LINTS[f"pkix.{name_}"], TABLE[name_][0][number]) == []


@pytest.mark.parametrize(("name_", "number"), [(name_, n) for name_, row in TABLE.items() for n in range(len(row[1]))])
def test_what_breaks_it(name_, number):
    assert judged(LINTS[f"pkix.{name_}"], TABLE[name_][1][number])


@pytest.mark.parametrize(("name_", "number"), [(name_, n) for name_, row in TABLE.items() for n in range(len(row[2]))])
def test_what_it_does_not_concern(name_, number):
    assert judged(LINTS[f"pkix.{name_}"], TABLE[name_][2][number]) is None


def test_every_lint_is_tested_both_ways():
    assert {f"pkix.{name_}" for name_ in TABLE} == set(LINTS)
    assert all(row[0] and row[1] for row in TABLE.values())


def test_every_lint_covers_what_the_catalogue_has():
    assert [one for lint in LINTS.values() for one in lint.covers if one not in catalogue()] == []


@pytest.mark.parametrize("octets_", [b"", b"\x30\x00", b"<html>", seq(seq(), seq(), tlv(0x03, b"\x00")), bytes(range(256))])
@pytest.mark.parametrize("id", sorted(LINTS))
def test_no_lint_passes_on_what_is_no_certificate(id, octets_):
    assert _judged(LINTS[id], issued(octets_, LINTS[id].kind), Seen([issued(octets_, LINTS[id].kind)])) != []
