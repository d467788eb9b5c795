"""RFC 8894 section 3.1: clients whose key cannot decipher, and messages that are encrypted under the challengePassword."""

from __future__ import annotations

from conformance.case import case
from conformance.examination import NotApplicable, Unsupported
from conformance.scep import password
from conformance.scep.applicants import ec_key, name, self_signed
from conformance.scep.client import Answer
from conformance.scep.draft import Draft
from conformance.scep.lab import STATUS, ScepLab, negative
from conformance.scep.mutations import recipe
from conformance.scep.structures import Malformed

PASSWORD, CLEARTEXT = "rfc8894:3.1#password", "rfc8894:3.1#no-cleartext"
LEAST = 1000
"""Iterations of PBKDF2 (RFC 8018 section 4.2)."""


def _request(lab: ScepLab) -> Draft:
    """A PKCSReq of an EC key, encrypted under the challengePassword."""
    if lab.challenge is None:
        raise NotApplicable("the target has no code, which would be the password")
    draft = lab.pkcs_req(signer=self_signed(ec_key(0), name(lab.shared.name())))
    draft.password = lab.challenge
    return draft


def _answered(lab: ScepLab) -> Answer:
    """The reply to one: SUCCESS. :raises Unsupported: if the server does not do that."""
    answer = lab.client.send(_request(lab))
    if lab.examination.case.id == "scep.password.enroll":
        # Which is to say so in CMS; the others rest on it.
        lab.require(answer.rep is not None and not answer.wrong, f"expected a CertRep, got {answer.said} {answer.wrong}", STATUS)
    if answer.status in ("FAILURE", ""):
        raise Unsupported(f"an EC key and PasswordRecipientInfo: {answer.said}")
    lab.require(answer.status == "SUCCESS", f"expected SUCCESS, got {answer.said}", STATUS)
    return answer


def _supported(lab: ScepLab) -> Draft:
    _answered(lab)
    return _request(lab)


@case(
    "scep.password.enroll",
    covers=[PASSWORD, CLEARTEXT, STATUS],
    kills=["scep.password.reply-in-the-clear", "scep.password.reply-under-transaction-id"],
    feature="password-recipient",
)
def enroll(lab: ScepLab) -> None:
    """A client with an EC key asks under its challengePassword, and the reply is encrypted under it."""
    answer = _answered(lab)
    content = (answer.rep and answer.rep.signed.content) or b""
    try:
        password.open_envelope(content, answer.sent.password.encode())
    except Malformed as failure:
        lab.check(False, f"the reply is not encrypted under the challengePassword: {failure}")
        return
    lab.check(answer.issued, "nothing was issued")


@case(
    "scep.password.iterations",
    covers=[PASSWORD, STATUS],
    kills=["scep.password.one-iteration"],
    feature="password-recipient",
)
def iterations(lab: ScepLab) -> None:
    """The key of a reply is made from the password with at least a thousand iterations."""
    answer = _answered(lab)
    content = (answer.rep and answer.rep.signed.content) or b""
    done = password.open_envelope(content, answer.sent.password.encode()).iterations
    lab.check(done >= LEAST, f"{done} iterations; RFC 8018 section 4.2 asks for {LEAST} at least")


for label, title, fields in (
    ("wrong", "A message under another password is refused", {"password": "another password"}),
    ("endless", "A message that asks for two thousand million iterations is refused, and soon", {"iterations": 2**31 - 1}),
):
    negative(
        f"scep.password.{label}",
        title,
        covers=[PASSWORD],
        control=_supported,
        mutation=recipe(f"envelope.password.{label}", "RFC 8894 section 3.1", **fields),
        fail_info={"badRequest", "badMessageCheck"},
        feature="password-recipient",
    )
