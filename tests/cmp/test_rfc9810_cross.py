"""ccr and ccp (RFC 9810 sections 5.3.11 and 5.3.12, appendix D.6)."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from privca.issuance.ports import CertificateStatus
from tests.support import cmp
from tests.support.issuance_lab import run

CA_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
DIGEST = hashlib.sha256(cmp.spki(CA_KEY)).hexdigest()
REQUESTS = ("ir", "ccr")


@pytest.fixture
def crossing(lab):
    """A profile of the root that certifies one other CA."""
    lab.options(requests=REQUESTS, cross_certify=(DIGEST,), issuer="root")
    return lab


def test_section_5_3_12_another_ca_is_certified(crossing):
    signer = crossing.device()
    client = crossing.client(signer)
    answer = client.enroll(cmp.Request(CA_KEY, "Another CA"), body=cmp.CCR)
    assert (answer.kind, answer.status()[:2], answer.verify(signer)) == (cmp.CCP, (0, ""), "signature")
    certificate = answer.certificate()
    root = run(crossing.ca.authorities.current("root")).certificate
    certificate.verify_directly_issued_by(root)
    assert certificate.public_key() == CA_KEY.public_key()
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert crossing.status(certificate) is CertificateStatus.ISSUED


def test_section_5_3_12_one_that_nobody_confirms_is_revoked(crossing):
    client = crossing.client(crossing.device())
    certificate = client.enroll(cmp.Request(CA_KEY, "Another CA"), body=cmp.CCR).certificate()
    crossing.advance(minutes=11)
    crossing.resume()
    assert crossing.status(certificate) is CertificateStatus.REVOKED


REFUSED = {
    "a key that is not listed": (cmp.Request(OTHER, "Another CA"), "notAuthorized"),
    "a proof by another key": (cmp.Request(CA_KEY, "Another CA", signer=OTHER), "badPOP"),
    "no subject": (cmp.Request(CA_KEY, b"\x30\x00"), "badCertTemplate"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_appendix_d_6_what_is_not_certified(crossing, case):
    request, failure = REFUSED[case]
    signer = crossing.device()
    answer = crossing.client(signer).enroll(request, body=cmp.CCR)
    assert (answer.kind, answer.status()[:2]) == (cmp.CCP, (2, failure))


def test_appendix_d_6_by_signature_alone_and_one_at_a_time(crossing):
    assert crossing.client().enroll(cmp.Request(CA_KEY, "Another CA"), body=cmp.CCR).status()[1] == "wrongIntegrity"
    signer = crossing.device()
    two = [cmp.Request(CA_KEY, "Another CA", id=number) for number in range(2)]
    assert crossing.client(signer).enroll(*two, body=cmp.CCR).status()[1] == "badRequest"


def test_rfc5280_4_2_1_9_a_ca_that_may_not_certify_cas(crossing):
    signer = crossing.device()
    crossing.options(issuer="issuing")
    answer = crossing.client(signer).enroll(cmp.Request(CA_KEY, "Another CA"), body=cmp.CCR)
    assert answer.status()[1] == "systemUnavail"


def test_a_profile_does_not_certify_cas_unless_it_says_so(lab):
    answer = lab.client(lab.device()).enroll(cmp.Request(CA_KEY, "Another CA"), body=cmp.CCR)
    assert (answer.kind, answer.status()[1]) == (cmp.ERROR, "badRequest")
