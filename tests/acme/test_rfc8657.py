"""CAA parameters that bind a property to an account or a method."""

from __future__ import annotations

import pytest

from privca.acme.rfc8657 import satisfied

ACCOUNT = "https://ca1.example.test/acme/acct/1"
OTHER = "https://ca1.example.test/acme/acct/2"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param([], True, id="no parameters"),
        pytest.param([("account", "230123")], True, id="neither of ours"),
        pytest.param([("accounturi", ACCOUNT)], True, id="the account"),
        pytest.param([("accounturi", OTHER)], False, id="another account"),
        pytest.param([("accounturi", ACCOUNT + "/")], False, id="a slash more"),
        pytest.param([("accounturi", ACCOUNT.upper())], False, id="other case"),
        pytest.param([("accounturi", "")], False, id="no URI"),
        pytest.param([("accounturi", "no uri at all")], False, id="invalid URI"),
        pytest.param([("accounturi", ACCOUNT), ("accounturi", ACCOUNT)], False, id="the account twice"),
        pytest.param([("accounturi", ACCOUNT), ("accounturi", OTHER)], False, id="two accounts"),
        pytest.param([("AccountURI", OTHER)], False, id="restricts however it is spelled"),
        pytest.param([("validationmethods", "dns-01")], True, id="the method"),
        pytest.param([("validationmethods", "http-01,dns-01,ca-email")], True, id="one of the methods"),
        pytest.param([("validationmethods", "http-01")], False, id="another method"),
        pytest.param([("validationmethods", "")], False, id="no method"),
        pytest.param([("validationmethods", "dns")], False, id="beginning of the method"),
        pytest.param([("validationmethods", "dns-01,")], False, id="comma at the end"),
        pytest.param([("validationmethods", ",dns-01")], False, id="comma in front"),
        pytest.param([("validationmethods", "dns-01,,http-01")], False, id="two commas"),
        pytest.param([("validationmethods", "dns_01,dns-01")], False, id="a label that is none"),
        pytest.param([("validationmethods", "DNS-01")], False, id="labels have case"),
        pytest.param([("ValidationMethods", "http-01")], False, id="restricts however it is spelled, methods"),
        pytest.param(
            [("validationmethods", "dns-01"), ("validationmethods", "http-01")], False, id="two lists: both must let it pass"
        ),
        pytest.param([("accounturi", ACCOUNT), ("validationmethods", "dns-01")], True, id="both right"),
        pytest.param([("accounturi", ACCOUNT), ("validationmethods", "http-01")], False, id="account right, method wrong"),
        pytest.param([("accounturi", OTHER), ("validationmethods", "dns-01")], False, id="account wrong, method right"),
    ],
)
def test_what_parameters_let_pass(parameters: list[tuple[str, str]], expected: bool) -> None:
    assert satisfied(parameters, ACCOUNT, "dns-01") is expected
