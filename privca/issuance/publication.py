"""Where CRLs and CA certificates are published (interfaces.md): one URL a CA key, whose meaning never changes.

A CRL distribution point must lead to the CRL of the key that signed the certificate (RFC 5280 section 4.2.1.13), also after a
rollover: the first key of CA ``lab`` has ``/crl/lab.crl``, its third ``/crl/lab.3.crl``. CA names hold no dot, so both read back.
"""

from __future__ import annotations

import re

from privca.issuance.crl_scope import COMPLETE, Scope, read_scope

_KEY = r"([a-z0-9][a-z0-9-]{0,62})(?:\.([1-9][0-9]{0,8}))?"
_LABEL = re.compile(_KEY)
_CRL_LABEL = re.compile(rf"{_KEY}(?:\.([a-z][a-z0-9]{{1,11}}))?")


def label(authority: str, number: int) -> str:
    """The name under which the CRL and certificate of one CA key are published."""
    return authority if number == 1 else f"{authority}.{number}"


def read_label(text: str) -> tuple[str, int] | None:
    """CA name and generation number of a label, or None if it is none."""
    match = _LABEL.fullmatch(text)
    return None if match is None else (match[1], int(match[2] or 1))


def read_crl_label(text: str) -> tuple[str, int, Scope] | None:
    """CA name, generation number and scope of the label of a CRL (``lab.3``, ``lab.p2of8``, ``lab.3.delta``), or None if it is none."""
    match = _CRL_LABEL.fullmatch(text)
    scope = None if match is None else read_scope(match[3] or "")
    return None if match is None or scope is None else (match[1], int(match[2] or 1), scope)


class PublicUrls:
    """URLs below ``origin`` (``http://pki.example.test``, no slash at the end; plain HTTP: RFC 5280 section 8). Empty: none are certified."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def crl(self, authority: str, number: int, scope: Scope = COMPLETE) -> str:
        """Where the CRL of a CA key is; empty if nowhere."""
        suffix = f".{scope}" if str(scope) else ""
        return f"{self._origin}/crl/{label(authority, number)}{suffix}.crl" if self._origin else ""

    def certificate(self, authority: str, number: int) -> str:
        """Where the certificate of a CA key is; empty if nowhere."""
        return f"{self._origin}/ca/{label(authority, number)}.cer" if self._origin else ""

    def ocsp(self, authority: str) -> str:
        """Where OCSP requests about certificates of a CA go, whichever of its keys signed them; empty if nowhere."""
        return f"{self._origin}/ocsp/{authority}" if self._origin else ""
