"""What is examined: a server's endpoints, what a run may use to examine it, and what the server claims to have (``target.toml``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

BARE = ("acme", "est", "scep", "cmp", "ocsp", "crl")
"""What a bare URL may be of."""
_CREDENTIALS = ("kid", "hmac_key", "bindings", "rate_limited", "username", "reference", "code")


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
    contact: str = ""
    """A contact URL for accounts, where the server makes none without one."""
    rate_limited: str = ""
    """Directory URL, of this server too, at which an account runs into a limit after a few orders (RFC 8555 section 6.6)."""
    kid: str = ""
    hmac_key: str = ""
    """External account binding, if the server wants one: base64url."""
    hmac_key_env: str = ""
    bindings: tuple[tuple[str, str], ...] = ()
    """Further pairs of kid and HMAC key, where a key binds one account alone."""


class EstAccess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An endpoint of an EST server, down to the label, and who may enroll there: ``code`` is the password that goes with ``username``;
    ``code_env`` names a variable that has it."""

    url: str
    username: str = ""
    code: str = ""
    code_env: str = ""
    certificate: str = ""
    key: str = ""
    """A certificate (PEM, its chain may follow) and its key that are presented in TLS where there is no password."""
    linked: bool = False
    """Whether every CSR has to hold the ``tls-unique`` of its connection (RFC 7030 section 3.5)."""


