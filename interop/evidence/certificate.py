"""Looks at a certificate that a client says it got."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.x509.oid import NameOID

from interop.evidence import keys
from interop.results import Check

KINDS: dict[type, str] = {
    ed25519.Ed25519PublicKey: "ed25519",
    ed448.Ed448PublicKey: "ed448",
    mldsa.MLDSA44PublicKey: "mldsa44",
    mldsa.MLDSA65PublicKey: "mldsa65",
    mldsa.MLDSA87PublicKey: "mldsa87",
}

NEW = (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


@dataclass(frozen=True, slots=True)
class Held:
    """What a client holds: files, with the certificate first in its file; the rest of that file counts as chain."""

    certificate: Path
    chain: Path | None
    key: Path | None

    def parsed(self) -> tuple[x509.Certificate, list[x509.Certificate]]:
        """The certificate and its chain. :raises ValueError: if that is not what the files hold."""
        first, *rest = x509.load_pem_x509_certificates(self.certificate.read_bytes())
        if self.chain is not None:
            rest += [extra for extra in x509.load_pem_x509_certificates(self.chain.read_bytes()) if extra not in rest]
        return first, rest


def examine(
    held: Held, *, anchors: Path, names: Sequence[str], key: str, purpose: str = "sslserver"
) -> tuple[x509.Certificate | None, list[Check]]:
    """All that can be checked without the server: it parses, chains to ``anchors``, is valid now, holds the names asked and the client's key.

    ``purpose`` is one of OpenSSL's.
    """
    try:
        certificate, chain = held.parsed()
    except ValueError as error:
        return None, [Check("certificate parses", False, str(error))]
    checks = [Check("certificate parses", True, f"serial {certificate.serial_number:X}")]
    checks.append(_verify(held, chain, anchors, purpose))
    now = datetime.datetime.now(datetime.UTC)
    valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    checks.append(
        Check("valid now", valid, f"{certificate.not_valid_before_utc:%F %TZ} to {certificate.not_valid_after_utc:%F %TZ}")
    )
    found = sorted(names_of(certificate))
    checks.append(Check("names as asked", found == sorted(names), ", ".join(found)))
    checks.append(_key_is_the_clients(held, certificate))
    kind = key_kind(certificate.public_key())
    checks.append(Check("key kind as asked", kind == key, kind))
    return certificate, checks


def names_of(certificate: x509.Certificate) -> Iterator[str]:
    """DNS names and IP addresses of subjectAltName, as text; without that extension, common names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield from (str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
        return
    for name in extension:
        yield str(name.value)


def key_kind(key: object) -> str:
    """A public key in the words of a scenario."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ec{key.key_size}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa{key.key_size}"
    for kind, name in KINDS.items():
        if isinstance(key, kind):
            return name
    return type(key).__name__


def _verify(held: Held, chain: Sequence[x509.Certificate], anchors: Path, purpose: str) -> Check:
    """The judgement of a third implementation: ``openssl verify``."""
    untrusted = held.certificate.with_name("untrusted.pem")
    untrusted.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    more = ["-untrusted", str(untrusted)] if chain else []
    judged, name = held.certificate, "openssl verify accepts it"
    first = held.parsed()[0]
    if isinstance(first.public_key(), NEW):
        # A key that the machine's openssl may not know: it judges the issuer, and that one's signature is verified here.
        judged, name, purpose = (
            held.certificate.with_name("issuer.pem"),
            "openssl verify accepts its issuer, who signed it",
            "any",
        )
        issuer = next((one for one in chain if one.subject == first.issuer), None)
        if issuer is None:
            return Check(name, False, "the client has no certificate of its issuer")
        try:
            first.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError) as error:
            return Check(name, False, f"{type(error).__name__} {error}")
        judged.write_bytes(issuer.public_bytes(serialization.Encoding.PEM))
    argv = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(anchors), *more, str(judged)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
    text = (done.stdout + done.stderr).strip().replace(f"{judged}: ", "")
    return Check(name, done.returncode == 0 and text.endswith("OK"), text[-300:])


def _key_is_the_clients(held: Held, certificate: x509.Certificate) -> Check:
    name = "key is the client's"
    if held.key is None:
        return Check(name, False, "no key was kept")
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        private, detail = keys.read(held.key)
    except ValueError as error:
        return Check(name, False, str(error))
    return Check(name, private.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form), detail)
