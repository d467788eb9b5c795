"""``privca.toml``: every error names the place and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.cli import lab
from privca.config import ConfigurationError, Lab, Server, Validation, host_and_port, load, load_profiles

GOOD = """
[ca.root]
subject = { CN = "Root" }

[ca.issuing]
subject = { CN = "Issuing" }
parent = "root"

[template.tls]

[profile.web]
protocol = "acme"
issuer = "issuing"
template = "tls"
authentication = ["account"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "privca.toml"
    file.write_text(GOOD)
    return file


def test_what_is_not_written_has_its_default(path: Path) -> None:
    config = load(path)
    assert config.server == Server()
    assert config.store.durable
    assert config.lab is None
    assert config.profile["web"].validity == "90d"
    assert config.file("x") == path.parent / "x"
    assert config.file("/x") == Path("/x")


def test_a_new_lab_is_what_was_asked_for(path: Path) -> None:
    server = Server(bind=("127.0.0.1",), hosts=('we"ird', "x.test"), https_port=1, http_port=2, admin_port=3, workers=4)
    path.write_text(
        lab.text(
            server, Validation(http01_port=5, tlsalpn01_port=6, resolver="192.0.2.1:53"), Lab(resolver=False, resolver_port=7)
        )
    )
    with pytest.raises(ConfigurationError, match="is neither a DNS name nor an IP address"):
        load(path)
    server = Server(bind=("127.0.0.1",), hosts=("x.test",), https_port=1, http_port=2, admin_port=3, workers=4)
    validation = Validation(http01_port=5, tlsalpn01_port=6, resolver="192.0.2.1:53", allow=("0.0.0.0/0", "::/0"))
    path.write_text(lab.text(server, validation, Lab(resolver=False, resolver_port=7)))
    config = load(path)
    assert (config.server, config.validation, config.lab) == (server, validation, Lab(resolver=False, resolver_port=7))
    assert list(config.ca) == ["lab-root", "lab-ec", "lab-rsa"]


def test_two_labs_can_be_told_apart() -> None:
    first, second = (lab.text(Server(), Validation(), Lab()) for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ("[server]\nhtps_port = 1\n", "[server]: there is no key 'htps_port' (did you mean 'https_port'?)"),
        ("[server]\nhttps_port = 70000\n", "[server] https_port = 70000 is no port; write a number from 1 to 65535"),
        ("[server]\nhttps_port = 'x'\n", "[server]: https_port: Expected 'int', got 'str'"),
        ("[server]\nbind = ['localhost']\n", "'localhost' is not an IP address"),
        ("[server]\nbind = []\n", "bind and hosts need at least one entry each"),
        ("[server]\nhosts = ['a_b']\n", "'a_b' is neither a DNS name nor an IP address"),
        ("[server]\nhosts = ['Example.test']\n", "'Example.test' is written 'example.test'"),
        ("[server]\nworkers = 0\n", "workers = 0; write a number from 1 to 64"),
        ("[validation]\nresolver = '192.0.2.1'\n", "'192.0.2.1' is not ADDRESS:PORT"),
        ("[validation]\nresolver = 'dns.test:53'\n", "'dns.test' is not an IP address"),
        ("[validation]\nallow = ['10.1.0.0/8']\n", "10.1.0.0/8 has host bits set; write a block as"),
        ("[stor]\n", "there is no table [stor] (did you mean 'store'?)"),
        ("[ca.Upper]\nsubject = { CN = 'x' }\n", "the name of a CA is [a-z0-9]"),
        ("[ca.x]\n", "[ca.x]: the key 'subject' is missing"),
        ("[ca.x]\nsubject = {}\n", "[ca.x]: subject: is empty"),
        ("[ca.x]\nsubject = { CX = 'x' }\n", "[ca.x]: subject.CX: is not a subject attribute"),
        ("[ca.x]\nsubject = { CN = 'x' }\nparent = 'rot'\n", "parent: 'rot' is not a CA (did you mean 'root'?)"),
        (
            "[ca.x]\nsubject = { CN = 'x' }\nparent = 'y'\n[ca.y]\nsubject = { CN = 'y' }\nparent = 'x'\n",
            "its parents form a circle",
        ),
        ("[ca.x]\nsubject = { CN = 'x' }\nkey = 'DES'\n", "[ca.x]: key: there is no choice 'DES'"),
        ("[ca.x]\nsubject = { CN = 'x' }\nvalidity = '1month'\n", "[ca.x]: validity: '1month' is not a duration"),
        ("[template.x]\nkey_usge = []\n", "[template.x]: there is no key 'key_usge' (did you mean 'key_usage'?)"),
        (
            "[profile.x]\nacme = { nonce_lif = '1h' }\n",
            "[profile.x]: there is no key 'acme.nonce_lif' (did you mean 'nonce_life'?)",
        ),
        ("[profile.web.names]\nmaximum = 'x'\n", "[profile.web]: names.maximum: Expected 'int', got 'str'"),
        ("[profile]\nx = 1\n", "[profile.x]: Expected 'table', got 'int'"),
    ],
)
def test_an_error_names_the_place_and_the_cure(path: Path, addition: str, told: str) -> None:
    path.write_text(GOOD + addition)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert told in str(caught.value)
    assert "privca.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"acme"', '"est"', "'account' is not for est"),
        (
            'issuer = "issuing"',
            'issuer = "isuing"',
            "issuer: 'isuing' is not a CA (did you mean 'issuing'?); the CAs are issuing, root",
        ),
        ('template = "tls"', 'template = "tsl"', "template: 'tsl' is not there (did you mean 'tls'?)"),
        ('["account"]', "[]", "authentication: is empty"),
        ('["account"]', '["otp"]', "authentication: 'otp' is not for acme; choose from account, eab, open"),
        ('["account"]', '["open"]', "exists only in a lab"),
        ('["account"]', '["account"]\nvalidity = "x"', "[profile.web]: validity: 'x' is not a duration"),
        ('["account"]', '["account"]\nacme = { order_life = "x" }', "[profile.web]: acme.order_life: 'x' is not a duration"),
        ('["account"]', '["account"]\nnames = { permitted_dns = ["a b"] }', "[profile.web]: names.permitted_dns: 'a b'"),
        ("[profile.web]", "[profile.cacerts]", "never the name of an EST or CMP operation"),
        ("[profile.web]", "[profile.Web]", "a profile ID is [a-z0-9]"),
        (
            "[template.tls]",
            '[template.tls]\nextended_key_usage = ["flying"]',
            "[template.tls]: extended_key_usage: 'flying' is not an OID",
        ),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert told in str(caught.value)


