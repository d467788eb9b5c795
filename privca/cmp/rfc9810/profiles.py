"""certProfile in generalInfo chooses among the profiles that an endpoint allows (RFC 9810 section 5.1.1.4)."""

from __future__ import annotations

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.call import Call
from privca.cmp.rfc9810.message import CERT_PROFILE
from privca.issuance.profile import Revisioned
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.1.1.4"


@der.sequence
class _Names:
    names: list[str]


def names(call: Call, requests: int) -> list[str]:
    """The profile names for so many requests, an empty one where none is given. :raises Refused: ``MALFORMED``, ``WRONG_STATE``."""
    information = call.message.header.information(CERT_PROFILE)
    if information is None:
        return [""] * requests
    found = der.decode(_Names, der.tlv(0x30, information.value or b""), clause=_CLAUSE).names
    if not 0 < len(found) <= requests:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            _CLAUSE,
            "certProfile has at least one name, and no more than the message has requests",
            expected=f"1 to {requests}",
            got=str(len(found)),
        )
    return found + [""] * (requests - len(found))


async def chosen(call: Call, requests: int) -> list[Revisioned]:
    """The profile for each request. :raises Refused: ``UNAUTHORIZED`` for one that this endpoint does not allow."""
    found = []
    for name in names(call, requests):
        if name in ("", call.profile.id):
            found.append(call.profile)
            continue
        profile = await call.core.profiles.profile(name) if name in call.options.cert_profiles else None
        if profile is None or profile.profile.protocol != "cmp" or not profile.profile.enabled:
            raise Refused(
                Reason.UNAUTHORIZED,
                "profile: cmp.cert_profiles",
                "this endpoint allows no certificate profile of this name",
                expected=", ".join((call.profile.id, *call.options.cert_profiles)),
                got=repr(name[:80]),
            )
        found.append(profile)
    return found
