"""``/simpleenroll`` (RFC 7030 section 4.2.1)."""

from __future__ import annotations

from privca.base.http import Response
from privca.est import csrattrs
from privca.est.rfc6402 import renamed
from privca.est.rfc7030 import enrollment, linking, transfer
from privca.est.rfc7030.authentication import authenticate
from privca.est.rfc7030.call import Call
from privca.pkix import rfc2986


async def enroll(call: Call) -> Response:
    """Authenticate, read, judge, issue."""
    identity = await authenticate(call)
    octets = transfer.read(call.request, transfer.PKCS10, tolerant=call.tolerant)
    csr = rfc2986.parse(octets, tolerant=call.tolerant)
    linking.check(call, identity, csr.challenge_password)
    csrattrs.check(call.profile, csr, csr)
    requested = renamed(csr)
    id = enrollment.request_id(identity, requested, csr.attributes)
    return enrollment.answer(call, await enrollment.submit(call, identity, requested, id))
