"""Bodies for the OpenAPI document; the tests send each of them."""

from __future__ import annotations

from typing import Any

KEYS: dict[str, dict[str, Any]] = {
    "team": {"summary": "A key of a project of its own", "value": {"name": "vision"}},
    "limited": {
        "summary": "One that shares a project, with limits",
        "value": {
            "name": "vision ci",
            "project": "vision",
            "scopes": ["read", "run"],
            "limits": {"running_jobs": 2, "queued_jobs": 20, "device_hours": 50, "requests_per_second": 5},
        },
    },
}

CHANGES: dict[str, dict[str, Any]] = {
    "more": {
        "summary": "More hours, and no limit on jobs",
        "value": {"limits": {"device_hours": 100, "running_jobs": None}},
    },
    "renamed": {
        "summary": "Another name, to read only, and for good",
        "value": {"name": "vision dashboard", "scopes": ["read"], "expires_at": None},
    },
}
