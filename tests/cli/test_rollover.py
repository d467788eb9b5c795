"""A rollover as clients of a running server see it: every protocol tells of the same keys, and the old ones still answer for their own."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp

from privca.base.names import dns_name
from privca.composition import opened, run
from privca.issuance.issue import Request
from privca.issuance.ports import Certificate, RevocationReason
from privca.issuance.succession import Succession, succession
from tests.support import cmp
from tests.support.issuance_lab import csr
from tests.support.running import PATIENCE, Running, lab, quickly


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with lab(tmp_path_factory.mktemp("rollover") / "lab") as started:
        yield started


def told(running: Running, name: str) -> Succession:
    """What the store knows of the keys of a CA."""
    with opened(running.directory / "privca.toml") as parts:
        return run(succession(parts.authorities, name))


def rollover(running: Running, name: str, *options: str) -> None:
    done = quickly("ca", "rollover", name, *options, "--dir", running.directory)
    assert done.returncode == 0, done.stderr


def until(look: Callable[[], bool]) -> None:
    """A server notices within seconds what a command has done."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, "the server did not notice"


def http(running: Running) -> str:
    return str(running.profile("lab-scep")["url"]).partition("/scep/")[0]


def cacerts(running: Running) -> set[bytes]:
    """EST (RFC 7030 section 4.1)."""
    with running.client() as client:
        reply = client.get(f"{running.profile('lab-est')['url']}/cacerts")
    found = pkcs7.load_der_pkcs7_certificates(base64.b64decode(reply.content))
    return {one.public_bytes(Encoding.DER) for one in found}


def next_ca_certificate(running: Running) -> bytes | None:
    """SCEP (RFC 8894 section 4.7), None while there is none."""
    with running.client() as client:
        reply = client.get(running.profile("lab-scep")["url"], params={"operation": "GetNextCACert"})
    return reply.content if reply.status_code == 200 else None


def root_key_update(running: Running, old: bytes) -> Sequence[bytes] | None:
    """CMP (RFC 9483 section 4.3.2): newWithNew, newWithOld, oldWithNew; None if there is no update."""
    profile = running.profile("lab-cmp")
    protection = cmp.Pbm(secret=profile["code"].encode(), reference=profile["reference"])
    asked = cmp.seq(cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.20"), old))
    numbers = time.monotonic_ns().to_bytes(16)
    message = cmp.Message(cmp.GENM, asked, protection, transaction_id=numbers, sender_nonce=numbers)
    with running.client() as client:
        reply = client.post(profile["url"], content=message.encode(), headers={"Content-Type": "application/pkixcmp"})
    answer = cmp.Reply(reply.content)
    assert answer.kind == cmp.GENP, answer.status()
    inside = answer.content[0].inside
    if len(inside) < 2:
        return None
    update = inside[1]
    return [update[0].raw, update.tagged(0)[0].raw, update.tagged(1)[0].raw]


def published(running: Running, path: str) -> bytes:
    with running.client() as client:
        reply = client.get(f"{http(running)}{path}")
    assert reply.status_code == 200
    return reply.content


def test_one_story_of_the_root(running: Running) -> None:
    before = told(running, "lab-root").current.generation.certificate
    assert root_key_update(running, before) is None
    rollover(running, "lab-root")
    story = told(running, "lab-root")
    update = story.update_of(before)
    assert update is not None
    until(lambda: root_key_update(running, before) is not None)
    assert root_key_update(running, before) == [update.new_with_new, update.new_with_old, update.old_with_new]
    assert root_key_update(running, update.new_with_new) is None
    until(lambda: update.new_with_new in cacerts(running))
    assert {update.old_with_old, update.new_with_new, update.new_with_old, update.old_with_new} <= cacerts(running)
    for number, wanted in ((1, {update.old_with_old, update.old_with_new}), (2, {update.new_with_new, update.new_with_old})):
        label = "lab-root" if number == 1 else f"lab-root.{number}"
        found = pkcs7.load_der_pkcs7_certificates(published(running, f"/ca/{label}.p7c"))
        assert {one.public_bytes(Encoding.DER) for one in found} == wanted


def test_a_coming_key_is_announced_and_then_issues(running: Running) -> None:
    assert next_ca_certificate(running) is None
    rollover(running, "lab-rsa", "--prepare")
    story = told(running, "lab-rsa")
    assert story.coming is not None
    assert story.current.generation.number == 1
    until(lambda: next_ca_certificate(running) is not None)
    announced = next_ca_certificate(running)
    assert announced is not None
    # Inside of what the current key has signed.
    assert story.coming.generation.certificate in announced
    rollover(running, "lab-rsa")
    after = told(running, "lab-rsa")
    assert after.current.generation.certificate == story.coming.generation.certificate
    until(lambda: next_ca_certificate(running) is None)


def issue(running: Running, request_id: str) -> Certificate:
    names = (dns_name("www.example.test"),)
    with opened(running.directory / "privca.toml") as parts:
        profile = run(parts.store.profile("lab-acme"))
        assert profile is not None
        return run(parts.issuer.issue(parts.exchange("lab-acme"), profile, Request(request_id, "acme:1", csr(names), names)))


def status(running: Running, certificate: Certificate, issuer: x509.Certificate) -> ocsp.OCSPCertStatus | None:
    """What OCSP says of a certificate; None while the server does not know its issuer's key."""
    assert certificate.der is not None
    parsed = x509.load_der_x509_certificate(certificate.der)
    asked = ocsp.OCSPRequestBuilder().add_certificate(parsed, issuer, hashes.SHA256()).build().public_bytes(Encoding.DER)
    access: Any = parsed.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = [one.access_location.value for one in access if one.access_method == x509.AuthorityInformationAccessOID.OCSP]
    with running.client() as client:
        reply = client.post(url, content=asked, headers={"Content-Type": "application/ocsp-request"})
    found = ocsp.load_der_ocsp_response(reply.content)
    if found.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED:
        return None
    (responder,) = found.certificates
    responder.verify_directly_issued_by(issuer)
    return found.certificate_status


def test_the_old_key_still_answers(running: Running) -> None:
    old, again = issue(running, "old"), issue(running, "again")
    name = old.authority
    rollover(running, name)
    new = issue(running, "new")
    story = told(running, name)
    first, second = story.past[-1].certificate, story.current.certificate
    assert (old.generation, new.generation) == (1, 2)
    with opened(running.directory / "privca.toml") as parts:
        run(parts.revocation.revoke(again.serial, RevocationReason.SUPERSEDED, "operator", parts.clock.now()))
    until(lambda: status(running, again, first) is ocsp.OCSPCertStatus.REVOKED)
    until(lambda: status(running, new, second) is ocsp.OCSPCertStatus.GOOD)
    assert status(running, old, first) is ocsp.OCSPCertStatus.GOOD
    for label, key in ((name, first), (f"{name}.2", second)):
        crl = x509.load_der_x509_crl(published(running, f"/crl/{label}.crl"))
        assert crl.is_signature_valid(key.public_key())  # type: ignore[arg-type]
        assert crl.get_revoked_certificate_by_serial_number(int.from_bytes(again.serial)) is not None
