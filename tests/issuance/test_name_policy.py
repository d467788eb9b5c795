from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.names import Name, NameKind, dns_name, email_name, ip_name, uri_name
from privca.base.refused import Reason, Refused
from privca.issuance.name_policy import NamePolicy
from privca.issuance.profile import Names

ALL = ("dns", "ip", "email", "uri")


def verdict(name: Name, **rules: object) -> str | None:
    """The clause that refuses ``name``, or None."""
    policy = NamePolicy(Names(**rules), ALL, required=False)  # type: ignore[arg-type]
    try:
        policy.check([name])
    except Refused as refused:
        (part,) = refused.parts
        return part.clause if part.name == name else "another name"
    return None


@pytest.mark.parametrize(
    ("text", "rules", "clause"),
    [
        ("a.example.test", {}, None),
        ("a.example.test", {"permitted_dns": ("example.test",)}, None),
        ("example.test", {"permitted_dns": ("example.test",)}, None),
        ("EXAMPLE.test", {"permitted_dns": ("Example.Test",)}, None),
        ("badexample.test", {"permitted_dns": ("example.test",)}, "permitted_dns"),
        ("a.example.test", {"permitted_dns": ("=example.test",)}, "permitted_dns"),
        ("example.test", {"permitted_dns": ("=example.test",)}, None),
        ("anything.test", {"permitted_dns": ("*",)}, None),
        ("a.example.test", {"permitted_dns": ("example.test",), "excluded_dns": ("a.example.test",)}, "excluded_dns"),
        ("b.a.example.test", {"excluded_dns": ("a.example.test",)}, "excluded_dns"),
        ("b.a.example.test", {"excluded_dns": ("=a.example.test",)}, None),
        ("a.example.test", {"excluded_dns": ("*",)}, "excluded_dns"),
        # A wildcard stands for every name below it.
        ("*.example.test", {"permitted_dns": ("example.test",)}, None),
        ("*.example.test", {"permitted_dns": ("=example.test",)}, "permitted_dns"),
        ("*.example.test", {"permitted_dns": ("=a.example.test",)}, "permitted_dns"),
        ("*.example.test", {"permitted_dns": ("a.example.test",)}, "permitted_dns"),
        ("*.example.test", {"permitted_dns": ("=*.example.test",)}, None),
        ("a.example.test", {"permitted_dns": ("=*.example.test",)}, "permitted_dns"),
        ("*.example.test", {"excluded_dns": ("a.example.test",)}, "excluded_dns"),
        ("*.example.test", {"excluded_dns": ("=a.example.test",)}, "excluded_dns"),
        ("*.example.test", {"excluded_dns": ("=b.a.example.test",)}, "excluded_dns"),
        ("*.example.test", {"excluded_dns": ("=example.test",)}, None),
        ("*.example.test", {"excluded_dns": ("example.test",)}, "excluded_dns"),
        ("*.example.test", {"excluded_dns": ("=*.example.test",)}, "excluded_dns"),
        ("*.example.test", {"excluded_dns": ("a.badexample.test",)}, None),
        ("*.example.test", {"wildcards": False}, "wildcards"),
        ("a.example.test", {"wildcards": False}, None),
    ],
)
def test_dns(text: str, rules: dict[str, object], clause: str | None) -> None:
    assert verdict(dns_name(text), **rules) == (None if clause is None else f"profile: names.{clause}")


@pytest.mark.parametrize(
    ("text", "rules", "clause"),
    [
        ("192.0.2.1", {}, None),
        ("192.0.2.1", {"permitted_ip": ("192.0.2.0/24",)}, None),
        ("198.51.100.1", {"permitted_ip": ("192.0.2.0/24",)}, "permitted_ip"),
        ("192.0.2.1", {"permitted_ip": ("2001:db8::/32",)}, "permitted_ip"),
        ("2001:db8::1", {"permitted_ip": ("2001:db8::/32",)}, None),
        ("2001:db9::1", {"permitted_ip": ("2001:db8::/32",)}, "permitted_ip"),
        ("192.0.2.1", {"excluded_ip": ("192.0.2.1/32",)}, "excluded_ip"),
        ("192.0.2.2", {"excluded_ip": ("192.0.2.1/32",)}, None),
    ],
)
def test_ip(text: str, rules: dict[str, object], clause: str | None) -> None:
    assert verdict(ip_name(text), **rules) == (None if clause is None else f"profile: names.{clause}")


def test_an_ipv4_mapped_address_does_not_escape_an_ipv4_exclusion() -> None:
    mapped = Name(NameKind.IP, "::ffff:192.0.2.1")
    assert verdict(mapped, excluded_ip=("192.0.2.0/24",)) == "profile: names.excluded_ip"
    assert verdict(mapped, permitted_ip=("192.0.2.0/24",)) == "profile: names.permitted_ip"


