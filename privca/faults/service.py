"""Answers the profiles that chose faults, each from a copy of its protocol that has them, and every other one from the honest service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import ModuleType
from typing import Protocol, runtime_checkable

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.faults import faults
from privca.faults.copies import copy
from privca.faults.fault import Fault
from privca.issuance.profile import Revisioned


class Service(Protocol):
    """A protocol's service (:class:`privca.web.resource.Service`)."""

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request."""

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided elsewhere."""


@runtime_checkable
class Resuming(Protocol):
    """A service that has work which a crash can leave behind, or whose time comes."""

    async def resume(self, now: datetime, concerns: Callable[[Revisioned], bool]) -> None:
        """Take up what concerns it."""


class Faulty:
    """One protocol, honest or not.

    :param module: the module that makes the protocol's service, as ``privca.services.acme``.
    :param build: makes the service from the module's copy.
    """

    def __init__(self, honest: Service, module: str, build: Callable[[ModuleType], Service]) -> None:
        self._honest = honest
        self._module = module
        self._build = build
        self._made: dict[tuple[str, ...], Service] = {}

    async def handle(self, exchange: Exchange, request: Request, profile: Revisioned) -> Response:
        """Answer one request as the faults of its profile have it."""
        return await self._service(profile).handle(exchange, request, profile)

    def failure(self, exchange: Exchange, request: Request, profile: Revisioned | None, status: int, detail: str) -> Response:
        """An error that was decided elsewhere, said by the same service."""
        service = self._honest if profile is None else self._service(profile)
        return service.failure(exchange, request, profile, status, detail)

    async def resume(self, now: datetime) -> None:
        """Have every service take up the work of its own profiles: the honest one would do that of the others without their faults."""
        services = {(): self._honest, **self._made}
        for chosen, service in services.items():
            if isinstance(service, Resuming):
                await service.resume(now, partial(_chose, chosen))

    def _service(self, profile: Revisioned) -> Service:
        chosen = profile.profile.faults
        if not chosen:
            return self._honest
        known = self._made.get(chosen)
        if known is None:
            # Made when it is first asked for: a lab has many faults, and a run needs some.
            edits = [edit for name in chosen for edit in _fault(name, profile.profile.protocol).edits]
            known = self._made[chosen] = self._build(copy(self._module, edits))
        return known


def _chose(faults: tuple[str, ...], profile: Revisioned) -> bool:
    return profile.profile.faults == faults


def with_faults(services: Mapping[str, Service], build: Callable[[ModuleType], Service]) -> dict[str, Service]:
    """The services by protocol, each of which can be honest or not.

    :param build: makes a service from a copy of its module in :mod:`privca.services`.
    """
    return {name: Faulty(service, f"privca.services.{name}", build) for name, service in services.items()}


def _fault(name: str, protocol: str) -> Fault:
    fault = faults().get(name)
    if fault is None or not fault.fits(protocol):
        raise Refused(Reason.INTERNAL, "profile: faults", "there is no such fault of this protocol", got=repr(name))
    return fault
