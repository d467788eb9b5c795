"""RFC 8555 section 7.1.6: the figures, state by event, and the status of an order as a function."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from privca.acme.ports import AccountStatus, Authorization, AuthorizationState, ChallengeStatus, Order
from privca.acme.rfc8555 import order
from privca.acme.rfc8555.authorization import status as authorization_status
from privca.acme.rfc8555.states import (
    ACCOUNT,
    AUTHORIZATION,
    CHALLENGE,
    ORDER,
    AccountEvent,
    AuthorizationEvent,
    ChallengeEvent,
    OrderEvent,
    OrderStatus,
)
from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)

# The figures again, read from the RFC and not from the code: (state, event) -> state; what is not here is refused.
FIGURES = {
    CHALLENGE: (
        ChallengeStatus,
        ChallengeEvent,
        {
            "pending respond": "processing",
            "processing retry": "processing",
            "processing succeed": "valid",
            "processing fail": "invalid",
        },
    ),
    AUTHORIZATION: (
        AuthorizationState,
        AuthorizationEvent,
        {
            "pending succeed": "valid",
            "pending fail": "invalid",
            "valid deactivate": "deactivated",
            "valid revoke": "revoked",
            "pending deactivate": "deactivated",
        },
    ),
    ORDER: (
        OrderStatus,
        OrderEvent,
        {
            "pending authorize": "ready",
            "ready finalize": "processing",
            "processing issue": "valid",
            "processing release": "ready",
            "pending fail": "invalid",
            "ready fail": "invalid",
            "processing fail": "invalid",
        },
    ),
    ACCOUNT: (AccountStatus, AccountEvent, {"valid deactivate": "deactivated", "valid revoke": "revoked"}),
}
CASES = [
    pytest.param(
        table,
        state,
        event,
        figure.get(f"{state.value} {event.name.lower()}"),
        id=f"{table.subject}: {state.value} {event.name.lower()}",
    )
    for table, (states, events, figure) in FIGURES.items()
    for state in states
    for event in events
]


@pytest.mark.parametrize(("table", "state", "event", "expected"), CASES)
def test_state_by_event(table, state, event, expected):
    assert table.allows(state, event) == (expected is not None)
    if expected is None:
        with pytest.raises(Refused) as refused:
            table.after(state, event)
        assert refused.value.reason is Reason.WRONG_STATE
    else:
        assert table.after(state, event).value == expected


NAME = Name(NameKind.DNS, "a.example.test")
AUTHZ = Authorization("z", "a", "p", NAME, False, AuthorizationState.VALID, NOW + 2 * HOUR, (), NOW)
MADE = Order("o", "a", "p", (NAME,), ("z",), None, None, NOW + HOUR, NOW)


@pytest.mark.parametrize(
    ("changes", "states", "at", "expected"),
    [
        ({}, ["pending", "valid"], NOW, "pending"),
        ({}, ["valid", "valid"], NOW, "ready"),
        ({}, ["valid", "invalid"], NOW, "invalid"),
        ({}, ["valid", "deactivated"], NOW, "invalid"),
        ({}, ["revoked", "valid"], NOW, "invalid"),
        ({}, ["pending", "invalid"], NOW, "invalid"),
        ({}, ["valid"], NOW + HOUR, "invalid"),
        ({"expires": NOW + 9 * HOUR}, ["valid"], NOW + 2 * HOUR, "invalid"),
        ({"expires": NOW + 9 * HOUR}, ["pending"], NOW + 2 * HOUR, "invalid"),
        ({"next_attempt": NOW}, ["valid"], NOW + 9 * HOUR, "processing"),
        ({"next_attempt": NOW}, ["deactivated"], NOW, "processing"),
        ({"error": "{}"}, ["valid"], NOW, "invalid"),
        ({"certificate_id": "c", "serial": b"1"}, ["deactivated"], NOW + 9 * HOUR, "valid"),
    ],
)
def test_the_status_of_an_order(changes, states, at, expected):
    authorizations = [replace(AUTHZ, state=AuthorizationState(state)) for state in states]
    assert order.status(replace(MADE, **changes), authorizations, at).value == expected


def test_an_authorization_expires_unless_it_is_final():
    later = NOW + 2 * HOUR
    expired = {state.value: authorization_status(replace(AUTHZ, state=state), later) for state in AuthorizationState}
    assert expired == {
        "pending": "expired",
        "valid": "expired",
        "invalid": "invalid",
        "deactivated": "deactivated",
        "revoked": "revoked",
    }
    assert authorization_status(AUTHZ, later - timedelta(seconds=1)) == "valid"
