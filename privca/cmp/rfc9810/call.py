"""One request on its way through the CMP core: what was received, who sent it, and what every answer is made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from privca.base.exchange import Exchange
from privca.cmp.ports import CmpStore, KeyMaker, Profiles, Transaction
from privca.cmp.protection.kem import METHOD
from privca.cmp.protection.protector import Protector
from privca.cmp.rfc9810.message import Body, Information, PkiMessage
from privca.enrollment.credentials import Credentials, Secret
from privca.enrollment.door import Door, Identity
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.options.cmp import CmpOptions
from privca.issuance.ports import IssuanceStore, Keys
from privca.issuance.profile import Revisioned
from privca.issuance.revocation_lists import RevocationLists


@dataclass(frozen=True, slots=True)
class Core:
    """What the whole CMP service stands on."""

    store: CmpStore
    certificates: IssuanceStore
    door: Door
    credentials: Credentials
    authorities: Authorities
    delegates: Delegates
    lists: RevocationLists
    keys: Keys
    profiles: Profiles
    maker: KeyMaker


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``content`` is the DER inside the body's tag; ``certificates`` go into extraCerts, behind those that the
    protection needs; ``refused`` tells that the operation ended with a refusal. ``message`` is a whole PKIMessage (DER) that goes out as it
    is, in place of all that."""

    body: Body
    content: bytes
    information: tuple[Information, ...] = ()
    certificates: Sequence[bytes] = ()
    refused: bool = False
    message: bytes = field(default=b"", repr=False)


class Again(Protocol):
    """Answers messages that come in others: the service itself."""

    async def inner(self, call: Call, message: PkiMessage, *, vouched: bool) -> bytes:
        """The answer (DER) to a message inside a nested one. :param vouched: whether the RA around it has verified it."""

    async def replay(self, call: Call, message: PkiMessage) -> Reply:
        """The answer to a message that was postponed, in the transaction of ``call``."""


@dataclass(slots=True)
class Call:
    """One request whose protection verified, from ``sender``, by ``secret`` or the certificate ``signer`` (DER); ``transaction`` is the one
    that it goes on with. ``nested`` tells that an RA vouches for it by a nested message.

    ``nonce`` is the senderNonce of the answer: drawn early, so that it can be stored before it is sent.
    """

    core: Core
    exchange: Exchange
    profile: Revisioned
    message: PkiMessage
    transaction_id: bytes
    nonce: bytes
    sender: Identity
    protector: Protector
    again: Again
    secret: Secret | None = None
    signer: bytes = b""
    transaction: Transaction | None = None
    nested: bool = False

    @property
    def options(self) -> CmpOptions:
        """The profile's options."""
        return self.profile.profile.cmp

    @property
    def authority(self) -> str:
        """The CA that the profile issues from."""
        return self.profile.profile.issuer

    @property
    def by_password(self) -> bool:
        """Whether a shared secret protects the message, and so the answer."""
        return self.secret is not None and self.secret.method != METHOD
