"""Rates of a configuration."""

from __future__ import annotations

from datetime import timedelta

import pytest

from privca.base.rates import rate


def test_a_rate_is_a_number_and_a_window() -> None:
    assert rate("300/3h") == (300, timedelta(hours=3))
    assert rate("1/90s") == (1, timedelta(seconds=90))


@pytest.mark.parametrize(
    "text", ["300", "300/", "/3h", "0/3h", "-1/3h", "300/0s", "300/3", "300 / 3h", "3h/300", "²/3h", "1/1h/1h", "1e3/1h"]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        rate(text)
