from __future__ import annotations

from typing import Any

import pytest

from privca.issuance.consistency import faults
from privca.issuance.issue import ProfileRules
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.profile import (
    CertificateAuthority,
    ExtraExtension,
    Names,
    Profile,
    Revisioned,
    SubjectRule,
    Template,
    Waiting,
)
from tests.support.issuance_lab import TWO_TIERS


def web(**keys: Any) -> Profile:
    settings: dict[str, Any] = {
        "protocol": "acme",
        "issuer": "issuing",
        "template": "server",
        "authentication": ("account",),
        **keys,
    }
    return Profile(**settings)


def paths(
    *,
    ca: dict[str, CertificateAuthority] = TWO_TIERS,
    template: Template | None = None,
    profile: Profile | None = None,
    lab: bool = False,
    id: str = "web",
) -> list[str]:
    found = faults(ca, {"server": template or Template()}, {id: profile or web()}, lab=lab)
    assert all(fault.detail and str(fault).startswith(f"[{fault.table}]: {fault.key}") for fault in found)
    return [fault.path for fault in found]


def test_the_defaults_are_consistent() -> None:
    assert paths() == []


def ca(**keys: Any) -> CertificateAuthority:
    return CertificateAuthority(**{"subject": {"CN": "A"}, **keys})


@pytest.mark.parametrize(
    ("cas", "path"),
    [
        ({"Root": ca()}, "ca.Root"),
        ({"root": ca(subject={})}, "ca.root.subject"),
        ({"root": ca(subject={"C": "Germany"})}, "ca.root.subject.C"),
        ({"root": ca(subject={"XX": "a"})}, "ca.root.subject.XX"),
        ({"root": ca(validity="10 years")}, "ca.root.validity"),
        ({"root": ca(validity="999y")}, "ca.root.validity"),
        ({"root": ca(crl_life="0d")}, "ca.root.crl_life"),
        ({"root": ca(path_length=-1)}, "ca.root.path_length"),
        ({"root": ca(parent="none")}, "ca.root.parent"),
        ({"root": ca(parent="root")}, "ca.root.parent"),
        ({"root": ca(parent="b"), "b": ca(parent="root")}, "ca.root.parent"),
        ({"root": ca(path_length=0), "b": ca(parent="root"), "c": ca(parent="b")}, "ca.c.parent"),
    ],
)
def test_authorities(cas: dict[str, CertificateAuthority], path: str) -> None:
    assert path in paths(ca={**TWO_TIERS, **cas})


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"subject": {"XX": SubjectRule()}}, "subject.XX"),
        ({"subject": {"O": SubjectRule(source="fixed")}}, "subject.O.value"),
        ({"subject": {"C": SubjectRule(source="fixed", value="Germany")}}, "subject.C.value"),
        ({"subject": {"O": SubjectRule(value="A")}}, "subject.O.value"),
        ({"names": ()}, "names"),
        ({"extended_key_usage": ("serverauth",)}, "extended_key_usage"),
        ({"extended_key_usage": ("serverAuth", "serverAuth")}, "extended_key_usage"),
        ({"policies": ("1.2.",)}, "policies"),
        ({"extensions": (ExtraExtension(oid="x", value="0500"),)}, "extensions[0].oid"),
        ({"extensions": (ExtraExtension(oid="1.3.6.1.4.1.99999.3", value="zz"),)}, "extensions[0].value"),
        ({"extensions": (ExtraExtension(oid="1.3.6.1.4.1.99999.3", value="05"),)}, "extensions[0].value"),
        ({"extensions": (ExtraExtension(oid="1.3.6.1.4.1.99999.3", value=""),)}, "extensions[0].value"),
        ({"extensions": (ExtraExtension(oid="2.5.29.17", value="0500"),)}, "extensions[0].oid"),
        ({"extensions": (ExtraExtension(oid="2.5.29.30", value="3000", critical=True),)}, "extensions[0].oid"),
        ({"extensions": (ExtraExtension(oid="2.5.29.46", value="3000", critical=True),)}, "extensions[0].critical"),
        ({"extensions": (ExtraExtension(oid="1.3.6.1.4.1.99999.3", value="0500"),) * 2}, "extensions[1].oid"),
    ],
)
def test_templates(keys: dict[str, Any], path: str) -> None:
    assert f"template.server.{path}" in paths(template=Template(**keys))


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"issuer": "none"}, "issuer"),
        ({"template": "none"}, "template"),
        ({"authentication": ()}, "authentication"),
        ({"authentication": ("open",)}, "authentication"),
        ({"authentication": ("code",)}, "authentication"),
        ({"authentication": ("approval",)}, "authentication"),
        ({"faults": ("acme.nonce.accept-reused",)}, "faults"),
        ({"validity": "x"}, "validity"),
        ({"validity": "0d"}, "validity"),
        ({"backdate": "-1m"}, "backdate"),
        ({"renewal_window": ""}, "renewal_window"),
        ({"rsa_minimum": 1024}, "rsa_minimum"),
        ({"rsa_minimum": 4096, "rsa_maximum": 2048}, "rsa_minimum"),
        ({"keys": ()}, "keys"),
        ({"names": Names(maximum=0)}, "names.maximum"),
        ({"names": Names(maximum=1001)}, "names.maximum"),
        ({"names": Names(permitted_dns=("*.example.test",))}, "names.permitted_dns"),
        ({"names": Names(excluded_ip=("192.0.2.1/24",))}, "names.excluded_ip"),
        ({"names": Names(permitted_email=("@",))}, "names.permitted_email"),
        ({"names": Names(excluded_uri=("https://a.test",))}, "names.excluded_uri"),
        ({"names": Names(permitted_subject=("Example",))}, "names.permitted_subject"),
        ({"names": Names(permitted_subject=("XX=Example",))}, "names.permitted_subject"),
        ({"acme": AcmeOptions(nonce_life="1")}, "acme.nonce_life"),
        ({"acme": AcmeOptions(order_life="0s")}, "acme.order_life"),
        ({"acme": AcmeOptions(validation_attempts=0)}, "acme.validation_attempts"),
        ({"acme": AcmeOptions(refused_nonces=1)}, "acme.refused_nonces"),
        ({"acme": AcmeOptions(processing_time="31s")}, "acme.processing_time"),
        ({"acme": AcmeOptions(processing_time="soon")}, "acme.processing_time"),
        ({"acme": AcmeOptions(orders_limit="300")}, "acme.orders_limit"),
        ({"acme": AcmeOptions(accounts_limit="0/1h")}, "acme.accounts_limit"),
        ({"acme": AcmeOptions(failures_limit="5/0s")}, "acme.failures_limit"),
        ({"acme": AcmeOptions(website="ca.example.test")}, "acme.website"),
        ({"acme": AcmeOptions(terms_of_service="https://ca.example.test/>;x\r\n")}, "acme.terms_of_service"),
    ],
)
def test_profiles(keys: dict[str, Any], path: str) -> None:
    assert f"profile.web.{path}" in paths(profile=web(**keys))


