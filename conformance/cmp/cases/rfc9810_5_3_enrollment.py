"""RFC 9810 section 5.3: requests for certificates and what answers them."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp.lab import CmpLab, Enrolled
from conformance.cmp.message import Body


def _complete(lab: CmpLab, enrolled: Enrolled) -> None:
    draft, reply = enrolled.answer.draft, enrolled.reply
    why = lab.unverified(enrolled.answer)
    lab.check(not why, f"the protection of {reply}: {why}", "rfc9810:4.3#pop-enforced")
    lab.check(reply.transaction_id == draft.transaction_id, f"the transactionID of the {reply.body.name.lower()} is another")


@case(
    "cmp.enroll.ir-by-mac",
    covers=["rfc9810:5.1.1#transaction-id-echoed", "rfc9810:4.3#pop-enforced", "rfc9810:5.1.1#transaction-id-kept"],
)
def ir_by_mac(lab: CmpLab) -> None:
    """ir, ip, certConf and pkiConf under a shared secret give a certificate for the key and name that were asked for."""
    _complete(lab, lab.enroll(protection=lab.mac))


@case(
    "cmp.enroll.cr-by-signature",
    covers=["rfc9810:5.1.1#transaction-id-echoed", "rfc9810:4.3#pop-enforced", "rfc9810:5.1.1#transaction-id-kept"],
)
def cr_by_signature(lab: CmpLab) -> None:
    """cr, cp, certConf and pkiConf signed with a certificate of the CA."""
    _complete(lab, lab.enroll(body=Body.CR, protection=lab.signer))
