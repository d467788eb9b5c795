"""The EST service of a CA."""

from __future__ import annotations

from privca.composition import Parts
from privca.est.rfc5272.challenge import PopChallenges
from privca.est.rfc5272.pending import PendTokens
from privca.est.rfc7030.call import Core
from privca.est.rfc7616 import Nonces
from privca.est.service import EstService
from privca.keys.decryption import DecryptionKeyFiles
from privca.keys.made_for_others import KeysForOthers
from privca.services import Surroundings, door


def service(parts: Parts, surroundings: Surroundings) -> EstService:
    """Answers every EST profile."""
    return EstService(
        Core(
            door=door(parts),
            credentials=parts.credentials,
            authorities=parts.authorities,
            delegates=parts.delegates,
            keys=parts.keys,
            maker=KeysForOthers(surroundings.offload),
            decryption_keys=DecryptionKeyFiles(parts.config.file(parts.config.store.keys) / "est"),
            entropy=parts.entropy,
            nonces=Nonces(parts.secrets.derive("est digest nonce")),
            lists=parts.lists,
            pend_tokens=PendTokens(parts.secrets.derive("cmc pend token")),
            pop_challenges=PopChallenges(parts.secrets.derive("cmc pop challenge")),
        )
    )
