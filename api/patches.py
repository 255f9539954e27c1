"""JSON merge patches (RFC 7396): what is sent lies over what there is, member by member, and null removes."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request

from api.errors import WrongMediaType

MEDIA_TYPE = "application/merge-patch+json"


async def _is_patch(request: Request) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in (MEDIA_TYPE, "application/json"):
        message = f"Send what is to change as JSON (a merge patch, RFC 7396), with Content-Type: {MEDIA_TYPE}."
        raise WrongMediaType(message, headers={"Accept-Patch": MEDIA_TYPE})


#: For ``dependencies`` of a route that takes one; raises WrongMediaType where the body is said to be something else.
MERGE_PATCH = Depends(_is_patch)


def without_default(schema: dict[str, Any]) -> None:
    """For ``json_schema_extra`` of a field that may be left out and is not null: what is left out stays, whatever its default is in Python."""
    schema.pop("default", None)


def merged(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
