"""RFC 9810 section 5.1.3: protection of requests, which has to hold, and of replies, which is verified."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtensionOID

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, asked, negative, rev_details
from conformance.cmp.message import Body, Draft
from conformance.cmp.mutations import Mutation, bad_protection, header, protected_before
from conformance.cmp.protection import Pbm, Pbmac1, Signer, Unprotected
from conformance.examination import Unsupported
from conformance.verdict import Level

_PART = "rfc9810:5.1.3#protected-part"
_ALG = "rfc9810:5.1.1#protection-alg"
_CLAUSE = "RFC 9810 section 5.1.3"
_CHECK = {"badMessageCheck"}
_DELEGATES = {"1.3.6.1.5.5.7.3.27", "1.3.6.1.5.5.7.3.28"}
"""Extended key usages cmcCA and cmcRA (RFC 6402 section 2.10)."""


def by_mac(lab: CmpLab) -> Draft:
    """An ir under the shared secret."""
    return lab.ir(protection=lab.mac)


def by_signature(lab: CmpLab) -> Draft:
    """A genm under a signature, which leaves nothing behind."""
    return lab.genm(asked(2), protection=lab.signer)


negative(
    "cmp.protection.bad-mac",
    "An ir with one bit of its MAC changed is refused",
    covers=[_PART],
    control=by_mac,
    mutation=bad_protection(),
    failures=_CHECK,
    kills=["cmp.protection.mac-unchecked"],
)
negative(
    "cmp.protection.empty-mac",
    "An ir whose MAC is cut to its first octet is refused",
    covers=[_PART],
    control=by_mac,
    mutation=header("one octet of the MAC", _CLAUSE, value=lambda draft: draft.protected()[:1]),
    failures=_CHECK,
    kills=["cmp.protection.mac-unchecked", "cmp.protection.mac-prefix"],
)
negative(
    "cmp.protection.bad-signature",
    "A message with one bit of its signature changed is refused",
    covers=[_PART],
    control=by_signature,
    mutation=bad_protection(),
    failures=_CHECK,
    kills=["cmp.protection.signature-unchecked"],
)
negative(
    "cmp.protection.header-changed",
    "A header that was changed after the message was protected is noticed",
    covers=[_PART],
    control=by_mac,
    mutation=protected_before("senderNonce changed under the same MAC", _CLAUSE, sender_nonce=b"another nonce..."),
    failures=_CHECK,
    kills=["cmp.protection.mac-unchecked"],
)


def _other_subject(draft: Draft) -> Draft:
    other = replace(draft.requests[0], subject=crmf.common_name("somebody-else.conformance.test"))
    return replace(draft, value=draft.protected(), requests=(other,))


negative(
    "cmp.protection.body-changed",
    "A body that was changed after the message was protected is noticed",
    covers=[_PART],
    control=by_mac,
    mutation=Mutation("another request under the same MAC", _CLAUSE, _other_subject),
    failures=_CHECK,
    kills=["cmp.protection.mac-unchecked"],
)
negative(
    "cmp.protection.wrong-secret",
    "An ir under another secret than that of its reference is refused",
    covers=[_PART],
    control=by_mac,
    mutation=header("another secret", _CLAUSE, protection=lambda draft: replace(draft.protection, secret=b"not the secret")),
    failures=_CHECK,
    kills=["cmp.protection.mac-unchecked"],
)
negative(
    "cmp.protection.unknown-reference",
    "An ir with a reference that nobody has is refused",
    covers=[_PART],
    control=by_mac,
    mutation=header("an unknown reference", _CLAUSE, kid=b"nobody-has-this"),
    failures=_CHECK,
    kills=["cmp.protection.any-reference"],
)
negative(
    "cmp.protection.none",
    "A request without protection is refused",
    covers=[_PART],
    control=lambda lab: lab.ir(),
    mutation=header("no protection", _CLAUSE, protection=Unprotected()),
    failures={"badMessageCheck", "wrongIntegrity", "badRequest", "notAuthorized"},
    level=Level.MAY,
    kills=["cmp.protection.none-needed"],
)
negative(
    "cmp.protection.algorithm-without-value",
    "protectionAlg without protection is refused",
    covers=[_ALG],
    control=by_mac,
    mutation=header("no value of the protection", _CLAUSE, value=b""),
    failures={"badMessageCheck", "badDataFormat", "wrongIntegrity", "badRequest"},
    kills=["cmp.protection.none-needed"],
)
negative(
    "cmp.protection.value-without-algorithm",
    "Protection without protectionAlg is refused",
    covers=[_ALG],
    control=by_mac,
    mutation=header("no protectionAlg", _CLAUSE, algorithm=b""),
    failures={"badMessageCheck", "badDataFormat", "badAlg", "wrongIntegrity", "badRequest"},
    kills=["cmp.protection.none-needed"],
)
negative(
    "cmp.protection.other-algorithm",
    "A MAC that protectionAlg calls a signature is refused",
    covers=[_ALG],
    control=by_mac,
    mutation=header("protectionAlg ecdsa-with-SHA256", _CLAUSE, algorithm=der.algorithm("1.2.840.10045.4.3.2")),
    failures={"badMessageCheck", "badAlg", "wrongIntegrity"},
    kills=["cmp.protection.signature-without-certificate"],
)
negative(
    "cmp.protection.unknown-algorithm",
    "An algorithm that nobody knows protects nothing",
    covers=[_ALG],
    control=by_signature,
    mutation=header("protectionAlg 1.2.3.4", _CLAUSE, algorithm=der.algorithm("1.2.3.4")),
    failures={"badAlg", "badMessageCheck"},
    kills=["cmp.protection.unknown-algorithm-accepted"],
)
negative(
    "cmp.protection.few-iterations",
    "A password-based MAC of 99 iterations is refused",
    covers=["rfc4211:4.4#iterations"],
    control=by_mac,
    mutation=header("99 iterations", "RFC 4211 section 4.4", protection=lambda draft: replace(draft.protection, iterations=99)),
    failures={"badAlg"},
    kills=["cmp.protection.few-iterations"],
)


def _many(draft: Draft) -> Draft:
    mac = draft.protection
    assert isinstance(mac, Pbm)
    return replace(draft, algorithm=replace(mac, iterations=1 << 40).algorithm, value=draft.protected())


negative(
    "cmp.protection.many-iterations",
    "A password-based MAC of a million million iterations is refused at once",
    covers=["rfc4211:4.4#iterations"],
    control=by_mac,
    mutation=Mutation("2^40 iterations", "RFC 4211 section 4.4", _many),
    failures={"badAlg"},
    level=Level.MAY,
    kills=["cmp.protection.many-iterations"],
)
negative(
    "cmp.protection.other-sender",
    "A signed message whose sender is not the subject of its certificate is refused",
    covers=[_PART],
    control=by_signature,
    mutation=header("another sender", _CLAUSE, sender=der.directory_name(crmf.common_name("somebody else"))),
    failures=_CHECK,
    level=Level.MAY,
    kills=["cmp.protection.sender-unchecked"],
)
negative(
    "cmp.protection.other-sender-kid",
    "A signed message whose senderKID is not the key identifier of its certificate is refused",
    covers=[_PART],
    control=by_signature,
    mutation=header("another senderKID", _CLAUSE, kid=b"another key identifier"[:20]),
    failures=_CHECK,
    level=Level.MAY,
    kills=["cmp.protection.sender-unchecked"],
)


def _foreign(lab: CmpLab) -> Mutation:
    """A signer that looks the same and was certified by itself."""
    known, key = lab.signer, lab.key()
    now = lab.shared.now()
    subject = known.certificate.subject
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=30))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return header("a signer that nobody certified", _CLAUSE, protection=Signer(builder.sign(key, hashes.SHA256()), key))


negative(
    "cmp.protection.untrusted-signer",
    "A signature by a certificate that nobody issued is refused",
    covers=[_PART],
    control=by_signature,
    mutation=_foreign,
    failures={"signerNotTrusted", "badMessageCheck", "notAuthorized"},
    kills=["cmp.protection.any-signer"],
)


def _revoked(lab: CmpLab) -> Mutation:
    device = lab.enroll()
    lab.ask(lab.revoking(rev_details(device.certificate), protection=device.signer))
    return header("a signer that was revoked", _CLAUSE, protection=device.signer)


negative(
    "cmp.protection.revoked-signer",
    "A signature by a revoked certificate is refused",
    covers=[_PART],
    control=by_signature,
    mutation=_revoked,
    failures={"signerNotTrusted", "certRevoked", "badMessageCheck", "notAuthorized"},
    kills=["cmp.protection.revoked-signer"],
)
negative(
    "cmp.protection.confirmed-by-another",
    "A certConf that is protected by other credentials than its ir is refused",
    covers=["rfc9810:5.1.1#transaction-id-kept"],
    control=lambda lab: lab.confirmation(lab.unconfirmed()),
    mutation=lambda lab: header("the signature of another device", _CLAUSE, protection=lab.signer),
    failures={"badMessageCheck", "wrongIntegrity", "notAuthorized", "badRequest"},
    level=Level.MAY,
    kills=["cmp.protection.other-credentials"],
)


def _verified(lab: CmpLab, answer: Answer, kind: str, requirement: str) -> None:
    why = lab.unverified(answer)
    name = "nothing" if answer.reply is None else answer.reply.body.name.lower()
    if lab.check(not why, f"the protection of the {name}: {why}", requirement):
        lab.check(lab.verified(answer) == kind, f"the {name} is protected by a {lab.verified(answer)}", requirement)


_ANSWERS = "rfc9810:4.2.1.2#answers-authenticated"


@case(
    "cmp.protection.replies-by-mac",
    covers=[_PART, _ANSWERS],
    kills=["cmp.protection.reply-mac-wrong", "cmp.protection.replies-unprotected", "cmp.protection.reply-mac-of-a-part"],
)
def replies_by_mac(lab: CmpLab) -> None:
    """What answers requests under a secret verifies under that secret: ip, pkiConf, and a refusal."""
    granted = lab.unconfirmed(protection=lab.mac)
    _verified(lab, granted, "mac", _ANSWERS)
    _verified(lab, lab.ask(lab.confirmation(granted)), "mac", _PART)
    refused = lab.send(lab.draft(Body.CERTCONF, content=der.sequence(), protection=lab.mac))
    why = lab.unverified(refused)
    lab.check(not why, f"the protection of an error: {why}", _ANSWERS)


@case(
    "cmp.protection.replies-by-signature",
    covers=[_PART, _ANSWERS],
    kills=["cmp.protection.reply-signature-wrong", "cmp.protection.replies-unprotected"],
)
def replies_by_signature(lab: CmpLab) -> None:
    """What answers signed requests is signed by who leads to the trust anchor: genp, and a refusal."""
    _verified(lab, lab.ask(lab.genm(asked(2), protection=lab.signer)), "signature", _ANSWERS)
    _verified(lab, lab.send(lab.draft(Body.CERTCONF, content=der.sequence(), protection=lab.signer)), "signature", _PART)


@case(
    "cmp.protection.stranger-gets-no-mac",
    covers=[_ANSWERS],
    kills=["cmp.protection.stranger-gets-mac"],
)
def stranger_gets_no_mac(lab: CmpLab) -> None:
    """The refusal of a wrong MAC is no MAC under the right secret, against which a stranger could guess it."""
    right = lab.mac
    lab.settle(lab.unconfirmed(protection=right))
    wrong = replace(right, secret=secrets.token_bytes(12))
    refused = lab.send(lab.ir(protection=wrong))
    lab.require(refused.reply is not None and refused.reply.refused, f"an ir under a wrong secret gives {refused}")
    given = lab.unverified(replace(refused, draft=replace(refused.draft, protection=right)))
    by_mac = refused.reply is not None and refused.reply.sender_kid == right.kid
    lab.check(given or not by_mac, "the refusal of a wrong MAC is protected under the right secret")


@case("cmp.protection.delegate", covers=["rfc9810:4.5#delegate"], kills=["cmp.protection.delegate-for-another-use"])
def delegate(lab: CmpLab) -> None:
    """Who signs replies is the CA, or was certified by it for that (cmcCA or cmcRA)."""
    device = lab.device
    answer = lab.ask(lab.genm(asked(2), protection=device.signer))
    assert answer.reply is not None
    lab.require(lab.unverified(answer) == "", f"the genp is not signed: {lab.unverified(answer)}")
    signer = x509.load_der_x509_certificate(answer.reply.extra_certs[0])
    if signer.subject == device.certificate.issuer:
        lab.check(True, "the CA signs by itself")
        return
    lab.check(signer.issuer == device.certificate.issuer, f"the signer was certified by {signer.issuer.rfc4514_string()}")
    try:
        usage = signer.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    except x509.ExtensionNotFound:
        lab.check(False, "the signer's certificate has no extended key usage")
        return
    assert isinstance(usage, x509.ExtendedKeyUsage)
    found = {one.dotted_string for one in usage}
    lab.check(found & _DELEGATES, f"the extended key usages of the signer are {', '.join(sorted(found))}")


@case(
    "cmp.protection.parameters-constant",
    covers=["rfc9810:5.1.3.1#parameters-constant", "rfc4211:4.4#salt"],
    kills=["cmp.protection.fresh-parameters", "cmp.protection.short-salt"],
)
def parameters_constant(lab: CmpLab) -> None:
    """The parameters of the MACs of one transaction stay the same, and their salt has 8 octets at least."""
    granted = lab.unconfirmed(protection=lab.mac)
    confirmed = lab.ask(lab.confirmation(granted))
    assert granted.reply is not None
    assert confirmed.reply is not None
    first, second = granted.reply.algorithm, confirmed.reply.algorithm
    lab.require(first is not None and second is not None, "the replies are not protected")
    lab.check(first == second, "the ip and the pkiConf have other parameters of their MAC")
    if first is not None:
        salt = der.element(first[1]).children[0].content
        lab.check(len(salt) >= 8, f"the salt has {len(salt)} octets", "rfc4211:4.4#salt")


@case("cmp.protection.pbmac1", covers=[_PART], feature="pbmac1", kills=["cmp.protection.pbmac1-iterations"])
def pbmac1(lab: CmpLab) -> None:
    """PBMAC1 (RFC 9481 section 6.1.2) protects an ir, and its ip."""
    mac = lab.mac
    answer = lab.send(lab.ir(protection=Pbmac1(mac.reference, mac.secret)))
    failures = {name for status in (answer.reply.statuses if answer.reply else ()) for name in status.failures}
    if failures & {"badAlg", "wrongIntegrity"}:
        raise Unsupported(f"PBMAC1 is not supported: {answer}")
    lab.require(not lab.denied(answer), f"an ir under PBMAC1 gives {answer}")
    _verified(lab, answer, "mac", _PART)
    lab.settle(answer)
