"""Database URLs."""

from __future__ import annotations

import pytest

from store.session import driver_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_urls_get_the_driver(scheme: str) -> None:
    assert driver_url(f"{scheme}://u:p%40@h/d") == "postgresql+psycopg://u:p%40@h/d"
