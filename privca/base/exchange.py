"""One request and its reply on their way through the layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from privca.base.entropy import Entropy
from privca.base.http import Decision


@dataclass(slots=True)
class Exchange:
    """What every layer may ask of the exchange that it works for.

    ``id`` names it in transcript and log. ``now`` is fixed for the whole exchange, so that no two checks of one request
    see different times. ``decision`` is what the layers write down for the transcript, the last word wins.
    """

    id: str
    now: datetime
    entropy: Entropy
    profile_id: str
    decision: Decision = field(default_factory=Decision)
    concealed: list[tuple[str, bytes]] = field(default_factory=list, repr=False)

    def decided(self, outcome: str, clause: str, detail: str = "", **facts: str) -> None:
        """Write down what was decided and the clause that it rests on. Never a secret."""
        self.decision.outcome = outcome
        self.decision.clause = clause
        self.decision.detail = detail
        self.decision.facts.update(facts)

    def conceal(self, field_name: str, secret: bytes) -> None:
        """Keep ``secret`` (exact octets as they appear in request or reply: a generated private key, a password) out of the transcript."""
        self.concealed.append((field_name, secret))
