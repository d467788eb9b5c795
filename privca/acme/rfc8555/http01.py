"""The HTTP challenge (RFC 8555 section 8.3): the key authorization at a well-known path of the name."""

from __future__ import annotations

from privca.acme import rfc8738
from privca.acme.ports import HttpProbe, Observation
from privca.acme.rfc8555.keyauthorization import key_authorization, mismatch, require_sight
from privca.base.names import Name, NameKind

TYPE = "http-01"
CLAUSE = "RFC 8555 section 8.3"
PREFIX = "/.well-known/acme-challenge/"


def offered_for(name: Name, wildcard: bool) -> bool:
    """For DNS names and IP addresses. One host proves nothing about all the names that a wildcard covers."""
    return not wildcard and (name.kind is NameKind.DNS or rfc8738.allows(TYPE, name))


def plan(name: Name, profile_id: str, token: str, thumbprint: str) -> HttpProbe:
    """What to fetch."""
    del thumbprint  # The request must not give the answer away.
    return HttpProbe(profile_id, name, PREFIX + token)


def judge(observation: Observation, name: Name, token: str, thumbprint: str) -> None:
    """Compare what was fetched with the key authorization; white space at its end is ignored, as the RFC advises.

    :raises Refused: ``DNS``, ``CONNECTION``, ``INCORRECT_RESPONSE``.
    """
    require_sight(observation, CLAUSE, name)
    if observation.status != 200:
        raise mismatch(
            observation, CLAUSE, name, "the resource was not there", expected="status 200", got=f"status {observation.status}"
        )
    expected = key_authorization(token, thumbprint)
    if observation.body.rstrip() != expected.encode("ascii"):
        raise mismatch(
            observation,
            CLAUSE,
            name,
            "the body is not the key authorization",
            expected=expected,
            got=_shown(observation.body, token),
        )


def _shown(body: bytes, token: str) -> str:
    """The beginning of a body, if it was meant as the key authorization; of anything else its size, so that validation cannot be used
    to read what only the server can reach: a secret may well be one word, but it does not begin with our token."""
    beginning = body[:96].partition(b"\n")[0].strip()
    if beginning.startswith(token.encode("ascii")) and all(octet in _ALPHABET for octet in beginning):
        return f"{beginning.decode('ascii')!r} ({len(body)} octets)"
    return f"{len(body)} octets of something else"


_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=")
