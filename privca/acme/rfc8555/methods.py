"""The validation methods that an authorization can offer, by challenge type (RFC 8555 section 9.7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from privca.acme import rfc8737
from privca.acme.ports import Observation, Probe
from privca.acme.rfc8555 import dns01, http01
from privca.base.names import Name


class Method(Protocol):
    """A validation method without I/O: what to look at, and what to think of what was seen."""

    def offered_for(self, name: Name, wildcard: bool) -> bool:
        """Whether the method can prove control of the name."""

    def plan(self, name: Name, profile_id: str, token: str, thumbprint: str) -> Probe:
        """What to look at."""

    def judge(self, observation: Observation, name: Name, token: str, thumbprint: str) -> None:
        """:raises Refused: unless the observation proves control."""


METHODS: Mapping[str, Method] = MappingProxyType({"http-01": http01, "dns-01": dns01, "tls-alpn-01": rfc8737})
