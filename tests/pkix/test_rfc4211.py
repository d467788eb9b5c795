"""CRMF (RFC 4211): messages built by pyasn1 are read; proofs of possession hold or fail."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ, useful
from pyasn1_modules import rfc4211, rfc5280

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix import rfc4211 as crmf

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf.test")])
ECDSA_SHA256 = "1.2.840.10045.4.3.2"


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def put(made, name, octets):
    """Set a field of a pyasn1 SEQUENCE from its DER, tag included."""
    made[name], _ = decoder.decode(octets, asn1Spec=made.componentType[name].asn1Object.clone())


def template(subject=NAME, key=KEY, names=()):
    made = rfc4211.CertTemplate()
    if subject is not None:
        put(made, "subject", der.tlv(0xA5, subject.public_bytes()))
    if key is not None:
        put(made, "publicKey", b"\xa6" + spki(key)[1:])
    if names:
        value = x509.SubjectAlternativeName([x509.DNSName(name) for name in names]).public_bytes()
        extension = rfc5280.Extension()
        extension["extnID"] = "2.5.29.17"
        extension["extnValue"] = value
        put(made, "extensions", der.tlv(0xA9, encoder.encode(extension)))
    return made


def message(made, *, id=0, key=KEY, proof="signature", controls=()):
    request = rfc4211.CertRequest()
    request["certReqId"] = id
    request["certTemplate"] = made
    for type_, value in controls:
        control = rfc4211.AttributeTypeAndValue()
        control["type"] = type_
        control["value"] = univ.Any(value)
        request["controls"].append(control)
    whole = rfc4211.CertReqMsg()
    whole["certReq"] = request
    if proof == "signature":
        signing = whole["popo"]["signature"]
        signing["algorithmIdentifier"]["algorithm"] = ECDSA_SHA256
        signed = key.sign(encoder.encode(request), ec.ECDSA(hashes.SHA256()))
        signing["signature"] = univ.BitString.fromOctetString(signed)
    elif proof == "raVerified":
        whole["popo"]["raVerified"] = ""
    return encoder.encode(whole)


def messages(*each):
    return der.tlv(0x30, *each)


def test_section_3_a_request_is_reduced_to_facts():
    octets = message(template(names=["b.test", "a.test"]), id=7)
    (found,) = crmf.parse(messages(octets))
    assert (found.id, found.der, isinstance(found.proof, crmf.PopSignature)) == (7, octets, True)
    facts = found.template.requested(found.der)
    assert facts.subject == NAME
    assert [name.value for name in facts.names] == ["b.test", "a.test"]
    assert facts.public_key == KEY.public_key()
    assert facts.spki == spki(KEY)
    assert facts.der == octets
    found.check_signature(facts.public_key)


def test_section_5_wishes_that_only_a_template_has():
    octets = message(template())
    parsed = crmf.parse_one(octets).template
    assert (parsed.serial, parsed.issuer, parsed.not_before, parsed.extensions) == (None, None, None, ())
    time = useful.GeneralizedTime("20300102030405Z")
    raw = der.tlv(0xA4, der.tlv(0xA0, encoder.encode(time)), der.tlv(0xA1, encoder.encode(useful.UTCTime("400102030405Z"))))
    made = crmf.CertTemplate.parse(der.tlv(0x30, der.tlv(0x81, b"\x00\xff"), der.tlv(0xA3, NAME.public_bytes()), raw))
    assert (made.serial, made.issuer) == (255, NAME.public_bytes())
    assert made.not_before == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert made.not_after == datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_section_5_a_template_without_a_key_takes_one_from_elsewhere():
    octets = message(template(key=None), proof=None)
    found = crmf.parse_one(octets)
    assert found.proof is None
    with pytest.raises(Refused, match="no publicKey"):
        found.template.public_key()
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    assert found.template.requested(octets, public_key=other).public_key == other


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 2048), id="RSA"),
        pytest.param(x25519.X25519PrivateKey.generate(), id="X25519"),
        pytest.param(mlkem.MLKEM768PrivateKey.generate(), id="ML-KEM-768"),
    ],
)
def test_section_4_2_keys_that_do_not_sign_can_be_asked_for(key):
    found = crmf.parse_one(message(template(key=key), proof=None))
    assert found.template.requested(found.der).spki == spki(key)


def refused(call, reason, text):
    with pytest.raises(Refused) as refusal:
        call()
    assert refusal.value.reason is reason
    assert text in str(refusal.value)


def test_section_4_1_a_proof_by_another_key_fails():
    found = crmf.parse_one(message(template(), key=ec.generate_private_key(ec.SECP256R1())))
    refused(lambda: found.check_signature(KEY.public_key()), Reason.BAD_POP, "does not verify")


def test_section_4_1_a_proof_over_another_request_fails():
    octets, other = message(template(), id=1), message(template(), id=2)
    head, tail = der.elements(octets, clause=""), der.elements(other, clause="")
    found = crmf.parse_one(der.tlv(0x30, tail[0], head[1]))
    refused(lambda: found.check_signature(KEY.public_key()), Reason.BAD_POP, "does not verify")


def test_section_4_1_a_template_without_subject_needs_an_input():
    found = crmf.parse_one(message(template(subject=None)))
    refused(lambda: found.check_signature(KEY.public_key()), Reason.BAD_POP, "needs a poposkInput")


def with_input(made, key, *, input_key=None, sender=NAME):
    """A POPOSigningKey with poposkInput, by hand: pyasn1_modules has GeneralName of another module there."""
    request = der.elements(message(made, proof=None), clause="")[0]
    inside = der.tlv(0xA0, der.tlv(0xA4, sender.public_bytes())) + spki(input_key or key)
    signed = key.sign(der.tlv(0x30, inside), ec.ECDSA(hashes.SHA256()))
    algorithm = der.tlv(0x30, encoder.encode(univ.ObjectIdentifier(ECDSA_SHA256)))
    return der.tlv(0x30, request, der.tlv(0xA1, der.tlv(0xA0, inside), algorithm, der.tlv(3, b"\0", signed)))


def test_section_4_1_the_signature_is_over_the_input_as_a_sequence():
    found = crmf.parse_one(with_input(template(subject=None), KEY))
    found.check_signature(KEY.public_key())
    assert found.proof.sender == der.tlv(0xA4, NAME.public_bytes())


def test_section_4_1_an_input_with_another_key_fails():
    other = ec.generate_private_key(ec.SECP256R1())
    found = crmf.parse_one(with_input(template(subject=None), KEY, input_key=other))
    refused(lambda: found.check_signature(KEY.public_key()), Reason.BAD_POP, "another public key")


def test_section_4_1_a_complete_template_has_no_input():
    found = crmf.parse_one(with_input(template(), KEY))
    refused(lambda: found.check_signature(KEY.public_key()), Reason.BAD_POP, "must have none")


def test_section_6_5_the_old_certificate():
    identifier = crmf.CertId(NAME.public_bytes(), 1 << 158)
    octets = identifier.encode()
    assert crmf.CertId.parse(octets) == identifier
    found = crmf.parse_one(message(template(), controls=[(crmf.OLD_CERT_ID.dotted_string, octets)]))
    assert found.old_certificate() == identifier
    assert found.text(crmf.REG_TOKEN) is None


def test_section_6_1_a_registration_token():
    found = crmf.parse_one(message(template(), controls=[(crmf.REG_TOKEN.dotted_string, b"\x0c\x02ab")]))
    assert found.text(crmf.REG_TOKEN) == "ab"


@pytest.mark.parametrize(
    ("octets", "reason", "text"),
    [
        pytest.param(b"", Reason.MALFORMED, "not a constructed", id="nothing"),
        pytest.param(b"\x30\x00", Reason.MALFORMED, "at least one", id="empty"),
        pytest.param(der.tlv(0x30, *[b"\x30\x00"] * 17), Reason.TOO_LARGE, "too many requests", id="many"),
        pytest.param(messages(b"\x02\x01\x00"), Reason.MALFORMED, "is a SEQUENCE", id="no sequence"),
        pytest.param(messages(message(template())) + b"\0", Reason.MALFORMED, "not DER", id="octets behind"),
        pytest.param(messages(message(template())[:-1]), Reason.MALFORMED, "not DER", id="cut"),
        pytest.param(
            messages(der.tlv(0x30, der.elements(message(template()), clause="")[0], b"\xa2\x03\x81\x01\x02")),
            Reason.MALFORMED,
            "unknown alternative",
            id="unknown subsequentMessage",
        ),
        pytest.param(
            messages(der.tlv(0x30, der.elements(message(template()), clause="")[0], b"\x84\x00")),
            Reason.MALFORMED,
            "unknown kind of proof",
            id="unknown proof",
        ),
        pytest.param(
            messages(message(template(), controls=[("1.2.3", b"\x05\x00")] * 2)),
            Reason.MALFORMED,
            "more than once",
            id="control twice",
        ),
        pytest.param(
            messages(message(template(), controls=[(f"1.2.{n}", b"\x05\x00") for n in range(17)])),
            Reason.TOO_LARGE,
            "too many controls",
            id="controls",
        ),
    ],
)
def test_what_is_no_request_is_refused(octets, reason, text):
    refused(lambda: crmf.parse(octets), reason, text)


def test_every_alternative_of_a_private_key_proof_has_a_name():
    request = der.elements(message(template()), clause="")[0]
    for use, number in (("keyEncipherment", 0xA2), ("keyAgreement", 0xA3)):
        for inner, method in (
            (b"\x80\x02\x00\x00", "thisMessage"),
            (b"\x81\x01\x00", "encrCert"),
            (b"\x81\x01\x01", "challengeResp"),
            (b"\x82\x02\x00\x00", "dhMAC"),
            (b"\xa3\x00", "agreeMAC"),
            (b"\xa4\x00", "encryptedKey"),
        ):
            proof = crmf.parse_one(der.tlv(0x30, request, der.tlv(number, inner))).proof
            assert proof == crmf.PopPrivateKey(use, method, inner)
    assert crmf.parse_one(der.tlv(0x30, request, b"\x80\x00")).proof == crmf.RaVerified()
