"""Where a validation error is, as a JSON pointer (RFC 6901) that a client can follow into the body it sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.ids import no_id

Part = str | int


#: What pydantic says of something in the place of an id.
_NO_ID = frozenset({"uuid_parsing", "uuid_type"})


def pointer(parts: Sequence[Part]) -> str:
    """The parts as a pointer in the form of a URI fragment, such as ``#/budget/flops``."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "#" + "".join(f"/{part}" for part in escaped)


def field_errors(details: Sequence[Mapping[str, Any]], body: Any) -> list[dict[str, str]]:
    """Pydantic's errors as ``pointer`` or ``parameter``, and ``detail``; each field once per message."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for detail in details:
        source, *parts = detail["loc"]
        message = _message(detail)
        if source == "body":
            place = {"pointer": pointer(_in_body(parts, body, missing=detail["type"] == "missing"))}
        else:
            place = {"parameter": str(parts[0] if parts else source)}
        found.setdefault(("".join(place.values()), message), place | {"detail": message})
    return list(found.values())


def _message(detail: Mapping[str, Any]) -> str:
    if detail["type"] in _NO_ID:
        return no_id(_name(detail["loc"]), detail["input"])
    return str(detail["msg"]).removeprefix("Value error, ")


def _name(place: Sequence[Part]) -> str:
    """The last name on the way to a value, of which there may be a list."""
    return next(part for part in reversed(place) if isinstance(part, str))


def _in_body(parts: Sequence[Part], body: Any, *, missing: bool) -> list[Part]:
    """The parts that lead somewhere in the body. Pydantic also names the members of unions it tried: those do not."""
    kept: list[Part] = []
    for place, part in enumerate(parts):
        match body:
            case dict() if part in body:
                body = body[part]
            case list() if isinstance(part, int):
                body = body[part]
            case _ if not (missing and place == len(parts) - 1):
                continue
        kept.append(part)
    return kept
