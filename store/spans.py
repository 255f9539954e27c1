"""How long something took or waits, for people."""

from __future__ import annotations

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """In the largest unit of which there are two: ``90 s``, ``7 min``, ``3 h``."""
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
