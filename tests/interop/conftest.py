from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interop.evidence.certificate import Held


class LabCa:
    """A CA of one self-signed certificate, and what a client would hold of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
        self.now = datetime.datetime.now(datetime.UTC)
        root = self._builder(self.name, self.key.public_key(), datetime.timedelta(days=2)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), True
        )
        root = root.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False
        )
        self.certificate = root.sign(self.key, hashes.SHA256())
        self.anchors = folder / "anchors.pem"
        self.anchors.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, life: datetime.timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - datetime.timedelta(days=1))
            .not_valid_after(self.now - datetime.timedelta(days=1) + life)
        )

    def held(
        self,
        *names: str,
        label: str = "issue",
        life: datetime.timedelta = datetime.timedelta(days=2),
        crl: str = "",
        other_key: bool = False,
    ) -> Held:
        """Files as a client leaves them."""
        key = ec.generate_private_key(ec.SECP256R1())
        general = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
        builder = self._builder(x509.Name([]), key.public_key(), life).add_extension(x509.SubjectAlternativeName(general), True)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if crl:
            builder = builder.add_extension(
                x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)]),
                False,
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        kept = ec.generate_private_key(ec.SECP256R1()) if other_key else key
        files = self.folder / f"{label}.certificate.pem", self.folder / f"{label}.key.pem"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            kept.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return Held(files[0], None, files[1])


@pytest.fixture
def make_ca(tmp_path: Path) -> Callable[[str], LabCa]:
    def make(name: str) -> LabCa:
        (tmp_path / name).mkdir()
        return LabCa(tmp_path / name)

    return make


@pytest.fixture
def ca(make_ca: Callable[[str], LabCa]) -> LabCa:
    return make_ca("ca")
