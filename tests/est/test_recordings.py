"""Requests that real clients sent, as they were on the wire: each is framed, routed, authenticated and read as far as its own key allows."""

import re
from base64 import b64decode

import pytest

import vectors.loader
from privca.base.exchange import Exchange
from privca.base.http import ChannelBinding, Peer, Request
from privca.enrollment.ports import Code
from privca.web import urls
from privca.web.framing import HttpLimits, RequestReader
from tests.est.conftest import ORIGIN, Session, certificates, only
from tests.support.issuance_lab import run

REQUESTS = [vector for vector in vectors.loader.requests("est") if vector.origin["type"] == "recorded"]
SECRETS = vectors.loader.secrets()


def framed(octets):
    """The request as the listener reads it, and that nothing after it is taken for another one."""
    reader = RequestReader(HttpLimits())
    reader.feed(octets)
    message = reader.next()
    assert message is not None
    assert reader.next() is None
    assert not reader.waiting, "CR LF behind a message is no request"
    return message


def answered(lab, message, profile_id, session):
    # Labels of ours have no capital letters; the recorded ones have.
    route = urls.find(message.path.lower())
    assert route is not None
    assert route.protocol == "est"
    peer = Peer("192.0.2.9", True, None, session)
    request = Request(message.method, message.path, route.tail, message.query, message.headers, message.body, peer, ORIGIN)
    exchange = Exchange("recorded", lab.clock.now(), lab.entropy, profile_id)
    return route, run(lab.service.handle(exchange, request, lab._profiles[profile_id]))


@pytest.mark.parametrize("vector", REQUESTS, ids=[vector.id for vector in REQUESTS])
def test_a_recorded_request(lab, vector):
    message = framed(vector.octets)
    schemes = re.match(r"(Basic|Digest|Bearer)", message.headers.get("authorization", ""))
    profile = lab.profile(
        authentication=("code", "approval") if "authorization" not in message.headers else ("code",),
        est={"http": ("basic", "digest", "bearer"), "realm": "estrealm", "server_keys": "clear", "channel_binding": "optional"},
        code=False,
    )
    for user, password in codes():
        if run(lab.store.code(profile, user)) is None:
            run(lab.store.save_code(Code(profile, user, password.encode(), lab.clock.now())))
    route, response = answered(lab, message, profile, session_of(vector))
    if route.tail == "cacerts":
        assert len(certificates(response)) == 2
    elif route.tail == "csrattrs":
        assert response.status == 204
    elif route.tail == "simplereenroll":
        assert response.status == 403, "its certificate is another CA's"
        assert b"RFC 7030 section 4.2.2" in response.body
    elif schemes is None:
        assert response.status in (202, 200, 403), response.body  # 403: /serverkeygen waits for nobody
    elif schemes[1] == "Digest" or "bad-password" in vector.id:
        assert response.status == 401, response.body  # that nonce was another server's
    elif route.tail == "serverkeygen":
        assert response.header("Content-Type").startswith("multipart/mixed; boundary=")
    else:
        assert only(response)


def codes():
    """The users and passwords of the recordings."""
    est = SECRETS["EST" if "EST" in SECRETS else "est"]
    found = {(est.get("user") or est.get("username") or "estuser", est.get("password") or "estpwd")}
    return sorted(found | {("token", "abcdef")})


def session_of(vector):
    """Its connection, with the Finished that the recording noted: of a resumed handshake, which we never have, the server's."""
    finished = vector.tls.get("server_finished" if vector.tls.get("resumed") else "client_finished")
    bindings = {ChannelBinding.TLS_UNIQUE: bytes.fromhex(finished)} if finished else {}
    return Session(vector.tls.get("version", "TLSv1.2"), bindings)


def test_there_are_recordings_of_every_client():
    clients = {vector.origin["client"] for vector in REQUESTS}
    assert len(REQUESTS) >= 39
    assert {"curl", "libest estclient", "strongSwan pki --est"} <= clients, clients


def test_the_bodies_have_every_spelling_that_clients_use():
    bodies = [framed(vector.octets).body for vector in REQUESTS]
    assert any(body.startswith(b"-----BEGIN") for body in bodies)
    assert any(body and b"\n" not in body for body in bodies), "strongSwan: one line"
    assert all(b64decode(re.sub(rb"-----[^\n]*-----", b"", body)) or not body for body in bodies)
