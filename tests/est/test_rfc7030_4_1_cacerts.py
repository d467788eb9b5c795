"""``/cacerts``: the certificates that lead to the root, and those of a rollover."""

from datetime import timedelta

import pytest
from cryptography import x509

from tests.est.conftest import certificates
from tests.support.issuance_lab import run


def names(found):
    """Pairs of subject and issuer key, by the last characters of the key identifiers, sorted."""
    return sorted(
        (
            x509.load_der_x509_certificate(der).subject.rfc4514_string(),
            x509.load_der_x509_certificate(der).issuer.rfc4514_string(),
        )
        for der in found
    )


ROOT, ISSUING = "O=Lab,CN=Lab Root", "O=Lab,CN=Lab Issuing"


def test_root_and_issuing_ca_in_certs_only(lab):
    response = lab.ask("cacerts")
    assert response.headers == (("Content-Type", "application/pkcs7-mime"), ("Content-Transfer-Encoding", "base64"))
    assert response.body.endswith(b"\n")
    assert max(map(len, response.body.split(b"\n"))) == 64
    assert names(certificates(response)) == [(ISSUING, ROOT), (ROOT, ROOT)]


def test_rfc8951_3_the_set_is_der(lab):
    found = certificates(lab.ask("cacerts"))
    assert found == sorted(found)


def test_what_is_issued_leads_to_them(lab):
    enrolled = lab.enroll()
    chain = certificates(lab.ask("cacerts"))
    issuing, root = sorted(chain, key=lambda der: x509.load_der_x509_certificate(der).subject == name_of_root(lab))
    assert lab.ca.verify(enrolled.der, [issuing, root]) == "OK"


def name_of_root(lab):
    return run(lab.ca.authorities.current("root")).certificate.subject


def test_rfc4210_4_4_a_rollover_of_the_root_shows_all_four(own_lab):
    (old_with_old,) = [der for der in certificates(own_lab.ask("cacerts")) if is_root(der)]
    run(own_lab.ca.authorities.rollover("root"))
    own_lab.clock.advance(timedelta(seconds=10))
    found = certificates(own_lab.ask("cacerts"))
    roots = {der for der in found if is_root(der)}
    assert old_with_old in roots
    generations = run(own_lab.ca.authorities.generations("root"))
    new = generations[-1].generation
    assert roots == {old_with_old, new.certificate, new.new_with_old, new.old_with_new}
    assert len(found) == 5
    keys = [x509.load_der_x509_certificate(der) for der in sorted(roots)]
    assert len({(c.public_key().public_numbers(), c.signature) for c in keys}) == 4
    assert sum(1 for c in keys if signed_by_itself(c)) == 2


def test_a_rollover_of_the_issuing_ca_shows_both(own_lab):
    run(own_lab.ca.authorities.rollover("issuing"))
    own_lab.clock.advance(timedelta(seconds=10))
    found = [x509.load_der_x509_certificate(der) for der in certificates(own_lab.ask("cacerts"))]
    assert sorted(c.subject.rfc4514_string() for c in found) == [ISSUING, ISSUING, ROOT]


def test_what_any_key_of_the_issuing_ca_has_certified_still_leads_to_the_root(own_lab):
    """RFC 7030 section 4.1.3: whatever is needed to build a chain from what the CA has issued."""
    enrolled = [own_lab.enroll()]
    for _ in range(2):
        run(own_lab.ca.authorities.rollover("issuing"))
        own_lab.clock.advance(timedelta(seconds=10))
        enrolled.append(own_lab.enroll())
    found = certificates(own_lab.ask("cacerts"))
    (root,) = [der for der in found if is_root(der)]
    others = [der for der in found if der != root]
    assert len(others) == 3
    assert [own_lab.ca.verify(one.der, [*others, root]) for one in enrolled] == ["OK"] * 3


def test_a_root_that_is_two_keys_old_is_no_trust_anchor_any_more(own_lab):
    (first,) = [der for der in certificates(own_lab.ask("cacerts")) if is_root(der)]
    for _ in range(2):
        run(own_lab.ca.authorities.rollover("root"))
        own_lab.clock.advance(timedelta(seconds=10))
    assert first not in certificates(own_lab.ask("cacerts"))


def test_a_key_that_was_only_prepared_is_not_shown(own_lab):
    before = certificates(own_lab.ask("cacerts"))
    run(own_lab.ca.authorities.prepare_next("root"))
    own_lab.clock.advance(timedelta(seconds=10))
    assert certificates(own_lab.ask("cacerts")) == before


def test_an_old_key_that_has_expired_is_not_shown(own_lab):
    own_lab.clock.advance(timedelta(days=365 * 5 + 2))
    run(own_lab.ca.authorities.rollover("issuing"))
    own_lab.clock.advance(timedelta(seconds=10))
    found = [x509.load_der_x509_certificate(der) for der in certificates(own_lab.ask("cacerts"))]
    assert sorted(c.subject.rfc4514_string() for c in found) == [ISSUING, ROOT]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("operation", ["cacerts", "csrattrs"])
def test_what_is_read_is_read_by_get(lab, operation, method):
    response = lab.ask(operation, method=method)
    assert (response.status, response.header("Allow")) == (405, "GET")


def is_root(der):
    certificate = x509.load_der_x509_certificate(der)
    return certificate.subject == certificate.issuer


def signed_by_itself(certificate):
    own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    by = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return own == by
