"""What an SCEP client is told to do (RFC 8894)."""

from __future__ import annotations

import functools

from interop.scenarios.scenario import Scenario

_scep = functools.partial(Scenario, protocol="scep", credential="right", key="rsa2048")
REFUSAL = r"(?i)fail[ _-]?info|badRequest|badMessageCheck|status: CA_REJECTED"

SCENARIOS: tuple[Scenario, ...] = (
    _scep(
        id="scep-caps",
        title="the CA's capabilities",
        actions=("caps",),
        outcome="fetched",
        credential="none",
        holds={"caps.text": "text"},
    ),
    _scep(
        id="scep-cacert",
        title="the CA's certificates",
        actions=("cacert",),
        outcome="fetched",
        credential="none",
        holds={"cacert.certificates": "ca-certificates"},
    ),
    _scep(
        id="scep-enroll",
        title="enrollment with a challenge password",
        transcript=(r"operation=PKIOperation.* 200 .*issued",),
        actions=("issue",),
        outcome="issued",
    ),
    _scep(
        id="scep-enroll-sha512",
        title="enrollment with SHA-512",
        actions=("issue",),
        outcome="issued",
        options={"digest": "sha512"},
    ),
    _scep(
        id="scep-enroll-3des-sha1",
        title="enrollment with triple DES and SHA-1, of a profile that allows them",
        actions=("issue",),
        outcome="issued",
        options={"digest": "sha1", "cipher": "des3"},
    ),
    _scep(id="scep-renew", title="a certificate, then its renewal", actions=("issue", "renew"), outcome="renewed"),
    _scep(
        id="scep-wrong-challenge",
        title="a wrong challenge password",
        transcript=(r"operation=PKIOperation.* 200 .*refused",),
        actions=("issue",),
        outcome="refused",
        credential="wrong",
        control="scep-enroll",
        refusal=REFUSAL,
    ),
    _scep(
        id="scep-pending",
        title="PENDING until a person approves, then the certificate",
        transcript=(r"operation=PKIOperation.* 200 .*pending", r"operation=PKIOperation.* 200 .*issued"),
        actions=("issue",),
        outcome="issued",
        variant="scep-approval",
        approved=True,
        options={"poll": "yes"},
        provoked=r"operation=PKIOperation.* 200 .*pending",
        back=r"(GET|POST) \S*operation=PKIOperation",
    ),
    _scep(
        id="scep-getcert",
        title="a certificate, asked for again by its serial number",
        actions=("issue", "getcert"),
        outcome="issued",
        holds={"getcert.certificate": "same-certificate"},
    ),
    _scep(
        id="scep-getcrl",
        title="the CRL of the CA that issued",
        actions=("issue", "getcrl"),
        outcome="issued",
        holds={"getcrl.crl": "crl"},
    ),
    *(
        _scep(
            id=f"scep-reply-{word}",
            title=title,
            transcript=(r"operation=PKIOperation.* 200 .*issued",),
            actions=("issue",),
            outcome="noticed",
            fault=f"scep.reply.{fault}",
            control="scep-enroll",
        )
        for word, fault, title in (
            ("signature", "signature-wrong", "a reply whose signature is wrong"),
            ("nonce", "recipient-nonce-fresh", "a reply with another recipientNonce than the request's senderNonce"),
            ("transaction", "transaction-id-of-its-own", "a reply with another transactionID"),
            ("clear", "in-the-clear", "a reply that is not encrypted"),
        )
    ),
)
