"""The CMP service: HTTP request -> PKIMessage -> who sent it -> what is answered -> PKIMessage, protected like the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from privca.base.clock import Clock
from privca.base.durations import duration
from privca.base.entropy import Entropy, token
from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.cmp import rfc9483, rfc9811
from privca.cmp.ports import PartState, Transaction
from privca.cmp.protection.authentication import Authentication
from privca.cmp.protection.protector import Protector
from privca.cmp.rfc9810 import confirm, delay, enroll, error
from privca.cmp.rfc9810.call import Call, Core, Reply
from privca.cmp.rfc9810.message import (
    NULL_DN,
    Body,
    Header,
    PkiMessage,
    encode,
    encode_body,
    parse,
)
from privca.cmp.rfc9810.methods import TABLE, Method, Place
from privca.issuance.profile import Revisioned
from privca.pkix import der

VERSIONS = (2, 3)
NONCE_OCTETS = 16
RESUME_AT_ONCE = 100
"""How many transactions whose time is up one call of :meth:`CmpService.resume` ends."""


class CmpService:
    """Implements :class:`privca.web.resource.Service`."""

    def __init__(self, core: Core, clock: Clock, entropy: Entropy) -> None:
        self._core = core
        self._clock = clock
        self._entropy = entropy
        self._authentication = Authentication(core.credentials, core.authorities, core.delegates, core.keys)

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request to a profile."""
        try:
            rfc9811.check(request)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused))
            return rfc9811.response(_unprotected(refused), rfc9811.STATUSES[refused.reason])
        try:
            message = parse(request.body)
        except Refused as refused:
            # Nobody can tell who reads this, or in which transaction.
            exchange.decided("refused", refused.clause, str(refused))
            return rfc9811.response(_unprotected(refused), 400)
        # Nobody waits for the answer to an announcement: the status code alone tells that it was not taken (RFC 9811 section 3.5).
        status = 400 if message.body in rfc9811.ANNOUNCEMENTS else 200
        return rfc9811.response(await self.answer(exchange, profile, message, label=request.tail), status)

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided outside: a PKIMessage that says it, not protected."""
        reason = Reason.INTERNAL if status == 500 else Reason.UNAVAILABLE if status > 500 else Reason.MALFORMED
        refused = Refused(Reason.NOT_ACCEPTABLE if status in (404, 405) else reason, "RFC 9811 section 3.1", detail)
        return rfc9811.response(_unprotected(refused), status)

    async def answer(
        self,
        exchange: Exchange,
        profile: Revisioned,
        message: PkiMessage,
        *,
        label: str = "",
        vouched: bool = False,
        inside: bool = False,
    ) -> bytes:
        """The answer to a PKIMessage, as DER.

        :param label: the operation that the path names, if any. :param inside: whether it came in a nested message; :param vouched: and
            whether the RA that sent this has verified it.
        """
        header = message.header
        nonce = exchange.entropy.octets(NONCE_OCTETS)
        transaction_id = header.transaction_id or exchange.entropy.octets(NONCE_OCTETS)
        protector: Protector = self._authentication.signing(profile)
        transaction: Transaction | None = None
        proven = b""
        try:
            if header.pvno not in VERSIONS:
                raise Refused(
                    Reason.UNSUPPORTED_VERSION,
                    "RFC 9810 section 7",
                    "an unknown version",
                    expected="2 or 3",
                    got=str(header.pvno),
                )
            transaction = await self._core.store.transaction(profile.id, transaction_id)
            if transaction is not None and transaction.expires <= exchange.now:
                await self._end(exchange, transaction)
                transaction = None
            if message.body is Body.NESTED:
                # Its transactionID is that of the message inside, or of nothing.
                transaction = None
            authenticated = await self._authentication.authenticate(exchange, profile, message, transaction)
            protector, proven = authenticated.protector, authenticated.protector.credential
            if label:
                rfc9483.check_operation(label, message)
            if inside and message.body is Body.NESTED:
                raise Refused(
                    Reason.UNSUPPORTED_OPERATION, "RFC 9810 section 5.1.3.5", "a nested message holds no nested message"
                )
            method = self._method(profile, message)
            self._check_header(exchange, profile, message, method, transaction, protector)
            call = Call(
                core=self._core,
                exchange=exchange,
                profile=profile,
                message=message,
                transaction_id=transaction_id,
                nonce=nonce,
                sender=authenticated.identity,
                protector=protector,
                secret=authenticated.secret,
                signer=authenticated.signer,
                transaction=transaction,
                nested=vouched,
                again=self,
            )
            if method.name and method.name in profile.profile.cmp.delayed:
                reply = await delay.postpone(call)
            else:
                reply = await method.action(call)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused))
            reply = Reply(Body.ERROR, error.content(refused), refused=True)
            if transaction is not None and transaction.credential == proven and rfc9483.terminates(profile, message):
                await self._end(exchange, transaction)
        if reply.message:
            return reply.message
        return await self._write(exchange, message, transaction_id, nonce, reply, protector)

    async def inner(self, call: Call, message: PkiMessage, *, vouched: bool) -> bytes:
        """The answer to a message inside a nested one."""
        return await self.answer(call.exchange, call.profile, message, vouched=vouched, inside=True)

    async def replay(self, call: Call, message: PkiMessage) -> Reply:
        """The answer to a message that was postponed."""
        method = self._method(call.profile, message)
        try:
            return await method.action(replace(call, message=message))
        except Refused as refused:
            call.exchange.decided("refused", refused.clause, str(refused))
            return Reply(Body.ERROR, error.content(refused), refused=True)

    @staticmethod
    def _method(profile: Revisioned, message: PkiMessage) -> Method:
        method = TABLE.get(message.body)
        if method is None:
            raise Refused(
                Reason.UNSUPPORTED_OPERATION,
                "RFC 9810 section 5.1.2",
                "a client does not send this",
                got=message.body.name.lower(),
            )
        if method.name and method.name not in profile.profile.cmp.requests:
            raise Refused(
                Reason.UNSUPPORTED_OPERATION,
                "profile: cmp.requests",
                "this profile does not answer this kind of request",
                expected=", ".join(profile.profile.cmp.requests),
                got=method.name,
            )
        return method

    @staticmethod
    def _check_header(
        exchange: Exchange,
        profile: Revisioned,
        message: PkiMessage,
        method: Method,
        transaction: Transaction | None,
        protector: Protector,
    ) -> None:
        """RFC 9483 section 3.5: time, nonces and transaction. :raises Refused:"""
        header, options = message.header, profile.profile.cmp
        clause = "RFC 9483 section 3.5"
        if options.rules == "rfc9483":
            rfc9483.check_header(message, first=method.place is Place.FIRST)
        if header.message_time is None:
            if options.message_time_required:
                raise Refused(Reason.MISSING_TIME, "profile: cmp.message_time_required", "the message has no messageTime")
        elif options.message_time and abs(header.message_time - exchange.now) > duration(options.message_time):
            raise Refused(
                Reason.BAD_TIME,
                clause,
                "messageTime is too far from our time",
                expected=f"{exchange.now:%Y-%m-%dT%H:%M:%SZ}, {options.message_time} more or less",
                got=f"{header.message_time:%Y-%m-%dT%H:%M:%SZ}",
            )
        if header.transaction_id is None:
            raise Refused(Reason.MALFORMED, clause, "transactionID is missing")
        if len(header.transaction_id) < 8:
            raise Refused(
                Reason.MALFORMED, clause, "transactionID is too short", expected="16 octets", got=str(len(header.transaction_id))
            )
        if header.sender_nonce is None or len(header.sender_nonce) < NONCE_OCTETS:
            raise Refused(
                Reason.BAD_SENDER_NONCE,
                clause,
                "senderNonce has at least 128 bits",
                expected="16 octets",
                got="none" if header.sender_nonce is None else str(len(header.sender_nonce)),
            )
        if method.place is Place.OUTSIDE:
            return
        if method.place is Place.FIRST:
            if transaction is not None and transaction.open:
                raise enroll.in_use()
            # After a KEM ciphertext was given out, the first message proper answers the one that gave it.
            if header.recip_nonce is not None and not (transaction is not None and header.recip_nonce == transaction.nonce):
                raise Refused(
                    Reason.BAD_NONCE, "RFC 9483 section 3.1", "the first message of a transaction answers none: no recipNonce"
                )
            return
        if transaction is None:
            raise Refused(
                Reason.WRONG_STATE,
                clause,
                "no transaction with this transactionID is in progress",
                expected="a message that begins one, or one of a transaction that has not ended",
                got=message.body.name.lower(),
            )
        if transaction.credential != protector.credential:
            raise Refused(
                Reason.BAD_SIGNATURE,
                "RFC 9483 section 4.1.1",
                "the message is protected with other credentials than the first one of its transaction",
            )
        if header.recip_nonce != transaction.nonce:
            raise Refused(Reason.BAD_NONCE, clause, "recipNonce is not the senderNonce of our last message")

    async def _write(
        self,
        exchange: Exchange,
        message: PkiMessage,
        transaction_id: bytes,
        nonce: bytes,
        reply: Reply,
        protector: Protector,
    ) -> bytes:
        prepared = await protector.prepare(exchange)
        received = message.header
        header = Header(
            # Section 7: the version received, or the nearest one that there is.
            pvno=min(max(received.pvno, VERSIONS[0]), VERSIONS[-1]),
            sender=prepared.sender,
            recipient=received.sender,
            message_time=exchange.now,
            protection_alg=prepared.algorithm,
            sender_kid=prepared.key_identifier,
            transaction_id=transaction_id,
            sender_nonce=nonce,
            recip_nonce=received.sender_nonce,
            general_info=reply.information,
        ).encode()
        body = encode_body(reply.body, reply.content)
        protection = await protector.protect(der.tlv(0x30, header, body))
        certificates = tuple(dict.fromkeys((*prepared.certificates, *reply.certificates)))
        return encode(header, body, protection, certificates)

    async def resume(self, now: datetime, concerns: Callable[[Revisioned], bool] = lambda profile: True) -> None:
        """End the transactions whose time is up: certificates that nobody confirmed are revoked.

        :param concerns: whether the transactions of a profile are this service's to end.
        """
        for transaction in await self._core.store.expired_transactions(now, RESUME_AT_ONCE):
            profile = await self._core.profiles.profile(transaction.profile_id)
            assert profile is not None, "profiles are never deleted"
            if not concerns(profile):
                continue
            exchange = Exchange(token(self._entropy, 12), now, self._entropy, transaction.profile_id)
            await self._end(exchange, transaction)

    async def _end(self, exchange: Exchange, transaction: Transaction) -> None:
        for part in transaction.parts:
            if part.state is not PartState.ISSUED:
                continue
            certificate = await self._core.door.find(part.profile_id, part.request_id)
            if certificate is not None:
                await confirm.revoke(self._core.door, exchange, certificate)
        await self._core.store.forget_transaction(transaction)


def _unprotected(refused: Refused) -> bytes:
    """An error without a transaction."""
    header = Header(pvno=VERSIONS[0], sender=NULL_DN).encode()
    return encode(header, encode_body(Body.ERROR, error.content(refused)), None)
