"""From a path to the protocol, the profile and the rest: one table, no I/O (interfaces.md, "URLs")."""

from __future__ import annotations

import enum
import re

import msgspec

ACME, EST, SCEP, CMP, STATUS = "acme", "est", "scep", "cmp", "status"

# RFC 7030 section 3.2.2: a first segment that is an operation is not a CA label.
_EST_OPERATIONS = frozenset("cacerts simpleenroll simplereenroll serverkeygen csrattrs fullcmc".split())
_PROFILE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CA_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


class Shape(enum.Enum):
    """How the part of a path behind its prefix is read."""

    PROFILE = "ID[/tail]"
    DEFAULT = "[tail], for the default profile"
    OPERATION_OR_PROFILE = "an operation for the default profile, else ID[/tail]"


class Route(msgspec.Struct, frozen=True):
    """Where a path leads: ``profile_id`` None means the protocol's default profile (never used for ``status``).

    ``tail`` is what follows the profile ID, without a slash in front; for ``status`` it is the path without its first slash.
    """

    protocol: str
    profile_id: str | None
    tail: str


# The first prefix that fits decides, so a longer prefix stands before the shorter one that it begins with.
_PREFIXES: tuple[tuple[str, str, Shape], ...] = (
    ("/acme/", ACME, Shape.PROFILE),
    ("/.well-known/est/", EST, Shape.OPERATION_OR_PROFILE),
    ("/scep/", SCEP, Shape.PROFILE),
    ("/.well-known/cmp/p/", CMP, Shape.PROFILE),
    ("/.well-known/cmp/", CMP, Shape.DEFAULT),
    ("/cmp/", CMP, Shape.PROFILE),
    # The paths that DigiCert Private CA documents, so that its clients need only another host name.
    ("/certificate-authority/api/v1/scep/", SCEP, Shape.PROFILE),
    ("/certificate-authority/api/v1/cmp/", CMP, Shape.PROFILE),
    ("/certificate-authority/api/v1/acme/", ACME, Shape.DEFAULT),
)
_WHOLE: dict[str, Route] = {
    "/.well-known/cmp": Route(CMP, None, ""),
    # RFC 8894 section 4.1: where clients look that nobody told otherwise.
    "/cgi-bin/pkiclient.exe": Route(SCEP, None, "cgi-bin/pkiclient.exe"),
}
# A lab with faults has a place of its own for each that the status services can have: privca.faults.status.
_STATUS = re.compile(rf"/((?:faults/[a-z0-9-]+/)?(?:crl/{_CA_NAME}\.crl|ca/{_CA_NAME}\.(cer|p7c)|ocsp/{_CA_NAME}(/.*)?))")


def find(path: str) -> Route | None:
    """Where ``path`` (as received, no query) leads, or None. Percent-encoding is not undone: no path of ours needs any."""
    for prefix, protocol, shape in _PREFIXES:
        if path.startswith(prefix):
            return _read(protocol, shape, path[len(prefix) :])
    if path in _WHOLE:
        return _WHOLE[path]
    if _STATUS.fullmatch(path):
        return Route(STATUS, None, path[1:])
    return None


def _read(protocol: str, shape: Shape, rest: str) -> Route | None:
    first, _, tail = rest.partition("/")
    if shape is Shape.DEFAULT or (shape is Shape.OPERATION_OR_PROFILE and first in _EST_OPERATIONS):
        return Route(protocol, None, rest)
    if _PROFILE_ID.fullmatch(first):
        return Route(protocol, first, tail)
    return None
