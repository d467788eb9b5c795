"""Looking at the network for ACME (RFC 8555 sections 8.3 and 10.4): the only place that connects to where a client points.

What keeps this from being a way into other networks: the addresses of a host are resolved once, judged, and the connection goes to the very address
that was judged; each redirect begins anew with all of that, within limits on count, scheme and port; answers are bounded in octets and
time; and the certificate of an ``https`` redirect proves nothing and is not looked at (section 8.3, erratum 6843: only the start must be HTTP).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import dns.rdatatype
import structlog
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate
from twisted.internet.defer import CancelledError, Deferred, TimeoutError

from privca.acme.ports import (
    CaaProbe,
    DnsProbe,
    HttpProbe,
    Observation,
    Probe,
    ProbeFailure,
    TlsAlpnProbe,
)
from privca.web.addresses import AddressPolicy
from privca.web.answers import Answer, AnswerReader
from privca.web.dns import Dns, DnsFailure
from privca.web.outgoing import Link, ProbeFailed, connect, peer_of
from privca.web.reactor import Reactor
from privca.web.turns import Turns

log = structlog.get_logger("privca.web")

_ALPN = b"acme-tls/1"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class ProberLimits:
    """Ports as the CA is told them, sizes in octets, times in seconds; ``addresses`` of each family are tried at most.

    ``total`` is the time of a probe from its turn on, ``queue`` how long it waits for its turn while ``concurrent`` others are under way.
    """

    http01_port: int = 80
    tlsalpn01_port: int = 443
    https_port: int = 443
    redirects: int = 10
    body: int = 65536
    connect: float = 5.0
    total: float = 15.0
    queue: float = 20.0
    addresses: int = 2
    concurrent: int = 64

    @property
    def ports(self) -> dict[str, frozenset[int]]:
        """Where a URL of each scheme may lead."""
        return {"http": frozenset({80, self.http01_port}), "https": frozenset({443, self.https_port})}


class NetworkProber:
    """Implements :class:`privca.acme.ports.Prober`."""

    def __init__(self, reactor: Reactor, dns: Dns, policy: AddressPolicy, limits: ProberLimits = ProberLimits()) -> None:
        self._reactor: Any = reactor
        self._dns = dns
        self._policy = policy
        self._limits = limits
        self._turns = Turns(limits.concurrent)

    async def observe(self, probe: Probe, asker: str = "") -> Observation:
        """Carry out one probe within its limits. Never raises: what went wrong is in the observation."""
        try:
            await self._turns.take(asker).addTimeout(self._limits.queue, self._reactor)
        except TimeoutError:
            waited = f"this server had too much else to validate, and looked at nothing within {self._limits.queue:g} s"
            return Observation(ProbeFailure.CONNECTION, waited)
        except CancelledError:
            return Observation(ProbeFailure.CONNECTION, "the server stops")
        try:
            return await Deferred.fromCoroutine(self._look(probe)).addTimeout(self._limits.total, self._reactor)
        except ProbeFailed as failed:
            return Observation(failed.failure, failed.detail, failed.address)
        except DnsFailure as failed:
            return Observation(ProbeFailure.DNS, str(failed))
        except TimeoutError:
            return Observation(ProbeFailure.CONNECTION, f"no complete answer within {self._limits.total:g} s")
        except CancelledError:
            return Observation(ProbeFailure.CONNECTION, "the server stops")
        except Exception:
            log.exception("a probe failed in an unforeseen way", name=str(probe.name))
            return Observation(ProbeFailure.CONNECTION, "the server could not carry out the probe; its log says why")
        finally:
            self._turns.give_back()

    async def _look(self, probe: Probe) -> Observation:
        match probe:
            case HttpProbe():
                return await self._http(probe)
            case TlsAlpnProbe():
                return await self._tls_alpn(probe)
            case DnsProbe():
                records = await self._dns.query(probe.query_name, dns.rdatatype.TXT)
                return Observation(texts=tuple(b"".join(record.strings) for record in records or ()))
            case CaaProbe():
                records = await self._dns.query(probe.query_name, dns.rdatatype.CAA)
                found = ((r.flags, r.tag.decode("latin-1"), r.value.decode("latin-1")) for r in records or ())
                return Observation(caa=tuple(found))
        raise TypeError(f"unknown probe {type(probe).__name__}")

    # -- http-01

    async def _http(self, probe: HttpProbe) -> Observation:
        host = f"[{probe.name.value}]" if ":" in probe.name.value else probe.name.value
        # RFC 8555 section 8.3: the port is 80. Where a lab maps it to another one, the URL says so.
        port = self._limits.http01_port
        url = f"http://{host}{probe.path}" if port == 80 else f"http://{host}:{port}{probe.path}"
        for _ in range(self._limits.redirects + 1):
            address, answer = await self._get(url)
            if answer.status not in _REDIRECTS or not answer.location:
                return Observation(address=address, url=url, status=answer.status, body=answer.body)
            url = _joined(url, answer.location, address)
        raise ProbeFailed(
            ProbeFailure.LIMIT, f"more than {self._limits.redirects} redirects, the last one to {url[:200]}", address
        )

    async def _get(self, url: str) -> tuple[str, Answer]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ProbeFailed(ProbeFailure.LIMIT, f"a redirect to {url[:200]} is not followed: that is not a URL") from None
        if parts.scheme not in ("http", "https") or not host or parts.username is not None:
            raise ProbeFailed(
                ProbeFailure.LIMIT, f"a redirect to {url[:200]} is not followed: only http and https URLs of a host are"
            )
        tls = parts.scheme == "https"
        port = port if port is not None else 443 if tls else 80
        if port not in self._limits.ports[parts.scheme]:
            raise ProbeFailed(ProbeFailure.LIMIT, f"a redirect to port {port} with {parts.scheme} is not followed")
        literal = _is_address(host)
        link, address = await self._connect(host, port, server_name=("" if literal else host) if tls else None)
        reader = AnswerReader(self._limits.body)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = (
            f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: privca\r\nAccept: */*\r\n"
            "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        try:
            await link.exchange(request.encode("ascii"), reader.feed)
            return address, reader.answer()
        except ProbeFailed as failed:
            failed.address = address
            raise
        finally:
            link.abort()

    # -- tls-alpn-01

    async def _tls_alpn(self, probe: TlsAlpnProbe) -> Observation:
        link, address = await self._connect(
            probe.name.value, self._limits.tlsalpn01_port, server_name=probe.server_name, alpn=_ALPN
        )
        try:
            tls = peer_of(link)
            certificate = tls.get_peer_certificate()
            return Observation(
                address=address,
                certificate=None if certificate is None else dump_certificate(FILETYPE_ASN1, certificate),
                alpn=tls.get_alpn_proto_negotiated().decode("latin-1"),
            )
        finally:
            # RFC 8737 section 3: closed once the handshake is completed. Cut off, it would not be for the other side.
            link.close()

    # -- addresses

    async def _connect(
        self, host: str, port: int, *, server_name: str | None = None, alpn: bytes = b"http/1.1"
    ) -> tuple[Link, str]:
        """A connection to the first address of ``host`` that may be connected to and accepts; IPv6 first (RFC 6724), then IPv4."""
        objection = ""
        failure: ProbeFailed | None = None
        for address in await self._addresses(host):
            forbidden = self._policy.objection(address, port)
            if forbidden:
                objection = forbidden
                continue
            try:
                link = await connect(self._reactor, address, port, self._limits.connect, server_name=server_name, alpn=alpn)
            except ProbeFailed as failed:
                if failed.failure is not ProbeFailure.CONNECTION:
                    raise
                failure = failed
            else:
                return link, address
        if failure is not None:
            raise failure
        raise ProbeFailed(ProbeFailure.FORBIDDEN_ADDRESS, objection)

    async def _addresses(self, host: str) -> list[str]:
        if _is_address(host):
            return [host]
        found: list[str] = []
        problems: list[DnsFailure] = []
        for kind in (dns.rdatatype.AAAA, dns.rdatatype.A):
            try:
                records = await self._dns.query(host, kind)
            except DnsFailure as failed:
                problems.append(failed)
            else:
                found += [record.address for record in list(records or ())[: self._limits.addresses]]
        if found:
            return found
        raise problems[0] if problems else ProbeFailed(ProbeFailure.DNS, f"{host} has no address")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _joined(url: str, location: str, address: str) -> str:
    """The absolute URL that a redirect means, without its fragment (RFC 9110 section 10.2.2)."""
    if not location.isascii() or any(c <= " " or c == "\x7f" for c in location):
        raise ProbeFailed(ProbeFailure.CONNECTION, "a redirect's Location is not a URL", address)
    try:
        return urljoin(url, location).partition("#")[0]
    except ValueError:
        raise ProbeFailed(ProbeFailure.CONNECTION, "a redirect's Location is not a URL", address) from None
