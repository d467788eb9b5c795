"""genm and genp (RFC 9810 section 5.3.19, RFC 9483 section 4.3)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.issuance.ports import RevocationReason
from tests.support import cmp
from tests.support.issuance_lab import run


def it(number, value=b""):
    return cmp.seq(cmp.oid(f"1.3.6.1.5.5.7.4.{number}"), value)


def ask(lab, *informations, protection=None, **changes):
    client = lab.client(protection)
    answer = client.begin().call(cmp.GENM, cmp.seq(*informations), **changes)
    assert answer.verify(client.protection)
    return answer


def value(answer, number, position=0):
    assert answer.kind == cmp.GENP, answer.status()
    one = answer.content[position]
    assert one[0].raw == cmp.oid(f"1.3.6.1.5.5.7.4.{number}")
    return one[1] if len(one.inside) > 1 else None


def certificate(node):
    return x509.load_der_x509_certificate(node.raw)


def current(lab, name):
    return run(lab.ca.authorities.current(name)).certificate


def test_an_empty_genm_has_an_empty_genp(lab):
    answer = ask(lab)
    assert (answer.kind, answer.content.raw) == (cmp.GENP, b"\x30\x00")
    assert lab.transaction(lab.client()) is None


def test_section_5_3_19_1_a_certificate_to_encrypt_for(lab):
    found = certificate(value(ask(lab, it(1)), 1))
    found.verify_directly_issued_by(current(lab, "issuing"))
    assert found.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment


def test_section_5_3_19_2_signing_key_pairs_name_each_curve(lab):
    found = [one.raw for one in value(ask(lab, it(2)), 2).inside]
    for curve in ("1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"):
        assert cmp.algorithm("1.2.840.10045.2.1", cmp.oid(curve)) in found
    assert cmp.algorithm("1.2.840.113549.1.1.1", cmp.NULL) in found
    assert cmp.algorithm("2.16.840.1.101.3.4.3.18") in found


def test_section_5_3_19_3_encrypting_key_pairs_are_no_signing_ones(lab):
    lab.options(keys=("P-256", "Ed25519", "RSA"))
    found = [one.raw for one in value(ask(lab, it(3)), 3).inside]
    assert cmp.algorithm("1.3.101.112") not in found
    assert len(found) == 2
    lab.options(keys=("Ed25519",))
    assert value(ask(lab, it(3)), 3) is None


def test_section_5_3_19_4_the_symmetric_algorithm(lab):
    assert value(ask(lab, it(4)), 4)[0].raw == cmp.oid("2.16.840.1.101.3.4.1.42")


def test_section_5_3_19_6_the_current_crl(lab):
    signer = lab.device()
    run(
        lab.ca.revocation.revoke(
            lab.record(signer.certificate).serial, RevocationReason.SUPERSEDED, "operator:x", lab.clock.now()
        )
    )
    found = x509.load_der_x509_crl(value(ask(lab, it(6)), 6).raw)
    assert found.is_signature_valid(current(lab, "issuing").public_key())
    assert found.get_revoked_certificate_by_serial_number(signer.certificate.serial_number) is not None


def test_section_5_3_19_7_what_is_not_known_is_listed(lab):
    answer = ask(lab, it(2), cmp.seq(cmp.oid("1.2.3.4")), cmp.seq(cmp.oid("1.2.3.5"), cmp.integer(1)), it(4))
    assert value(answer, 2) is not None
    assert value(answer, 4, 1) is not None
    assert [one.raw for one in value(answer, 7, 2).inside] == [cmp.oid("1.2.3.4"), cmp.oid("1.2.3.5")]


def test_section_5_3_19_13_language(lab):
    assert value(ask(lab, it(16, cmp.seq(cmp.utf8("de"), cmp.utf8("en")))), 16)[0].text == "en"
    assert value(ask(lab, it(16, cmp.seq(cmp.utf8("enm"), cmp.utf8("EN-gb")))), 16)[0].text == "EN-gb"


def test_rfc9483_4_3_1_ca_certificates(lab):
    found = [certificate(one) for one in value(ask(lab, it(17)), 17).inside]
    assert found == [current(lab, "issuing"), current(lab, "root")]


def test_rfc9483_4_3_2_no_update_of_a_root_that_has_not_changed(lab):
    root = current(lab, "root").public_bytes(Encoding.DER)
    assert value(ask(lab, it(20)), 18) is None
    assert value(ask(lab, it(20, root)), 18) is None


def test_rfc9483_4_3_2_the_update_of_a_root_after_a_rollover(lab):
    old = current(lab, "root")
    run(lab.ca.authorities.rollover("root"))
    new = current(lab, "root")
    for asked in (b"", old.public_bytes(Encoding.DER)):
        found = value(ask(lab, it(20, asked)), 18)
        new_with_new, new_with_old, old_with_new = (
            certificate(found[0]), certificate(found.tagged(0)[0]), certificate(found.tagged(1)[0])
        )  # fmt: skip
        assert new_with_new == new
        assert new_with_old.public_key() == new.public_key()
        new_with_old.verify_directly_issued_by(old)
        assert old_with_new.public_key() == old.public_key()
        old_with_new.verify_directly_issued_by(new)
    assert value(ask(lab, it(20, new.public_bytes(Encoding.DER))), 18) is None
    update = value(ask(lab, it(5)), 5)
    assert (update.tag, certificate(update[0][0])) == (0xA0, new)


def test_rfc9483_4_3_2_a_root_of_somebody_else(lab):
    stranger = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = lab.clock.now()
    made = x509.CertificateBuilder(name, name, stranger.public_key(), 5, now, now + timedelta(days=1)).sign(
        stranger, hashes.SHA256()
    )
    answer = ask(lab, it(20, made.public_bytes(Encoding.DER)))
    assert (answer.kind, answer.status()[1]) == (cmp.ERROR, "addInfoNotAvailable")


def test_rfc9483_4_3_3_a_template_for_requests(lab):
    found = value(ask(lab, it(19)), 19)
    template, key_spec = found.inside
    subject = template.tagged(5)[0]
    assert [one[0][0].raw for one in subject.inside] == [cmp.oid("2.5.4.3")]
    assert subject[0][0][1].content == b"", "a common name is asked for"
    assert template.tagged(6) is None
    extensions = {one[0].raw: one.inside[-1].content for one in template.tagged(9).inside}
    assert extensions[cmp.oid("2.5.29.17")] == b""
    assert cmp.oid("2.5.29.37") in extensions
    controls = [(one[0].raw, one[1].raw) for one in key_spec.inside]
    assert (cmp.oid("1.3.6.1.5.5.7.5.1.12"), cmp.integer(2048)) in controls
    p256 = cmp.algorithm("1.2.840.10045.2.1", cmp.oid("1.2.840.10045.3.1.7"))
    assert (cmp.oid("1.3.6.1.5.5.7.5.1.11"), p256) in controls


def test_section_5_1_1_4_the_template_of_another_profile(lab):
    lab.make_profile("other", keys=("Ed25519",))
    lab.options(cert_profiles=("other",))
    chosen = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.21"), cmp.seq(cmp.utf8("other")))
    found = value(ask(lab, it(19), information=(chosen,)), 19)
    assert [one[1].raw for one in found[1].inside] == [cmp.algorithm("1.3.101.112")]


def issuer_source(name, this_update=b""):
    return cmp.seq(cmp.seq(cmp.tlv(0xA1, cmp.seq(cmp.tlv(0xA4, name))), this_update))


def point_source(url, this_update=b""):
    return cmp.seq(cmp.seq(cmp.tlv(0xA0, cmp.tlv(0xA0, cmp.tlv(0x86, url.encode()))), this_update))


def test_rfc9483_4_3_4_a_crl_by_its_issuer(lab):
    name = current(lab, "issuing").subject.public_bytes()
    (found,) = value(ask(lab, it(22, issuer_source(name))), 23).inside
    assert x509.load_der_x509_crl(found.raw).issuer.public_bytes() == name


def test_rfc9483_4_3_4_a_crl_by_its_distribution_point(lab):
    url = run(lab.ca.authorities.current("root")).signer.facts.crl_url
    (found,) = value(ask(lab, it(22, point_source(url))), 23).inside
    assert x509.load_der_x509_crl(found.raw).issuer == current(lab, "root").subject


def test_rfc9483_4_3_4_only_a_newer_crl_is_sent(lab):
    name = current(lab, "issuing").subject.public_bytes()
    (found,) = value(ask(lab, it(22, issuer_source(name))), 23).inside
    known = x509.load_der_x509_crl(found.raw).last_update_utc
    assert value(ask(lab, it(22, issuer_source(name, cmp.time(known)))), 23) is None
    older = cmp.time(known - timedelta(seconds=1))
    assert value(ask(lab, it(22, issuer_source(name, older))), 23) is not None


BAD = {
    "crlStatusList of another CA": (it(22, issuer_source(cmp.name("another"))), "addInfoNotAvailable"),
    "crlStatusList of another place": (it(22, point_source("http://elsewhere.test/crl/issuing.crl")), "addInfoNotAvailable"),
    "crlStatusList without a value": (it(22), "badDataFormat"),
    "crlStatusList that is empty": (it(22, cmp.seq()), "badDataFormat"),
    "crlStatusList with another source": (it(22, cmp.seq(cmp.seq(cmp.tlv(0xA2, cmp.seq())))), "badDataFormat"),
    "caCerts with a value": (it(17, cmp.integer(1)), "badDataFormat"),
    "suppLangTags without a value": (it(16), "badDataFormat"),
    "suppLangTags without English": (it(16, cmp.seq(cmp.utf8("de"), cmp.utf8("enm"))), "addInfoNotAvailable"),
    "garbage": (b"\x05\x00", "badDataFormat"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_question_is_an_error(lab, case):
    question, failure = BAD[case]
    answer = ask(lab, question)
    assert (answer.kind, answer.status()[:2]) == (cmp.ERROR, (2, failure))
