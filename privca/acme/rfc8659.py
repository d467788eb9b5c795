"""Certification Authority Authorization (RFC 8659): whether the records of a domain let this CA issue for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence

from privca.acme import rfc8657
from privca.acme.ports import CaaProbe, Observation, Probe
from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused

CRITICAL = 0x80
"""Issuer Critical Flag (section 4.1); the other bits are reserved, and ignored."""
_KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef"})
# label and parameter-tag of section 4.2 (erratum 7139) are spelled alike.
_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PARAMETER = re.compile(rf"({_LABEL})[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)")
_WSP = " \t"


def parse_issue_value(value: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Issuer domain name (lower case, empty if there is none) and parameters of an issue or issuewild property; None unless ``value``
    matches the grammar of section 4.2 to the letter (a semicolon after the last parameter does not)."""
    issuer, semicolon, rest = value.partition(";")
    issuer = issuer.strip(_WSP)
    if issuer and _ISSUER.fullmatch(issuer) is None:
        return None
    if not semicolon or not rest.strip(_WSP):
        return issuer.lower(), ()
    matches = [_PARAMETER.fullmatch(parameter.strip(_WSP)) for parameter in rest.split(";")]
    parameters = tuple((match[1], match[2]) for match in matches if match is not None)
    return (issuer.lower(), parameters) if len(parameters) == len(matches) else None


async def check_caa(
    observe: Callable[[Probe], Awaitable[Observation]],
    profile_id: str,
    name: Name,
    wildcard: bool,
    issuer_domains: Collection[str],
    account_uri: str,
    method: str,
) -> None:
    """Find the relevant record set (section 3) and judge it. Names that are no DNS names have none.

    Aliases are the resolver's to follow. A name that does not exist is an observation without records and without failure.

    :param name: without ``*.``; ``wildcard`` says whether it was there.
    :param issuer_domains: the names by which domains may call this CA.
    :param method: the challenge type that proved the name.
    :raises Refused: ``CAA``, also if a record set could not be had: nobody knows then whether it forbids.
    """
    if name.kind is not NameKind.DNS:
        return
    labels = name.value.split(".")
    for start in range(len(labels)):
        domain = ".".join(labels[start:])
        observation = await observe(CaaProbe(profile_id, name, domain))
        if observation.failure is not None:
            raise Refused(
                Reason.CAA,
                "RFC 8659 section 3",
                f"the CAA records of {domain} could not be had ({observation.detail or observation.failure.value}), so issuance is forbidden",
                name=name,
            )
        if observation.caa:
            _judge(observation.caa, domain, name, wildcard, issuer_domains, account_uri, method)
            return


def _judge(
    records: Sequence[tuple[int, str, str]],
    domain: str,
    name: Name,
    wildcard: bool,
    issuer_domains: Collection[str],
    account_uri: str,
    method: str,
) -> None:
    for flags, tag, _ in records:
        if flags & CRITICAL and tag.lower() not in _KNOWN_TAGS:
            raise Refused(
                Reason.CAA,
                "RFC 8659 section 4.1",
                f"a CAA record of {domain} has a critical tag that is not understood",
                got=ascii(tag[:40]),
                name=name,
            )
    values = [value for _, tag, value in records if tag.lower() == "issuewild"] if wildcard else []
    if not values:
        values = [value for _, tag, value in records if tag.lower() == "issue"]
    if not values:
        return
    # Without empty ones: "" in a configuration must not answer to the empty name by which a domain says "nobody".
    ours = {issuer.lower() for issuer in issuer_domains if issuer}
    named = False
    for value in values:
        # A value that does not match the grammar names nobody, as an empty one does.
        parsed = parse_issue_value(value)
        if parsed is not None and parsed[0] in ours:
            if rfc8657.satisfied(parsed[1], account_uri, method):
                return
            named = True
    raise Refused(
        Reason.CAA,
        "RFC 8657 section 3" if named else "RFC 8659 section 4.3" if wildcard else "RFC 8659 section 4.2",
        f"the CAA records of {domain} let this CA issue, but not for this account by {method}"
        if named
        else f"the CAA records of {domain} do not let this CA issue",
        expected=" or ".join(sorted(ours)) or None,
        got=", ".join(ascii(value[:80]) for value in values[:5]),
        name=name,
    )
