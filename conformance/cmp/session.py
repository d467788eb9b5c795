"""One run against a CMP server: the connection, the trust anchors, and a bench for each case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from msgspec.structs import replace

from conformance.case import Case
from conformance.cmp.client import Refusal
from conformance.cmp.der import Garbled
from conformance.cmp.lab import CmpLab, Shared
from conformance.cmp.protection import NotVerified, Signer
from conformance.examination import Examination, Result, examine
from conformance.target import CmpTarget, Target, TargetError
from conformance.transport import SocketTransport, Transport


def _now() -> datetime:
    return datetime.now(UTC)


class CmpSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets, for a server in the same process; ``now`` tells its time, and ``wait`` lets
        seconds go by, however many.
    """

    def __init__(
        self,
        target: Target,
        *,
        transport: Transport | None = None,
        now: Callable[[], datetime] = _now,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        if target.cmp is None:
            raise TargetError("the target has no CMP endpoint")
        self._target = target
        self._cmp: CmpTarget = target.cmp
        self._given = transport
        self._now = now
        # Nothing is waited for without a clock that goes.
        self._wait = wait if wait is not None or transport is None else lambda seconds: None
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        anchor = Path(self._target.trust_anchor) if self._target.trust_anchor else None
        transport = self._given or self._stack.enter_context(SocketTransport(anchor))
        trusted = Path(self._cmp.trust_anchor) if self._cmp.trust_anchor else anchor
        self._shared = Shared(self._cmp, transport, [] if trusted is None else _certificates(trusted), self._now)
        if self._cmp.certificate:
            self._shared.given = _signer(Path(self._cmp.certificate), Path(self._cmp.key))
        if self._cmp.request_key:
            self._shared.key = _key(Path(self._cmp.request_key))
        if self._wait is not None:
            self._shared.wait, self._shared.patience = self._wait, timedelta.max
        self._shared.lightweight = self._lightweight(self._shared)
        return self

    def _lightweight(self, shared: Shared) -> Shared | None:
        """What the cases of RFC 9483 share: the same, or that of the endpoint that follows it; None: no endpoint does."""
        endpoint = self._cmp.lightweight
        if endpoint is None:
            return shared if "lightweight" in self._target.claimed else None
        target = replace(self._cmp, url=endpoint.url, reference=endpoint.reference, code=endpoint.code, certificate="", key="")
        made = Shared(target, shared.transport, shared.anchors, shared.now)
        made.wait, made.patience, made.key = shared.wait, shared.patience, shared.key
        return made

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._shared is not None
        examination = Examination(case)
        lab = CmpLab(self._shared, examination)
        return examine(examination, lab, self._target.claimed, (Refusal, NotVerified, Garbled))


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TargetError(f"{path}: no certificates in PEM: {error}") from None


def _key(path: Path) -> Any:
    try:
        return load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise TargetError(f"{path}: no private key in PEM without a passphrase: {error}") from None


def _signer(certificate: Path, key: Path) -> Signer:
    first, *others = _certificates(certificate)
    return Signer(first, _key(key), tuple(one.public_bytes(Encoding.DER) for one in others))
