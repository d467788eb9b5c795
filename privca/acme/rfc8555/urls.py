"""The URLs of one profile's resources (RFC 8555 section 7.1), with unpredictable identifiers (section 10.5).

Everything that belongs to an account lies below ``/acme/PROFILE``. What the directory lists lies where the directory was fetched:
below ``/acme/PROFILE`` too, or below a path without a profile ID, where the account (or its external account key) tells the profile.
"""

from __future__ import annotations

import msgspec

from privca.acme.ports import Account, Authorization, Order
from privca.base.http import Request


class Urls(msgspec.Struct, frozen=True):
    """``front`` is the URL under which the directory's resources lie, ``base`` the one of the profile's own resources; no final slash."""

    front: str
    base: str

    @classmethod
    def of(cls, request: Request, profile_id: str) -> Urls:
        """The URLs as this client sees them."""
        stem = request.path[: len(request.path) - len(request.tail)].rstrip("/")
        return cls(request.origin + stem, f"{request.origin}/acme/{profile_id}")

    def of_profile(self, profile_id: str) -> Urls:
        """The same front, with the resources of another profile."""
        return Urls(self.front, f"{self.base.rpartition('/')[0]}/{profile_id}")

    @property
    def shared(self) -> bool:
        """Whether the request came by the path without a profile ID."""
        return self.front != self.base

    @property
    def directory(self) -> str:
        """What ``Link: rel="index"`` points to."""
        return f"{self.front}/directory"

    def account(self, account_id: str) -> str:
        """The account URL: the ``kid`` of its requests."""
        return f"{self.base}/acct/{account_id}"

    def account_of(self, kid: str) -> tuple[str, str] | None:
        """Profile ID and account ID that an account URL names; None if it is no account URL of this server."""
        stem, _, profile_id = self.base.rpartition("/")
        parts = kid[len(stem) + 1 :].split("/") if kid.startswith(stem + "/") else []
        if len(parts) != 3 or parts[1] != "acct" or not parts[2]:
            return None
        if parts[0] != profile_id and not self.shared:
            return None
        return parts[0], parts[2]

    def orders(self, account: Account) -> str:
        """The orders list of an account."""
        return f"{self.base}/acct/{account.id}/orders"

    def order(self, order: Order) -> str:
        """An order."""
        return f"{self.base}/order/{order.id}"

    def finalize(self, order: Order) -> str:
        """Where the CSR goes."""
        return f"{self.base}/order/{order.id}/finalize"

    def authorization(self, authorization_id: str) -> str:
        """An authorization."""
        return f"{self.base}/authz/{authorization_id}"

    def challenge(self, authorization: Authorization, type: str) -> str:
        """A challenge: an authorization has at most one of each type."""
        return f"{self.base}/chall/{authorization.id}/{type}"

    def certificate(self, certificate_id: str) -> str:
        """A certificate with its default chain; alternates and the issuer lie below it."""
        return f"{self.base}/cert/{certificate_id}"
