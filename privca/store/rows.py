"""Between rows and records: times, lists and names as the tables hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from privca.base.names import Name, NameKind

_decode_names = msgspec.json.Decoder(list[tuple[NameKind, str]]).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_encode = msgspec.json.encode


def to_seconds(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


def to_optional_seconds(at: datetime | None) -> int | None:
    """Whole seconds since 1970, or None."""
    return None if at is None else int(at.timestamp())


@lru_cache(maxsize=1024)  # the records of one moment have few times among them; a fifth of the cost
def to_datetime(seconds: int) -> datetime:
    """An aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def to_optional_datetime(seconds: int | None) -> datetime | None:
    """An aware datetime in UTC, or None."""
    return None if seconds is None else to_datetime(seconds)


def names_to_json(names: Sequence[Name]) -> str:
    """Names as ``[["dns", "a.test"], ...]``."""
    return _encode([(name.kind, name.value) for name in names]).decode()


def names_from_json(text: str) -> tuple[Name, ...]:
    """The reverse of :func:`names_to_json`; what the store holds is canonical already."""
    return tuple([Name(kind, value) for kind, value in _decode_names(text)])


def texts_to_json(texts: Sequence[str]) -> str:
    """A list of strings."""
    return _encode(texts).decode()


def texts_from_json(text: str) -> tuple[str, ...]:
    """The reverse of :func:`texts_to_json`."""
    return _decode_texts(text)