class EstTarget(EstAccess, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An EST server."""

    others: tuple[EstAccess, ...] = ()
    """Further endpoints of the same server, where a case looks for what only some settings have: requests that wait for a decision, identity
    and proof of possession that must be linked, CSR attributes."""
    plain: str = ""
    """Where the server answers HTTP without TLS, if it does, as http://HOST:PORT; without it the port of ``url`` is tried."""
    subject: dict[str, str] = {}
    """What the subject of a request has to have beside its common name: O, OU, C, L."""
    decrypt_key_identifier: str = ""
    decrypt_key: str = ""
    """A secret key that the server knows for generated keys, and its identifier (RFC 7030 section 4.4.1.1): hex."""


class ScepTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A SCEP server. ``code`` is the challengePassword; ``code_env`` names a variable that has it."""

    url: str
    code: str = ""
    code_env: str = ""
    approval_url: str = ""
    """Where the same CA lets a person decide, so that requests are PENDING; none: such cases do not apply."""
    approval_code: str = ""
    """The challengePassword there."""
    decide: tuple[str, ...] = ()
    """A command by which a person decides there, in which ``{decision}`` becomes approve or reject, and ``{subject}`` that of the request
    (RFC 4514); none: such cases do not apply."""
    ca_identifier: str = ""
    """What GetCACert sends as ``message``, for servers of several CAs."""
    fresh_keys: bool = False
    """Whether each request has a key of its own, for a CA that certifies no key twice."""


class CmpEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A further endpoint of a CMP server, with its own ``reference`` and ``code``."""

    url: str
    reference: str = ""
    code: str = ""
    code_env: str = ""


class CmpTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A CMP server. ``code`` is the secret that goes with ``reference``; ``code_env`` names a variable that has it."""

    url: str
    reference: str = ""
    code: str = ""
    code_env: str = ""
    certificate: str = ""
    key: str = ""
    """A certificate (PEM, its chain may follow) and its key that requests are signed with, where there is no secret."""
    request_key: str = ""
    """The one key (PEM) that certificates are asked for, where a server gives everybody the same (``openssl cmp -rsp_cert``)."""
    trust_anchor: str = ""
    """What the signers of replies have to lead to (PEM), if that is not the trust anchor of the target."""
    delayed: CmpEndpoint | None = None
    """An endpoint that answers every request only when it is asked again (RFC 9810 section 5.3.22)."""
    ra: CmpEndpoint | None = None
    """An endpoint that issues certificates by which registration authorities are known (extended key usage cmcRA)."""
    lightweight: CmpEndpoint | None = None
    """An endpoint that holds every message to the Lightweight CMP Profile (RFC 9483); a target that claims ``lightweight`` needs none."""


class StatusTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An OCSP responder, a CRL, or both, of one CA: by URL. A certificate is a FILE, or a URL, in PEM or DER."""

    ocsp: str = ""
    crl: str = ""
    """Of the complete CRL."""
    issuer: str
    """The certificate of the CA."""
    good: str = ""
    """A certificate that is good, for a run that can have none issued."""
    revoked: str = ""
    """One that is revoked."""
    directory: str = ""
    """An ACME server by which this very CA issues and revokes for a run, as ``[acme]`` says that challenges are met."""
    always_valid: bool = False
    """Whether that ACME server counts every challenge as met, so that it needs no ``[acme]``."""
    lightweight: bool = False
    """Whether the responder follows the lightweight profile (RFC 9919)."""
    reached: dict[str, str] = msgspec.field(default_factory=dict)
    """Beginnings of URLs in certificates and CRLs, with what is asked in their place: for a server that is not where it is said to be."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One server. ``claims`` are the optional features that it says it has: a claimed feature that is missing is a failure."""

    name: str = ""
    trust_anchor: str = ""
    acme: AcmeTarget | None = None
    est: EstTarget | None = None
    scep: ScepTarget | None = None
    cmp: CmpTarget | None = None
    status: StatusTarget | None = None
    claims: dict[str, bool] = msgspec.field(default_factory=dict)

    @property
    def claimed(self) -> frozenset[str]:
        """The features that are claimed."""
        return frozenset(name for name, claimed in self.claims.items() if claimed)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that it has an endpoint for."""
        return tuple(self.endpoints)

    @property
    def endpoints(self) -> dict[str, str]:
        """The URL of each protocol that it has an endpoint for."""
        found = {} if self.acme is None else {"acme": self.acme.directory}
        found |= {name: one.url for name in ("est", "scep", "cmp") if (one := getattr(self, name)) is not None}
        return found if self.status is None else found | {"status": self.status.ocsp or self.status.crl}

    def at(self, protocol: str, entry: Mapping[str, Any]) -> Target:
        """The same server, but another profile of it.

        :param entry: the profile's, as ``endpoints.json`` has it: its URL and, if it wants any, its credentials.
        """
        if self.status is not None and protocol == "status":
            asked = {name: entry[name] for name in ("ocsp", "crl", "reached") if name in entry}
            return msgspec.structs.replace(self, status=msgspec.structs.replace(self.status, **asked))
        endpoint = getattr(self, protocol)
        for key, name in (("delays", "delayed"), ("lightweight", "lightweight")):
            if entry.get(key):
                further = CmpEndpoint(**{name: entry[name] for name in ("url", "reference", "code")})
                return msgspec.structs.replace(self, cmp=msgspec.structs.replace(endpoint, **{name: further}))
        changes = {name: entry[name] for name in _CREDENTIALS if name in entry and hasattr(endpoint, name)}
        changes["directory" if protocol == "acme" else "url"] = entry["url"]
        if entry.get("approval") and hasattr(endpoint, "approval_url"):
            changes |= {"approval_url": entry["url"], "approval_code": entry.get("code", "")}
        return msgspec.structs.replace(self, **{protocol: msgspec.structs.replace(endpoint, **changes)})

    @property
    def capabilities(self) -> frozenset[str]:
        """What a case may need of a run: each challenge type that can be met, ``dns``, ``validates``, ``rate-limited``."""
        acme = self.acme
        if acme is None:
            return frozenset()
        found = {"rate-limited"} if acme.rate_limited else set[str]()
        if not acme.validates:
            return frozenset({"http-01", "dns-01", "tls-alpn-01"} | found)
        found |= {"validates"}
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
    return _resolved(target)


def given(
    *,
    acme: str | None = None,
    est: str | None = None,
    scep: str | None = None,
    cmp: str | None = None,
    ocsp: str = "",
    crl: str = "",
    issuer: str = "",
    good: str = "",
    revoked: str = "",
    ca: str | None = None,
    http01_port: int | None = None,
    tlsalpn01_port: int | None = None,
    dns_api: str = "",
    always_valid: bool = False,
    contact: str = "",
    name: str = "",
    username: str = "",
    reference: str = "",
    code_env: str = "",
) -> Target:
    """The target of bare URLs. :raises TargetError:"""
    described = AcmeTarget(
        directory=acme or "",
        http01_port=http01_port,
        tlsalpn01_port=tlsalpn01_port,
        dns_api=dns_api,
        validates=not always_valid,
        contact=contact,
    )
    target = Target(
        name=name or next(url for url in (acme, est, scep, cmp, ocsp, crl) if url),
        trust_anchor=ca or "",
        acme=described if acme else None,
        est=EstTarget(url=est, username=username, code_env=code_env) if est else None,
        scep=ScepTarget(url=scep, code_env=code_env) if scep else None,
        cmp=CmpTarget(url=cmp, reference=reference, code_env=code_env) if cmp else None,
    )
    if ocsp or crl:
        if not issuer:
            raise TargetError("name the certificate of the CA whose responder or CRL that is: --issuer FILE or URL")
        status = StatusTarget(ocsp=ocsp, crl=crl, issuer=issuer, good=good, revoked=revoked)
        target = msgspec.structs.replace(target, status=status)
    return _resolved(target)


def _resolved(target: Target) -> Target:
    """With the secrets that the environment has."""
    changes: dict[str, object] = {}
    for name in ("est", "scep", "cmp"):
        if (endpoint := getattr(target, name)) is not None:
            changes[name] = _with_code(endpoint)
    if (cmp := target.cmp) is not None:
        further = {name: _with_code(one) for name in ("delayed", "ra", "lightweight") if (one := getattr(cmp, name)) is not None}
        changes["cmp"] = msgspec.structs.replace(_with_code(cmp), **further)
    if (est := target.est) is not None:
        changes["est"] = msgspec.structs.replace(_with_code(est), others=tuple(map(_with_code, est.others)))
    if target.acme is not None and target.acme.hmac_key_env:
        changes["acme"] = msgspec.structs.replace(target.acme, hmac_key=_variable(target.acme.hmac_key_env))
    return msgspec.structs.replace(target, **changes) if changes else target


def _with_code(endpoint: Any) -> Any:
    if not endpoint.code_env:
        return endpoint
    return msgspec.structs.replace(endpoint, code=_variable(endpoint.code_env))


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise TargetError(f"the environment has no {name}, from which the target takes a secret") from None
