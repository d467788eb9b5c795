"""The certificate of the server itself: issued by the lab's root, renewed before it ends or when it has to name more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from privca.base.clock import SetClock
from privca.cli import lab
from privca.composition import Parts, compose, directly, run
from privca.config import Lab, Server, Validation, load
from privca.keys.files import write_private
from privca.server_certificate import EARLY, UnusableCertificateError, fits, issue_server_certificate, read_server_certificate


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    path = tmp_path / "privca.toml"
    path.write_text(lab.text(Server(), Validation(), Lab()).replace("RSA-2048", "P-256"))
    made = compose(load(path), directly, create=True)
    run(made.authorities.create_missing())
    yield made
    made.store.close()


def test_the_root_certifies_it_and_the_store_remembers(parts: Parts) -> None:
    run(issue_server_certificate(parts))
    (own,), _ = read_server_certificate(parts.config)
    root = run(parts.authorities.current("lab-root")).certificate
    own.verify_directly_issued_by(root)
    record = run(parts.store.certificate_by_serial(own.serial_number.to_bytes(20)))
    assert record is not None
    assert record.profile_id == "server"
    assert parts.config.file(parts.config.server.key).stat().st_mode & 0o777 == 0o600


def test_it_fits_until_shortly_before_its_end_and_for_its_hosts(parts: Parts) -> None:
    run(issue_server_certificate(parts))
    (own,), _ = read_server_certificate(parts.config)
    now = parts.clock.now()
    assert fits(own, parts.config, now)
    assert not fits(own, parts.config, own.not_valid_after_utc - EARLY)
    more = msgspec.structs.replace(parts.config.server, hosts=(*parts.config.server.hosts, "ca.example.test"))
    assert not fits(own, msgspec.structs.replace(parts.config, server=more), now)


def test_a_renewal_replaces_key_and_certificate_at_once(parts: Parts) -> None:
    run(issue_server_certificate(parts))
    (first,), _ = read_server_certificate(parts.config)
    later = replace(parts, clock=SetClock(parts.clock.now() + timedelta(days=80)))
    run(issue_server_certificate(later))
    (second,), key = read_server_certificate(parts.config)
    assert second.serial_number != first.serial_number
    assert key.public_key() == second.public_key()
    assert key.public_key() != first.public_key()


def test_a_key_of_another_certificate_is_refused(parts: Parts, tmp_path: Path) -> None:
    run(issue_server_certificate(parts))
    (tmp_path / "other.pem").write_bytes(parts.config.file(parts.config.server.certificate).read_bytes())
    run(issue_server_certificate(parts))
    config = msgspec.structs.replace(parts.config, server=msgspec.structs.replace(parts.config.server, certificate="other.pem"))
    with pytest.raises(UnusableCertificateError, match="is not the key of the certificate"):
        read_server_certificate(config)


def test_a_key_that_tls_clients_do_not_know_is_refused(parts: Parts) -> None:
    key = ed448.Ed448PrivateKey.generate()
    name = x509.Name([])
    now = parts.clock.now()
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, None)
    file = parts.config.file(parts.config.server.key)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(file, pem + made.public_bytes(Encoding.PEM))
    with pytest.raises(UnusableCertificateError, match="no EC, RSA or Ed25519 key"):
        read_server_certificate(parts.config)
