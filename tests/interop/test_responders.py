"""Who answers challenges for clients that do not: what a CA would ask them, over loopback."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from interop.certificates import make_server_certificate
from interop.clients.responders import ACME_TLS, WELL_KNOWN, alpn, webroot


def free_port() -> int:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::", 0))
        return probe.getsockname()[1]


def test_a_token_is_served_and_nothing_else(tmp_path: Path):
    (tmp_path / "secret").write_text("no")
    port = free_port()
    with webroot(tmp_path / "www", port) as folder:
        (folder / "token").write_text("token.thumbprint")
        for host in ("127.0.0.1", "[::1]"):
            with urllib.request.urlopen(f"http://{host}:{port}{WELL_KNOWN}token", timeout=10) as reply:
                assert reply.read() == b"token.thumbprint"
        for path in ("/token", f"{WELL_KNOWN}other", f"{WELL_KNOWN}../secret", f"{WELL_KNOWN}%2e%2e/secret"):
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10)
            refused.value.close()


def presented(port: int, name: str, protocol: str) -> tuple[bytes | None, str | None]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.getpeercert(binary_form=True), secured.selected_alpn_protocol()


def test_the_certificate_of_a_name_is_presented_by_alpn(tmp_path: Path):
    port = free_port()
    with alpn(tmp_path, port) as folder:
        make_server_certificate(folder / "a.test.crt.pem", folder / "a.test.key.pem")
        octets, protocol = presented(port, "a.test", ACME_TLS)
        assert octets == ssl.PEM_cert_to_DER_cert((folder / "a.test.crt.pem").read_text())
        assert protocol == ACME_TLS
        with pytest.raises(ssl.SSLError):
            presented(port, "b.test", ACME_TLS)
