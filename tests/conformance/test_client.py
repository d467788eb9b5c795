"""The client keeps to RFC 8555 itself: nonces once, badNonce retried with the nonce of the error, Retry-After, links resolved."""

import datetime
import json
import socket
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

import conformance.transport
from conformance.acme import csr, enrollment
from conformance.acme.client import Account, Problem, dns, ip
from conformance.acme.draft import Mutation
from conformance.acme.keys import Key, unb64
from conformance.acme.mutations import protected, without
from conformance.transport import HttpRequest, HttpResponse, SocketTransport, Unreachable


def header(request):
    return json.loads(unb64(json.loads(request.body)["protected"]))


def test_bad_nonce_is_retried_with_the_nonce_of_the_error(scripted):
    def answer(server, request):
        if len([r for r in server.seen if r.method == "POST"]) == 1:
            return scripted.problem(server, 400, "badNonce")
        return 200, (server.nonce(), scripted.index, ("Content-Type", "application/json")), b"{}"

    client, server = scripted(answer)
    account = Account("https://ca.example.test/acct/1", Key.make())
    assert client.perform(client.fetch(account, "https://ca.example.test/acct/1")).status == 200
    first, second = (header(r)["nonce"] for r in server.seen if r.method == "POST")
    assert int(second) == int(first) + 1


def test_it_gives_up_on_bad_nonces(scripted):
    client, server = scripted(lambda server, request: scripted.problem(server, 400, "badNonce"))
    with pytest.raises(Problem, match="badNonce"):
        client.register()
    assert len([r for r in server.seen if r.method == "POST"]) == 3


def test_no_nonce_is_sent_twice(scripted):
    client, server = scripted(lambda server, request: scripted.problem(server, 403, "unauthorized"))
    account = Account("https://ca.example.test/acct/1", Key.make())
    for _ in range(5):
        client.send(client.fetch(account, "https://ca.example.test/x"))
    nonces = [header(r)["nonce"] for r in server.seen if r.method == "POST"]
    assert len(set(nonces)) == len(nonces) == 5


def test_links_are_read_with_several_in_a_header_and_relative_ones():
    request = HttpRequest("POST", "https://ca.example.test/acme/cert/1")
    headers = (
        ("link", '<https://a.test/x,y>;rel="alternate", <../cert/1/2>; rel=alternate'),
        ("Link", '</directory>;rel="index"'),
    )
    response = HttpResponse(200, headers, b"", request)
    assert response.links("alternate") == ["https://a.test/x,y", "https://ca.example.test/acme/cert/1/2"]
    assert response.raw_links("alternate")[1] == "../cert/1/2"
    assert response.links("index") == ["https://ca.example.test/directory"]


def test_polling_honours_retry_after(scripted):
    states = iter(["processing", "processing", "valid"])

    def answer(server, request):
        headers = (server.nonce(), scripted.index, ("Content-Type", "application/json"), ("Retry-After", "2"))
        return 200, headers, json.dumps({"status": next(states)}).encode()

    client, _ = scripted(answer)
    waited = []
    account = Account("https://ca.example.test/acct/1", Key.make())
    enrollment.poll(client, account, "https://ca.example.test/o", lambda o: o["status"] == "valid", waited.append)
    assert waited == [2.0, 2.0]


def test_polling_ends(scripted):
    def answer(server, request):
        return 200, (server.nonce(), scripted.index, ("Content-Type", "application/json")), b'{"status":"processing"}'

    client, _ = scripted(answer)
    account = Account("https://ca.example.test/acct/1", Key.make())
    with pytest.raises(enrollment.Failed, match="still processing"):
        enrollment.poll(client, account, "https://ca.example.test/o", lambda o: False, lambda seconds: None)


def certificate(key, names, signer=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.private.public_key(), 1, now, now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([csr.general_name(n) for n in names]), critical=False)
    return builder.sign((signer or key).private, hashes.SHA256())


def test_what_was_issued_is_compared_with_what_was_asked_for():
    key, names = Key.make(), [*dns("a.test"), *ip("192.0.2.1")]
    enrollment.check([certificate(key, names)], key, names)
    with pytest.raises(enrollment.Failed, match="another key"):
        enrollment.check([certificate(Key.make(), names)], key, names)
    for others in (dns("a.test"), [*names, *dns("b.test")], [*dns("b.test"), *ip("192.0.2.1")]):
        with pytest.raises(enrollment.Failed, match="names"):
            enrollment.check([certificate(key, others)], key, names)


