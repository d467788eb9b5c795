"""RFC 8894 over real sockets: a lab as ``privca up`` makes it, spoken to over plain HTTP as a device does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from cryptography import x509

from tests.support.running import Running, lab, privca
from tests.support.scep_client import (
    CERT_POLL,
    PKCS_REQ,
    Client,
    certificates_of,
    children,
    query,
    read_reply,
    request,
    self_signed,
    sequence,
    today,
)
from tests.support.scep_lab import rsa_key


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with lab(tmp_path_factory.mktemp("scep") / "lab") as started:
        yield started


def client(url: str) -> Client:
    """A new device, which asks the server whom to encrypt for."""
    shown = httpx.get(f"{url}?operation=GetCACert")
    assert shown.headers["content-type"] == "application/x-x509-ca-ra-cert"
    key = rsa_key(0)
    return Client(key, self_signed(key, "device", today()), certificates_of(shown.content)[0])


@pytest.mark.parametrize("way", ["POST", "GET", "pkiclient.exe"])
def test_4_3_a_device_enrolls(running: Running, way: str) -> None:
    profile = running.profile("lab-scep")
    url = profile["url"] + ("/cgi-bin/pkiclient.exe" if way == "pkiclient.exe" else "")
    device = client(url)
    name = f"{way.lower().replace('.', '-')}.example.test"
    message = device.message(PKCS_REQ, request(device.key, name, names=[name], challenge=profile["code"]))
    # sscep and strongSwan send no Content-Type.
    by_post = way != "GET"
    response = httpx.post(f"{url}?operation=PKIOperation", content=message) if by_post else httpx.get(f"{url}?{query(message)}")
    assert response.headers["content-type"] == "application/x-pki-message"
    issued = read_reply(response.content, device.recipient, device.key).issued
    assert issued.subject.rfc4514_string() == f"CN={name}"
    shown = privca("cert", "show", f"{issued.serial_number:040X}", "--dir", running.directory)
    assert "lab-scep" in shown.stdout


def test_4_1_where_clients_look_that_nobody_told_otherwise(running: Running) -> None:
    root = running.profile("lab-scep")["url"].removesuffix("/scep/lab-scep")
    assert "SCEPStandard" in httpx.get(f"{root}/cgi-bin/pkiclient.exe?operation=GetCACaps").text.split("\n")


def test_4_4_a_person_decides(running: Running) -> None:
    url = running.profile("lab-scep-approval")["url"]
    device = client(url)
    sent = device.message(PKCS_REQ, request(device.key, "waits"))
    reply = read_reply(httpx.post(f"{url}?operation=PKIOperation", content=sent).content, device.recipient, device.key)
    assert reply.status == "3"
    listed = privca("request", "list", "--json", "--dir", running.directory)
    (id,) = [one["id"] for one in json.loads(listed.stdout)]
    privca("request", "approve", id, "--dir", running.directory)
    parts = children(children(device.certificate)[0])
    poll = device.message(CERT_POLL, sequence(parts[3], parts[5]))
    reply = read_reply(httpx.post(f"{url}?operation=PKIOperation", content=poll).content, device.recipient, device.key)
    assert isinstance(reply.issued, x509.Certificate)


def test_4_1_what_is_no_request_is_said_in_plain_text(running: Running) -> None:
    url = running.profile("lab-scep")["url"]
    response = httpx.get(f"{url}?operation=Nothing")
    assert (response.status_code, response.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert httpx.get(url.replace("lab-scep", "nobody")).status_code == 404
