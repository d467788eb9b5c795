"""RFC 9810 section 5.1.1: what stands in the header of replies, and which headers of requests are refused."""

from __future__ import annotations

from datetime import timedelta

from conformance.case import case
from conformance.cmp import der
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, asked, negative, status_info
from conformance.cmp.message import Body, Draft, generalized_time
from conformance.cmp.mutations import Mutation, header
from conformance.verdict import Level

_H = "rfc9810:5.1.1#"
_CLAUSE = "RFC 9810 section 5.1.1"
_SKEW = timedelta(minutes=15)


def confirming(lab: CmpLab) -> Draft:
    """A certConf for a certificate of its own."""
    return lab.confirmation(lab.unconfirmed())


def _answers(lab: CmpLab) -> list[tuple[str, Answer]]:
    """An ip, a pkiConf and an error."""
    granted = lab.unconfirmed()
    confirmed = lab.ask(lab.confirmation(granted))
    refused = lab.send(lab.draft(Body.CERTCONF, content=der.sequence()))
    lab.require(refused.reply is not None and refused.reply.body is Body.ERROR, f"a certConf of no transaction gives {refused}")
    return [("ip", granted), ("pkiConf", confirmed), ("error", refused)]


@case("cmp.header.transaction-id", covers=[_H + "transaction-id-echoed"], kills=["cmp.header.transaction-id-own"])
def transaction_id(lab: CmpLab) -> None:
    """Every reply has the transactionID of its request."""
    for name, answer in _answers(lab):
        found = answer.reply and answer.reply.transaction_id
        lab.check(found == answer.draft.transaction_id, f"the transactionID of the {name} is {(found or b'').hex() or 'absent'}")


@case("cmp.header.transaction-id-made", covers=[_H + "transaction-id-made"], kills=["cmp.header.transaction-id-absent"])
def transaction_id_made(lab: CmpLab) -> None:
    """The reply to an ir without a transactionID has one that the server made."""
    lab.settle(lab.unconfirmed())
    answer = lab.send(lab.ir(transaction_id=None))
    lab.require(answer.reply is not None, f"an ir without a transactionID gives {answer}")
    assert answer.reply is not None
    lab.check(answer.reply.transaction_id, f"the reply to an ir without a transactionID has none: {answer}")
    if not answer.reply.refused:
        lab.settle(answer)


@case("cmp.header.recipient-nonce", covers=[_H + "recipient-nonce"], kills=["cmp.header.recipient-nonce-own"])
def recipient_nonce(lab: CmpLab) -> None:
    """The recipNonce of every reply is the senderNonce of its request."""
    for name, answer in _answers(lab):
        found = answer.reply and answer.reply.recip_nonce
        lab.check(found == answer.draft.sender_nonce, f"the recipNonce of the {name} is {(found or b'').hex() or 'absent'}")


@case(
    "cmp.header.sender-nonce",
    covers=[_H + "sender-nonce"],
    kills=["cmp.header.sender-nonce-short", "cmp.header.sender-nonce-fixed"],
)
def sender_nonce(lab: CmpLab) -> None:
    """Every reply has a senderNonce of 128 bits, and never the same."""
    found = [(name, (answer.reply and answer.reply.sender_nonce) or b"") for name, answer in _answers(lab)]
    for name, nonce in found:
        lab.check(len(nonce) >= 16, f"the senderNonce of the {name} has {len(nonce)} octets")
    lab.check(len({nonce for _, nonce in found}) == len(found), "two replies have the same senderNonce")


@case(
    "cmp.header.message-time",
    covers=[_H + "message-time", "rfc9810:5.2.9#generalized-time"],
    kills=["cmp.header.message-time-of-another-day"],
)
def message_time(lab: CmpLab) -> None:
    """The messageTime of a reply is the time at which it was made, as RFC 5280 writes times."""
    for name, answer in _answers(lab):
        at = None if answer.reply is None else answer.reply.message_time
        if lab.check(at is not None, f"the {name} has no messageTime") and at is not None:
            away = at - lab.shared.now()
            lab.check(abs(away) < _SKEW, f"the messageTime of the {name} is {away} from our time")
    # A reply with a time in another form is none that can be read, and nothing was concluded.
    lab.check(True, "every time was read", "rfc9810:5.2.9#generalized-time")


