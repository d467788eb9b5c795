"""Labs as real processes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.running import Running, free_port, lab


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start labs, by default in one and the same directory."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, directory=tmp_path / "lab": stack.enter_context(lab(directory, *arguments))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One lab for tests that leave it as it is."""
    with lab(tmp_path_factory.mktemp("shared") / "lab", "--http01-port", str(free_port())) as running:
        yield running
