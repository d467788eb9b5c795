"""Reads a client's private key, and says what is wrong with how it is written down."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def read(path: Path) -> tuple[PrivateKeyTypes, str]:
    """The key in a PEM file, and an empty text, or what its encoding has against it: OpenSSL reads more than is right,
    such as an ECPrivateKey without its leading zeros (RFC 5915 section 3), which GnuTLS writes. :raises ValueError: if nobody can read it.
    """
    octets = path.read_bytes()
    try:
        return serialization.load_pem_private_key(octets, None), ""
    except (ValueError, TypeError) as error:
        argv = ["openssl", "pkey", "-passin", "pass:", "-in", str(path)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise ValueError(str(error)) from None
        return serialization.load_pem_private_key(done.stdout, None), f"only OpenSSL reads it: {str(error).partition('. ')[0]}"