@case(
    "cmp.header.sender",
    covers=["rfc9810:C.5#certification-sender", _H + "sender-kid"],
    kills=["cmp.header.sender-unnamed", "cmp.header.sender-kid-absent"],
)
def sender(lab: CmpLab) -> None:
    """The sender of a reply is named, and senderKID tells what protects it."""
    for name, answer in _answers(lab)[:2]:
        assert answer.reply is not None
        lab.check(answer.reply.sender != der.NULL_DN, f"the sender of the {name} is the NULL-DN")
        lab.check(answer.reply.sender_kid, f"the {name} has no senderKID", _H + "sender-kid")


@case(
    "cmp.header.update-sender",
    covers=["rfc9810:C.6#update-sender", "rfc9810:C.6#update-signature"],
    kills=["cmp.header.sender-unnamed", "cmp.enroll.kur-refused"],
)
def update_sender(lab: CmpLab) -> None:
    """A kur under a signature is granted, and the sender of the kup is named."""
    device = lab.enroll()
    updated = lab.send(lab.ir(body=Body.KUR, protection=device.signer))
    lab.require(not lab.denied(updated), f"a signed kur gives {updated}", "rfc9810:C.6#update-signature")
    assert updated.reply is not None
    lab.check(updated.reply.sender != der.NULL_DN, "the sender of the kup is the NULL-DN")
    why = lab.unverified(updated)
    lab.check(not why, f"the kup to a signed kur: {why}", "rfc9810:C.6#update-signature")
    lab.settle(updated)


negative(
    "cmp.header.other-transaction-id",
    "A certConf with another transactionID than the ir belongs to no transaction",
    covers=[_H + "transaction-id-kept"],
    control=confirming,
    mutation=header("another transactionID", _CLAUSE, transaction_id=bytes(16)),
    failures={"badRequest"},
    kills=["cmp.header.transaction-id-unchecked"],
)


def _in_use(lab: CmpLab) -> Mutation:
    open_ = lab.unconfirmed()
    return header("the transactionID of a transaction in progress", _CLAUSE, transaction_id=open_.draft.transaction_id)


negative(
    "cmp.header.transaction-id-in-use",
    "A transactionID that is in use begins no other transaction",
    covers=[_H + "transaction-id-in-use", "rfc9810:C.4#transaction-id-rejected"],
    control=lambda lab: lab.ir(),
    mutation=_in_use,
    failures={"transactionIdInUse"},
    bound=True,
    kills=["cmp.header.transaction-id-taken-over", "cmp.header.in-use-is-bad-request"],
)
negative(
    "cmp.header.other-recipient-nonce",
    "A certConf whose recipNonce is not the senderNonce of the ip is refused",
    covers=[_H + "recipient-nonce"],
    control=confirming,
    mutation=header("another recipNonce", _CLAUSE, recip_nonce=bytes(16)),
    failures={"badRecipientNonce"},
    kills=["cmp.header.recipient-nonce-unchecked"],
)
negative(
    "cmp.header.no-recipient-nonce",
    "A certConf without a recipNonce is refused",
    covers=[_H + "recipient-nonce"],
    control=confirming,
    mutation=header("no recipNonce", _CLAUSE, recip_nonce=None),
    failures={"badRecipientNonce"},
    kills=["cmp.header.recipient-nonce-unchecked", "cmp.header.recipient-nonce-optional"],
)
negative(
    "cmp.header.no-sender-nonce",
    "An ir without a senderNonce is refused",
    covers=[_H + "sender-nonce"],
    control=lambda lab: lab.ir(),
    mutation=header("no senderNonce", _CLAUSE, sender_nonce=None),
    failures={"badSenderNonce"},
    level=Level.MAY,
    kills=["cmp.header.sender-nonce-unchecked"],
)
negative(
    "cmp.header.short-sender-nonce",
    "A senderNonce of 64 bits is refused",
    covers=[_H + "sender-nonce"],
    control=lambda lab: lab.ir(),
    mutation=header("a senderNonce of 8 octets", _CLAUSE, sender_nonce=b"8 octets"),
    failures={"badSenderNonce"},
    level=Level.MAY,
    kills=["cmp.header.sender-nonce-unchecked"],
)


