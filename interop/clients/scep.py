"""What drivers of SCEP clients share: some clients keep no CA certificates, and the evidence needs the chain."""

from __future__ import annotations

import subprocess
import urllib.request
from pathlib import Path

from interop.clients.driving import ClientFailedError


def ca_certificates(url: str, to: Path) -> Path:
    """The answer to GetCACert, as PEM (RFC 8894 section 4.2). :raises ClientFailedError: if there is none."""
    try:
        with urllib.request.urlopen(f"{url}?operation=GetCACert", timeout=20) as reply:  # noqa: S310 - the service under test
            kind, octets = reply.headers.get_content_type(), reply.read()
    except OSError as error:
        raise ClientFailedError(f"GetCACert: {error}") from None
    reader = ["x509"] if kind == "application/x-x509-ca-cert" else ["pkcs7", "-print_certs"]
    done = subprocess.run(["openssl", *reader, "-inform", "DER", "-out", str(to)], input=octets, capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise ClientFailedError(f"GetCACert: {kind} is none")
    return to
