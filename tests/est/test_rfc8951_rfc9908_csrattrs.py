"""``/csrattrs``: what it says, octet by octet as the RFCs publish it, read by another parser, and whether a CSR is held to it."""

from base64 import b64decode
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyasn1.codec.der import decoder
from pyasn1.type import namedtype, tag, univ

from privca.est import rfc8951, rfc9908
from privca.est.rfc8951 import Entry
from privca.issuance.options.est import CsrAttribute, CsrTemplate, TemplateAttribute, TemplateExtension
from tests.est.conftest import attribute, csr, name, oid, only, refused, tlv

CHALLENGE, EXTENSION_REQUEST, MAC_ADDRESS = "1.2.840.113549.1.9.7", "1.2.840.113549.1.9.14", "1.3.6.1.1.1.1.22"
EC, RSA, P384, P256 = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1", "1.3.132.0.34", "1.2.840.10045.3.1.7"
ECDSA_SHA384, SHA256_RSA = "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.11"
SAN, KEY_USAGE, EXTENDED = "2.5.29.17", "2.5.29.15", "2.5.29.37"


def entry(dotted, *values):
    return {"oid": dotted, "values": tuple(value.hex() for value in values)} if values else {"oid": dotted}


def options(entries=(), **more):
    """EST options with these CSR attributes."""
    return {"csr_attributes": tuple(_struct(one) for one in entries), **more}


def _struct(one):

    return CsrAttribute(**one)


def shown(lab, **fields):
    response = lab.ask("csrattrs", profile=lab.profile(**fields))
    assert response.status == 200
    assert response.headers == (("Content-Type", "application/csrattrs"), ("Content-Transfer-Encoding", "base64"))
    assert response.body.endswith(b"\n")
    return b64decode(response.body)


def test_rfc8951_4_the_published_example(lab):
    entries = [
        entry(CHALLENGE),
        entry(EC, oid(P384)),
        entry(EXTENSION_REQUEST, oid(MAC_ADDRESS)),
        entry(ECDSA_SHA384),
    ]
    published = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="
    assert shown(lab, est=options(entries)) == b64decode(published)


RFC9908_EXAMPLES = {
    "RFC 7030 example, corrected": (
        [Entry(CHALLENGE), Entry(EC, (oid(P384),)), Entry(MAC_ADDRESS), Entry(ECDSA_SHA384)],
        "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==",
    ),
    "RSA key of a size": (
        [Entry(CHALLENGE), Entry(RSA, (b"\x02\x02\x10\x00",)), Entry(SHA256_RSA)],
        "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==",
    ),
    "EC key of a curve": (
        [Entry(CHALLENGE), Entry(EC, (oid(P384),)), Entry("2.5.4.5"), Entry(ECDSA_SHA384)],
        "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD",
    ),
    "a subjectAltName": (
        [
            Entry(
                EXTENSION_REQUEST,
                (
                    tlv(
                        0x30,
                        tlv(
                            0x30,
                            oid(SAN),
                            b"\x01\x01\xff",
                            tlv(
                                0x04,
                                tlv(
                                    0x30,
                                    tlv(
                                        0xA0,
                                        oid("1.3.6.1.5.5.7.8.10"),
                                        tlv(0xA0, tlv(0x16, b"rfc8994+fd739fc23c3440112233445500000000+@acp.example.com")),
                                    ),
                                ),
                            ),
                        ),
                    ),
                ),
            )
        ],
        "MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAw"
        "MDArQGFjcC5leGFtcGxlLmNvbQ==",
    ),
}


@pytest.mark.parametrize("case", RFC9908_EXAMPLES)
def test_rfc9908_5_the_published_examples(case):
    entries, published = RFC9908_EXAMPLES[case]
    assert rfc8951.encode(entries) == b64decode(published)


def test_nothing_to_say_is_204(lab):
    response = lab.ask("csrattrs", profile=lab.profile())
    assert (response.status, response.body, response.headers) == (204, b"", ())


def test_rfc7030_3_5_a_demanded_channel_binding_is_told(lab):
    assert oid(CHALLENGE) in shown(lab, est={"channel_binding": "required"})


