"""What was decided about one certificate before it is built: the measure that lint holds the finished TBS against."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from cryptography import x509

from privca.base.names import Name
from privca.issuance.policy import Window
from privca.issuance.profile import Template
from privca.pkix.weak import CertifiedPublicKey


class Approved(msgspec.Struct, frozen=True):
    """A certificate as it was approved. ``kind`` is the kind of key; ``template`` None means a CA certificate, ``path_length`` and
    ``key_encipherment`` are for those.

    ``longest`` is the longest validity that the profile or the CA's configuration allows.
    """

    serial: bytes
    subject: x509.Name
    names: tuple[Name, ...]
    public_key: CertifiedPublicKey
    spki: bytes
    key_identifier: bytes
    kind: str
    window: Window
    longest: timedelta
    template: Template | None
    must_staple: bool = False
    path_length: int | None = None
    key_encipherment: bool = False