def _moved(days: int) -> Mutation:
    def change(draft: Draft) -> Draft:
        at = generalized_time(der.element(draft.message_time or b"").content.decode())
        return draft.at(at + timedelta(days=days))

    return Mutation(f"messageTime {days} days away", _CLAUSE, change)


for _days, _name in ((-2, "past"), (2, "future")):
    negative(
        f"cmp.header.message-time-{_name}",
        f"An ir whose messageTime is two days in the {_name} is refused",
        covers=[_H + "message-time"],
        control=lambda lab: lab.ir(),
        mutation=_moved(_days),
        failures={"badTime"},
        level=Level.MAY,
        kills=["cmp.header.message-time-unchecked"],
    )


@case("cmp.header.confirmation-replayed", covers=[_H + "replay"], kills=["cmp.header.confirmation-replayed"])
def confirmation_replayed(lab: CmpLab) -> None:
    """The octets of a certConf are taken once."""
    draft = confirming(lab)
    octets = draft.encode()
    first = lab.client.read(draft, lab.client.post(lab.url, octets))
    lab.require(not lab.denied(first), f"the certConf was not taken: {first}")
    with lab.examination.during("spoilt"):
        again = lab.client.read(draft, lab.client.post(lab.url, octets))
    lab.refused(again, {"badRecipientNonce", "certConfirmed", "badRequest"})


@case("cmp.header.request-replayed", covers=[_H + "replay"], kills=["cmp.header.request-replayed"])
def request_replayed(lab: CmpLab) -> None:
    """The octets of an ir, sent again before its certificate is confirmed, give no other certificate."""
    draft = lab.ir()
    octets = draft.encode()
    first = lab.client.read(draft, lab.client.post(lab.url, octets))
    lab.require(not lab.denied(first), f"the ir was not granted: {first}")
    with lab.examination.during("spoilt"):
        again = lab.client.read(draft, lab.client.post(lab.url, octets))
    certificates = {one.certificate_der for one in (*lab.issued(first), *lab.issued(again))}
    same = bool(lab.issued(again)) and len(certificates) == 1
    refused = again.reply is not None and again.reply.refused
    lab.check(same or refused, f"an ir that is replayed gives {again}")


@case("cmp.header.status", covers=["rfc9810:5.2.3#status"], kills=["cmp.error.no-fail-info", "cmp.error.accepted"])
def status(lab: CmpLab) -> None:
    """What answers a request says by its status whether it is granted, and why not."""
    granted = lab.unconfirmed()
    assert granted.reply is not None
    lab.check(all(one.granted and not one.failures for one in granted.reply.statuses), f"the status of an ip: {granted}")
    lab.settle(granted)
    refused = lab.send(lab.draft(Body.CERTCONF, content=der.sequence()))
    statuses = () if refused.reply is None else refused.reply.statuses
    lab.require(statuses, f"a certConf of no transaction gives {refused}")
    lab.check(statuses[0].status == 2, f"an error has the status of {refused}")
    lab.check(statuses[0].given and len(statuses[0].failures) == 1, f"an error has the failInfo of {refused}")


@case(
    "cmp.header.error-ends",
    covers=["rfc9810:5.3.21#error-confirmed"],
    kills=["cmp.error.not-confirmed", "cmp.error.client-error-keeps"],
)
def error_ends(lab: CmpLab) -> None:
    """The error of a client is answered by a pkiConf, and what it did not confirm is withdrawn."""
    answer = lab.unconfirmed()
    ended = lab.send(lab.next(answer, Body.ERROR, content=der.sequence(status_info(2, 25))))
    lab.require(ended.reply is not None and ended.reply.body is Body.PKICONF, f"the error of a client gives {ended}")
    late = lab.send(lab.confirmation(answer))
    lab.check(late.reply is not None and late.reply.refused, f"a certConf after the client's error gives {late}")


@case("cmp.header.general-transaction-id", covers=[_H + "transaction-id-echoed"], kills=["cmp.header.transaction-id-own"])
def general_transaction_id(lab: CmpLab) -> None:
    """A genp, which is all of its transaction, has the transactionID of its genm too."""
    answer = lab.ask(lab.genm(asked(2)))
    found = answer.reply and answer.reply.transaction_id
    lab.check(found == answer.draft.transaction_id, f"the transactionID of the genp is {(found or b'').hex() or 'absent'}")
