"""The controls of a PKIData, read into one value (RFC 5272 section 6, RFC 6402 section 2).

A control that is not known, or that does not belong into a request, is not refused here: the final server refuses it unless a registration
authority has marked it as processed (section 3.2.1.1), so its identifier is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.x509 import ObjectIdentifier

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272 import identifiers as ids
from privca.pkix.rfc5272.modification import Modification, read_added_extensions, read_modification
from privca.pkix.rfc5272.pki_data import Control
from privca.pkix.rfc5272.possession import DecryptedPop, PopWitness, read_decrypted_pop, read_pop_witness
from privca.pkix.rfc5272.proofs import MAXIMUM_RANDOM, Proof, read_identity_proof, read_identity_proof_v2
from privca.pkix.rfc5272.retrieval import CertificateName, GetCrl, read_certificate_id, read_get_cert, read_get_crl
from privca.pkix.rfc5272.revocation import RevokeRequest, read_revoke_request
from privca.pkix.rfc5272.values import SEQUENCE, body_part, read_body_parts, read_integer, read_octets, read_text

MAXIMUM_NONCE = 256
MAXIMUM_DATA = 16384
MAXIMUM_TRANSACTION = 64
MAXIMUM_TOKEN = 4096
MAXIMUM_IDENTIFICATION = 255

_CLAUSE = "RFC 5272 section 3.2.1.1"


@dataclass(frozen=True, slots=True)
class Controls:
    """What a PKIData asks for beside certificates. The keys of dictionaries are body part identifiers of the controls.

    ``transaction_id`` is the INTEGER as DER, to be returned as it came. ``processed`` are paths to controls that an RA has dealt with,
    ``identity_witnessed`` paths to what an RA has proven the identity for. ``batch`` are the messages inside that a Batch Request names.
    ``unsupported`` are controls that we know and do not serve, ``unknown`` those that we do not know.
    """

    transaction_id: bytes | None = None
    sender_nonce: bytes | None = None
    recipient_nonce: bytes | None = None
    data_return: dict[int, bytes] = field(default_factory=dict)
    identification: str | None = None
    identity_proof: tuple[int, Proof] | None = None
    pop_link_random: bytes | None = None
    pop_witnesses: dict[int, PopWitness] = field(default_factory=dict)
    decrypted_pops: dict[int, DecryptedPop] = field(default_factory=dict)
    modifications: dict[int, Modification] = field(default_factory=dict)
    get_certs: dict[int, CertificateName] = field(default_factory=dict)
    get_crls: dict[int, GetCrl] = field(default_factory=dict)
    revocations: dict[int, RevokeRequest] = field(default_factory=dict)
    queries: dict[int, bytes] = field(default_factory=dict)
    confirmations: dict[int, CertificateName] = field(default_factory=dict)
    batch: tuple[int, tuple[int, ...]] | None = None
    processed: dict[int, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    identity_witnessed: dict[int, tuple[int, ...]] = field(default_factory=dict)
    unsupported: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reading:
    """Where a control goes and how its one value is read. ``many``: it may occur more than once; ``keyed``: kept with its identifier."""

    place: str
    read: Callable[[bytes], Any]
    many: bool = False
    keyed: bool = False


def _octets(clause: str, maximum: int) -> Callable[[bytes], bytes]:
    return lambda value: read_octets(value, clause, maximum=maximum)


def _transaction_id(value: bytes) -> bytes:
    clause = "RFC 5272 section 6.6"
    read_integer(value, clause)
    if len(value) > MAXIMUM_TRANSACTION:
        raise Refused(
            Reason.MALFORMED, clause, "the transaction identifier is too long", expected=f"at most {MAXIMUM_TRANSACTION} octets"
        )
    return value


def _identification(value: bytes) -> str:
    return read_text(value, "RFC 5272 section 6.2.3", maximum=MAXIMUM_IDENTIFICATION)


def _batch(value: bytes) -> tuple[int, ...]:
    return read_body_parts(value, "RFC 5272 section 6.17")


def _witnessed(value: bytes) -> tuple[int, ...]:
    return read_body_parts(value, "RFC 6402 section 2.5")


@der.sequence
class _References:
    references: list[der.TLV]


@der.sequence
class _ControlsProcessed:
    bodies: der.TLV


def _processed(value: bytes) -> tuple[tuple[int, ...], ...]:
    clause = "RFC 5272 section 6.19"
    bodies = der.encode(der.decode(_ControlsProcessed, value, clause=clause).bodies)
    references = der.decode(_References, der.tlv(SEQUENCE, bodies), clause=clause).references
    if not 0 < len(references) <= 64:
        raise Refused(Reason.MALFORMED, clause, "a wrong number of processed controls", expected="1 to 64")
    return tuple(_path(der.encode(reference), clause) for reference in references)


def _path(reference: bytes, clause: str) -> tuple[int, ...]:
    """A BodyPartReference (section 6.1.1) as a path."""
    if reference[0] == SEQUENCE:
        return read_body_parts(reference, clause)
    return (body_part(read_integer(reference, clause), clause),)


_READINGS: dict[ObjectIdentifier, _Reading] = {
    ids.TRANSACTION_ID: _Reading("transaction_id", _transaction_id),
    ids.SENDER_NONCE: _Reading("sender_nonce", _octets("RFC 5272 section 6.6", MAXIMUM_NONCE)),
    ids.RECIPIENT_NONCE: _Reading("recipient_nonce", _octets("RFC 5272 section 6.6", MAXIMUM_NONCE)),
    ids.DATA_RETURN: _Reading("data_return", _octets("RFC 5272 section 6.4", MAXIMUM_DATA), many=True, keyed=True),
    ids.IDENTIFICATION: _Reading("identification", _identification),
    ids.IDENTITY_PROOF: _Reading("identity_proof", read_identity_proof, keyed=True),
    ids.IDENTITY_PROOF_V2: _Reading("identity_proof", read_identity_proof_v2, keyed=True),
    ids.POP_LINK_RANDOM: _Reading("pop_link_random", _octets("RFC 5272 section 6.3.1.3", MAXIMUM_RANDOM)),
    ids.LRA_POP_WITNESS: _Reading("pop_witnesses", read_pop_witness, many=True, keyed=True),
    ids.DECRYPTED_POP: _Reading("decrypted_pops", read_decrypted_pop, many=True, keyed=True),
    ids.MOD_CERT_TEMPLATE: _Reading("modifications", read_modification, many=True, keyed=True),
    ids.ADD_EXTENSIONS: _Reading("modifications", read_added_extensions, many=True, keyed=True),
    ids.GET_CERT: _Reading("get_certs", read_get_cert, many=True, keyed=True),
    ids.GET_CRL: _Reading("get_crls", read_get_crl, many=True, keyed=True),
    ids.REVOKE_REQUEST: _Reading("revocations", read_revoke_request, many=True, keyed=True),
    ids.QUERY_PENDING: _Reading("queries", _octets("RFC 5272 section 6.13", MAXIMUM_TOKEN), many=True, keyed=True),
    ids.CONFIRM_CERT_ACCEPTANCE: _Reading("confirmations", read_certificate_id, many=True, keyed=True),
    ids.BATCH_REQUESTS: _Reading("batch", _batch, keyed=True),
    ids.CONTROL_PROCESSED: _Reading("processed", _processed, many=True, keyed=True),
    ids.RA_IDENTITY_WITNESS: _Reading("identity_witnessed", _witnessed, many=True, keyed=True),
}
# Taken note of: there is no agreement about their content (section 6.12), or they end a transaction of which we keep nothing (6.1, 6.7).
_IGNORED = frozenset((ids.REG_INFO, ids.STATUS_INFO, ids.STATUS_INFO_V2))
_UNSUPPORTED = frozenset((ids.AUTH_DATA, ids.PUBLISH_CERT, ids.TRUSTED_ANCHORS))


def read(controls: Iterable[Control]) -> Controls:
    """All controls of a PKIData.

    :raises Refused: ``MALFORMED`` for a value that is not of the control's type, a control without exactly one value, or a second
        control of which one message has one; and as the readers of single controls do.
    """
    found: dict[str, Any] = {}
    unsupported, unknown = [], []
    for control in controls:
        reading = _READINGS.get(control.type)
        if reading is not None:
            _keep(found, control, reading)
        elif control.type in _UNSUPPORTED:
            unsupported.append(control.body)
        elif control.type not in _IGNORED:
            # Also what belongs into a response alone: RFC 6402 section 2.6 forbids the Response Body control in a request.
            unknown.append(control.body)
    return Controls(**found, unsupported=tuple(unsupported), unknown=tuple(unknown))


def _keep(found: dict[str, Any], control: Control, reading: _Reading) -> None:
    if len(control.values) != 1:
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "a control has exactly one value",
            expected="1",
            got=f"{len(control.values)} in body part {control.body}",
        )
    value = reading.read(control.values[0])
    if reading.many:
        found.setdefault(reading.place, {})[control.body] = value
        return
    if reading.place in found:
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "a control that a message has once occurs twice",
            got=f"{control.type.dotted_string} in body part {control.body}",
        )
    found[reading.place] = (control.body, value) if reading.keyed else value
