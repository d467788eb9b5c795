"""What a CMP client is told to do (RFC 9810): a table of calls of ``openssl cmp``, which other clients carry out as far as they can.

Placeholders are whole words: ``{server}`` where the service is (``{server6}`` by IPv6, ``{path}`` with the path
by itself, ``{tls}`` over TLS); ``{pbm}`` the shared secret; ``{sig}`` the certificate that the
client got last, and its key; ``{key}`` a fresh key of the scenario's kind; ``{subject}`` and ``{sans}`` the scenario's names; ``{out}`` where
certificate and chain go; ``{old}`` the certificate that it got first; ``{csr}`` a certification request. Inside a word, ``{home}`` is
the client's folder, and ``{serial}``, ``{issuer}`` are those of the certificate that it got first.
"""

from __future__ import annotations

import shlex
from typing import Any

from interop.scenarios.scenario import Outcome, Scenario

IR = "-cmd ir {server} {pbm} {key} {subject} {sans} {out}"
"""A first certificate, with the shared secret."""


def _ask(id: str, title: str, *calls: tuple[str, str], outcome: Outcome = "issued", **more: Any) -> Scenario:
    """One scenario: ``calls`` are pairs of action and arguments."""
    return Scenario(
        id=f"cmp-{id}",
        protocol="cmp",
        title=title,
        actions=tuple(action for action, _ in calls),
        commands=tuple(tuple(shlex.split(arguments)) for _, arguments in calls),
        outcome=outcome,
        **{"credential": "right", **more},
    )


def _ir(id: str, title: str, more: str, **options: Any) -> Scenario:
    return _ask(id, title, ("issue", f"{IR} {more}"), **options)


def _after(id: str, title: str, action: str, arguments: str, **options: Any) -> Scenario:
    """Something that a client does with a certificate that it has."""
    return _ask(id, title, ("issue", IR), (action, arguments), **options)


def _refused(id: str, title: str, refusal: str, *calls: tuple[str, str], control: str = "cmp-ir", **options: Any) -> Scenario:
    return _ask(id, title, *calls, outcome="refused", control=control, refusal=refusal, **options)


REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    9: "privilegeWithdrawn",
}
"""CRLReason (RFC 5280 section 5.3.1) that a client may give, as ``-revreason`` has it."""
RR = "-cmd rr {server} {sig} {old}"