def test_rfc8951_4_the_one_kind_of_key_is_told(lab):
    assert shown(lab, keys=("P-384",)) == tlv(0x30, attribute(EC, oid(P384)))
    assert shown(lab, keys=("RSA",)) == tlv(0x30, tlv(0x30, oid(RSA), b"\x31\x00"))
    assert shown(lab, keys=("RSA",), rsa_minimum=3072, rsa_maximum=3072) == tlv(0x30, attribute(RSA, b"\x02\x02\x0c\x00"))
    assert shown(lab, keys=("Ed25519",)) == tlv(0x30, tlv(0x30, oid("1.3.101.112"), b"\x31\x00"))


# -- the template, by the module of RFC 9908 appendix A, in another codec


class _Attribute(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("type", univ.ObjectIdentifier()), namedtype.NamedType("values", univ.SetOf(univ.Any()))
    )


class _SingleAttribute(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("type", univ.ObjectIdentifier()), namedtype.OptionalNamedType("value", univ.Any())
    )


class _Rdn(univ.SetOf):
    componentType = _SingleAttribute()


class _Name(univ.SequenceOf):
    componentType = _Rdn()


class _Algorithm(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("algorithm", univ.ObjectIdentifier()), namedtype.OptionalNamedType("parameters", univ.Any())
    )


def _tagged(kind, number):
    return kind.subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number))


class _Key(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("algorithm", _Algorithm()), namedtype.OptionalNamedType("subjectPublicKey", univ.BitString())
    )


class _Template(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("version", univ.Integer()),
        namedtype.OptionalNamedType("subject", _Name()),
        namedtype.OptionalNamedType("subjectPKInfo", _tagged(_Key(), 0)),
        namedtype.NamedType("attributes", _tagged(univ.SetOf(componentType=_Attribute()), 1)),
    )


class _ExtensionTemplate(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("extnID", univ.ObjectIdentifier()),
        namedtype.DefaultedNamedType("critical", univ.Boolean(False)),
        namedtype.OptionalNamedType("extnValue", univ.OctetString()),
    )


NAMES = tlv(0x30, tlv(0x82, b"www.myServer.com"), b"\x87\x00")
EXAMPLE = CsrTemplate(
    subject=(
        TemplateAttribute(type="CN"),
        TemplateAttribute(type="OU", value="myDept"),
        TemplateAttribute(type="OU", value="myGroup"),
    ),
    key="P-256",
    extensions=(
        TemplateExtension(oid=SAN, value=NAMES.hex()),
        TemplateExtension(oid=KEY_USAGE, critical=True, value="03020388"),
        TemplateExtension(oid=EXTENDED),
    ),
)


def test_rfc9908_3_4_the_published_example():
    """Octet for octet as the section prints it, the OIDs as they were assigned."""
    extensions = tlv(
        0x30,
        tlv(0x30, oid(SAN), tlv(0x04, NAMES)),
        tlv(0x30, oid(KEY_USAGE), b"\x01\x01\xff", tlv(0x04, bytes.fromhex("03020388"))),
        tlv(0x30, oid(EXTENDED)),
    )
    expected = tlv(
        0x30,
        b"\x02\x01\x00",
        tlv(
            0x30,
            tlv(0x31, tlv(0x30, oid("2.5.4.3"))),
            tlv(0x31, tlv(0x30, oid("2.5.4.11"), tlv(0x0C, b"myDept"))),
            tlv(0x31, tlv(0x30, oid("2.5.4.11"), tlv(0x0C, b"myGroup"))),
        ),
        tlv(0xA0, tlv(0x30, oid(EC), oid(P256))),
        tlv(0xA1, attribute("1.2.840.113549.1.9.16.2.62", extensions)),
    )
    assert rfc9908.encode(EXAMPLE) == expected


def test_rfc9908_3_4_the_template_in_csrattrs(lab):
    found = shown(lab, est={"csr_template": EXAMPLE})
    (listed,), rest = decoder.decode(found, asn1Spec=univ.SequenceOf(componentType=_Attribute()))
    assert rest == b""
    assert str(listed["type"]) == "1.2.840.113549.1.9.16.2.61"
    (value,) = listed["values"]
    template, rest = decoder.decode(bytes(value), asn1Spec=_Template())
    assert (rest, int(template["version"])) == (b"", 0)
    assert [str(rdn[0]["type"]) for rdn in template["subject"]] == ["2.5.4.3", "2.5.4.11", "2.5.4.11"]
    assert [rdn[0]["value"].isValue for rdn in template["subject"]] == [False, True, True]
    assert not template["subjectPKInfo"]["subjectPublicKey"].isValue
    (request,) = template["attributes"]
    (extensions,) = request["values"]
    found, rest = decoder.decode(bytes(extensions), asn1Spec=univ.SequenceOf(componentType=_ExtensionTemplate()))
    assert [str(one["extnID"]) for one in found] == [SAN, KEY_USAGE, EXTENDED]
    assert [bool(one["critical"]) for one in found] == [False, True, False]
    assert not found[2]["extnValue"].isValue


