"""The SCEP service (RFC 8894): operations by name, and what every PKIOperation has in common (sections 3.2, 4.1)."""

from __future__ import annotations

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Credentials
from privca.enrollment.door import Door
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.ports import Keys
from privca.issuance.profile import Revisioned
from privca.issuance.revocation_lists import RevocationLists
from privca.scep.ports import ScepStore
from privca.scep.rfc8894 import ca_certificates, capabilities, cert_rep, enrollment, envelope, pki_message, polling, queries
from privca.scep.rfc8894.attributes import MessageType
from privca.scep.rfc8894.envelope import Envelope
from privca.scep.rfc8894.parties import Parties
from privca.scep.rfc8894.pki_message import PkiMessage
from privca.scep.rfc8894.transport import PKI_OPERATION, message_of, operation

HTTP_STATUS = {
    Reason.MALFORMED: 400,
    Reason.TOO_LARGE: 413,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.UNSUPPORTED_MEDIA_TYPE: 415,
    Reason.UNSUPPORTED_OPERATION: 400,
    Reason.UNAVAILABLE: 503,
}
"""Status of what cannot be answered in CMS, because there is no transaction to answer to. Anything else is a fault of ours."""
_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)


class ScepService:
    """Answers the requests of all SCEP profiles."""

    def __init__(
        self,
        store: ScepStore,
        door: Door,
        credentials: Credentials,
        authorities: Authorities,
        delegates: Delegates,
        lists: RevocationLists,
        keys: Keys,
    ) -> None:
        self._store = store
        self._door = door
        self._credentials = credentials
        self._authorities = authorities
        self._lists = lists
        self._keys = keys
        self._parties = Parties(authorities, delegates, keys)

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request: a refusal is a CertRep wherever there is a transaction, else an HTTP error in plain text."""
        try:
            name, raw = operation(request, profile.profile)
            if name == PKI_OPERATION:
                return await self._pki_operation(exchange, profile, message_of(request, raw, profile.profile))
            return await self._inquiry(exchange, profile, name)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused), reason=refused.reason.value)
            return _plain(HTTP_STATUS.get(refused.reason, 500), str(refused))

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided outside."""
        return _plain(status, detail)

    async def _inquiry(self, exchange: Exchange, profile: Revisioned, name: str) -> Response:
        """What is asked in the clear (sections 3.5, 4.2, 4.7)."""
        if name == "GetCACaps":
            exchange.decided("capabilities shown", "RFC 8894 section 3.5.2")
            return capabilities.response(profile.profile)
        if name == "GetCACert":
            exchange.decided("CA certificates shown", "RFC 8894 section 4.2")
            return await ca_certificates.current(profile, self._parties)
        if name == "GetNextCACert":
            exchange.decided("next CA certificate shown", "RFC 8894 section 4.7")
            return await ca_certificates.following(profile, self._authorities, self._keys)
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            "RFC 8894 section 4.1",
            "unknown operation",
            expected="GetCACaps, GetCACert, GetNextCACert or PKIOperation",
            got=repr(name[:40]),
        )

    async def _pki_operation(self, exchange: Exchange, profile: Revisioned, octets: bytes) -> Response:
        signed, signer, transaction = pki_message.read(octets)
        party = None
        try:
            message = pki_message.verified(exchange, profile.profile, signed, signer, transaction)
            addressed = await envelope.addressed(exchange, profile, self._parties, self._credentials, message)
            party = addressed.party
            return await self._answer(exchange, profile, message, addressed)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused), reason=refused.reason.value)
            if party is None:
                party = await self._parties.current(profile)
            return await cert_rep.failed(exchange, profile.profile, party, transaction, refused)

    async def _answer(self, exchange: Exchange, profile: Revisioned, message: PkiMessage, addressed: Envelope) -> Response:
        if message.kind in (MessageType.PKCS_REQ, MessageType.RENEWAL_REQ):
            return await enrollment.enroll(exchange, profile, self._door, self._credentials, message, addressed)
        if message.kind is MessageType.CERT_POLL:
            return await polling.poll(exchange, profile, self._door, self._store, message, addressed)
        if message.kind is MessageType.GET_CERT:
            return await queries.certificate(
                exchange, profile, self._door, self._credentials, self._authorities, message, addressed
            )
        return await queries.crl(
            exchange, profile, self._door, self._credentials, self._authorities, self._lists, message, addressed
        )


def _plain(status: int, detail: str) -> Response:
    allow = (("Allow", "GET, HEAD, POST"),) if status == 405 else ()
    return Response(status, (*_TEXT, *allow), f"{detail}\n".encode())
