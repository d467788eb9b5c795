"""What a profile may say of CMP: options that make no sense are refused with their path before anything is served."""

import pytest

from privca.issuance.consistency import faults
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.profile import CertificateAuthority, Profile, Template

FAULTS = {
    "no protection": ({"protection": ()}, "cmp.protection"),
    "no MAC for codes": ({"protection": ("signature",)}, "cmp.protection"),
    "no signature for certificates": ({"protection": ("pbm",)}, "cmp.protection"),
    "protection twice": ({"protection": ("pbm", "signature", "pbm")}, "cmp.protection"),
    "no requests": ({"requests": ()}, "cmp.requests"),
    "iterations below the least": ({"iterations": 50}, "cmp.iterations"),
    "no iterations": ({"iterations_minimum": 0}, "cmp.iterations"),
    "iterations without end": ({"iterations_maximum": 1 << 40}, "cmp.iterations"),
    "no request in a message": ({"requests_maximum": 0}, "cmp.requests_maximum"),
    "no time": ({"message_time": "soon"}, "cmp.message_time"),
    "no wait": ({"confirm_wait": "0s"}, "cmp.confirm_wait"),
    "delayed and not answered": ({"delayed": ("krr",)}, "cmp.delayed"),
    "krr and no archive": ({"requests": ("ir", "krr")}, "cmp.requests"),
    "a key that the profile does not certify": ({"central_key_generation": True, "central_key": "ML-DSA-44"}, "cmp.central_key"),
    "a recipient without a host": ({"announce_to": ("/here",)}, "cmp.announce_to"),
    "a recipient of another scheme": ({"announce_to": ("ftp://a.test/",)}, "cmp.announce_to"),
    "a digest that is none": ({"cross_certify": ("abc",)}, "cmp.cross_certify"),
    "check_after below zero": ({"check_after": -1}, "cmp.check_after"),
}


def found(**options):
    profile = Profile(
        protocol="cmp", issuer="ca", template="t", authentication=("code", "certificate"), cmp=CmpOptions(**options)
    )
    authorities = {"ca": CertificateAuthority(subject={"CN": "CA"})}
    return [fault.key for fault in faults(authorities, {"t": Template()}, {"lab": profile}, lab=False)]


def test_the_defaults_make_sense():
    assert found() == []
    assert found(message_time="") == []


@pytest.mark.parametrize("case", FAULTS)
def test_options_that_make_no_sense(case):
    options, key = FAULTS[case]
    assert key in found(**options)
