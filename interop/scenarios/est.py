"""What an EST client is told to do (RFC 7030)."""

from __future__ import annotations

from typing import Any

from interop.scenarios.scenario import Scenario


def _est(**more: Any) -> Scenario:
    return Scenario(**{"protocol": "est", "credential": "right", **more})


SCENARIOS: tuple[Scenario, ...] = (
    _est(
        id="est-cacerts",
        title="the CA's certificates",
        transcript=(r"^GET \S*/cacerts .* 200 ",),
        actions=("cacerts",),
        outcome="fetched",
        credential="none",
        holds={"cacerts.certificates": "ca-certificates"},
    ),
    _est(
        id="est-csrattrs",
        title="what a request should hold",
        actions=("csrattrs",),
        outcome="fetched",
        variant="est-csrattrs",
        holds={"csrattrs.attributes": "csr-attributes"},
    ),
    _est(
        id="est-enroll",
        title="enrollment with HTTP Basic",
        transcript=(r"^POST \S*/simpleenroll .* 200 .*issued",),
        actions=("issue",),
        outcome="issued",
    ),
    _est(id="est-enroll-rsa2048", title="enrollment of an RSA-2048 key", actions=("issue",), outcome="issued", key="rsa2048"),
    _est(
        id="est-digest",
        title="enrollment with HTTP Digest",
        transcript=(r"^POST \S*/simpleenroll .* 401 ", r"^POST \S*/simpleenroll .* 200 .*issued"),
        actions=("issue",),
        outcome="issued",
        variant="est-digest",
        options={"authentication": "digest"},
    ),
    _est(
        id="est-bearer",
        title="enrollment with a Bearer token",
        actions=("issue",),
        outcome="issued",
        variant="est-bearer",
        options={"authentication": "bearer"},
    ),
    _est(
        id="est-pop",
        title="proof of possession linked to TLS by tls-unique",
        actions=("issue",),
        outcome="issued",
        variant="est-pop",
        options={"proof": "tls-unique"},
    ),
    _est(
        id="est-pop-missing",
        title="the same without the proof",
        actions=("issue",),
        outcome="refused",
        variant="est-pop",
        control="est-pop",
        refusal=r"(?i)\b40[013]\b|bad request|proof|possession",
    ),
    _est(
        id="est-wrong-password",
        title="a wrong password",
        transcript=(r"^POST \S*/simpleenroll .* 401 ",),
        actions=("issue",),
        outcome="refused",
        credential="wrong",
        control="est-enroll",
        refusal="(?i)401|unauthorized|auth_fail",
    ),
    _est(
        id="est-unknown-user",
        title="a user that nobody knows",
        actions=("issue",),
        outcome="refused",
        credential="unknown",
        control="est-enroll",
        refusal="(?i)401|unauthorized|auth_fail",
    ),
    _est(
        id="est-reenroll",
        title="a certificate, then its renewal with that certificate alone",
        transcript=(r"^POST \S*/simplereenroll .* 200 .*issued",),
        actions=("issue", "renew"),
        outcome="renewed",
    ),
    _est(
        id="est-serverkeygen",
        title="a key that the server makes",
        transcript=(r"^POST \S*/serverkeygen .* 200 .*issued",),
        actions=("serverkeygen",),
        outcome="issued",
        variant="est-serverkeygen",
        key="rsa2048",
    ),
    _est(
        id="est-pending",
        title="202 until a person approves, then the certificate",
        transcript=(r"^POST \S*/simpleenroll .* 202 ", r"^POST \S*/simpleenroll .* 200 .*issued"),
        actions=("issue",),
        outcome="issued",
        variant="est-approval",
        approved=True,
        options={"poll": "yes"},
    ),
    _est(
        id="est-retry-after",
        title="202 and Retry-After: the client waits that long (RFC 7030 section 4.2.3)",
        actions=("issue",),
        outcome="issued",
        variant="est-retry-after",
        approved=True,
        thinking=6,
        options={"poll": "yes"},
        provoked=r"^POST \S*/simpleenroll .* 202 ",
        must_wait=True,
    ),
    _est(
        id="est-rfc8951-cacerts",
        title="the CA's certificates, without the Content-Transfer-Encoding that RFC 8951 did away with",
        actions=("cacerts",),
        outcome="fetched",
        variant="est-rfc8951",
        holds={"cacerts.certificates": "ca-certificates"},
    ),
    _est(
        id="est-rfc8951-enroll",
        title="enrollment, without Content-Transfer-Encoding in the reply",
        actions=("issue",),
        outcome="issued",
        variant="est-rfc8951",
    ),
    _est(id="est-tls13", title="enrollment over TLS 1.3 alone", actions=("issue",), outcome="issued", options={"tls": "1.3"}),
    _est(id="est-tls12", title="enrollment over TLS 1.2 alone", actions=("issue",), outcome="issued", options={"tls": "1.2"}),
)
