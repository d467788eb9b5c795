"""``evidence.zip``: everything that a run left, with its digests, and a CMS signature over these that ``openssl cms -verify`` checks.

It has what an assessor takes away: requirements, cases, verdicts and messages (``results.json`` has them all), the reports that were made
from it, and, if they are there, the pages that say why the examiner is to be believed. Secrets are in none of them.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

FILES = ("results.json", "index.html", "junit.xml", "summary.md", "traceability.csv", "gauntlet.html", "kill-matrix.html")
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.p7s"
# The same octets each time: an archive says nothing of when it was packed.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class EvidenceError(Exception):
    """The archive cannot be made: one sentence."""


def pack(directory: Path, *, key: Path | None = None, certificate: Path | None = None) -> Path:
    """Pack the reports in ``directory`` into its ``evidence.zip``; the path of that.

    :param key: PEM file of an RSA or EC key without a passphrase that signs, with the PEM file of its ``certificate``; None: unsigned.
    :raises EvidenceError: if there are no results, or the key cannot sign.
    """
    contents = {name: (directory / name).read_bytes() for name in FILES if (directory / name).is_file()}
    if "results.json" not in contents:
        raise EvidenceError(f"{directory}: has no results.json; make it with: conformance run ... --out {directory}")
    sums = "".join(f"{hashlib.sha256(octets).hexdigest()}  {name}\n" for name, octets in contents.items()).encode("ascii")
    contents[SUMS] = sums
    if key is not None and certificate is not None:
        contents[SIGNATURE] = _signature(sums, key, certificate)
    path = directory / "evidence.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), octets, zipfile.ZIP_DEFLATED)
    return path


def _signature(sums: bytes, key: Path, certificate: Path) -> bytes:
    """A detached CMS SignedData in DER, the signer's certificate inside."""
    try:
        private = load_pem_private_key(key.read_bytes(), None)
        signer = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise EvidenceError(f"key or certificate cannot be read: {error}") from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise EvidenceError(f"{key}: is no RSA or EC key")
    if private.public_key() != signer.public_key():
        raise EvidenceError(f"{key}: is not the key of the certificate in {certificate}")
    builder = PKCS7SignatureBuilder().set_data(sums).add_signer(signer, private, hashes.SHA256())
    return builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
