"""ACME's memory: accounts, orders, authorizations, external account keys, spent nonces (port: ``acme.ports.AcmeStore``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, insert, or_, select, tuple_, update

from privca.acme.ports import (
    Account,
    AccountStatus,
    AcmeRecord,
    Authorization,
    AuthorizationState,
    Challenge,
    ChallengeStatus,
    Conflict,
    ExternalKey,
    Order,
    RenewalWindow,
    Replacement,
)
from privca.base.names import Name, NameKind
from privca.store import schema
from privca.store.acme_renewal import replacement_values, window_values
from privca.store.database import Database, Row, Statement, operation
from privca.store.recent import Recent
from privca.store.rows import (
    names_from_json,
    names_to_json,
    texts_from_json,
    texts_to_json,
    to_datetime,
    to_optional_datetime,
    to_optional_seconds,
    to_seconds,
)
from privca.store.sealing import Sealing

FORGET_AT_ONCE = 1000
"""Spent nonces that one call forgets at most: a bound on how long the database is held."""

_a = schema.acme_account.c
_ACCOUNT = Statement(
    select(*schema.acme_account.columns).where(_a.id == bindparam("id"), _a.profile_id == bindparam("profile_id"))
)
_ACCOUNT_BY_THUMBPRINT = Statement(
    select(*schema.acme_account.columns).where(_a.profile_id == bindparam("profile_id"), _a.thumbprint == bindparam("thumbprint"))
)
_OLDEST_ACCOUNT_BY_THUMBPRINT = Statement(
    select(*schema.acme_account.columns).where(_a.thumbprint == bindparam("thumbprint")).order_by(_a.created, _a.id).limit(1)
)
_IS_ACCOUNT_KEY = Statement(select(_a.profile_id).where(_a.thumbprint == bindparam("thumbprint")).limit(1))

_z = schema.acme_authorization.c
_AUTHORIZATION = Statement(
    select(*schema.acme_authorization.columns).where(_z.id == bindparam("id"), _z.profile_id == bindparam("profile_id"))
)
_AUTHORIZATIONS_OF_NAME = Statement(
    select(*schema.acme_authorization.columns)
    .where(
        _z.account_id == bindparam("account_id"),
        _z.name == bindparam("name"),
        _z.kind == bindparam("kind"),
        _z.wildcard == bindparam("wildcard"),
        or_(_z.state == "valid", _z.state == "pending"),
        _z.expires > bindparam("at"),
    )
    .order_by(_z.created.desc(), _z.id)
)
_DUE_AUTHORIZATIONS = Statement(
    select(*schema.acme_authorization.columns)
    .where(_z.next_attempt.is_not(None), _z.next_attempt <= bindparam("at"))
    .order_by(_z.next_attempt)
    .limit(bindparam("limit"))
)

_o = schema.acme_order.c
_ORDER_COLUMNS = tuple(column for column in schema.acme_order.columns if column.name != "sequence")
_ORDER = Statement(select(*_ORDER_COLUMNS).where(_o.id == bindparam("id"), _o.profile_id == bindparam("profile_id")))
_ORDER_BY_CERTIFICATE = Statement(
    select(*_ORDER_COLUMNS).where(_o.certificate_id == bindparam("certificate_id"), _o.profile_id == bindparam("profile_id"))
)
_SEQUENCE = Statement(select(_o.sequence).where(_o.id == bindparam("id"), _o.account_id == bindparam("account_id")))
_ORDERS = Statement(
    select(*_ORDER_COLUMNS)
    .where(_o.account_id == bindparam("account_id"), _o.sequence > bindparam("after"))
    .order_by(_o.sequence)
    .limit(bindparam("limit"))
)
_DUE_ORDERS = Statement(
    select(*_ORDER_COLUMNS)
    .where(_o.next_attempt.is_not(None), _o.next_attempt <= bindparam("at"))
    .order_by(_o.next_attempt)
    .limit(bindparam("limit"))
)

_k = schema.external_key.c
_KEY = Statement(select(*schema.external_key.columns).where(_k.id == bindparam("id")))

_ADD = {
    Account: Statement(insert(schema.acme_account)),
    Authorization: Statement(insert(schema.acme_authorization)),
    Order: Statement(insert(schema.acme_order).values({column.name: bindparam(column.name) for column in _ORDER_COLUMNS})),
    ExternalKey: Statement(insert(schema.external_key)),
    Replacement: Statement(insert(schema.acme_replacement)),
    RenewalWindow: Statement(insert(schema.acme_renewal_window)),
}


def _change(table: Any, *fixed: str) -> Statement:
    """An update of everything but the columns that never change, if the version is still the one that was read."""
    changing = [column.name for column in table.columns if column.name not in {"id", "sequence", "created", *fixed}]
    return Statement(
        update(table)
        .where(table.c.id == bindparam("of"), table.c.version == bindparam("read"))
        .values({name: bindparam(name) for name in changing})
    )


_CHANGE = {
    Account: _change(schema.acme_account, "profile_id"),
    Authorization: _change(schema.acme_authorization, "account_id", "profile_id", "kind", "name", "wildcard"),
    Order: _change(
        schema.acme_order, "account_id", "profile_id", "names", "authorization_ids", "not_before", "not_after", "replaces"
    ),
    ExternalKey: _change(schema.external_key, "profile_id", "sealed", "expires"),
    Replacement: _change(schema.acme_replacement),
    RenewalWindow: _change(schema.acme_renewal_window),
}

_n = schema.spent_nonce.c
_SPEND = Statement(insert(schema.spent_nonce))
_key_of_nonce = (_n.expires, _n.nonce, _n.profile_id)
_FORGET = Statement(
    delete(schema.spent_nonce).where(
        tuple_(*_key_of_nonce).in_(
            select(*_key_of_nonce).where(_n.expires < bindparam("before")).order_by(*_key_of_nonce).limit(FORGET_AT_ONCE)
        )
    )
)


@cache
def _authorizations_by_id(count: int) -> Statement:
    """``count`` authorizations at once; one statement for each count, compiled when it first occurs."""
    # IN and not OR, of which SQLite takes a thousand at most.
    return Statement(select(*schema.acme_authorization.columns).where(_z.id.in_([bindparam(f"id{n}") for n in range(count)])))


_AT_HAND = 4
"""Authorizations of an order that are looked for among recent ones; more of them are read by one statement."""


class Acme:
    """The ACME part of the store."""

    _database: Database
    _secrets: Sealing
    _recent: Recent

    @operation
    def spend_nonce(self, profile_id: str, nonce: bytes, expires: datetime, /) -> bool:
        """Record that a nonce appeared in a request; False if it had appeared before."""
        try:
            self._database.change(_SPEND, {"expires": to_seconds(expires), "nonce": nonce, "profile_id": profile_id})
        except Conflict:
            return False
        return True

    @operation
    def forget_nonces(self, expired_before: datetime, /) -> None:
        """Drop up to :data:`FORGET_AT_ONCE` spent nonces that expired before that time."""
        self._database.change(_FORGET, {"before": to_seconds(expired_before)})

    @operation
    def account(self, profile_id: str, id: str) -> Account | None:
        """An account by its ID."""
        known = self._recent.find(Account, id)
        if known is not None:
            return known if known.profile_id == profile_id else None
        row = self._database.one(_ACCOUNT, id=id, profile_id=profile_id)
        return None if row is None else self._recent.keep(_account(row), id)

    @operation
    def account_by_thumbprint(self, profile_id: str | None, thumbprint: str) -> Account | None:
        """The account of a key within a profile, or the oldest one in any profile."""
        if profile_id is None:
            row = self._database.one(_OLDEST_ACCOUNT_BY_THUMBPRINT, thumbprint=thumbprint)
        else:
            row = self._database.one(_ACCOUNT_BY_THUMBPRINT, profile_id=profile_id, thumbprint=thumbprint)
        return None if row is None else _account(row)

    @operation
    def is_account_key(self, thumbprint: str) -> bool:
        """Whether a key is that of any account; the index alone tells."""
        return self._database.one(_IS_ACCOUNT_KEY, thumbprint=thumbprint) is not None

    @operation
    def order(self, profile_id: str, id: str) -> Order | None:
        """An order by its ID."""
        known = self._recent.find(Order, id)
        if known is not None:
            return known if known.profile_id == profile_id else None
        row = self._database.one(_ORDER, id=id, profile_id=profile_id)
        return None if row is None else self._recent.keep(_order(row), id)

    @operation
    def order_by_certificate(self, profile_id: str, certificate_id: str) -> Order | None:
        """The order behind a certificate URL."""
        known = self._recent.find(Order, _by_certificate(certificate_id))
        if known is not None:
            return known if known.profile_id == profile_id else None
        row = self._database.one(_ORDER_BY_CERTIFICATE, certificate_id=certificate_id, profile_id=profile_id)
        return None if row is None else self._recent.keep(_order(row), _by_certificate(certificate_id))

    @operation
    def orders(self, account_id: str, after: str | None, limit: int) -> Sequence[tuple[Order, tuple[Authorization, ...]]]:
        """Orders of an account with their authorizations, oldest first, that follow ``after``; none if there is no such order."""
        start = 0
        if after is not None:
            row = self._database.one(_SEQUENCE, id=after, account_id=account_id)
            if row is None:
                return []
            start = row[0]
        rows = self._database.all(_ORDERS, account_id=account_id, after=start, limit=limit)
        return [(order, self._authorizations(order)) for order in map(_order, rows)]

    @operation
    def authorization(self, profile_id: str, id: str) -> Authorization | None:
        """An authorization by its ID."""
        known = self._recent.find(Authorization, id)
        if known is not None:
            return known if known.profile_id == profile_id else None
        row = self._database.one(_AUTHORIZATION, id=id, profile_id=profile_id)
        return None if row is None else self._recent.keep(_authorization(row), id)

    @operation
    def authorizations(self, order: Order) -> tuple[Authorization, ...]:
        """The authorizations of an order, in its order."""
        return self._authorizations(order)

    @operation
    def authorizations_of(self, account_id: str, names: Sequence[tuple[Name, bool]], at: datetime) -> Sequence[Authorization]:
        """Valid or pending authorizations of the account for these names, newest first for each name."""
        return [
            _authorization(row)
            for name, wildcard in names
            for row in self._database.all(
                _AUTHORIZATIONS_OF_NAME,
                account_id=account_id,
                name=name.value,
                kind=name.kind.value,
                wildcard=int(wildcard),
                at=to_seconds(at),
            )
        ]

    @operation
    def external_key(self, profile_id: str | None, id: str) -> ExternalKey | None:
        """A key by its identifier; ``profile_id`` None looks in all profiles."""
        row = self._database.one(_KEY, id=id)
        if row is None or profile_id not in (None, row[1]):
            return None
        return ExternalKey(
            id=row[0],
            profile_id=row[1],
            key=self._secrets.open(row[2], _context(row[0])),
            created=to_datetime(row[3]),
            expires=to_optional_datetime(row[4]),
            account_id=row[5],
            version=row[6],
        )

    @operation
    def commit(self, *records: AcmeRecord) -> None:
        """Store all records in one transaction."""
        if len(records) == 1:
            self._save(records[0])  # one statement is a transaction of its own
        else:
            with self._database.atomic():
                for record in records:
                    self._save(record)
        for record in records:
            if isinstance(record, ExternalKey):
                continue  # its key is a secret, and not in memory longer than it must be
            stored = self._recent.keep(replace(record, version=record.version + 1), record.id)
            if isinstance(stored, Order) and stored.certificate_id is not None:
                self._recent.keep(stored, _by_certificate(stored.certificate_id))

    @operation
    def due_authorizations(self, at: datetime, limit: int) -> Sequence[Authorization]:
        """Authorizations whose ``next_attempt`` has passed."""
        return [_authorization(row) for row in self._database.all(_DUE_AUTHORIZATIONS, at=to_seconds(at), limit=limit)]

    @operation
    def due_orders(self, at: datetime, limit: int) -> Sequence[Order]:
        """Orders whose ``next_attempt`` has passed."""
        return [_order(row) for row in self._database.all(_DUE_ORDERS, at=to_seconds(at), limit=limit)]

    def _save(self, record: AcmeRecord) -> None:
        kind = type(record)
        values = _VALUES[kind](record)
        if kind is ExternalKey and record.version == 0:
            assert isinstance(record, ExternalKey)
            values["sealed"] = self._secrets.seal(record.key, _context(record.id))
        values["version"] = record.version + 1
        if record.version == 0:
            values["id"] = record.id
            values["created"] = to_seconds(record.created)
            self._database.change(_ADD[kind], values)
            return
        values["of"] = record.id
        values["read"] = record.version
        if self._database.change(_CHANGE[kind], values) != 1:
            raise Conflict(f"{kind.__name__} {record.id} was changed meanwhile")

    def _authorizations(self, order: Order) -> tuple[Authorization, ...]:
        ids = order.authorization_ids
        known = [self._recent.find(Authorization, id) for id in ids[:_AT_HAND]]
        if len(known) == len(ids) and None not in known:
            return tuple([authorization for authorization in known if authorization is not None])
        if len(ids) == 1:
            rows = self._database.all(_AUTHORIZATION, id=ids[0], profile_id=order.profile_id)
        else:
            rows = self._database.all(_authorizations_by_id(len(ids)), **{f"id{n}": id for n, id in enumerate(ids)})
        found = {row[0]: _authorization(row) for row in rows}
        return tuple(found[id] for id in ids)


def _by_certificate(certificate_id: str) -> str:
    """The key among recent records of an order that is looked for by its certificate; no ID of an order has a space."""
    return f"with certificate {certificate_id}"


def _context(key_id: str) -> str:
    """What a sealed key is bound to: it opens under no other identifier."""
    return f"external account key {key_id}"


def _account(row: Row) -> Account:
    return Account(
        id=row[0],
        profile_id=row[1],
        status=AccountStatus(row[2]),
        thumbprint=row[3],
        jwk=row[4],
        contact=texts_from_json(row[5]),
        terms=row[6],
        external_account=row[7],
        external_key_id=row[8],
        created=to_datetime(row[9]),
        version=row[10],
    )


def _account_values(account: Account) -> dict[str, Any]:
    return {
        "profile_id": account.profile_id,
        "status": account.status.value,
        "thumbprint": account.thumbprint,
        "jwk": account.jwk,
        "contact": texts_to_json(account.contact),
        "terms": account.terms,
        "external_account": account.external_account,
        "external_key_id": account.external_key_id,
    }


class _StoredChallenge(msgspec.Struct, array_like=True):
    type: str
    token: str
    status: ChallengeStatus
    validated: int | None
    errors: tuple[str, ...]
    attempts: int


_decode_challenges = msgspec.json.Decoder(list[_StoredChallenge]).decode


def _authorization(row: Row) -> Authorization:
    return Authorization(
        id=row[0],
        account_id=row[1],
        profile_id=row[2],
        name=Name(NameKind(row[3]), row[4]),
        wildcard=bool(row[5]),
        state=AuthorizationState(row[6]),
        expires=to_datetime(row[7]),
        challenges=tuple(
            Challenge(c.type, c.token, c.status, to_optional_datetime(c.validated), c.errors, c.attempts)
            for c in _decode_challenges(row[8])
        ),
        created=to_datetime(row[9]),
        next_attempt=to_optional_datetime(row[10]),
        version=row[11],
    )


def _authorization_values(authorization: Authorization) -> dict[str, Any]:
    challenges = [
        (c.type, c.token, c.status, to_optional_seconds(c.validated), c.errors, c.attempts) for c in authorization.challenges
    ]
    return {
        "account_id": authorization.account_id,
        "profile_id": authorization.profile_id,
        "kind": authorization.name.kind.value,
        "name": authorization.name.value,
        "wildcard": int(authorization.wildcard),
        "state": authorization.state.value,
        "expires": to_seconds(authorization.expires),
        "challenges": msgspec.json.encode(challenges).decode(),
        "next_attempt": to_optional_seconds(authorization.next_attempt),
    }


def _order(row: Row) -> Order:
    return Order(
        id=row[0],
        account_id=row[1],
        profile_id=row[2],
        names=names_from_json(row[3]),
        authorization_ids=texts_from_json(row[4]),
        not_before=to_optional_datetime(row[5]),
        not_after=to_optional_datetime(row[6]),
        expires=to_datetime(row[7]),
        created=to_datetime(row[8]),
        csr=row[9],
        certificate_id=row[10],
        serial=row[11],
        error=row[12],
        next_attempt=to_optional_datetime(row[13]),
        replaces=row[14],
        version=row[15],
    )


def _order_values(order: Order) -> dict[str, Any]:
    return {
        "account_id": order.account_id,
        "profile_id": order.profile_id,
        "names": names_to_json(order.names),
        "authorization_ids": texts_to_json(order.authorization_ids),
        "not_before": to_optional_seconds(order.not_before),
        "not_after": to_optional_seconds(order.not_after),
        "expires": to_seconds(order.expires),
        "csr": order.csr,
        "certificate_id": order.certificate_id,
        "serial": order.serial,
        "error": order.error,
        "next_attempt": to_optional_seconds(order.next_attempt),
        "replaces": order.replaces,
    }


def _key_values(key: ExternalKey) -> dict[str, Any]:
    return {
        "profile_id": key.profile_id,
        "expires": to_optional_seconds(key.expires),
        "account_id": key.account_id,
    }


_VALUES: dict[type, Callable[[Any], dict[str, Any]]] = {
    Account: _account_values,
    Authorization: _authorization_values,
    Order: _order_values,
    ExternalKey: _key_values,
    Replacement: replacement_values,
    RenewalWindow: window_values,
}
