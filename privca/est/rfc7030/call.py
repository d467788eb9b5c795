"""What an operation of EST works with: the parts it may use, and one request."""

from __future__ import annotations

from datetime import datetime

import msgspec

from privca.base.entropy import Entropy
from privca.base.exchange import Exchange
from privca.base.http import Request
from privca.enrollment.credentials import Credentials
from privca.enrollment.door import Door
from privca.est.ports import DecryptionKeys, KeyMaker
from privca.est.rfc5272.challenge import PopChallenges
from privca.est.rfc5272.pending import PendTokens
from privca.est.rfc7616 import Nonces
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.options.est import EstOptions
from privca.issuance.ports import Keys
from privca.issuance.profile import Revisioned
from privca.issuance.revocation_lists import RevocationLists


class Core(msgspec.Struct, frozen=True):
    """The parts of the service. ``keys`` sign what is generated here (section 4.4.2)."""

    door: Door
    credentials: Credentials
    authorities: Authorities
    delegates: Delegates
    keys: Keys
    maker: KeyMaker
    decryption_keys: DecryptionKeys
    entropy: Entropy
    nonces: Nonces
    lists: RevocationLists
    pend_tokens: PendTokens
    pop_challenges: PopChallenges


class Call(msgspec.Struct, frozen=True):
    """One request to an operation of a profile."""

    core: Core
    exchange: Exchange
    request: Request
    profile: Revisioned

    @property
    def options(self) -> EstOptions:
        """The profile's EST options."""
        return self.profile.profile.est

    @property
    def now(self) -> datetime:
        """The time of this exchange."""
        return self.exchange.now

    @property
    def tolerant(self) -> bool:
        """Whether known, harmless deviations of real clients are accepted."""
        return self.profile.profile.tolerant

    @property
    def says_transfer_encoding(self) -> bool:
        """Whether replies say Content-Transfer-Encoding (RFC 7030 before RFC 8951)."""
        return self.tolerant and self.options.content_transfer_encoding