@pytest.mark.parametrize(
    ("text", "rules", "clause"),
    [
        ("a@example.test", {}, None),
        ("a@example.test", {"permitted_email": ("a@example.test",)}, None),
        ("A@example.test", {"permitted_email": ("a@example.test",)}, "permitted_email"),
        ("A@example.test", {"excluded_email": ("a@example.test",)}, "excluded_email"),
        ("b@example.test", {"permitted_email": ("a@example.test",)}, "permitted_email"),
        ("b@example.test", {"permitted_email": ("example.test",)}, None),
        ("b@mail.example.test", {"permitted_email": ("example.test",)}, "permitted_email"),
        ("b@mail.example.test", {"permitted_email": (".example.test",)}, None),
        ("b@example.test", {"permitted_email": (".example.test",)}, "permitted_email"),
        ("b@mail.example.test", {"excluded_email": (".example.test",)}, "excluded_email"),
    ],
)
def test_email(text: str, rules: dict[str, object], clause: str | None) -> None:
    assert verdict(email_name(text), **rules) == (None if clause is None else f"profile: names.{clause}")


@pytest.mark.parametrize(
    ("text", "rules", "clause"),
    [
        ("https://a.example.test/x", {}, None),
        ("https://a.example.test/x", {"permitted_uri": (".example.test",)}, None),
        ("https://user@A.example.test:99/x", {"permitted_uri": ("a.example.test",)}, None),
        ("https://example.test/x", {"permitted_uri": (".example.test",)}, "permitted_uri"),
        ("https://a.example.test@evil.test/", {"permitted_uri": (".example.test",)}, "permitted_uri"),
        ("https://a.example.test/", {"excluded_uri": (".example.test",)}, "excluded_uri"),
        # RFC 5280 section 4.2.1.10: a URI without a DNS host is rejected where URIs are constrained.
        ("urn:example:1", {"permitted_uri": (".example.test",)}, "permitted_uri"),
        ("urn:example:1", {"excluded_uri": (".example.test",)}, "excluded_uri"),
        ("https://192.0.2.1/", {"excluded_uri": (".example.test",)}, "excluded_uri"),
        ("urn:example:1", {}, None),
    ],
)
def test_uri(text: str, rules: dict[str, object], clause: str | None) -> None:
    assert verdict(uri_name(text), **rules) == (None if clause is None else f"profile: names.{clause}")


def test_one_part_for_each_name_that_fails() -> None:
    policy = NamePolicy(Names(excluded_dns=("bad.test",)), ("dns",), required=True)
    names = [dns_name("a.bad.test"), dns_name("good.test"), dns_name("b.bad.test")]
    with pytest.raises(Refused) as refused:
        policy.check(names)
    assert refused.value.reason is Reason.REJECTED_IDENTIFIER
    assert [part.name for part in refused.value.parts] == [names[0], names[2]]
    with pytest.raises(Refused) as refused:
        policy.check([names[0], ip_name("192.0.2.1")])
    assert refused.value.reason is Reason.COMPOUND
    assert [part.reason for part in refused.value.parts] == [Reason.REJECTED_IDENTIFIER, Reason.UNSUPPORTED_IDENTIFIER]


def test_number_of_names() -> None:
    policy = NamePolicy(Names(maximum=2), ("dns",), required=True)
    policy.check([dns_name("a.test"), dns_name("b.test")])
    with pytest.raises(Refused, match=r"names\.maximum"):
        policy.check([dns_name("a.test"), dns_name("b.test"), dns_name("c.test")])
    with pytest.raises(Refused, match="names_required"):
        policy.check([])
    NamePolicy(Names(), ("dns",), required=False).check([])


