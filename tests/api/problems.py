"""What every error of the API looks like."""

from __future__ import annotations

from typing import Any

import httpx


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The body of an error, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:dna:error:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert len(body["detail"]) > 10
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in body["errors"]]
