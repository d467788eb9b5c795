"""Sockets are bound before anything is written: all of them, or none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from privca import sockets
from privca.config import Config, Lab, Server, Validation
from privca.sockets import PortError, bind, port_of

ANY = Server(bind=("127.0.0.1",), https_port=0, http_port=0, admin_port=0)


def config(tmp_path: Path, server: Server = ANY, resolver_port: int = 0, resolver: str = "") -> Config:
    return Config(
        path=tmp_path / "privca.toml",
        server=server,
        lab=Lab(resolver_port=resolver_port),
        validation=Validation(resolver=resolver),
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def test_udp_and_tcp_of_the_resolver_share_a_port(tmp_path: Path) -> None:
    bound = bind(config(tmp_path))
    assert [one.type for one in bound.resolver] == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
    assert len({one.getsockname()[1] for one in bound.resolver}) == 1
    bound.close()


def test_no_resolver_no_socket(tmp_path: Path) -> None:
    bound = bind(config(tmp_path, resolver="192.0.2.53:53"))
    assert bound.resolver == []
    bound.close()


def test_all_addresses_share_a_port(tmp_path: Path) -> None:
    bound = bind(config(tmp_path, Server(bind=("127.0.0.1", "127.0.0.2"), https_port=0, http_port=0, admin_port=0)))
    assert [one.getsockname()[0] for one in bound.https] == ["127.0.0.1", "127.0.0.2"]
    assert len({one.getsockname()[1] for one in bound.https}) == 1
    # Nobody but the admin's own machine gets to the admin listener.
    assert [one.getsockname()[0] for one in bound.admin] == ["127.0.0.1"]
    bound.close()


def test_a_refusal_frees_what_was_bound_before(tmp_path: Path, taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    server = Server(bind=("127.0.0.1",), https_port=free, http_port=0, admin_port=taken)
    with pytest.raises(PortError, match=rf"port {taken} is taken on 127\.0\.0\.1: choose another with --admin-port N"):
        bind(config(tmp_path, server))
    with socket.socket() as again:
        again.bind(("127.0.0.1", free))


def test_a_udp_port_that_is_taken_counts_too(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        with pytest.raises(PortError, match=f"port {port} is taken .* --resolver-port"):
            bind(config(tmp_path, resolver_port=port))


def test_without_ipv6_there_is_a_warning_and_ipv4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sockets._open

    def without(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        if ":" in address:
            raise OSError(99, "Cannot assign requested address")
        return real(address, port, kind)

    monkeypatch.setattr(sockets, "_open", without)
    bound = bind(config(tmp_path, Server(https_port=0, http_port=0, admin_port=0)))
    assert bound.warnings == ["no IPv6 here: not listening on ::1"]
    assert [one.getsockname()[0] for one in bound.https] == ["127.0.0.1"]
    bound.close()
    with pytest.raises(PortError, match="none of the addresses to listen on is there: ::1"):
        bind(config(tmp_path, Server(bind=("::1",), https_port=0, http_port=0, admin_port=0)))


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(PortError, match=r"cannot listen on 192\.0\.2\.1 port"):
        bind(config(tmp_path, Server(bind=("192.0.2.1",), https_port=0, http_port=0, admin_port=0)))


def test_port_of(tmp_path: Path) -> None:
    bound = bind(config(tmp_path))
    assert port_of(bound.https) == bound.https[0].getsockname()[1]
    bound.close()