ENROLLMENTS = (
    _ir("ir", "ir with a shared secret, confirmed by certConf", ""),
    _ir("ir-mac-sha256", "PBM with HMAC-SHA-256 over SHA-512", "-mac hmacWithSHA256 -digest sha512"),
    _ir("ir-digest-sha384", "PBM over SHA-384", "-digest sha384"),
    _ir("ir-mac-sha512", "PBM with HMAC-SHA-512", "-mac hmacWithSHA512"),
    _after(
        "ir-signature",
        "ir signed with a certificate",
        "renew",
        "-cmd ir {server} {sig} {key} {subject} {sans} {out}",
        outcome="renewed",
    ),
    _ir("ir-implicit", "implicit confirmation asked for", "-implicit_confirm"),
    _ir("ir-no-confirm", "a client that never confirms", "-disable_confirm"),
    _ask(
        "ir-sans",
        "DNS name, IP address and URI",
        ("issue", "-cmd ir {server} {pbm} {key} {subject} {sans} {out}"),
        names=("{label}.example.test", "127.0.0.1", "https://{label}.example.test/u"),
    ),
    # OpenSSL leaves the subject out of the template, and poposkInput as well, which RFC 4211 section 4.1 asks for then.
    _ask("ir-null-subject", "names, and no subject", ("issue", "-cmd ir {server} {pbm} {key} -subject / {sans} {out}")),
    _ir("ir-days", "one day of validity", "-days 1"),
    _ir("ir-days-many", "more days than the profile gives", "-days 36500"),
    _ask(
        "ir-extensions",
        "extensions from a file",
        ("issue", "-config {home}/extensions.cnf -section cmp -cmd ir {server} {pbm} {key} {subject} -reqexts wanted {out}"),
    ),
    _ir("ir-policy", "a certificate policy", "-policy_oids 1.2.3.4"),
    _ask("ir-issuer", "the issuer by its name", ("signer", IR), ("issue", f"{IR} -issuer {{issuer}}")),
    _ir("ir-profile", "the certificate profile by its name", "-profile lab-cmp"),
    _ir("ir-geninfo", "generalInfo that nobody knows", "-geninfo 1.2.3:int:987"),
    *(
        _ir(f"ir-{key}", f"a key of kind {key}", "", key=key, variant="cmp-keys")
        for key in ("rsa2048", "rsa3072", "rsa4096", "ec384", "ec521", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87")
    ),
    _ir("ir-keep-alive", "a connection that must persist", "-keep_alive 2"),
    _ir("ir-no-keep-alive", "a connection for each message", "-keep_alive 0"),
    _ask("ir-path", "the path by itself", ("issue", "-cmd ir {path} {pbm} {key} {subject} {sans} {out}")),
    _ask("ir-ipv6", "over IPv6", ("issue", "-cmd ir {server6} {pbm} {key} {subject} {sans} {out}")),
    _ask("ir-tls", "over TLS", ("issue", "-cmd ir {tls} {pbm} {key} {subject} {sans} {out}")),
    _ask(
        "ir-ra",
        "a registration authority that has verified possession (raVerified)",
        ("signer", IR),
        ("issue", "-cmd ir {server} {sig} {key} {subject} {sans} -popo 0 {out}"),
        variant="cmp-ra",
    ),
    _ir("ir-repeat", "three transactions of one process", "-repeat 3"),
    _ir("ir-keyenc", "possession of an RSA key proven by decryption (encrCert)", "-popo 2", key="rsa2048", variant="cmp-keys"),
    _ask(
        "ir-central",
        "a key that the server makes",
        ("signer", IR),
        ("issue", "-cmd ir {server} {sig} {subject} {sans} -centralkeygen -newkeyout {home}/issue.key.pem {out}"),
        key="rsa2048",  # which can decipher what comes
        variant="cmp-central",
    ),
    _ir(
        "pending",
        "waiting until a person approves, and no question before checkAfter (RFC 9810 section 5.3.22)",
        "",
        variant="cmp-approval",
        approved=True,
        thinking=3,
        provoked="-> waiting",
        pause=2,
        must_wait=True,
    ),
    _after(
        "cr", "cr signed with a certificate", "renew", "-cmd cr {server} {sig} {key} {subject} {sans} {out}", outcome="renewed"
    ),
    _after("kur", "kur: the certificate for a new key", "renew", "-cmd kur {server} {sig} {old} {key} {out}", outcome="renewed"),
    _after(
        "kur-plain", "kur without naming the old certificate", "renew", "-cmd kur {server} {sig} {key} {out}", outcome="renewed"
    ),
    _ask("p10cr", "p10cr with a shared secret", ("issue", "-cmd p10cr {server} {pbm} {csr} {out}")),
    _after(
        "p10cr-signature", "p10cr signed with a certificate", "renew", "-cmd p10cr {server} {sig} {csr} {out}", outcome="renewed"
    ),
)
REVOCATIONS = (
    *(
        _after(f"rr-{number}", f"revocation: {reason}", "revoke", f"{RR} -revreason {number}", outcome="revoked", reason=reason)
        for number, reason in REASONS.items()
    ),
    _after("rr-none", "revocation without a reason", "revoke", f"{RR} -revreason -1", outcome="revoked"),
    _ask(
        "rr-release",
        "a hold, and its end (removeFromCRL)",
        ("issue", IR),
        ("hold", "-cmd rr {server} {pbm} {old} -revreason 6"),
        # Who put it on hold releases it, and a certificate on hold signs nothing.
        ("release", "-cmd rr {server} {pbm} {old} -revreason 8"),
        outcome="restored",
    ),
    _ask(
        "rr-csr",
        "revocation by the public key of a request",
        ("issue", "-cmd p10cr {server} {pbm} {csr} {out}"),
        ("revoke", "-cmd rr {server} {sig} -csr {home}/issue.csr.der"),
        outcome="revoked",
    ),
    _after(
        "rr-serial",
        "revocation by issuer and serial number",
        "revoke",
        "-cmd rr {server} {sig} -issuer {issuer} -serial 0x{serial}",
        outcome="revoked",
    ),
)
GENERAL = (
    _ask("genm-empty", "genm with nothing in it", ("ask", "-cmd genm {server} {pbm}"), outcome="answered"),
    _ask(
        "genm-sign-keys",
        "which keys may sign",
        ("ask", "-cmd genm {server} {pbm} -infotype signKeyPairTypes"),
        outcome="answered",
    ),
    _ask(
        "genm-cacerts",
        "the CA's certificates",
        ("ask", "-cmd genm {server} {pbm} -infotype caCerts -cacertsout {home}/cacerts.pem"),
        outcome="answered",
        holds={"cacerts.certificates": "ca-certificates"},
    ),
    _ask(
        "genm-root",
        "whether there is a new root",
        ("ask", "-cmd genm {server} {pbm} -infotype rootCaCert -oldwithold {trust} -newwithnew {home}/new.pem"),
        outcome="answered",
    ),
    _ask(
        "genm-template",
        "what a request should hold",
        ("ask", "-cmd genm {server} {pbm} -infotype certReqTemplate -template {home}/template.der"),
        outcome="answered",
        holds={"template.template": "template"},
    ),
    _ask(
        "genm-delayed",
        "an answer that comes later: waiting, and pollReq",
        ("ask", "-cmd genm {server} {pbm} -infotype caCerts -cacertsout {home}/cacerts.pem"),
        outcome="answered",
        variant="cmp-delayed",
        holds={"cacerts.certificates": "ca-certificates"},
    ),
    _after(
        "rr-delayed",
        "a revocation that comes later",
        "revoke",
        f"{RR} -revreason 1",
        outcome="revoked",
        reason="keyCompromise",
        variant="cmp-delayed",
    ),
    _ask(
        "genm-crl",
        "the CRL of a certificate's CA",
        ("issue", IR),
        ("ask", "-cmd genm {server} {sig} -infotype crlStatusList -crlcert {home}/issue.pem -crlout {home}/crl.der"),
        holds={"crl.crl": "crl"},
    ),
)
REFUSALS = (
    _refused("wrong-secret", "a wrong secret", "(?i)badMessageCheck", ("issue", IR), credential="wrong"),
    _refused(
        "unknown-reference",
        "a reference that nobody has",
        "(?i)badMessageCheck|signerNotTrusted",
        ("issue", IR),
        credential="unknown",
    ),
    _refused(
        "unprotected",
        "a request without protection",
        "(?i)badMessageCheck|badRequest|notAuthorized|missing protection",
        ("issue", f"{IR} -unprotected_requests"),
    ),
    _refused(
        "stranger",
        "a signer whom nobody certified",
        "(?i)badMessageCheck|notAuthorized|signerNotTrusted",
        ("issue", "-cmd ir {server} {stranger} {key} {subject} {sans} {out}"),
    ),
    _refused("ra-verified", "raVerified from an end entity", "(?i)badPOP", ("issue", f"{IR} -popo 0")),
    *(
        _refused(
            f"rr-{number}",
            f"a reason that is a CA's to give: {reason}",
            "(?i)badRequest",
            ("issue", IR),
            ("revoke", f"{RR} -revreason {number}"),
            control="cmp-rr-1",
        )
        for number, reason in ((2, "cACompromise"), (10, "aACompromise"))
    ),
    _refused(
        "rr-wrong-serial",
        "revocation of a certificate that is not there",
        "(?i)badCertId",
        ("issue", IR),
        ("revoke", "-cmd rr {server} {sig} -issuer {issuer} -serial 0x1234567890abcdef"),
        control="cmp-rr-serial",
    ),
    _refused(
        "rr-wrong-issuer",
        "revocation under another issuer",
        "(?i)badCertId",
        ("issue", IR),
        ("revoke", "-cmd rr {server} {sig} -issuer /CN=nobody -serial 0x{serial}"),
        control="cmp-rr-serial",
    ),
    _refused(
        "rr-twice",
        "a second revocation of the same certificate",
        "(?i)certRevoked",
        ("issue", IR),
        ("revoke", f"{RR} -revreason 4"),
        ("again", "-cmd rr {server} {pbm} {old} -revreason 4"),
        control="cmp-rr-4",
    ),
    _refused(
        "kur-revoked",
        "an update of a revoked certificate, by itself",
        "(?i)badCertId|certRevoked|notAuthorized|signerNotTrusted|badMessageCheck",
        ("issue", IR),
        ("revoke", f"{RR} -revreason 4"),
        ("renew", "-cmd kur {server} {sig} {old} {key} {out}"),
        control="cmp-kur",
    ),
    _refused(
        "kur-foreign",
        "an update of a certificate of another CA",
        "(?i)badCertId|wrongAuthority",
        ("issue", IR),
        ("renew", "-cmd kur {server} {sig} {foreign} {key} {out}"),
        control="cmp-kur",
    ),
    _refused(
        "transaction-in-use",
        "a transaction's first message again",
        "(?i)transactionIdInUse",
        ("issue", f"{IR} -disable_confirm -reqout {{home}}/first.der"),
        ("again", "-cmd ir {server} {pbm} {key} {subject} {sans} -reqin {home}/first.der -certout {home}/again.pem"),
        control="cmp-ir-no-confirm",
    ),
    _refused(
        "infotype-unknown",
        "an InfoType that the client does not know itself",
        "(?i)infotype",
        ("ask", "-cmd genm {server} {pbm} -infotype asdf"),
        control="cmp-genm-sign-keys",
    ),
)
WRONG_ANSWERS = tuple(
    _ask(
        f"reply-{word}",
        title,
        ("issue", IR),
        outcome="noticed",
        fault=f"cmp.{fault}",
        control="cmp-ir",
        transcript=(r"^POST .* 200 .*issued",),
    )
    for word, fault, title in (
        ("mac", "protection.reply-mac-wrong", "an answer whose MAC is wrong"),
        ("unprotected", "protection.replies-unprotected", "an answer that says how it is protected, and is not"),
        ("transaction", "header.transaction-id-own", "an answer with another transactionID"),
        ("nonce", "header.recipient-nonce-own", "an answer with another recipNonce than the request's senderNonce"),
    )
)
SCENARIOS: tuple[Scenario, ...] = (*ENROLLMENTS, *REVOCATIONS, *GENERAL, *REFUSALS, *WRONG_ANSWERS)
