"""The status service of a CA."""

from __future__ import annotations

from privca.composition import Parts
from privca.issuance.ports import IssuanceStore
from privca.issuance.revocation_lists import RevocationLists
from privca.services import Surroundings
from privca.status.rfc6960 import OcspResponder
from privca.status.service import StatusService


def service(parts: Parts, surroundings: Surroundings, store: IssuanceStore | None = None) -> StatusService:
    """Answers for every CA.

    :param store: where its CRLs are, if they are to be others than those that the rest of the CA has.
    """
    lists = parts.lists
    if store is not None:
        lists = RevocationLists(store, parts.keys, parts.authorities, surroundings.offload)
    responder = OcspResponder(parts.store, parts.keys, parts.authorities, parts.delegates)
    return StatusService(parts.authorities, lists, responder)
