from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from privca.base.clock import SetClock
from privca.store import Store

R = TypeVar("R")


class PlainSealing:
    """Sealing that shows in the database file what was sealed under which context."""

    def seal(self, plaintext: bytes, context: str) -> bytes:
        return context.encode() + b"|" + bytes(octet ^ 0xFF for octet in plaintext)

    def open(self, sealed: bytes, context: str) -> bytes:
        bound, _, mangled = sealed.partition(b"|")
        if bound != context.encode():
            raise ValueError("sealed under another context")
        return bytes(octet ^ 0xFF for octet in mangled)

    def derive(self, label: str) -> bytes:
        return label.encode().ljust(32)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "privca.db"


@pytest.fixture
def open_store(path: Path, clock: SetClock) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(path, PlainSealing(), durable=False, clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, R]], R]:
    """Drive a coroutine that never has to wait: the store answers at once."""

    def drive(coroutine: Coroutine[Any, Any, R]) -> R:
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        raise AssertionError("the store waited for something")

    return drive
