"""CAA: which record set counts, and what it allows. The record sets are those of RFC 8659 section 4 and RFC 8657, under example.test."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.acme.ports import CaaProbe, Observation, Probe, ProbeFailure
from privca.acme.rfc8659 import check_caa, parse_issue_value
from privca.base.names import Name, NameKind, dns_name, ip_name
from privca.base.refused import Reason, Refused

Records = Sequence[tuple[int, str, str]]
ACCOUNT = "https://ca1.example.test/acme/acct/1"


class Zone:
    """Answers probes from a mapping; domains that are not in it exist without records."""

    def __init__(self, records: Mapping[str, Records | ProbeFailure]) -> None:
        self.records = records
        self.asked: list[str] = []

    async def observe(self, probe: Probe) -> Observation:
        assert isinstance(probe, CaaProbe)
        assert probe.profile_id == "p"
        self.asked.append(probe.query_name)
        found = self.records.get(probe.query_name, ())
        return Observation(failure=found, detail="SERVFAIL") if isinstance(found, ProbeFailure) else Observation(caa=tuple(found))


def drive(work: Coroutine[object, object, None]) -> None:
    """Run a coroutine whose awaits never wait."""
    with pytest.raises(StopIteration):
        work.send(None)


def allowed(
    records: Mapping[str, Records | ProbeFailure] | Records,
    name: str = "a.example.test",
    *,
    wildcard: bool = False,
    issuers: tuple[str, ...] = ("ca1.example.test",),
    account: str = ACCOUNT,
    method: str = "dns-01",
) -> bool:
    zone = Zone(records if isinstance(records, Mapping) else {name: records})
    try:
        drive(check_caa(zone.observe, "p", dns_name(name), wildcard, issuers, account, method))
    except Refused as refused:
        if refused.reason is not Reason.CAA or refused.name != dns_name(name):
            raise
        return False
    return True


def test_without_records_anywhere_the_tree_is_climbed_to_the_top() -> None:
    zone = Zone({})
    drive(check_caa(zone.observe, "p", dns_name("x.y.example.test"), False, ("ca1.example.test",), ACCOUNT, "dns-01"))
    assert zone.asked == ["x.y.example.test", "y.example.test", "example.test", "test"]


def test_the_lowest_record_set_counts_and_no_other() -> None:
    ours, theirs = [(0, "issue", "ca1.example.test")], [(0, "issue", "ca2.example.test")]
    assert allowed({"a.example.test": ours, "example.test": theirs})
    assert not allowed({"a.example.test": theirs, "example.test": ours})
    assert not allowed({"test": theirs})
    assert allowed({"a.example.test": [(0, "iodef", "mailto:a@example.test")], "example.test": theirs})
    zone = Zone({"example.test": ours, "test": theirs})
    drive(check_caa(zone.observe, "p", dns_name("a.example.test"), False, ("ca1.example.test",), ACCOUNT, "dns-01"))
    assert zone.asked == ["a.example.test", "example.test"]


@pytest.mark.parametrize("failure", list(ProbeFailure))
def test_a_failed_lookup_forbids_at_every_level(failure: ProbeFailure) -> None:
    assert not allowed({"a.example.test": failure})
    assert not allowed({"test": failure})
    # Above the relevant record set nobody looks.
    assert allowed({"a.example.test": [(0, "issue", "ca1.example.test")], "example.test": failure})


def test_names_that_are_no_dns_names_have_no_caa() -> None:
    zone = Zone({"192.0.2.1": [(0, "issue", ";")]})
    for name in (ip_name("192.0.2.1"), ip_name("2001:db8::1"), Name(NameKind.EMAIL, "a@example.test")):
        drive(check_caa(zone.observe, "p", name, False, (), ACCOUNT, "http-01"))
    assert zone.asked == []


@pytest.mark.parametrize(
    ("records", "plain", "wildcard"),
    [
        pytest.param(
            [(0, "issue", "ca1.example.test"), (0, "issue", "ca2.example.test")], True, True, id="two issuers, one is us"
        ),
        pytest.param([(0, "issue", "ca2.example.test")], False, False, id="another issuer"),
        pytest.param([(0, "issue", ";")], False, False, id="nobody"),
        pytest.param([(0, "issue", "")], False, False, id="nobody, empty"),
        pytest.param([(0, "issue", "%%%%%")], False, False, id="malformed"),
        pytest.param([(0, "issue", ";"), (0, "issue", "ca1.example.test")], True, True, id="nobody and us: additive"),
        pytest.param([(0, "issue", "%%%%%"), (0, "issue", "ca1.example.test")], True, True, id="malformed and us: additive"),
        pytest.param([(0, "issue", "ca1.example.test"), (0, "issuewild", "ca2.example.test")], True, False, id="wild: another"),
        pytest.param([(0, "issue", "ca2.example.test"), (0, "issuewild", "ca1.example.test")], False, True, id="wild: us"),
        pytest.param([(0, "issue", "ca1.example.test"), (0, "issuewild", ";")], True, False, id="wild: nobody"),
        pytest.param([(0, "issue", ";"), (0, "issuewild", "ca1.example.test")], False, True, id="plain: nobody"),
        pytest.param([(0, "issuewild", "ca2.example.test")], True, False, id="issuewild alone does not restrict plain names"),
        pytest.param([(0, "iodef", "mailto:a@example.test")], True, True, id="iodef alone"),
        pytest.param([(0, "tbs", "Unknown")], True, True, id="unknown alone"),
        pytest.param([(0, "issue", "ca1.example.test"), (128, "tbs", "Unknown")], False, False, id="critical unknown"),
        pytest.param(
            [(0, "issue", "ca1.example.test"), (129, "tbs", "Unknown")], False, False, id="critical unknown, reserved bit"
        ),
        pytest.param([(0, "issue", "ca1.example.test"), (1, "tbs", "Unknown")], True, True, id="bit 7 is not the critical flag"),
        pytest.param([(0, "issue", "ca1.example.test"), (127, "tbs", "Unknown")], True, True, id="reserved bits are ignored"),
        pytest.param([(128, "issue", "ca1.example.test"), (128, "iodef", "x")], True, True, id="critical known"),
        pytest.param([(128, "issuewild", ";")], True, False, id="critical issuewild"),
        pytest.param([(128, "is sue", "ca1.example.test")], False, False, id="critical tag with a space"),
        pytest.param([(0, "ISSUE", "ca2.example.test")], False, False, id="tags have no case"),
        pytest.param([(0, "IssueWild", ";")], True, False, id="tags have no case, wild"),
        pytest.param([(128, "IODEF", "x")], True, True, id="known tags have no case"),
        pytest.param([(0, "issue", "CA1.Example.TEST")], True, True, id="domains have no case"),
        pytest.param([(0, "issue", "ca1.example.test.")], False, False, id="final dot is not in the grammar"),
        pytest.param([(0, "issue", "a.ca1.example.test")], False, False, id="below us is not us"),
        pytest.param([(0, "issue", "example.test")], False, False, id="above us is not us"),
        pytest.param([(0, "issue", "ca1.example.test; account=230123")], True, True, id="a parameter that is not ours"),
        pytest.param([(0, "issue", "ca1.example.test account=230123")], False, False, id="parameter without semicolon"),
    ],
)
def test_what_a_record_set_allows(records: Records, plain: bool, wildcard: bool) -> None:
    assert allowed(records) is plain
    assert allowed(records, wildcard=True) is wildcard


def test_a_ca_has_the_names_it_was_given() -> None:
    records = [(0, "issue", "ca2.example.test")]
    assert allowed(records, issuers=("ca1.example.test", "CA2.example.test"))
    assert not allowed(records, issuers=())
    assert not allowed([(0, "issue", ";")], issuers=("",)), "an empty name in a configuration is not what ';' means"
    assert allowed([(0, "iodef", "x")], issuers=())


def test_parameters_restrict_the_property_that_they_stand_in() -> None:
    bound = [(0, "issue", f"ca1.example.test; accounturi={ACCOUNT}; validationmethods=http-01,dns-01")]
    assert allowed(bound)
    assert not allowed(bound, account=ACCOUNT + "1")
    assert not allowed(bound, method="tls-alpn-01")
    assert not allowed(bound, issuers=("ca2.example.test",)), "the parameters do not replace the issuer"
    assert allowed([*bound, (0, "issue", "ca1.example.test")], account=ACCOUNT + "1")
    assert not allowed([*bound, (0, "issue", "ca2.example.test")], account=ACCOUNT + "1")
    wild = [(0, "issue", "ca1.example.test"), (0, "issuewild", "ca1.example.test; validationmethods=dns-01")]
    assert allowed(wild, wildcard=True)
    assert not allowed(wild, wildcard=True, method="http-01")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ("", ())),
        (" \t", ("", ())),
        (";", ("", ())),
        (" ; ", ("", ())),
        ("ca.test", ("ca.test", ())),
        ("  ca.test\t", ("ca.test", ())),
        ("ca.test;", ("ca.test", ())),
        ("ca.test ; \t", ("ca.test", ())),
        ("ca.test; a=b", ("ca.test", (("a", "b"),))),
        ("ca.test;a=b;c=d", ("ca.test", (("a", "b"), ("c", "d")))),
        ("ca.test \t;\t a \t=\t b ; c = d ", ("ca.test", (("a", "b"), ("c", "d")))),
        ("; a=b", ("", (("a", "b"),))),
        ("ca.test; a=", ("ca.test", (("a", ""),))),
        ("ca.test; a=; b=", ("ca.test", (("a", ""), ("b", "")))),
        ("ca.test; a==b=c", ("ca.test", (("a", "=b=c"),))),
        ("ca.test; a=!:<~", ("ca.test", (("a", "!:<~"),))),
        ("ca.test; a-b--c=1", ("ca.test", (("a-b--c", "1"),))),
        ("xn--a-b.c--d.1", ("xn--a-b.c--d.1", ())),
        ("localhost", ("localhost", ())),
        ("-ca.test", None),
        ("ca-.test", None),
        (".test", None),
        ("ca..test", None),
        ("ca.test.", None),
        ("ca_1.test", None),
        ("ca.test x", None),
        ("ca.test;;", None),
        ("ca.test; a=b;", None),
        ("ca.test; ;a=b", None),
        ("ca.test; a", None),
        ("ca.test; =b", None),
        ("ca.test; a=b c", None),
        ("ca.test; -a=b", None),
        ("ca.test; a-=b", None),
        ("ca.test; a_b=c", None),
        ("ca.test; a=\x7f", None),
        ("ca.test; a=\u00e9", None),
        ("c\u00e4.test", None),
        ("ca.test\n", None),
        ("ca.test; a=b\n", None),
        ("\u0661.test", None),
        ("ca.test\x00", None),
    ],
)
def test_the_grammar_of_an_issue_value(value: str, expected: object) -> None:
    assert parse_issue_value(value) == expected


@given(st.text(st.sampled_from("aZ9-.=; \t%\u00e9"), max_size=16))
@settings(max_examples=300)
def test_any_value_is_parsed_or_names_nobody(value: str) -> None:
    parsed = parse_issue_value(value)
    if parsed is not None:
        issuer, parameters = parsed
        again = issuer + ";" + ";".join(f"{name}={text}" for name, text in parameters)
        assert parse_issue_value(again) == parsed


def test_long_values_do_not_cost_much() -> None:
    """Nothing in the patterns goes back and forth: a value of the size of a DNS message is judged at once."""
    for value in (
        "a" * 65000,
        "a-" * 32000 + "%",
        "-" * 65000,
        ";" * 65000,
        "a;" + "a-" * 32000,
        "a;" + "a=b;" * 16000,
        " " * 65000 + "%",
    ):
        parse_issue_value(value)
