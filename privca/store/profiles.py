"""Profiles with their templates, as immutable revisions: the newest one of an ID counts, and every certificate can still be explained."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, insert, select

from privca.base.clock import Clock
from privca.issuance.profile import Profile, Revisioned, Template
from privca.store import schema
from privca.store.database import Database, Statement, operation
from privca.store.rows import to_seconds

_t = schema.profile.c
_NEWEST = Statement(select(_t.revision, _t.document).where(_t.id == bindparam("id")).order_by(_t.revision.desc()).limit(1))
_REVISION = Statement(select(_t.document).where(_t.id == bindparam("id"), _t.revision == bindparam("revision")))
_newest = select(_t.id, func.max(_t.revision).label("revision")).group_by(_t.id).subquery()
_ALL = Statement(
    select(_t.id, _t.revision, _t.document)
    .join(_newest, (_t.id == _newest.c.id) & (_t.revision == _newest.c.revision))
    .order_by(_t.id)
)
_ADD = Statement(insert(schema.profile))


class _Document(msgspec.Struct):
    profile: Profile
    template: Template


_decode = msgspec.json.Decoder(_Document).decode


class Profiles:
    """The profile part of the store."""

    _database: Database
    _clock: Clock

    @operation
    def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile, enabled or not."""
        row = self._database.one(_NEWEST, id=id)
        return None if row is None else _revisioned(id, *row)

    @operation
    def profile_revision(self, id: str, revision: int) -> Revisioned | None:
        """One revision of a profile: what a certificate was issued by."""
        row = self._database.one(_REVISION, id=id, revision=revision)
        return None if row is None else _revisioned(id, revision, row[0])

    @operation
    def profiles(self) -> Sequence[Revisioned]:
        """The newest revision of every profile, by ID."""
        return [_revisioned(*row) for row in self._database.all(_ALL)]

    @operation
    def save_profile(self, id: str, profile: Profile, template: Template) -> int:
        """Make (profile, template) the newest revision, unless it is that already; the revision's number.

        A profile's protocol never changes: its ID stands in the URLs of one protocol, and its accounts and transactions are of that
        protocol. :raises ValueError: if it would.
        """
        with self._database.atomic():
            row = self._database.one(_NEWEST, id=id)
            newest = None if row is None else _revisioned(id, *row)
            if newest is not None:
                if newest.profile.protocol != profile.protocol:
                    raise ValueError(f"profile {id} is an {newest.profile.protocol} profile and stays one: choose another ID")
                if (newest.profile, newest.template) == (profile, template):
                    return newest.revision
            revision = 1 if newest is None else newest.revision + 1
            document = msgspec.json.encode(_Document(profile=profile, template=template)).decode()
            self._database.change(
                _ADD, {"id": id, "revision": revision, "document": document, "created": to_seconds(self._clock.now())}
            )
        return revision


def _revisioned(id: str, revision: int, document: str) -> Revisioned:
    stored = _decode(document)
    return Revisioned(id=id, revision=revision, profile=stored.profile, template=stored.template)
