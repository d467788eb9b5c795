"""What all challenges share: the key authorization (RFC 8555 section 8.1), and a probe that saw nothing."""

from __future__ import annotations

from privca.acme.ports import Observation, ProbeFailure
from privca.base.names import Name
from privca.base.refused import Reason, Refused

_REASONS = {
    ProbeFailure.DNS: Reason.DNS,
    ProbeFailure.CONNECTION: Reason.CONNECTION,
    ProbeFailure.TLS: Reason.TLS,
    ProbeFailure.FORBIDDEN_ADDRESS: Reason.CONNECTION,
    ProbeFailure.LIMIT: Reason.INCORRECT_RESPONSE,
}


def key_authorization(token: str, thumbprint: str) -> str:
    """The string by which a client binds a challenge to its account key: ``thumbprint`` is that of RFC 7638, base64url."""
    return f"{token}.{thumbprint}"


def require_sight(observation: Observation, clause: str, name: Name) -> None:
    """Refuse what the probe could not see: ``DNS``, ``CONNECTION``, ``TLS``, or ``INCORRECT_RESPONSE`` where the reply broke a limit."""
    if observation.failure is not None:
        detail = observation.detail or f"validation failed: {observation.failure.value}"
        raise Refused(_REASONS[observation.failure], clause, _at(detail, observation), name=name)


def mismatch(
    observation: Observation, clause: str, name: Name, detail: str, *, expected: str | None = None, got: str | None = None
) -> Refused:
    """The refusal of what the probe saw: ``INCORRECT_RESPONSE``."""
    return Refused(Reason.INCORRECT_RESPONSE, clause, _at(detail, observation), expected=expected, got=got, name=name)


def _at(detail: str, observation: Observation) -> str:
    """``detail`` with where it was seen, without which nobody finds the server that answered."""
    where = " at ".join(part for part in (observation.url, observation.address) if part)
    return f"{detail} [{where}]" if where else detail
