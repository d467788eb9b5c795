from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scep_lab import ScepLab


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScepLab]:
    """One lab for all tests that make profiles and clients of their own, and leave its CAs as they are."""
    lab = ScepLab(tmp_path_factory.mktemp("scep"))
    yield lab
    lab.store.close()
