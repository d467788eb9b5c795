"""``/serverkeygen`` (RFC 7030 section 4.4): a key that is made here and handed out once, with its certificate.

Key and signature of the CSR are ignored. The key is kept nowhere, so it cannot wait: who would have to wait for a person is told so at once,
and who asks again gets another key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from privca.base.entropy import token
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity, Pending, Submission
from privca.est import csrattrs
from privca.est.rfc7030 import key_delivery, linking, transfer
from privca.est.rfc7030.authentication import authenticate
from privca.est.rfc7030.call import Call
from privca.pkix import rfc2986
from privca.pkix.weak import SigningPublicKey

_CLAUSE = "RFC 7030 section 4.4"
_CLEAR = "application/pkcs8"
_ENCRYPTED = "application/pkcs7-mime; smime-type=server-generated-key"


@dataclass(frozen=True, slots=True)
class Generated:
    """A CSR with the key that was made for it (implements :class:`~privca.issuance.ports.Requested`)."""

    der: bytes = field(repr=False)
    subject: x509.Name
    spki: bytes = field(repr=False)
    public_key: SigningPublicKey
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]


async def generate(call: Call) -> Response:
    """Authenticate, read, make a key, certify it, and hand out both."""
    if call.options.server_keys == "none":
        raise Refused(Reason.NOT_FOUND, _CLAUSE, "this profile makes no keys for its clients")
    identity = await authenticate(call)
    _check_attended(call, identity)
    octets = transfer.read(call.request, transfer.PKCS10, tolerant=call.tolerant)
    wishes = rfc2986.parse_wishes(octets, tolerant=call.tolerant)
    linking.check(call, identity, wishes.challenge_password)
    csrattrs.check(call.profile, wishes, None)
    delivery = await key_delivery.plan(call, wishes.attributes)
    private = await call.core.maker.make(call.options.server_key)
    outcome = await call.core.door.submit(
        call.exchange,
        call.profile,
        Submission(request_id=f"est:key:{token(call.core.entropy)}", identity=identity, csr=_requested(wishes, private)),
    )
    if isinstance(outcome, Pending):
        raise Refused(Reason.UNAVAILABLE, _CLAUSE, "a key that is made here is handed out at once, and this request has to wait")
    assert outcome.certificate.der is not None
    kind, key = (_CLEAR, private) if delivery is None else (_ENCRYPTED, await delivery(private))
    spelled = transfer.encode(key)
    call.exchange.conceal("private key", spelled)
    return _reply(call, kind, spelled, transfer.certificates(outcome.certificate.der))


def _check_attended(call: Call, identity: Identity) -> None:
    profile = call.profile.profile
    if identity.method == "approval" or profile.approval_always:
        raise Refused(
            Reason.UNAUTHORIZED,
            "profile: approval_always" if profile.approval_always else "profile: authentication",
            "a key that is made here is handed out at once, and this request would wait for a person",
        )


def _requested(wishes: rfc2986.Wishes, private: bytes) -> Generated:
    public_key = load_der_private_key(private, None).public_key()
    return Generated(
        der=wishes.der,
        subject=wishes.subject,
        spki=public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public_key=cast("SigningPublicKey", public_key),
        names=wishes.names,
        extensions=wishes.extensions,
    )


def _reply(call: Call, kind: str, key: bytes, certificate: bytes) -> Response:
    """multipart/mixed (RFC 2046 section 5.1): the key, then the certificate as ``/simpleenroll`` sends it (section 4.4.2)."""
    boundary = f"privca-{token(call.core.entropy, 12)}"
    # RFC 8951 section 3.2.4 did away with it here, too; libest's client drops a part without it.
    encoding = b"Content-Transfer-Encoding: base64\r\n" if call.says_transfer_encoding else b""
    parts = [
        b"--%s\r\nContent-Type: %s\r\n%s\r\n%s" % (boundary.encode(), media.encode(), encoding, body)
        for media, body in ((kind, key), (transfer.CERTIFICATES, certificate))
    ]
    body = b"\r\n".join(parts) + b"\r\n--%s--\r\n" % boundary.encode()
    return Response(200, (("Content-Type", f"multipart/mixed; boundary={boundary}"),), body)
