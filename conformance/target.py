"""What is examined: a server's endpoints, what a run may use to examine it, and what the server claims to have (``target.toml``)."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class TargetError(Exception):
    """A target cannot be used: which key, and what is wrong with it."""


class AcmeTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An ACME server. Ports are where it looks for challenges; ``validates`` is False for one that counts every challenge as met."""

    directory: str
    http01_port: int | None = None
    tlsalpn01_port: int | None = None
    dns_api: str = ""
    """URL of an API like that of pebble-challtestsrv, which answers the server's DNS questions."""
    validates: bool = True
    kid: str = ""
    hmac_key: str = ""
    """External account binding, if the server wants one: base64url."""
    hmac_key_env: str = ""
    bindings: tuple[tuple[str, str], ...] = ()
    """Further pairs of kid and HMAC key, where a key binds one account alone."""


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An EST, SCEP or CMP server. ``code`` may come from the environment: ``code_env`` names the variable."""

    url: str
    username: str = ""
    reference: str = ""
    code: str = ""
    code_env: str = ""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One server. ``claims`` are the optional features that it says it has: a claimed feature that is missing is a failure."""

    name: str = ""
    trust_anchor: str = ""
    acme: AcmeTarget | None = None
    est: Endpoint | None = None
    scep: Endpoint | None = None
    cmp: Endpoint | None = None
    claims: dict[str, bool] = msgspec.field(default_factory=dict)

    @property
    def claimed(self) -> frozenset[str]:
        """The features that are claimed."""
        return frozenset(name for name, claimed in self.claims.items() if claimed)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that it has an endpoint for."""
        return tuple(name for name in ("acme", "est", "scep", "cmp") if getattr(self, name) is not None)

    @property
    def capabilities(self) -> frozenset[str]:
        """What a case may need of a run: each challenge type that can be met, ``dns``, ``validates``."""
        acme = self.acme
        if acme is None:
            return frozenset()
        if not acme.validates:
            return frozenset({"http-01", "dns-01", "tls-alpn-01"})
        found = {"validates"}
        found |= {"http-01"} if acme.http01_port else set()
        found |= {"tls-alpn-01"} if acme.tlsalpn01_port else set()
        found |= {"dns-01", "dns"} if acme.dns_api else set()
        return frozenset(found)


def read(path: Path) -> Target:
    """The target that a file describes; its secrets taken from the environment where it says so. :raises TargetError:"""
    try:
        target = msgspec.toml.decode(path.read_bytes(), type=Target)
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise TargetError(f"{path}: {error}") from None
    changes: dict[str, object] = {}
    for name in ("est", "scep", "cmp"):
        endpoint = getattr(target, name)
        if endpoint is not None and endpoint.code_env:
            changes[name] = msgspec.structs.replace(endpoint, code=_variable(endpoint.code_env))
    if target.acme is not None and target.acme.hmac_key_env:
        changes["acme"] = msgspec.structs.replace(target.acme, hmac_key=_variable(target.acme.hmac_key_env))
    return msgspec.structs.replace(target, **changes) if changes else target


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise TargetError(f"the environment has no {name}, from which the target takes a secret") from None
