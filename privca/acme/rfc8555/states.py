"""The figures of RFC 8555 section 7.1.6 as tables."""

from __future__ import annotations

import enum

from privca.acme.ports import AccountStatus, AuthorizationState, ChallengeStatus
from privca.base.states import StateTable

FIGURES = "RFC 8555 section 7.1.6"


class ChallengeEvent(enum.Enum):
    """What happens to a challenge."""

    RESPOND = "be responded to"
    RETRY = "be retried"
    SUCCEED = "succeed"
    FAIL = "fail"


CHALLENGE = StateTable(
    "a challenge",
    FIGURES,
    {
        (ChallengeStatus.PENDING, ChallengeEvent.RESPOND): ChallengeStatus.PROCESSING,
        (ChallengeStatus.PROCESSING, ChallengeEvent.RETRY): ChallengeStatus.PROCESSING,
        (ChallengeStatus.PROCESSING, ChallengeEvent.SUCCEED): ChallengeStatus.VALID,
        (ChallengeStatus.PROCESSING, ChallengeEvent.FAIL): ChallengeStatus.INVALID,
    },
)


class AuthorizationEvent(enum.Enum):
    """What happens to an authorization; that it expires is derived from the time."""

    SUCCEED = "become valid"
    FAIL = "become invalid"
    DEACTIVATE = "be deactivated"
    REVOKE = "be revoked"


AUTHORIZATION = StateTable(
    "an authorization",
    FIGURES,
    {
        (AuthorizationState.PENDING, AuthorizationEvent.SUCCEED): AuthorizationState.VALID,
        (AuthorizationState.PENDING, AuthorizationEvent.FAIL): AuthorizationState.INVALID,
        (AuthorizationState.VALID, AuthorizationEvent.DEACTIVATE): AuthorizationState.DEACTIVATED,
        (AuthorizationState.VALID, AuthorizationEvent.REVOKE): AuthorizationState.REVOKED,
        # Not in the figure, but section 7.5.2 lets a client give up each authorization, and clients clean up pending ones so.
        (AuthorizationState.PENDING, AuthorizationEvent.DEACTIVATE): AuthorizationState.DEACTIVATED,
    },
)


class OrderStatus(enum.StrEnum):
    """RFC 8555 section 7.1.3; derived by ``order.status``, never stored."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class OrderEvent(enum.Enum):
    """What happens to an order."""

    AUTHORIZE = "become ready"
    FINALIZE = "be finalized"
    ISSUE = "be issued"
    RELEASE = "be released"
    FAIL = "fail"


ORDER = StateTable(
    "an order",
    FIGURES,
    {
        (OrderStatus.PENDING, OrderEvent.AUTHORIZE): OrderStatus.READY,
        (OrderStatus.READY, OrderEvent.FINALIZE): OrderStatus.PROCESSING,
        (OrderStatus.PROCESSING, OrderEvent.ISSUE): OrderStatus.VALID,
        # Section 7.4: a CSR that is refused leaves the order ready. No client has seen it processing.
        (OrderStatus.PROCESSING, OrderEvent.RELEASE): OrderStatus.READY,
        (OrderStatus.PENDING, OrderEvent.FAIL): OrderStatus.INVALID,
        (OrderStatus.READY, OrderEvent.FAIL): OrderStatus.INVALID,
        (OrderStatus.PROCESSING, OrderEvent.FAIL): OrderStatus.INVALID,
    },
)


class AccountEvent(enum.Enum):
    """What happens to an account."""

    DEACTIVATE = "be deactivated"
    REVOKE = "be revoked"


ACCOUNT = StateTable(
    "an account",
    FIGURES,
    {
        (AccountStatus.VALID, AccountEvent.DEACTIVATE): AccountStatus.DEACTIVATED,
        (AccountStatus.VALID, AccountEvent.REVOKE): AccountStatus.REVOKED,
    },
)