def test_rfc9908_3_4_what_is_not_required_is_absent():
    assert rfc9908.encode(CsrTemplate()) == tlv(0x30, b"\x02\x01\x00", b"\xa1\x00")


def test_rfc9908_3_4_extensions_that_are_given_whole_are_an_extension_request():
    template = CsrTemplate(extensions=(TemplateExtension(oid=KEY_USAGE, value="03020780"),))
    decoded, _ = decoder.decode(rfc9908.encode(template), asn1Spec=_Template())
    assert str(decoded["attributes"][0]["type"]) == EXTENSION_REQUEST


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rfc9908_3_4_an_rsa_key_of_a_size_has_a_placeholder(bits):
    decoded, _ = decoder.decode(rfc9908.encode(CsrTemplate(key="RSA", rsa_bits=bits)), asn1Spec=_Template())
    key = decoded["subjectPKInfo"]["subjectPublicKey"].asOctets()
    modulus, exponent = decoder.decode(key)[0]
    assert (int(modulus).bit_length(), int(exponent)) == (bits, 65537)
    decoded, _ = decoder.decode(rfc9908.encode(CsrTemplate(key="RSA")), asn1Spec=_Template())
    assert not decoded["subjectPKInfo"]["subjectPublicKey"].isValue


# -- enforcement


def enforced(lab, *entries, **more):
    return lab.profile(est=options(entries, csr_attributes_enforced=True, **more), keys=("P-256", "P-384", "RSA", "Ed25519"))


P256_KEY, P384_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
USAGE = (x509.KeyUsage(True, False, False, False, False, False, False, False, False), True)
FRIENDLY = "1.2.840.113549.1.9.20"
DIRECTORY = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.9"), tlv(0x30, attribute(MAC_ADDRESS, tlv(0x16, b"00:11:22:33:44:55")))
)
USAGE_WANTED = tlv(0x30, tlv(0x30, oid(KEY_USAGE), b"\x01\x01\xff", tlv(0x04, USAGE[0].public_bytes())))
HELD = {
    "curve": (entry(EC, oid(P384)), {"key": P384_KEY}, {"key": P256_KEY}),
    "kind": (entry(EC, oid(P384)), {"key": P384_KEY}, {"key": RSA_KEY}),
    "RSA size": (entry(RSA, b"\x02\x02\x08\x00"), {"key": RSA_KEY}, {"key": P256_KEY}),
    "signature": (
        entry(ECDSA_SHA384),
        {"key": P384_KEY, "hash": hashes.SHA384()},
        {"key": P384_KEY, "hash": hashes.SHA256()},
    ),
    "subject attribute": (
        entry("2.5.4.5"),
        {"key": P256_KEY, "subject": name(("CN", "x"), ("serialNumber", "4711"))},
        {"key": P256_KEY, "subject": name(("CN", "x"))},
    ),
    "attribute": (entry(FRIENDLY), {"key": P256_KEY, "attributes": [attribute(FRIENDLY, tlv(0x0C, b"x"))]}, {"key": P256_KEY}),
    "attribute with a value": (
        entry(FRIENDLY, tlv(0x0C, b"x")),
        {"key": P256_KEY, "attributes": [attribute(FRIENDLY, tlv(0x0C, b"x"))]},
        {"key": P256_KEY, "attributes": [attribute(FRIENDLY, tlv(0x0C, b"y"))]},
    ),
    "extension": (entry(KEY_USAGE), {"key": P256_KEY, "extensions": [USAGE]}, {"key": P256_KEY}),
    "extension with a value": (
        entry(EXTENSION_REQUEST, USAGE_WANTED),
        {"key": P256_KEY, "extensions": [USAGE]},
        {"key": P256_KEY, "extensions": [(x509.KeyUsage(True, True, *[False] * 7), True)]},
    ),
    "critical extension": (
        entry(EXTENSION_REQUEST, USAGE_WANTED),
        {"key": P256_KEY, "extensions": [USAGE]},
        {"key": P256_KEY, "extensions": [(USAGE[0], False)]},
    ),
    "extension, as RFC 7030 had it": (
        entry(EXTENSION_REQUEST, oid(KEY_USAGE)),
        {"key": P256_KEY, "extensions": [USAGE]},
        {"key": P256_KEY},
    ),
    "directory attribute": (entry(MAC_ADDRESS), {"key": P256_KEY, "extensions": [(DIRECTORY, False)]}, {"key": P256_KEY}),
}


