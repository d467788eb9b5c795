"""What the operations that enroll have in common: from a CSR that was read to the reply (RFC 7030 sections 4.2.1 to 4.2.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from privca.base.durations import duration
from privca.base.http import Response
from privca.enrollment.door import Identity, Issued, Pending, Submission
from privca.est.rfc7030 import transfer
from privca.est.rfc7030.call import Call
from privca.issuance.ports import Certificate, CertificateStatus, Requested
from privca.pkix.rfc2986 import CHALLENGE_PASSWORD


def request_id(identity: Identity, requested: Requested, attributes: Mapping[str, tuple[bytes, ...]], *more: bytes) -> str:
    """What names a request: who asks, and what for.

    A client that waits repeats its request (section 4.2.3), in a new TLS connection with another channel binding in it, and so with
    another signature (section 3.5): neither counts.
    """
    found = hashlib.sha256()
    for part in (identity.id.encode(), requested.subject.public_bytes(), requested.spki, *_flat(attributes), *more):
        found.update(len(part).to_bytes(4, "big") + part)
    return f"est:{found.hexdigest()}"


_DIGEST = len("est:") + 64


def _flat(attributes: Mapping[str, tuple[bytes, ...]]) -> Iterable[bytes]:
    for oid in sorted(attributes):
        if oid != CHALLENGE_PASSWORD.dotted_string:
            yield oid.encode()
            yield from sorted(attributes[oid])


async def submit(
    call: Call, identity: Identity, requested: Requested, id: str, renews: Certificate | None = None
) -> Issued | Pending:
    """Hand the request to the CA. Sent again within ``est.repeat``, it gets the certificate that it got before; later a new one.

    :raises Refused: as the door does.
    """
    repeat = duration(call.options.repeat)
    while True:
        submission = Submission(request_id=id, identity=identity, csr=requested, renews=renews)
        outcome = await call.core.door.submit(call.exchange, call.profile, submission)
        # The common request is new: only what was answered before is asked for under another ID.
        if isinstance(outcome, Pending) or _stands(outcome.certificate, call.now, repeat):
            return outcome
        id = _following(id, outcome.certificate)


async def fresh(call: Call, id: str) -> str:
    """The ID under which :func:`submit` will answer a request, for who has to know it before."""
    repeat = duration(call.options.repeat)
    found = await call.core.door.find(call.profile.id, id)
    while found is not None and not _stands(found, call.now, repeat):
        id = _following(id, found)
        found = await call.core.door.find(call.profile.id, id)
    return id


def _following(id: str, answered: Certificate) -> str:
    return f"{id[:_DIGEST]}:{answered.serial.hex()}"


def _stands(found: Certificate, now: datetime, repeat: timedelta) -> bool:
    """Whether a certificate answers a request: one that was made for it now, or a short time ago and is good."""
    if found.recorded == now:
        return found.status in (CertificateStatus.ISSUED, CertificateStatus.PREPARED)
    return found.status is CertificateStatus.ISSUED and now - found.recorded < repeat


def waiting(call: Call, pending: Pending) -> Response:
    """202: the same request is to be sent again later. Without a body, as BouncyCastle expects it; in seconds, since libest's client reads
    no date."""
    call.exchange.decided("request waits", "RFC 7030 section 4.2.3", retry_after=str(pending.retry_after))
    return Response(202, (("Retry-After", str(pending.retry_after)),))


def answer(call: Call, outcome: Issued | Pending) -> Response:
    """The certificate alone, or word to ask again."""
    if isinstance(outcome, Pending):
        return waiting(call, outcome)
    assert outcome.certificate.der is not None
    body = transfer.certificates(outcome.certificate.der)
    return transfer.reply(transfer.CERTIFICATES, body, transfer_encoding=call.says_transfer_encoding)