def test_open_is_for_labs(path: Path) -> None:
    path.write_text(GOOD.replace('["account"]', '["open"]') + "[lab]\n")
    assert load(path).profile["web"].authentication == ("open",)


@pytest.mark.parametrize(("octets", "told"), [(b"\xff", "is not UTF-8"), (b"[", "is not TOML")])
def test_what_is_no_toml(path: Path, octets: bytes, told: str) -> None:
    path.write_bytes(octets)
    with pytest.raises(ConfigurationError, match=told):
        load(path)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load(tmp_path / "privca.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("server", "https"),
    [
        (Server(), "https://127.0.0.1:8443"),
        (Server(hosts=("ca.test",), https_port=443), "https://ca.test"),
        (Server(hosts=("2001:db8::1",)), "https://[2001:db8::1]:8443"),
    ],
)
def test_urls_begin_with_the_first_host(server: Server, https: str) -> None:
    assert server.https_url == https


@settings(max_examples=100, deadline=None)
@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_address_with_port_is_read_back(address: object, port: int) -> None:
    text = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    assert host_and_port(text, "x") == (str(address), port)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    told = "place: "
    try:
        host_and_port(text, "place")
    except ConfigurationError as error:
        told = str(error)
    assert told.startswith("place: ")


def test_a_file_of_profiles_has_one(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "profiles.toml"
    other.write_text("[template.x]\n")
    with pytest.raises(ConfigurationError, match="there is no profile in it"):
        load_profiles(other, load(path))


def test_a_family_of_tables_is_no_value(path: Path) -> None:
    path.write_text("ca = 3\n")
    with pytest.raises(ConfigurationError, match=r"write \[ca\.NAME\]"):
        load(path)