@pytest.mark.parametrize("case", HELD)
def test_rfc8951_4_a_csr_is_held_to_the_list(lab, case):
    wanted, right, wrong = HELD[case]
    profile = enforced(lab, wanted)
    before = lab.issued()
    refused(lab.post("simpleenroll", csr(names=[lab.name()], **wrong), profile=profile), 400, "RFC 8951 section 4")
    assert lab.issued() == before
    only(lab.post("simpleenroll", csr(names=[lab.name()], **right), profile=profile))


def test_a_list_that_is_not_enforced_is_advice(lab):
    profile = lab.profile(est=options([entry(FRIENDLY)]))
    only(lab.post("simpleenroll", csr(P256_KEY, [lab.name()]), profile=profile))


ADDRESS = x509.IPAddress(ip_address("192.0.2.1"))
WWW = x509.DNSName("www.myServer.com")
CLIENT_AUTH = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
AGREEMENT = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
OUS = [x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, value) for value in ("myDept", "myGroup")]
FILLED = {
    "key": P256_KEY,
    "subject": x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x"), *OUS]),
    "extensions": [(x509.SubjectAlternativeName([WWW, ADDRESS]), False), (AGREEMENT, True), (CLIENT_AUTH, False)],
}
UNFILLED = {
    "no common name": {"subject": x509.Name(OUS)},
    "an organizational unit missing": {"subject": x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x"), OUS[0]])},
    "another curve": {"key": P384_KEY},
    "no address": {"extensions": [(x509.SubjectAlternativeName([WWW]), False), *FILLED["extensions"][1:]]},
    "another name": {
        "extensions": [(x509.SubjectAlternativeName([x509.DNSName("a.test"), ADDRESS]), False), *FILLED["extensions"][1:]]
    },
    "no extended key usage": {"extensions": FILLED["extensions"][:2]},
    "another key usage": {"extensions": [FILLED["extensions"][0], USAGE, FILLED["extensions"][2]]},
    "no extension at all": {"extensions": []},
}


@pytest.mark.parametrize("case", UNFILLED)
def test_rfc9908_3_4_a_csr_is_held_to_the_template(lab, case):
    profile = lab.profile(
        est={"csr_template": EXAMPLE, "csr_attributes_enforced": True},
        keys=("P-256", "P-384"),
        names={"permitted_ip": ("0.0.0.0/0",)},
    )
    before = lab.issued()
    response = lab.post("simpleenroll", csr(**{**FILLED, **UNFILLED[case]}), profile=profile)
    refused(response, 400, "RFC ")
    assert b"RFC 9908" in response.body or b"RFC 8951" in response.body
    assert lab.issued() == before
    only(lab.post("simpleenroll", csr(**FILLED), profile=profile))


def test_rfc9908_3_4_an_rsa_key_of_another_size_than_the_template_has(lab):
    template = CsrTemplate(key="RSA", rsa_bits=3072)
    profile = lab.profile(est={"csr_template": template, "csr_attributes_enforced": True})
    refused(lab.post("simpleenroll", csr(RSA_KEY, [lab.name()]), profile=profile), 400, "RFC 9908 section 3.4", "RSA 3072")


def test_rfc9908_4_an_old_client_follows_the_list_beside_the_template(lab):
    profile = lab.profile(
        est=options(
            [entry(FRIENDLY)], csr_template=CsrTemplate(subject=(TemplateAttribute(type="OU"),)), csr_attributes_enforced=True
        )
    )
    only(
        lab.post("simpleenroll", csr(P256_KEY, [lab.name()], attributes=[attribute(FRIENDLY, tlv(0x0C, b"x"))]), profile=profile)
    )
    refused(lab.post("simpleenroll", csr(P256_KEY, [lab.name()]), profile=profile), 400, "RFC 8951 section 4")


def test_the_keys_that_have_an_entry():
    assert rfc8951.key_entry("Ed25519") == Entry("1.3.101.112", ())
    assert rfc8951.key_entry("ML-DSA-44") is None
