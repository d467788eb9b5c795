"""What an action of ACME works with: the parts it may use, and one authenticated request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from privca.acme.ports import Account, AcmeStore, Background, Prober
from privca.acme.rfc8555.nonce import Nonces
from privca.acme.rfc8555.urls import Urls
from privca.base.clock import Clock
from privca.base.entropy import Entropy
from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Door, Identity
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.profile import Revisioned
from privca.jose.rfc7517 import PublicJwk


class Core(msgspec.Struct, frozen=True):
    """The parts of the service. ``origin`` stands for the client's in account URLs where no client asks (work resumed after a crash)."""

    store: AcmeStore
    door: Door
    prober: Prober
    background: Background
    clock: Clock
    entropy: Entropy
    nonces: Nonces
    origin: str


class Call(msgspec.Struct, frozen=True):
    """One request that was authenticated.

    ``profile`` is the one that serves it: the account's. ``ids`` are the identifiers in the path. ``payload`` is empty in a POST-as-GET.
    ``key`` is the key that signed it; ``signer`` the account whose key that is, None where a new or a certificate's key signed.
    """

    core: Core
    exchange: Exchange
    request: Request
    profile: Revisioned
    urls: Urls
    ids: tuple[str, ...]
    payload: bytes
    key: PublicJwk
    signer: Account | None

    @property
    def account(self) -> Account:
        """The account that signed; only for actions whose route asks for one."""
        assert self.signer is not None
        return self.signer

    @property
    def identity(self) -> Identity:
        """The account as the CA knows it."""
        return identity(self.account, self.profile)

    @property
    def now(self) -> datetime:
        """The time of this exchange."""
        return self.exchange.now

    @property
    def options(self) -> AcmeOptions:
        """The profile's ACME options."""
        return self.profile.profile.acme

    @property
    def url(self) -> str:
        """The URL of this request as its client sees it."""
        return url(self.request)


def url(request: Request) -> str:
    """The URL of a request as its client sees it (section 6.4)."""
    return f"{request.origin}{request.path}?{request.query}" if request.query else request.origin + request.path


def identity(account: Account, profile: Revisioned) -> Identity:
    """An account as the CA knows it."""
    accepted = profile.profile.authentication
    method = "open" if "open" in accepted and "account" not in accepted else "account"
    if account.external_key_id is not None and "eab" in accepted:
        method = "eab"
    return Identity(method, f"acme:{account.id}")


T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T], payload: bytes, clause: str) -> T:
    """A payload as its struct: unknown members are ignored, names are case-sensitive.

    :raises Refused: ``MALFORMED``, with the path of what is wrong.
    """
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise Refused(Reason.MALFORMED, clause, f"the payload does not fit: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(Reason.MALFORMED, clause, "the payload is not JSON in UTF-8") from None


def json(status: int, document: msgspec.Struct | Mapping[str, object], *headers: tuple[str, str]) -> Response:
    """A JSON reply."""
    return Response(status, (("Content-Type", "application/json"), *headers), msgspec.json.encode(document))


def seconds_until(at: datetime, now: datetime) -> int:
    """Whole seconds for a Retry-After header, at least one."""
    return max(1, -((now - at) // timedelta(seconds=1)))
