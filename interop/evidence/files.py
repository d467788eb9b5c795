"""Looks at what a client fetched besides a certificate of its own."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ

from interop.evidence.certificate import Held
from interop.results import Check

OBJECT_IDENTIFIER, SEQUENCE = 0x06, 0x30


def look(kind: str, label: str, path: Path | None, anchors: Path, held: Held | None) -> Check:
    """The check for a file of a kind; ``held`` is the certificate that the client was issued, if it was."""
    name = f"{label} is what it should be"
    if path is None:
        return Check(name, False, "the client left none")
    try:
        return Check(name, True, KINDS[kind](path, anchors, held))
    except (ValueError, PyAsn1Error) as error:
        return Check(name, False, str(error))


def ca_certificates(path: Path, anchors: Path, held: Held | None) -> str:
    """PEM: CA certificates, and perhaps those of a registration authority, of which each leads to the server's trust anchor."""
    certificates = x509.load_pem_x509_certificates(path.read_bytes())
    bundle = path.with_name("others.pem")
    bundle.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    for one in certificates:
        single = path.with_name("one.pem")
        single.write_bytes(one.public_bytes(serialization.Encoding.PEM))
        argv = ["openssl", "verify", "-x509_strict", "-CAfile", str(anchors), "-untrusted", str(bundle), str(single)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise ValueError(f"{one.subject.rfc4514_string()}: {(done.stdout + done.stderr).strip()[-200:]}")
    return ", ".join(one.subject.rfc4514_string() for one in certificates)


def csr_attributes(path: Path, anchors: Path, held: Held | None) -> str:
    """DER: CsrAttrs (RFC 8951 section 3.5), a SEQUENCE OF OID or Attribute."""
    found = _sequence(path, "CsrAttrs")
    if not all(element[0] in (OBJECT_IDENTIFIER, SEQUENCE) for element in found):
        raise ValueError("an entry is neither OID nor Attribute")
    return f"{len(found)} entries"


def _sequence(path: Path, name: str) -> list[bytes]:
    """The elements of a SEQUENCE, each DER."""
    found, rest = decoder.decode(path.read_bytes(), asn1Spec=univ.SequenceOf(componentType=univ.Any()))
    if rest:
        raise ValueError(f"octets follow the {name}")
    return [bytes(element) for element in found]


def template(path: Path, anchors: Path, held: Held | None) -> str:
    """DER: a CertTemplate (RFC 4211 section 5)."""
    return f"{len(_sequence(path, 'CertTemplate'))} fields"


def crl(path: Path, anchors: Path, held: Held | None) -> str:
    """DER or PEM: a CRL that is current, signed by the issuer of the client's certificate where it has one with its chain."""
    octets = path.read_bytes()
    found = x509.load_pem_x509_crl(octets) if octets.startswith(b"-----") else x509.load_der_x509_crl(octets)
    now = datetime.datetime.now(datetime.UTC)
    if found.next_update_utc is None or not found.last_update_utc <= now < found.next_update_utc:
        raise ValueError("it is not current")
    candidates = x509.load_pem_x509_certificates(anchors.read_bytes()) + (held.parsed()[1] if held else [])
    issuer = next((one for one in candidates if one.subject == found.issuer), None)
    if issuer is None:
        raise ValueError(f"nobody is known as {found.issuer.rfc4514_string()}")
    if not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # an issuer's key can always sign
        raise ValueError("its issuer did not sign it")
    return f"{found.issuer.rfc4514_string()}, {len(found)} entries"


def same_certificate(path: Path, anchors: Path, held: Held | None) -> str:
    """PEM or DER: the certificate that the client was issued."""
    octets = path.read_bytes()
    load = x509.load_pem_x509_certificate if octets.startswith(b"-----") else x509.load_der_x509_certificate
    found = load(octets)
    if held is None or found != held.parsed()[0]:
        raise ValueError("it is another certificate than the client was issued")
    return f"serial {found.serial_number:X}"


def text(path: Path, anchors: Path, held: Held | None) -> str:
    """Lines of text."""
    words = path.read_text().split()
    if not words:
        raise ValueError("it is empty")
    return ", ".join(words)


KINDS: dict[str, Callable[[Path, Path, Held | None], str]] = {
    "ca-certificates": ca_certificates,
    "csr-attributes": csr_attributes,
    "template": template,
    "crl": crl,
    "same-certificate": same_certificate,
    "text": text,
}
