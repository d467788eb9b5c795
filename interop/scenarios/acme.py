"""What an ACME client is told to do."""

from __future__ import annotations

from interop.scenarios.scenario import Scenario

ISSUE = ("issue",)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(id="register", protocol="acme", title="an account and nothing else", actions=("register",), outcome="registered"),
    Scenario(id="http-01", protocol="acme", title="a name proven by http-01", actions=ISSUE, outcome="issued"),
    Scenario(id="dns-01", protocol="acme", title="a name proven by dns-01", actions=ISSUE, outcome="issued", challenge="dns-01"),
    Scenario(
        id="tls-alpn-01",
        protocol="acme",
        title="a name proven by tls-alpn-01",
        actions=ISSUE,
        outcome="issued",
        challenge="tls-alpn-01",
    ),
    Scenario(
        id="names",
        protocol="acme",
        title="three names in one certificate",
        actions=ISSUE,
        outcome="issued",
        names=("{label}.example.test", "www.{label}.example.test", "{label}.other.test"),
    ),
    Scenario(
        id="wildcard",
        protocol="acme",
        title="a wildcard and its base name",
        actions=ISSUE,
        outcome="issued",
        challenge="dns-01",
        names=("{label}.example.test", "*.{label}.example.test"),
    ),
    Scenario(
        id="ip-http-01",
        protocol="acme",
        title="an IP address proven by http-01",
        actions=ISSUE,
        outcome="issued",
        names=("127.0.0.1",),
    ),
    Scenario(
        id="ip-tls-alpn-01",
        protocol="acme",
        title="an IP address proven by tls-alpn-01",
        actions=ISSUE,
        outcome="issued",
        challenge="tls-alpn-01",
        names=("127.0.0.1",),
    ),
    Scenario(
        id="ipv6-http-01",
        protocol="acme",
        title="an IPv6 address proven by http-01",
        actions=ISSUE,
        outcome="issued",
        names=("::1",),
    ),
    *(
        Scenario(
            id=f"key-{key}",
            protocol="acme",
            title=f"a certificate for a key of kind {key}",
            actions=ISSUE,
            outcome="issued",
            key=key,
        )
        for key in ("ec384", "rsa2048", "rsa3072", "rsa4096")
    ),
    Scenario(id="renew", protocol="acme", title="a certificate, then its renewal", actions=("issue", "renew"), outcome="renewed"),
    Scenario(
        id="revoke",
        protocol="acme",
        title="revocation signed with the account key",
        actions=("issue", "revoke"),
        outcome="revoked",
    ),
    Scenario(
        id="revoke-reason",
        protocol="acme",
        title="revocation with reason keyCompromise",
        actions=("issue", "revoke"),
        outcome="revoked",
        reason="keyCompromise",
    ),
    Scenario(
        id="revoke-by-key",
        protocol="acme",
        title="revocation signed with the certificate's key",
        actions=("issue", "revoke-by-key"),
        outcome="revoked",
    ),
    Scenario(
        id="deactivate",
        protocol="acme",
        title="an account, then its end",
        actions=("register", "deactivate"),
        outcome="deactivated",
    ),
    Scenario(id="eab", protocol="acme", title="external account binding", actions=ISSUE, outcome="issued", credential="right"),
    Scenario(
        id="eab-wrong-key",
        protocol="acme",
        title="external account binding with a wrong key",
        actions=ISSUE,
        outcome="refused",
        credential="wrong",
        control="eab",
        refusal="(?i)external account binding",
    ),
)
