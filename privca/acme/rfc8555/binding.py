"""External account binding (RFC 8555 section 7.3.4)."""

from __future__ import annotations

from privca.acme.ports import ExternalKey
from privca.acme.rfc8555.call import Call
from privca.base.refused import Reason, Refused
from privca.jose import rfc7515, rfc7517, rfc8259

CLAUSE = "RFC 8555 section 7.3.4"


def _parse(binding: bytes) -> rfc7515.Jws:
    try:
        return rfc7515.parse(binding, rfc7515.MAC_ALGORITHMS)
    except Refused as refused:
        # badSignatureAlgorithm is about the request, and tells the algorithms for that.
        raise Refused(Reason.MALFORMED, refused.clause, refused.detail, expected=refused.expected, got=refused.got) from None


async def verify(call: Call, binding: bytes) -> ExternalKey:
    """The external account key whose holder approves the key that signed this newAccount request.

    An unknown key identifier, a key of another profile and a wrong MAC are one refusal: nothing can be learned by trying.

    :raises Refused: ``MALFORMED`` for its form, ``UNAUTHORIZED`` for its MAC, its key, or a key that is used or too old.
    """
    jws = _parse(binding)
    header = jws.protected
    if "nonce" in header or "jwk" in header:
        raise Refused(Reason.MALFORMED, CLAUSE, "the binding has no nonce and no jwk in its protected header")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid.isascii():
        raise Refused(Reason.MALFORMED, CLAUSE, "the binding names its key in kid, an ASCII string")
    if header.get("url") != call.url:
        raise Refused(Reason.MALFORMED, CLAUSE, "the binding has another url than the request around it")
    key = await call.core.store.external_key(None if call.urls.shared else call.profile.id, kid)
    if key is None or not rfc7515.verifies_mac(jws, key.key):
        raise Refused(Reason.UNAUTHORIZED, CLAUSE, "the external account binding does not verify")
    if key.expires is not None and key.expires <= call.now:
        raise Refused(Reason.UNAUTHORIZED, CLAUSE, "the external account key has expired")
    if key.account_id is not None:
        raise Refused(Reason.UNAUTHORIZED, CLAUSE, "the external account key has bound another account already")
    bound = rfc7517.parse_jwk(rfc8259.load_object(jws.payload, "the payload of the binding"))
    if bound.thumbprint != call.key.thumbprint:
        raise Refused(Reason.MALFORMED, CLAUSE, "the binding is for another key than the one that signed the request")
    return key
