from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.issuance_lab import IssuanceLab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[IssuanceLab]:
    """A root and an issuing CA, both P-256."""
    lab = IssuanceLab(tmp_path).make()
    yield lab
    lab.store.close()
