"""RFC 8555 section 7.4: orders, finalize."""

from __future__ import annotations


def test_the_whole_way(world, client):
    order = client.order("www.example.test", "example.test")
    assert order.status == 201
    assert order.json["status"] == "pending"
    for url in order.json["authorizations"]:
        assert client.prove(url).status == 200
    shown = client.post(order.header("location"))
    assert shown.json["status"] == "ready"
    done = client.finalize(order, "example.test", "www.example.test")
    assert done.status == 200, done.json
    assert done.json["status"] == "valid"
    assert done.header("location") == order.header("location")
    chain = client.post(done.json["certificate"])
    assert chain.status == 200
    assert chain.header("content-type") == "application/pem-certificate-chain"
    assert chain.response.body.count(b"BEGIN CERTIFICATE") == 2
