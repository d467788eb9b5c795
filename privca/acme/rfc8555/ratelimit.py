"""Rate limits (RFC 8555 section 6.6): at most so many things in a sliding window, decided from what the store has recorded.

No counter is kept: the limit N is reached while the Nth newest thing still is inside the window, and ends at the second when it leaves.
Workers that decide at the same moment may each let one through; a limit against abuse can bear that, and costs one read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from privca.acme.rfc8555.call import Call, seconds_until
from privca.base.names import Name
from privca.base.rates import rate
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Revisioned

CLAUSE = "RFC 8555 section 6.6"


class Limits:
    """The limits that one request runs into; all are looked at, since Retry-After is when the last of them lets it pass."""

    def __init__(self, now: datetime, profile: Revisioned) -> None:
        self._now = now
        self._help = profile.profile.acme.website or None
        self._last: Refused | None = None

    async def look(
        self, limit: str, what: str, nth_newest: Callable[[int], Awaitable[datetime | None]], name: Name | None = None
    ) -> None:
        """One limit, as the profile writes it.

        :param nth_newest: when the Nth newest of the counted things was made, None if there are fewer.
        :param name: the identifier whose limit this is.
        """
        allowed = rate(limit)
        oldest = await nth_newest(allowed.most)
        if oldest is None or oldest + allowed.window <= self._now:
            return
        seconds = seconds_until(oldest + allowed.window, self._now)
        if self._last is None or self._last.retry_after is None or seconds > self._last.retry_after:
            self._last = Refused(
                Reason.RATE_LIMITED,
                CLAUSE,
                f"too many {what}",
                expected=f"at most {limit}",
                name=name,
                location=self._help,
                retry_after=seconds,
            )

    def enforce(self) -> None:
        """:raises Refused: ``RATE_LIMITED`` if any limit was reached."""
        if self._last is not None:
            raise self._last


async def check_new_account(call: Call, profile: Revisioned) -> None:
    """:raises Refused: if the profile has had enough new accounts."""
    if limit := profile.profile.acme.accounts_limit:
        limits = Limits(call.now, profile)
        await limits.look(limit, "new accounts of this profile", lambda n: call.core.store.nth_newest_account(profile.id, n))
        limits.enforce()


async def check_new_order(call: Call, unproven: Iterable[Name]) -> None:
    """:param unproven: the names that would be validated. :raises Refused: if the account has had enough orders, or failures of a name."""
    limits = Limits(call.now, call.profile)
    if limit := call.options.orders_limit:
        await limits.look(limit, "new orders of this account", lambda n: call.core.store.nth_newest_order(call.account.id, n))
    await _look_at_failures(call, unproven, limits)
    limits.enforce()


async def check_new_authorization(call: Call, name: Name) -> None:
    """:raises Refused: if validations of this name have failed too often."""
    limits = Limits(call.now, call.profile)
    await _look_at_failures(call, (name,), limits)
    limits.enforce()


async def _look_at_failures(call: Call, names: Iterable[Name], limits: Limits) -> None:
    if limit := call.options.failures_limit:
        for name in names:
            base = Name(name.kind, name.value.removeprefix("*."))

            def nth_newest(n: int, base: Name = base) -> Awaitable[datetime | None]:
                return call.core.store.nth_newest_failure(call.account.id, base, n)

            await limits.look(limit, "failed authorizations of this account for this identifier", nth_newest, name)