def test_each_certificate_is_signed_by_the_next():
    key, ca = Key.make(), Key.make()
    enrollment.check([certificate(key, dns("a.test"), ca), certificate(ca, dns("ca.test"))], key, dns("a.test"))
    with pytest.raises(enrollment.Failed, match="not signed by the next"):
        enrollment.check([certificate(key, dns("a.test"), Key.make()), certificate(ca, dns("ca.test"))], key, dns("a.test"))


@pytest.mark.parametrize("change", [b"x\n" + b"%s", b"%s\n", b"%s# end\n"])
def test_a_chain_is_strict_pem(change):
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = certificate(Key.make(), dns("a.test")).public_bytes(Encoding.PEM)
    request = HttpRequest("POST", "https://x.test/")
    headers = (("Content-Type", "application/pem-certificate-chain"),)
    assert enrollment.read_chain(HttpResponse(200, headers, pem + pem, request))
    with pytest.raises(Problem, match="strict PEM"):
        enrollment.read_chain(HttpResponse(200, headers, change % pem, request))
    with pytest.raises(Problem, match="pem-certificate-chain"):
        enrollment.read_chain(HttpResponse(200, (("Content-Type", "text/plain"),), pem, request))


def test_nobody_there_is_unreachable():
    with SocketTransport(timeout=5) as transport, pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/"):
        transport.exchange(HttpRequest("GET", "http://127.0.0.1:1/"))


def test_a_server_that_ended_and_is_started_again_is_waited_for(monkeypatch):
    monkeypatch.setattr(conformance.transport, "RESTART", 20.0)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def answers(listening):
        with listening:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    first = threading.Thread(target=answers, args=(listening,))
    first.start()
    request = HttpRequest("GET", f"http://127.0.0.1:{port}/")
    refused = threading.Event()
    slept = time.sleep

    def sleep(seconds):
        # Only once it has been refused is there somebody again.
        if not refused.is_set():
            refused.set()
            threading.Thread(target=answers, args=(socket.create_server(("127.0.0.1", port)),)).start()
        slept(seconds)

    monkeypatch.setattr(conformance.transport.time, "sleep", sleep)
    with SocketTransport(timeout=20) as transport:
        assert transport.exchange(request).status == 204
        first.join()
        assert transport.exchange(request).status == 204
    assert refused.is_set()


def test_a_server_that_stays_away_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(conformance.transport, "RESTART", 0.2)
    listening = socket.create_server(("127.0.0.1", 0))
    request = HttpRequest("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/")
    waits = []
    monkeypatch.setattr(conformance.transport.time, "sleep", waits.append)
    with listening, SocketTransport(timeout=20) as transport:
        transport._answered.add(("http", request.url.split("/")[2]))
        listening.close()
        with pytest.raises(Unreachable):
            transport.exchange(request)
        waited = len(waits)
        assert waited
        with pytest.raises(Unreachable):
            transport.exchange(request)
    assert len(waits) == waited


def chosen(nonce):
    return Mutation("protected.nonce.chosen", "c", lambda draft: draft.protected.update(nonce=nonce))


@pytest.mark.parametrize(
    ("mutation", "sent"),
    [
        pytest.param(None, 3, id="unspoilt"),
        pytest.param(protected("url", "x", "c"), 3, id="spoilt elsewhere"),
        pytest.param(chosen("A"), 1, id="the nonce is what is spoilt"),
        pytest.param(without("nonce", "c"), 1, id="the nonce is left out"),
    ],
)
def test_a_request_is_sent_again_only_if_its_nonce_was_right(scripted, mutation, sent):
    """A server may find any nonce invalid, which says nothing of the request, spoilt or not; a nonce that is spoilt says all."""
    client, server = scripted(lambda server, request: scripted.problem(server, 400, "badNonce"))
    account = Account("https://ca.example.test/acct/1", Key.make())
    assert client.send(client.fetch(account, "https://ca.example.test/x"), mutation).error == "badNonce"
    assert len([r for r in server.seen if r.method == "POST"]) == sent


def test_a_nonce_that_was_given_is_sent_once(scripted):
    client, server = scripted(lambda server, request: scripted.problem(server, 400, "badNonce"))
    draft = client.fetch(Account("https://ca.example.test/acct/1", Key.make()), "https://ca.example.test/x")
    draft.protected["nonce"] = "A"
    client.send(draft)
    assert len([r for r in server.seen if r.method == "POST"]) == 1
