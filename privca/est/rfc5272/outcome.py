"""What comes of one PKIData: a status for each of its parts, certificates and CRLs, and the outcomes of the messages inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from privca.base.refused import Refused
from privca.est.rfc5272 import failures
from privca.issuance.ports import Certificate
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.status import CmcStatus, PendInfo, StatusInfo
from privca.pkix.rfc5652 import wrapping

WHOLE = (0,)
"""RFC 5272 section 3.2.2: the message itself."""
_LONGEST_TEXT = 500


@dataclass(slots=True)
class Outcome:
    """Filled while a PKIData is processed. ``refusals`` are those of ``statuses``, in their order."""

    controls: Controls = field(default_factory=Controls)
    statuses: list[StatusInfo] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    challenges: list[bytes] = field(default_factory=list)
    """EncryptedPOP controls (DER)."""
    inside: list[tuple[int, Outcome]] = field(default_factory=list)
    recipient: wrapping.Wrap | None = None
    """For whom the response is encrypted: who has sent an encrypted message, if its key is for that."""
    informs: bool = False
    """Whether there is something to say beside certificates: then the response is a full one (section 3.2)."""

    def succeed(self, body: int) -> None:
        """A part is done."""
        self.statuses.append(StatusInfo(CmcStatus.SUCCESS, (body,)))

    def wait(self, body: int, pend_info: PendInfo, text: str) -> None:
        """A part waits: the client asks again with the token."""
        self.informs = True
        self.statuses.append(StatusInfo(CmcStatus.PENDING, (body,), text, pend_info=pend_info))

    def fail(self, bodies: Sequence[int], refused: Refused) -> None:
        """Parts are refused."""
        self.informs = True
        self.refusals.append(refused)
        if isinstance(refused, failures.PopRequired):
            self.challenges.append(refused.control)
        status = failures.status(refused)
        info = failures.fail_info(refused) if status is CmcStatus.FAILED else None
        self.statuses.append(StatusInfo(status, tuple(bodies), str(refused)[:_LONGEST_TEXT], fail_info=info))

    @property
    def refused(self) -> Refused | None:
        """The first refusal if nothing was granted, else None."""
        granted = any(status.status in (CmcStatus.SUCCESS, CmcStatus.PENDING) for status in self.statuses)
        return None if granted or not self.refusals else self.refusals[0]
