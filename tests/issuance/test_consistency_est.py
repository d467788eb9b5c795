"""EST options that make no sense are found before a request meets them, each with its key."""

from __future__ import annotations

from typing import Any

import pytest

from privca.issuance.consistency_est import est_faults
from privca.issuance.options.est import CsrAttribute, CsrTemplate, EstOptions, TemplateAttribute, TemplateExtension
from privca.issuance.profile import Profile


def found(*, lab: bool = False, authentication: Any = ("code", "certificate"), **options: Any) -> dict[str, str]:
    profile = Profile(protocol="est", issuer="i", template="t", authentication=authentication, est=EstOptions(**options))
    return dict(est_faults(profile, lab=lab))


def test_the_defaults_make_sense() -> None:
    assert found() == {}
    assert found(authentication=("certificate",), http=()) == {}


def test_rfc7030_3_5_ignoring_the_channel_binding_is_for_labs_alone() -> None:
    assert "only in a lab" in found(channel_binding="ignore")["channel_binding"]
    assert found(channel_binding="ignore", lab=True) == {}


TEMPLATE = CsrTemplate(
    subject=(TemplateAttribute(type="CN"), TemplateAttribute(type="C"), TemplateAttribute(type="O", value="x")),
    key="RSA",
    rsa_bits=3072,
    extensions=(TemplateExtension(oid="2.5.29.15", value="03020780"), TemplateExtension(oid="2.5.29.37")),
)


def test_a_template_and_a_list_that_make_sense() -> None:
    listed = (CsrAttribute(oid="2.5.4.5"), CsrAttribute(oid="1.2.840.10045.2.1", values=("06052b81040022",)))
    assert found(csr_template=TEMPLATE, csr_attributes=listed, csr_attributes_enforced=True) == {}


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({"realm": ""}, "realm", "1 to 64"),
        ({"realm": 'a"b'}, "realm", "quotation"),
        ({"realm": "x" * 65}, "realm", "1 to 64"),
        ({"realm": "a\r\nb"}, "realm", "printable"),
        ({"http": ("basic", "basic")}, "http", "twice"),
        ({"http": ()}, "http", "no other way"),
        ({"digest_algorithms": ("MD5", "MD5")}, "digest_algorithms", "twice"),
        ({"digest_algorithms": ()}, "digest_algorithms", "digest"),
        ({"both": True, "authentication": ("code",)}, "both", "certificate"),
        ({"both": True, "authentication": ("certificate",)}, "both", "code"),
        ({"digest_nonce_life": "0s"}, "digest_nonce_life", "out of bounds"),
        ({"digest_nonce_life": "2d"}, "digest_nonce_life", "out of bounds"),
        ({"digest_nonce_life": "x"}, "digest_nonce_life", "not a duration"),
        ({"repeat": "x"}, "repeat", "not a duration"),
        ({"csr_attributes": (CsrAttribute(oid="x"),)}, "csr_attributes[0].oid", "not an OID"),
        ({"csr_attributes": (CsrAttribute(oid="1.2.3", values=("zz",)),)}, "csr_attributes[0].values", "hex"),
        ({"csr_attributes": (CsrAttribute(oid="1.2.3", values=("0500" * 2,)),)}, "csr_attributes[0].values", "one element"),
        ({"csr_attributes": (CsrAttribute(oid="1.2.3", values=("",)),)}, "csr_attributes[0].values", "one element"),
        ({"csr_attributes_enforced": True}, "csr_attributes_enforced", "needs"),
        ({"csr_template": CsrTemplate(subject=(TemplateAttribute(type="X"),))}, "csr_template.subject[0]", "unknown"),
        (
            {"csr_template": CsrTemplate(subject=(TemplateAttribute(type="C", value="x"),))},
            "csr_template.subject[0]",
            "capital letters",
        ),
        ({"csr_template": CsrTemplate(rsa_bits=2048)}, "csr_template.rsa_bits", "RSA"),
        ({"csr_template": CsrTemplate(key="RSA", rsa_bits=1024)}, "csr_template.rsa_bits", "2048"),
        ({"csr_template": CsrTemplate(extensions=(TemplateExtension(oid="x"),))}, "csr_template.extensions[0].oid", "OID"),
        (
            {"csr_template": CsrTemplate(extensions=(TemplateExtension(oid="2.5.29.15", value="05"),))},
            "csr_template.extensions[0].value",
            "",
        ),
        (
            {"csr_template": CsrTemplate(extensions=(TemplateExtension(oid="2.5.29.15"),) * 2)},
            "csr_template.extensions[1].oid",
            "twice",
        ),
    ],
    ids=range(26),
)
def test_a_fault_is_found_with_its_key(options: dict[str, Any], key: str, said: str) -> None:
    faults = found(**options)
    assert said in faults[key]