PEM = """-----BEGIN CERTIFICATE-----
MIIBSDCB8KADAgECAhQ=
-----END CERTIFICATE-----
"""


def device(**keys: Any) -> Profile:
    return web(**{"protocol": "est", "authentication": ("code", "otp", "certificate", "approval"), **keys})


@pytest.mark.parametrize(
    ("profile", "path"),
    [
        pytest.param(device(authentication=("account",)), "authentication", id="account"),
        pytest.param(device(authentication=("open",)), "authentication", id="open"),
        pytest.param(device(authentication=("code", "code")), "authentication", id="twice"),
        pytest.param(device(names_by={"eab": Names()}), "names_by.eab", id="names by another method"),
        pytest.param(device(names_by={"otp": Names(permitted_ip=("x",))}), "names_by.otp.permitted_ip", id="names by otp"),
        pytest.param(device(names_by={"otp": Names(maximum=0)}), "names_by.otp.maximum", id="maximum by otp"),
        pytest.param(device(waiting=Waiting(life="0s")), "waiting.life", id="life"),
        pytest.param(device(waiting=Waiting(maximum=0)), "waiting.maximum", id="maximum"),
        pytest.param(device(waiting=Waiting(retry_after=0)), "waiting.retry_after", id="retry"),
        pytest.param(device(certificate_profiles=("web",)), "certificate_profiles", id="itself"),
        pytest.param(device(certificate_profiles=("A B",)), "certificate_profiles", id="no ID"),
        pytest.param(device(authentication=("code",), certificate_profiles=("b",)), "certificate_profiles", id="profiles unused"),
        pytest.param(device(authentication=("code",), vendor_anchors=(PEM,)), "vendor_anchors", id="anchors unused"),
        pytest.param(device(vendor_anchors=("",)), "vendor_anchors[0]", id="empty anchor"),
        pytest.param(device(vendor_anchors=(PEM,)), "vendor_anchors[0]", id="spoilt anchor"),
        pytest.param(web(approval_always=True), "approval_always", id="ACME waits for nobody"),
        pytest.param(web(names_by={"account": Names()}), "names_by", id="ACME proves names"),
        pytest.param(web(rename=True), "rename", id="ACME renews nothing"),
    ],
)
def test_who_is_admitted_and_for_what(profile: Profile, path: str) -> None:
    assert f"profile.web.{path}" in paths(profile=profile)


def test_devices_are_consistent() -> None:
    assert paths(profile=device(names_by={"otp": Names(permitted_dns=("a.test",))}, certificate_profiles=("b",))) == []


def test_keys_must_serve_the_template() -> None:
    assert paths(template=Template(key_usage=("keyEncipherment",)), profile=web(keys=("P-256",))) == ["profile.web.keys"]
    assert paths(template=Template(key_usage=("keyEncipherment",)), profile=web(keys=("P-256", "RSA"))) == []


def test_a_profile_id_is_not_an_operation() -> None:
    assert paths(id="cacerts") == ["profile.cacerts"]


def test_open_is_for_labs() -> None:
    assert paths(profile=web(authentication=("open",)), lab=True) == []


def test_one_default_profile_a_protocol() -> None:
    both = {"a": web(default=True), "b": web(default=True), "c": web(default=True, enabled=False)}
    assert [fault.path for fault in faults(TWO_TIERS, {"server": Template()}, both, lab=False)] == ["profile.b.default"]


def test_all_faults_are_told_at_once() -> None:
    assert len(paths(template=Template(policies=("x",)), profile=web(issuer="none", validity="x"))) == 3


def test_what_is_consistent_can_be_compiled() -> None:
    profile = web(
        names=Names(
            permitted_dns=("*", "=a.test"),
            excluded_ip=("::/0",),
            permitted_email=(".a.test", "a@b.test"),
            excluded_subject=("O=A",),
        )
    )
    template = Template(extended_key_usage=("cmKGA", "1.2.3"), extensions=(ExtraExtension(oid="1.2.3", value="0500"),))
    assert paths(profile=profile, template=template) == []
    ProfileRules(Revisioned(id="web", revision=1, profile=profile, template=template))
