"""All listening sockets of a server, bound before anything is written: a port that is taken stops it with nothing to clean up.

They are plain descriptors, so that worker processes can inherit them.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from privca.config import Config

LOOPBACK = "127.0.0.1"
_BACKLOG = 1024
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_ATTEMPTS = 20


class PortError(Exception):
    """A port cannot be had: one sentence with its number and the option that changes it."""


@dataclass
class Sockets:
    """Listening sockets by purpose; ``warnings`` tell what had to be left out."""

    https: list[socket.socket] = field(default_factory=list)
    http: list[socket.socket] = field(default_factory=list)
    admin: list[socket.socket] = field(default_factory=list)
    resolver: list[socket.socket] = field(default_factory=list)
    """UDP first, then TCP, same port; empty without the built-in resolver."""
    warnings: list[str] = field(default_factory=list)

    def close(self) -> None:
        """Close all of them."""
        for one in (*self.https, *self.http, *self.admin, *self.resolver):
            one.close()


def port_of(sockets: Sequence[socket.socket]) -> int:
    """The port that sockets of one purpose share."""
    return int(sockets[0].getsockname()[1])


def bind(config: Config) -> Sockets:
    """Bind and listen on everything that ``config`` asks for. :raises PortError: then nothing is bound."""
    sockets = Sockets()
    try:
        addresses = _usable(config.server.bind, sockets.warnings)
        sockets.https = _listen(addresses, config.server.https_port, "https-port")
        sockets.http = _listen(addresses, config.server.http_port, "http-port")
        sockets.admin = _listen([LOOPBACK], config.server.admin_port, "admin-port")
        if config.lab is not None and config.lab.resolver and not config.validation.resolver:
            sockets.resolver = _listen_dns(config.lab.resolver_port)
    except PortError:
        sockets.close()
        raise
    return sockets


def _usable(addresses: Sequence[str], warnings: list[str]) -> list[str]:
    """The addresses without IPv6 ones that this machine lacks."""
    usable = []
    for address in addresses:
        if ":" in address:
            try:
                _open(address, 0, socket.SOCK_STREAM).close()
            except OSError as error:
                if error.errno not in _NO_IPV6:
                    raise
                warnings.append(f"no IPv6 here: not listening on {address}")
                continue
        usable.append(address)
    if not usable:
        raise PortError(f"none of the addresses to listen on is there: {', '.join(addresses)}; choose others with --bind")
    return usable


def _listen(addresses: Sequence[str], port: int, option: str) -> list[socket.socket]:
    """One TCP socket an address, all on the same port; with port 0 the first address chooses, until it suits the others."""
    for _ in range(_ATTEMPTS if port == 0 else 1):
        opened: list[socket.socket] = []
        at, address = port, ""
        try:
            for address in addresses:
                opened.append(_open(address, at, socket.SOCK_STREAM))
                opened[-1].listen(_BACKLOG)
                at = port_of(opened)
        except OSError as error:
            for one in opened:
                one.close()
            if port == 0 and error.errno == errno.EADDRINUSE:
                continue
            raise _port_error(error, address, port, option) from None
        return opened
    raise PortError(f"no port is free on all of {', '.join(addresses)}; name one with --{option}")


def _listen_dns(port: int) -> list[socket.socket]:
    """A UDP and a TCP socket on loopback with the same port."""
    for _ in range(_ATTEMPTS):
        tcp = _listen([LOOPBACK], port, "resolver-port")[0]
        with contextlib.ExitStack() as undo:
            undo.enter_context(tcp)
            try:
                udp = _open(LOOPBACK, port_of([tcp]), socket.SOCK_DGRAM)
            except OSError as error:
                if port == 0 and error.errno == errno.EADDRINUSE:
                    continue
                raise _port_error(error, LOOPBACK, port, "resolver-port") from None
            undo.pop_all()
            return [udp, tcp]
    raise PortError("no port is free for both UDP and TCP; name one with --resolver-port")


def _open(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.setblocking(False)
        opened.bind((address, port))
    except OSError:
        opened.close()
        raise
    return opened


def _port_error(error: OSError, address: str, port: int, option: str) -> PortError:
    where = f"[{address}]" if ":" in address else address
    if error.errno == errno.EADDRINUSE:
        return PortError(f"port {port} is taken on {where}: choose another with --{option} N (0: any free one)")
    if error.errno == errno.EACCES:
        return PortError(f"port {port} on {where} needs more rights than this user has: choose one above 1023 with --{option} N")
    return PortError(
        f"cannot listen on {where} port {port}: {error.strerror}; choose another address with --bind or port with --{option} N"
    )