@pytest.mark.parametrize(
    ("attributes", "rules", "refused"),
    [
        ([("O", "Example")], {"permitted_subject": ("O=Example",)}, False),
        ([("O", " example ")], {"permitted_subject": ("O=Example",)}, False),
        ([("O", "Other")], {"permitted_subject": ("O=Example",)}, True),
        ([("O", "Example"), ("O", "Other")], {"permitted_subject": ("O=Example",)}, True),
        ([("OU", "Other")], {"permitted_subject": ("O=Example",)}, False),
        ([("O", "EXAMPLE")], {"excluded_subject": ("O=Example",)}, True),
        # A name in the subject is a name.
        ([("CN", "a.bad.test")], {"excluded_dns": ("bad.test",)}, True),
        ([("CN", "A.Bad.Test.")], {"excluded_dns": ("bad.test",)}, True),
        ([("CN", "*.test.test")], {"excluded_dns": ("bad.test.test",)}, True),
        ([("CN", "device 1")], {"permitted_dns": ("example.test",)}, False),
        ([("CN", "192.0.2.1")], {"excluded_ip": ("192.0.2.0/24",)}, True),
        ([("CN", "::ffff:192.0.2.1")], {"excluded_ip": ("192.0.2.0/24",)}, True),
        ([("emailAddress", "a@bad.test")], {"excluded_email": ("bad.test",)}, True),
        ([("CN", "a@bad.test")], {"excluded_email": ("bad.test",)}, True),
        # What is no name of ours may still be one to others.
        *(
            ([("CN", host)], {"excluded_dns": ("bad.test",)}, True)
            for host in ("a_b.bad.test", "w*.bad.test", "-a.bad.test", "b\xfc.bad.test", "a\u3002bad\u3002test", "a.bad.test:443")
        ),
        ([("CN", "a_b.bad.test")], {"permitted_dns": ("example.test",)}, True),
        ([("CN", "a_b.bad.test")], {}, False),
        ([("CN", "https://a.bad.test/")], {"excluded_dns": ("bad.test",)}, True),
        ([("CN", "192.0.2.01")], {"excluded_ip": ("192.0.2.0/24",)}, True),
        ([("CN", "[2001:db8::1]")], {"excluded_ip": ("2001:db8::/32",)}, True),
        ([("CN", "Example Inc. of bad.test")], {"excluded_dns": ("bad.test",)}, False),
        ([("emailAddress", '"a b"@bad.test')], {"excluded_email": ("bad.test",)}, True),
        ([("CN", '"a"@bad.test')], {"permitted_email": ("example.test",)}, True),
        ([("emailAddress", "a..b@bad.test")], {"excluded_dns": ("bad.test",)}, False),
    ],
)
def test_subject(attributes: list[tuple[str, str]], rules: dict[str, object], refused: bool) -> None:
    policy = NamePolicy(Names(**rules), ALL, required=False)  # type: ignore[arg-type]
    if refused:
        with pytest.raises(Refused) as caught:
            policy.check_subject(attributes)
        assert caught.value.reason is Reason.BAD_CSR
    else:
        policy.check_subject(attributes)


@pytest.mark.parametrize(
    "rules",
    [
        {"permitted_dns": ("*.example.test",)},
        {"excluded_dns": ("",)},
        {"excluded_ip": ("192.0.2.1/24",)},
        {"permitted_ip": ("192.0.2",)},
        {"permitted_email": ("@example.test",)},
        {"permitted_uri": ("https://example.test",)},
        {"excluded_uri": ("*.example.test",)},
        {"excluded_email": ("*.example.test",)},
        {"permitted_subject": ("Example",)},
    ],
)
def test_patterns_that_cannot_be_read(rules: dict[str, object]) -> None:
    with pytest.raises(Refused):
        NamePolicy(Names(**rules), ALL, required=False)  # type: ignore[arg-type]


# Few labels, so that patterns and names meet often.
_hosts = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "test"]))
_patterns = st.lists(st.one_of(_hosts, _hosts.map("={}".format)), max_size=3).map(tuple)


def allowed(policy: NamePolicy, text: str) -> bool:
    try:
        policy.check([dns_name(text)])
    except Refused:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(_patterns, _patterns, _hosts, _hosts)
def test_a_wildcard_is_allowed_only_if_every_name_that_it_covers_is(
    permitted: tuple[str, ...], excluded: tuple[str, ...], base: str, below: str
) -> None:
    policy = NamePolicy(Names(permitted_dns=permitted, excluded_dns=excluded), ("dns",), required=False)
    if allowed(policy, f"*.{base}"):
        assert allowed(policy, f"{below.removesuffix('.test')}.{base}")


@settings(max_examples=300, deadline=None)
@given(_patterns, _patterns, _hosts)
def test_dns_policy_means_what_it_says(permitted: tuple[str, ...], excluded: tuple[str, ...], host: str) -> None:
    def matches(pattern: str) -> bool:
        return host == pattern[1:] if pattern[0] == "=" else f".{host}".endswith(f".{pattern}")

    policy = NamePolicy(Names(permitted_dns=permitted, excluded_dns=excluded), ("dns",), required=False)
    assert allowed(policy, host) == ((not permitted or any(map(matches, permitted))) and not any(map(matches, excluded)))


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(), st.integers(0, 128))
def test_an_address_is_in_the_networks_around_it_and_not_outside(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int
) -> None:
    network = ipaddress.ip_network(f"{address}/{min(bits, address.max_prefixlen)}", strict=False)
    name = Name(NameKind.IP, str(address))
    assert verdict(name, permitted_ip=(str(network),)) is None
    assert verdict(name, excluded_ip=(str(network),)) == "profile: names.excluded_ip"
