"""genm and genp: what a client asks about the PKI (RFC 9810 sections 5.3.19 and 5.3.20, RFC 9483 section 4.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from cryptography import x509

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.cmp import rfc9483
from privca.cmp.ports import Conflict, Transaction
from privca.cmp.protection import kem
from privca.cmp.rfc9810 import algorithms, crl, profiles, reqtemplate
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import KEM_CIPHERTEXT_INFO, Body, Information, id_it, informations
from privca.enrollment.credentials import Secret
from privca.issuance.delegates import Purpose
from privca.issuance.profile import Revisioned
from privca.issuance.succession import line
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.3.19"
UNSUPPORTED_OIDS = id_it(7)
ROOT_CA_CERT = id_it(20)
ROOT_CA_KEY_UPDATE = id_it(18)
_LANGUAGE = "en"
_AES_256_CBC = x509.ObjectIdentifier("2.16.840.1.101.3.4.1.42")

Answer = Callable[[Call, Information, Revisioned], Awaitable[Information]]


async def inform(call: Call) -> Reply:
    """Answer a genm: one element for each that was asked about; an empty one is answered by an empty one."""
    asked = informations(call.message.content, _CLAUSE)
    rfc9483.check_count(call, "InfoTypeAndValue", "RFC 9483 section 4.3", len(asked))
    chosen = await profiles.chosen(call, len(asked)) if asked else []
    answers, unknown = [], []
    for information, profile in zip(asked, chosen, strict=True):
        answer = TABLE.get(information.type)
        if answer is None:
            unknown.append(information.type)
        else:
            answers.append(await answer(call, information, profile))
    if unknown:
        # Section 5.3.19.7.
        answers.append(Information(UNSUPPORTED_OIDS, der.tlv(0x30, *map(der.oid, dict.fromkeys(unknown)))))
    names = ", ".join(information.type.dotted_string for information in asked)
    call.exchange.decided("informed", _CLAUSE, names)
    return Reply(Body.GENP, der.tlv(0x30, *(answer.encode() for answer in answers)))


def absent(information: Information, clause: str) -> None:
    """Nothing may come with a question. :raises Refused: ``MALFORMED``."""
    if information.value not in (None, b"\x05\x00"):
        raise Refused(Reason.MALFORMED, clause, "infoValue must be absent")


async def _protocol_encryption(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.1")
    delegate = await call.core.delegates.current(profile.profile.issuer, Purpose.CMP_TRANSPORT)
    return Information(information.type, delegate.certificate)


async def _signing_key_pairs(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.2")
    return _list(information, algorithms.signing(profile.profile.keys))


async def _encrypting_key_pairs(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.3")
    return _list(information, algorithms.encrypting(profile.profile.keys))


def _list(information: Information, elements: list[bytes]) -> Information:
    return Information(information.type, der.tlv(0x30, *elements) if elements else None)


async def _symmetric(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.4")
    # What an EnvelopedData of ours is encrypted with. The IV is a parameter of each message, so there is none to tell here.
    return Information(information.type, der.tlv(0x30, der.oid(_AES_256_CBC)))


async def _key_update(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.5")
    update = (await line(call.core.authorities, profile.profile.issuer))[-1].update_of()
    if update is None:
        return Information(information.type)
    return Information(information.type, der.tlv(0xA0, _update(update.new_with_new, update.new_with_old, update.old_with_new)))


async def _current_crl(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9810 section 5.3.19.6")
    key = await call.core.authorities.current(profile.profile.issuer)
    record = await call.core.lists.current(key.generation.authority, key.generation.number, call.exchange.now)
    return Information(information.type, record.der)


async def _languages(call: Call, information: Information, profile: Revisioned) -> Information:
    clause = "RFC 9810 section 5.3.19.13"
    tags = der.decode(_Texts, der.tlv(0x30, information.value or b""), clause=clause).texts
    if not tags:
        raise Refused(Reason.MALFORMED, clause, "suppLangTags has one language at least")
    # What we say is English, of whichever kind the client prefers (RFC 5646 section 2.1.1: tags are compared without case).
    chosen = next((tag for tag in tags if tag.partition("-")[0].lower() == _LANGUAGE), None)
    if chosen is None:
        raise Refused(
            Reason.UNSUPPORTED_INFORMATION,
            clause,
            "none of these languages is spoken here",
            expected=_LANGUAGE,
            got=", ".join(tags)[:60],
        )
    return Information(information.type, der.tlv(0x30, der.tlv(0x0C, chosen.encode())))


@der.sequence
class _Texts:
    texts: list[str]


async def _ca_certificates(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9483 section 4.3.1")
    found: list[bytes] = []
    for keys in await line(call.core.authorities, profile.profile.issuer):
        # Of coming and former keys too, and the cross certificates between them.
        found += keys.certificates(call.exchange.now)
    return Information(information.type, der.tlv(0x30, *dict.fromkeys(found)))


async def _root_update(call: Call, information: Information, profile: Revisioned) -> Information:
    clause = "RFC 9810 section 5.3.19.15"
    known = (await line(call.core.authorities, profile.profile.issuer))[-1]
    value = information.value if information.value != b"\x05\x00" else None
    try:
        update = known.update_of(value)
    except Refused:
        raise Refused(
            Reason.UNSUPPORTED_INFORMATION, clause, "this is no root CA certificate of this PKI: there is no update of it"
        ) from None
    if update is None or update.new_with_old is None:
        return Information(ROOT_CA_KEY_UPDATE)
    return Information(ROOT_CA_KEY_UPDATE, _update(update.new_with_new, update.new_with_old, update.old_with_new))


def _update(new_with_new: bytes, new_with_old: bytes | None, old_with_new: bytes | None) -> bytes:
    """RootCaKeyUpdateContent as DER."""
    return der.tlv(
        0x30,
        new_with_new,
        b"" if new_with_old is None else der.tlv(0xA0, new_with_old),
        b"" if old_with_new is None else der.tlv(0xA1, old_with_new),
    )


async def _kem_ciphertext(call: Call, information: Information, profile: Revisioned) -> Information:
    """Section 5.3.19.18: what the client derives the key of its next messages from."""
    clause = "RFC 9810 section 5.3.19.18"
    absent(information, clause)
    if not call.signer:
        raise Refused(Reason.UNSUPPORTED_INFORMATION, clause, "the certificate of a KEM key comes first in extraCerts")
    if call.transaction is not None:
        raise Refused(Reason.TRANSACTION_IN_USE, clause, "a ciphertext was given out in this transaction")
    secret, ciphertext = kem.encapsulate(call.signer)
    now = call.exchange.now
    transaction = Transaction(
        profile_id=call.profile.id,
        id=call.transaction_id,
        method=call.sender.method,
        identity=call.sender.id,
        credential=b"",
        secret=Secret("kem", kem.METHOD, "", secret),
        signer=call.signer,
        nonce=call.nonce,
        body=call.message.body,
        implicit=False,
        parts=(),
        request=b"",
        ready=None,
        created=now,
        expires=now + duration(call.options.confirm_wait),
    )
    try:
        await call.core.store.save_transaction(transaction)
    except Conflict:
        raise Refused(Reason.TRANSACTION_IN_USE, clause, "a ciphertext was given out in this transaction") from None
    return Information(information.type, ciphertext)


async def _request_template(call: Call, information: Information, profile: Revisioned) -> Information:
    absent(information, "RFC 9483 section 4.3.3")
    return Information(information.type, reqtemplate.content(profile))


TABLE: Mapping[x509.ObjectIdentifier, Answer] = MappingProxyType(
    {
        id_it(1): _protocol_encryption,
        id_it(2): _signing_key_pairs,
        id_it(3): _encrypting_key_pairs,
        id_it(4): _symmetric,
        id_it(5): _key_update,
        id_it(6): _current_crl,
        id_it(16): _languages,
        id_it(17): _ca_certificates,
        id_it(19): _request_template,
        ROOT_CA_CERT: _root_update,
        id_it(22): crl.status_list,
        KEM_CIPHERTEXT_INFO: _kem_ciphertext,
    }
)
"""What can be asked about."""
