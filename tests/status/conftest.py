from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.status_lab import StatusLab


@pytest.fixture
def ca(tmp_path: Path) -> Iterator[StatusLab]:
    """A root and an issuing CA, with their status service."""
    made = StatusLab(tmp_path)
    made.make()
    yield made
    made.store.close()
