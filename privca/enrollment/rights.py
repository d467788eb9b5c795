"""Who may revoke a certificate by a protocol, put it on hold, and release it (``profile.RevocationRights``).

The rights are those of the newest revision of the certificate's own profile: an administrator who takes a right away means all
certificates. The administrator's own commands do not come this way.
"""

from __future__ import annotations

from privca.base.refused import Reason, Refused
from privca.enrollment.authentication import ANONYMOUS
from privca.enrollment.door import Identity
from privca.issuance.ports import Certificate, RevocationReason
from privca.issuance.profile import RevocationRights
from privca.issuance.revocation import SUBSCRIBER_REASONS

_REASON = "RFC 5280 section 5.3.1"


def check_reason(rights: RevocationRights, reason: RevocationReason, *, ra: bool = False) -> None:
    """Refuse a reason that is not a client's to give; a registration authority knows more than a subscriber.

    :raises Refused: ``BAD_REVOCATION_REASON``.
    """
    allowed = SUBSCRIBER_REASONS | ({RevocationReason.CERTIFICATE_HOLD} if rights.hold else frozenset())
    if ra:
        allowed |= {RevocationReason.CA_COMPROMISE, RevocationReason.AA_COMPROMISE}
    if reason not in allowed:
        raise Refused(
            Reason.BAD_REVOCATION_REASON,
            "profile: revocation.hold" if reason is RevocationReason.CERTIFICATE_HOLD else _REASON,
            "a subscriber does not revoke for this reason",
            expected=", ".join(str(int(known)) for known in sorted(allowed)),
            got=str(int(reason)),
        )


def check_revoke(rights: RevocationRights, certificate: Certificate, by: Identity, admitted_by: str) -> None:
    """Refuse who may not revoke ``certificate``.

    :param admitted_by: ID of the profile that admitted ``by``: each profile gives its codes and passcodes names of its own.
    :raises Refused: ``UNAUTHORIZED``, the same for each cause.
    """
    own = by.certificate
    owner = own is not None and own.spki_sha256 == certificate.spki_sha256
    asked = by.id == certificate.identity and by.id != ANONYMOUS and admitted_by == certificate.profile_id
    ra = by.ra and own is not None and own.authority == certificate.authority
    if not ((rights.owner and owner) or (rights.account and asked) or (rights.ra and ra)):
        raise Refused(Reason.UNAUTHORIZED, "profile: revocation", "this client may not revoke this certificate")


def check_release(rights: RevocationRights, certificate: Certificate, by: Identity, admitted_by: str) -> None:
    """Refuse who may not release ``certificate`` from hold: none but who put it there, lest a thief undoes what stopped them.

    :raises Refused: ``UNAUTHORIZED``.
    """
    check_revoke(rights, certificate, by, admitted_by)
    if not rights.hold or certificate.revoked_by != by.id:
        raise Refused(
            Reason.UNAUTHORIZED, "profile: revocation.hold", "a certificate is released from hold by who put it on hold"
        )
