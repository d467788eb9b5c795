"""CRLs and CA certificates by URL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from privca.base.http import Peer, Request, Response
from privca.base.refused import Reason, Refused
from privca.issuance.ports import RevocationReason
from privca.status.service import STATUSES, StatusService
from tests.support.issuance_lab import NOW, IssuanceLab, profile, run


@pytest.fixture
def ca(tmp_path: Path) -> Iterator[IssuanceLab]:
    made = IssuanceLab(tmp_path).make()
    yield made
    made.store.close()


def ask(ca: IssuanceLab, path: str, method: str = "GET") -> Response:
    request = Request(method, f"/{path}", path, "", {}, b"", Peer("192.0.2.1"), "http://pki.example.test")
    return run(StatusService(ca.authorities, ca.lists, ca.responder).handle(ca.exchange(), request))


def test_a_crl_lists_what_is_revoked_now(ca: IssuanceLab) -> None:
    certificate = ca.issue(profile())
    assert len(x509.load_der_x509_crl(ask(ca, "crl/issuing.crl").body)) == 0
    run(ca.revocation.revoke(certificate.serial, RevocationReason.KEY_COMPROMISE, "operator", NOW))
    reply = ask(ca, "crl/issuing.crl")
    assert reply.header("Content-Type") == "application/pkix-crl"
    assert reply.header("Last-Modified") == "Fri, 02 Jan 2026 03:04:05 GMT"
    crl = x509.load_der_x509_crl(reply.body)
    assert crl.get_revoked_certificate_by_serial_number(int.from_bytes(certificate.serial)) is not None


def test_each_key_of_a_ca_has_its_own_urls(ca: IssuanceLab) -> None:
    old = ask(ca, "ca/issuing.cer")
    run(ca.authorities.rollover("issuing"))
    assert ask(ca, "ca/issuing.cer").body == old.body
    new = x509.load_der_x509_certificate(ask(ca, "ca/issuing.2.cer").body)
    assert x509.load_der_x509_crl(ask(ca, "crl/issuing.2.crl").body).is_signature_valid(new.public_key())
    assert old.header("Content-Type") == "application/pkix-cert"


@pytest.mark.parametrize(
    "path",
    "crl/nobody.crl ca/nobody.cer crl/issuing.9.crl crl/issuing.cer ca/issuing.crl ocsp/nobody ocsp/issuing.2 crl/.crl".split(),
)
def test_what_is_not_there(ca: IssuanceLab, path: str) -> None:
    reply = ask(ca, path)
    assert reply.status == 404
    assert reply.header("Content-Type") == "application/problem+json"
    assert json.loads(reply.body)["status"] == 404


def test_it_is_read_only(ca: IssuanceLab) -> None:
    reply = ask(ca, "crl/issuing.crl", "POST")
    assert (reply.status, reply.header("Allow")) == (405, "GET, HEAD")
    assert ask(ca, "crl/issuing.crl", "HEAD").status == 200


def test_a_fault_of_ours_tells_nothing_of_itself(ca: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> object:
        raise Refused(Reason.INTERNAL, "keys: format", "/secret/place: not a key")

    monkeypatch.setattr(ca.lists, "current", fails)
    reply = ask(ca, "crl/issuing.crl")
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert Reason.INTERNAL not in STATUSES
