"""Profiles of a running server: from memory, and never older than half a second."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from privca.composition import run
from privca.issuance.profile import Profile, Revisioned, Template
from privca.profiles import AGE, FreshProfiles

WEB = Revisioned(
    id="web",
    revision=1,
    profile=Profile(protocol="acme", issuer="x", template="t", authentication=("account",), default=True),
    template=Template(),
)


class Rows:
    """A store that counts how often it is asked."""

    def __init__(self) -> None:
        self.rows: list[Revisioned] = [WEB]
        self.asked = 0

    async def profiles(self) -> Sequence[Revisioned]:
        self.asked += 1
        return [msgspec.structs.replace(row) for row in self.rows]


def test_a_change_is_seen_when_the_answer_is_too_old() -> None:
    rows, now = Rows(), [100.0]
    fresh = FreshProfiles(rows, lambda: now[0])
    first = run(fresh.profile("web"))
    rows.rows = [msgspec.structs.replace(WEB, revision=2)]
    now[0] += AGE / 2
    assert run(fresh.profile("web")) is first
    assert run(fresh.default_profile("acme")) == "web"
    assert rows.asked == 1
    now[0] += AGE
    found = run(fresh.profile("web"))
    assert found is not None
    assert found.revision == 2
    assert AGE < 1


def test_the_same_revision_stays_the_same_object() -> None:
    rows, now = Rows(), [0.0]
    fresh = FreshProfiles(rows, lambda: now[0])
    first = run(fresh.profile("web"))
    now[0] += 10
    assert run(fresh.profile("web")) is first
    assert rows.asked == 2


def test_a_disabled_profile_is_no_default() -> None:
    rows = Rows()
    rows.rows = [msgspec.structs.replace(WEB, profile=msgspec.structs.replace(WEB.profile, enabled=False))]
    fresh = FreshProfiles(rows)
    assert run(fresh.default_profile("acme")) is None
    assert run(fresh.profile("web")) is not None
    assert run(fresh.profile("other")) is None


def test_a_read_that_fails_takes_nothing_away() -> None:
    class Failing(Rows):
        async def profiles(self) -> Sequence[Revisioned]:
            if self.asked == 1:
                self.asked += 1
                raise OSError("busy")
            return await super().profiles()

    now = [0.0]
    fresh = FreshProfiles(Failing(), lambda: now[0])
    first = run(fresh.profile("web"))
    now[0] += 10
    with pytest.raises(OSError, match="busy"):
        run(fresh.profile("web"))
    assert run(fresh.profile("web")) is first
