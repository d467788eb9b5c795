"""Linking identity and proof of possession (RFC 7030 section 3.5): the challengePassword of the CSR is the channel binding of its connection.

In TLS 1.2 that is tls-unique (RFC 5929), and only under the extended master secret (RFC 7627). TLS 1.3 has no tls-unique; there it is
tls-exporter (RFC 9266), which is an extension of ours: no RFC says how EST binds in TLS 1.3.
"""

from __future__ import annotations

import binascii
import hmac

from privca.base.http import ChannelBinding
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity
from privca.est.rfc7030.call import Call

_CLAUSE = "RFC 7030 section 3.5"


def check(call: Call, identity: Identity, challenge_password: str | None) -> None:
    """What is there is verified; what is missing is refused where the profile demands it.

    :raises Refused: ``BAD_CSR``, with a text that says that linking is asked for.
    """
    demanded = call.options.channel_binding
    if demanded == "ignore" or (identity.ra and call.options.ra_channel_binding == "trust"):
        return
    if challenge_password is None:
        if demanded == "required":
            raise Refused(
                Reason.BAD_CSR,
                _CLAUSE,
                "linking of identity and proof of possession is required: the CSR has no challengePassword",
                expected="the channel binding of this TLS connection, in base64",
            )
        return
    kind, value = _binding(call)
    if value is None:
        raise Refused(
            Reason.BAD_CSR,
            "RFC 7627 section 5.4",
            f"identity and proof of possession cannot be linked here: this connection has no {kind}",
            expected="TLS 1.2 with the extended master secret, or TLS 1.3",
        )
    expected = binascii.b2a_base64(value, newline=False)
    if not hmac.compare_digest(expected, challenge_password.encode()):
        raise Refused(
            Reason.BAD_CSR,
            _CLAUSE,
            "linking of identity and proof of possession failed: the challengePassword is not the channel binding of this connection",
            expected=f"{kind} in base64, or no challengePassword",
        )


def _binding(call: Call) -> tuple[ChannelBinding, bytes | None]:
    session = call.request.peer.session
    if session is None:
        return ChannelBinding.TLS_UNIQUE, None
    kind = ChannelBinding.TLS_EXPORTER if session.version == "TLSv1.3" else ChannelBinding.TLS_UNIQUE
    return kind, session.channel_binding(kind)
