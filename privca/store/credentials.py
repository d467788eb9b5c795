"""Codes and passcodes, sealed, and found by their value through a keyed hash (port: ``enrollment.ports.EnrollmentStore``)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from privca.enrollment.ports import MOST_FAILURES, Code, Passcode
from privca.issuance.ports import Conflict, Spent
from privca.store import schema
from privca.store.database import Database, Row, Statement, operation
from privca.store.rows import to_datetime, to_optional_datetime, to_seconds
from privca.store.sealing import Sealing

_c = schema.code.c
_CODE_COLUMNS = (_c.profile_id, _c.reference, _c.sealed, _c.created, _c.lab, _c.version)
_CODE = Statement(select(*_CODE_COLUMNS).where(_c.profile_id == bindparam("profile_id"), _c.reference == bindparam("reference")))
_CODE_BY_MARK = Statement(
    select(*_CODE_COLUMNS)
    .where(_c.profile_id == bindparam("profile_id"), _c.mark == bindparam("mark"))
    .order_by(_c.reference)
    .limit(1)
)
_CODES = Statement(select(*_CODE_COLUMNS).order_by(_c.profile_id, _c.reference))
_CODES_OF_PROFILE = Statement(select(*_CODE_COLUMNS).where(_c.profile_id == bindparam("profile_id")).order_by(_c.reference))
_ADD_CODE = Statement(insert(schema.code))
_CHANGE_CODE = Statement(
    update(schema.code)
    .where(_c.profile_id == bindparam("of"), _c.reference == bindparam("named"), _c.version == bindparam("read"))
    .values({name: bindparam(name) for name in ("sealed", "mark", "created", "lab", "version")})
)
_REMOVE_CODE = Statement(
    delete(schema.code).where(_c.profile_id == bindparam("profile_id"), _c.reference == bindparam("reference"))
)

_p = schema.passcode.c
_COLUMNS = tuple(column for column in schema.passcode.columns if column.name not in {"sequence", "mark"})
_PASSCODE = Statement(select(*_COLUMNS).where(_p.id == bindparam("id")))
_NEWEST = Statement(
    select(*_COLUMNS)
    .where(_p.profile_id == bindparam("profile_id"), _p.reference == bindparam("reference"))
    .order_by(_p.sequence.desc())
    .limit(1)
)
_BY_MARK = Statement(select(*_COLUMNS).where(_p.profile_id == bindparam("profile_id"), _p.mark == bindparam("mark")))
_ALL = Statement(select(*_COLUMNS).order_by(_p.sequence))
_OF_PROFILE = Statement(select(*_COLUMNS).where(_p.profile_id == bindparam("profile_id")).order_by(_p.sequence))
_ADD = Statement(
    insert(schema.passcode).values({c.name: bindparam(c.name) for c in schema.passcode.columns if c.name != "sequence"})
)
_unspent = (_p.spent.is_(None), _p.revoked.is_(None))
_of_reference = (_p.profile_id == bindparam("of"), _p.reference == bindparam("named"))
_REVOKE = Statement(update(schema.passcode).where(_p.id == bindparam("of"), _p.revoked.is_(None)).values(revoked=bindparam("at")))
_REPLACE = Statement(update(schema.passcode).where(*_of_reference, *_unspent).values(revoked=bindparam("at")))
_COUNT_FAILURE = Statement(
    update(schema.passcode).where(*_of_reference, *_unspent, _p.failures < MOST_FAILURES).values(failures=_p.failures + 1)
)
_SPEND = Statement(
    update(schema.passcode)
    .where(
        _p.id == bindparam("of"),
        _p.profile_id == bindparam("within"),
        *_unspent,
        _p.expires > bindparam("at"),
        _p.failures < MOST_FAILURES,
    )
    .values(spent=bindparam("at"), request_id=bindparam("by"))
)


def spend(database: Database, passcode_id: str, profile_id: str, request_id: str, at: datetime) -> None:
    """Spend a live passcode on a request, inside the transaction that records the request. :raises Spent: if it is not live."""
    values = {"of": passcode_id, "within": profile_id, "at": to_seconds(at), "by": request_id}
    if database.change(_SPEND, values) != 1:
        raise Spent(f"passcode {passcode_id} cannot be spent")


class CodesAndPasscodes:
    """The part of the store that keeps codes and passcodes."""

    _database: Database
    _secrets: Sealing

    @operation
    def code(self, profile_id: str, reference: str) -> Code | None:
        """The code of a reference."""
        return self._code(self._database.one(_CODE, profile_id=profile_id, reference=reference))

    @operation
    def code_by_value(self, profile_id: str, value: bytes) -> Code | None:
        """A code of the profile with this value; the first by reference."""
        return self._code(self._database.one(_CODE_BY_MARK, profile_id=profile_id, mark=self._mark("code", profile_id, value)))

    @operation
    def codes(self, profile_id: str | None = None) -> Sequence[Code]:
        """All codes, or those of a profile, by profile and reference."""
        rows = self._database.all(_CODES) if profile_id is None else self._database.all(_CODES_OF_PROFILE, profile_id=profile_id)
        return [code for row in rows if (code := self._code(row)) is not None]

    @operation
    def save_code(self, code: Code) -> None:
        """Set the code of its reference, in place of the one of that version."""
        values = {
            "sealed": self._secrets.seal(code.value, _code_context(code.profile_id, code.reference)),
            "mark": self._mark("code", code.profile_id, code.value),
            "created": to_seconds(code.created),
            "lab": int(code.lab),
            "version": code.version + 1,
        }
        if code.version == 0:
            self._database.change(_ADD_CODE, values | {"profile_id": code.profile_id, "reference": code.reference})
        elif (
            self._database.change(_CHANGE_CODE, values | {"of": code.profile_id, "named": code.reference, "read": code.version})
            != 1
        ):
            raise Conflict(f"code {code.reference} of {code.profile_id} was changed meanwhile")

    @operation
    def remove_code(self, profile_id: str, reference: str) -> bool:
        """Whether there was one."""
        return self._database.change(_REMOVE_CODE, {"profile_id": profile_id, "reference": reference}) == 1

    @operation
    def passcode(self, id: str) -> Passcode | None:
        """A passcode by its ID."""
        return self._passcode(self._database.one(_PASSCODE, id=id))

    @operation
    def newest_passcode(self, profile_id: str, reference: str) -> Passcode | None:
        """The passcode of a reference that was issued last."""
        return self._passcode(self._database.one(_NEWEST, profile_id=profile_id, reference=reference))

    @operation
    def passcode_by_value(self, profile_id: str, value: bytes) -> Passcode | None:
        """A passcode of the profile with this value."""
        return self._passcode(self._database.one(_BY_MARK, profile_id=profile_id, mark=self._mark("passcode", profile_id, value)))

    @operation
    def passcodes(self, profile_id: str | None = None) -> Sequence[Passcode]:
        """All passcodes, or those of a profile, oldest first."""
        rows = self._database.all(_ALL) if profile_id is None else self._database.all(_OF_PROFILE, profile_id=profile_id)
        return [passcode for row in rows if (passcode := self._passcode(row)) is not None]

    @operation
    def add_passcode(self, passcode: Passcode) -> None:
        """Store a new passcode; one of the same reference that is not spent yet is revoked."""
        at = to_seconds(passcode.created)
        with self._database.atomic():
            self._database.change(_REPLACE, {"of": passcode.profile_id, "named": passcode.reference, "at": at})
            self._database.change(
                _ADD,
                {
                    "id": passcode.id,
                    "profile_id": passcode.profile_id,
                    "reference": passcode.reference,
                    "sealed": self._secrets.seal(passcode.value, _passcode_context(passcode.id)),
                    "mark": self._mark("passcode", passcode.profile_id, passcode.value),
                    "created": at,
                    "expires": to_seconds(passcode.expires),
                    "failures": 0,
                    "spent": None,
                    "request_id": "",
                    "revoked": None,
                },
            )

    @operation
    def revoke_passcode(self, id: str, at: datetime) -> bool:
        """Whether there was one that was not revoked yet."""
        return self._database.change(_REVOKE, {"of": id, "at": to_seconds(at)}) == 1

    @operation
    def count_failure(self, profile_id: str, reference: str) -> None:
        """Count a wrong value for the passcode of a reference that is not spent yet."""
        self._database.change(_COUNT_FAILURE, {"of": profile_id, "named": reference})

    def _mark(self, kind: str, profile_id: str, value: bytes) -> bytes:
        """What finds a value again without telling it: a keyed hash over profile and value."""
        return hmac.digest(self._secrets.derive(f"{kind} mark"), profile_id.encode() + b"\0" + value, "sha256")

    def _code(self, row: Row | None) -> Code | None:
        if row is None:
            return None
        value = self._secrets.open(row[2], _code_context(row[0], row[1]))
        return Code(row[0], row[1], value, to_datetime(row[3]), bool(row[4]), row[5])

    def _passcode(self, row: Row | None) -> Passcode | None:
        if row is None:
            return None
        return Passcode(
            id=row[0],
            profile_id=row[1],
            reference=row[2],
            value=self._secrets.open(row[3], _passcode_context(row[0])),
            created=to_datetime(row[4]),
            expires=to_datetime(row[5]),
            failures=row[6],
            spent=to_optional_datetime(row[7]),
            request_id=row[8],
            revoked=to_optional_datetime(row[9]),
        )


def _code_context(profile_id: str, reference: str) -> str:
    """What a sealed code is bound to: it opens for no other profile or reference."""
    return f"code {profile_id} {reference}"


def _passcode_context(id: str) -> str:
    return f"passcode {id}"
