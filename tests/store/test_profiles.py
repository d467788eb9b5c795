"""Profiles are kept as revisions that never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from privca.issuance.profile import Profile, Template
from privca.store import Store

Run = Callable[[Any], Any]
PROFILE = Profile(protocol="acme", issuer="ca", template="server", authentication=("account",))
TEMPLATE = Template()


def test_newest_revision_counts_and_old_ones_stay(store: Store, run: Run) -> None:
    assert run(store.profile("lab")) is None
    assert run(store.save_profile("lab", PROFILE, TEMPLATE)) == 1
    changed = msgspec.structs.replace(PROFILE, validity="7d")
    assert run(store.save_profile("lab", changed, TEMPLATE)) == 2
    assert run(store.profile("lab")).profile.validity == "7d"
    assert run(store.profile_revision("lab", 1)).profile == PROFILE
    assert run(store.profile_revision("lab", 3)) is None


def test_saving_the_same_again_makes_no_revision(store: Store, run: Run) -> None:
    assert [run(store.save_profile("lab", PROFILE, TEMPLATE)) for _ in range(2)] == [1, 1]


def test_profiles_lists_the_newest_of_each(store: Store, run: Run) -> None:
    run(store.save_profile("b", PROFILE, TEMPLATE))
    run(store.save_profile("a", PROFILE, TEMPLATE))
    run(store.save_profile("b", msgspec.structs.replace(PROFILE, enabled=False), TEMPLATE))
    assert [(p.id, p.revision, p.profile.enabled) for p in run(store.profiles())] == [("a", 1, True), ("b", 2, False)]


def test_a_profile_keeps_its_protocol(store: Store, run: Run) -> None:
    run(store.save_profile("lab", PROFILE, TEMPLATE))
    with pytest.raises(ValueError, match="stays one"):
        run(store.save_profile("lab", msgspec.structs.replace(PROFILE, protocol="est"), TEMPLATE))
