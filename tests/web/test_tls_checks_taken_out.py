"""What keeps a channel binding safe is taken out of TLS piece by piece, and the test that holds it must notice."""

from __future__ import annotations

import ssl

import pytest

from privca.web.tls import ServerTls
from tests.support.taking_out import NOTICED, instead, take_out
from tests.web import test_rfc5929_rfc9266_channel_binding as binding
from tests.web import test_tls as tls

CHECKS = {
    "extended master secret": (
        binding.test_rfc7627_no_tls_unique_without_the_extended_master_secret,
        [instead("web.tls:Session.channel_binding", "not _has_extended_master_secret(self._connection)", "False")],
    ),
    "tls-unique below TLS 1.3 alone": (
        binding.test_rfc8446_c_5_no_tls_unique_in_tls_1_3,
        # OpenSSL says of TLS 1.3 that it has no extended master secret, which holds this, too.
        [
            instead(
                "web.tls:Session.channel_binding",
                "self.version != 'TLSv1.2' or not _has_extended_master_secret(self._connection)",
                "False",
            )
        ],
    ),
    "tls-exporter in TLS 1.3 alone": (
        binding.test_rfc9266_4_no_tls_exporter_below_tls_1_3,
        [instead("web.tls:Session.channel_binding", "self.version != 'TLSv1.3'", "False")],
    ),
    "the client's Finished": (
        binding.test_rfc5929_3_tls_unique_is_the_same_for_every_request_of_a_connection,
        [instead("web.tls:Session.channel_binding", "get_peer_finished", "get_finished")],
    ),
    "no renegotiation": (
        binding.test_rfc5929_3_no_renegotiation,
        [instead("web.tls:_context", "SSL.OP_NO_RENEGOTIATION |", "0x100 |")],  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    ),
    "no resumption": (
        tls.test_no_session_is_resumed,
        [
            instead("web.tls:_context", "SSL.SESS_CACHE_OFF", "SSL.SESS_CACHE_SERVER"),
            instead("web.tls:_context", "SSL.OP_NO_TICKET |", "0 |"),
            instead(
                "web.tls:_context", "own, *issuers = certificates", "own, *issuers = certificates; context.set_session_id(b'x')"
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_test_notices_that_its_check_is_gone(name, monkeypatch, serve, client, echo, identity, trusting):
    test, removed = CHECKS[name]
    known = {"serve": serve, "client": client, "echo": echo, "trusting": trusting}

    def run():
        wanted = {
            argument: known[argument] for argument in test.__code__.co_varnames[: test.__code__.co_argcount] if argument in known
        }
        echo.peers.clear()
        tls_of_the_server = ServerTls([identity.certificate], identity.key)
        version = {"version": ssl.TLSVersion.TLSv1_2} if test is tls.test_no_session_is_resumed else {}
        test(**wanted, **version, server_tls=tls_of_the_server)

    run()
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        run()
    assert not isinstance(noticed.value, NameError | TypeError), noticed.value
    monkeypatch.undo()
