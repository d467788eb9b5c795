"""First enrollment under a vendor's certificate (RFC 4210 section 4.2.1.2, RFC 9483 section 4.1.1), as OpenSSL does it."""

import pytest

from tests.enrollment.test_vendors import MIDDLE, ROOT, Made
from tests.support import cmp

DEVICE = Made("4711", MIDDLE)


@pytest.fixture
def vendor(lab):
    """A client that signs with the key of a device of the vendor."""
    lab.options(vendor_anchors=(ROOT.pem,), rename=True)
    signer = cmp.Signer(DEVICE.certificate, DEVICE.key, others=(MIDDLE.certificate,), key_identifier=None)
    return lambda: lab.client(signer)


def request(issuer=None, subject="4711"):
    more = {} if issuer is None else {3: cmp.tlv(0xA3, issuer)}
    return cmp.Request(DEVICE.key, subject, more=more)


def test_a_device_of_a_vendor_enrolls(lab, vendor):
    answer = vendor().enroll(request())
    assert answer.status()[0] == 0, answer.status()
    assert lab.record(answer.certificate()).identity.startswith("vendor:")


def test_openssl_names_the_issuer_of_the_certificate_that_it_signs_with(lab, vendor):
    issuer = DEVICE.certificate.issuer.public_bytes()
    answer = vendor().enroll(request(issuer))
    assert answer.status()[0] == 0, answer.status()
    lab.options(tolerant=False)
    assert "wrongAuthority" in str(vendor().enroll(request(issuer)).status())
    lab.options(tolerant=True)
    assert "wrongAuthority" in str(vendor().enroll(request(cmp.name("another CA"))).status())


def test_a_device_is_not_another_one(lab, vendor):
    lab.options(rename=False)
    assert vendor().enroll(request()).status()[0] == 2
    assert "its own subject alone" in lab.decision.detail
