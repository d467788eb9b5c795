"""Faults of the certificates of CAs: the chains that a profile sends hold certificates that were never recorded, signed by the honest keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography import x509

from privca.enrollment.door import Chain, Door
from privca.faults.edits import instead
from privca.faults.fault import Fault
from privca.faults.pkix import surgery as s
from privca.faults.pkix.naming import fault
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import SigningKey, issuer_key_identifier
from privca.issuance.ports import Certificate, Keys
from privca.pkix import der
from privca.pkix.rfc5280.tbs import assemble

CHANGES: Mapping[str, Callable[[bytes], bytes]] = {
    "basic-constraints-not-critical": lambda tbs: s.marked(tbs, s.CONSTRAINTS, b""),
    "path-length-negative": lambda tbs: s.filled(tbs, s.CONSTRAINTS, der.tlv(0x30, s.TRUE, der.integer(-1))),
    "subject-key-missing": lambda tbs: s.without(tbs, s.SUBJECT_KEY),
    "key-usage-missing": lambda tbs: s.without(tbs, s.USAGE),
}
"""What is done to each certificate of a CA, by name."""


class Rewritten:
    """The door, with other certificates in its chains.

    :param names: of the CAs whose keys may have signed them.
    """

    def __init__(self, door: Door, authorities: Authorities, keys: Keys, names: Sequence[str], change: str) -> None:
        self._door = door
        self._authorities = authorities
        self._keys = keys
        self._names = names
        self._change = CHANGES[change]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door, name)

    async def chains(self, certificate: Certificate) -> Sequence[Chain]:
        """The honest chains, each certificate of them changed and signed anew."""
        honest = await self._door.chains(certificate)
        return [Chain(tuple([await self._rewritten(one) for one in chain.certificates])) for chain in honest]

    async def _rewritten(self, octets: bytes) -> bytes:
        signer = await self._signer(issuer_key_identifier(x509.load_der_x509_certificate(octets)))
        tbs = self._change(der.children(octets, clause="RFC 5280 section 4.1")[0])
        return assemble(tbs, signer.algorithm, await self._keys.sign(signer.reference, tbs, signer.hash_name))

    async def _signer(self, key_identifier: bytes) -> SigningKey:
        for name in self._names:
            for key in await self._authorities.generations(name):
                if key.signer.facts.key_identifier == key_identifier:
                    return key.signer
        raise LookupError(f"no CA has the key {key_identifier.hex()}")


def _rewriting(name: str, title: str, section: str) -> Fault:
    made = "__import__('privca.faults.pkix.authorities', fromlist=['Rewritten']).Rewritten"
    new = f"{made}(door(parts), parts.authorities, parts.keys, tuple(parts.config.ca), {name!r})"
    return fault(f"ca.{name}", title, section, instead("services.acme:service", "door(parts)", new), like="lab-acme")


FAULTS = (
    _rewriting("basic-constraints-not-critical", "The basicConstraints of CAs are not critical", "4.2.1.9"),
    _rewriting("path-length-negative", "The path length of CAs is negative", "4.2.1.9"),
    _rewriting("subject-key-missing", "The keys of CAs are not identified", "4.2.1.2"),
    _rewriting("key-usage-missing", "CAs do not say what their keys are for", "4.2.1.3"),
)
