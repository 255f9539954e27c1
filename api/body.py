"""Bodies, read with limits: on bytes as they arrive; of JSON on depth, and on what PostgreSQL and JSON cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.deps import get_resources
from api.errors import Invalid, Malformed, PayloadTooLarge
from api.pointers import Part, pointer
from api.settings import ApiSettings

MAX_DEPTH = 32
_INT64 = 2**63


class CountedRequest(Request):
    """A request whose body is counted while it arrives. As it is, it may be as large as the archive of a dataset."""

    def limit(self, settings: ApiSettings) -> int:
        """Bytes that the body may have."""
        return settings.max_upload_bytes

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Raises PayloadTooLarge as soon as the limit is passed, whatever Content-Length says."""
        limit, received = self.limit(get_resources(self).settings), 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > limit:
                raise PayloadTooLarge(f"The body is larger than {limit:,} bytes.")
            yield chunk


class JsonRequest(CountedRequest):
    """A request whose body is small and whose JSON is checked before anything reads it."""

    def limit(self, settings: ApiSettings) -> int:
        return settings.max_body_bytes

    async def json(self) -> Any:
        """The parsed body.

        Raises:
            Malformed: it is not JSON in UTF-8.
            Invalid: it holds something that cannot be kept; points at it.
        """
        body = await self.body()
        try:
            value = json.loads(body.decode(), parse_constant=_refuse_constant)
        except RecursionError as error:
            raise _too_deep([]) from error
        except ValueError as error:
            raise Malformed(f"The body is not JSON: {error}.") from error
        check_json(value)
        return value


class UploadRoute(APIRoute):
    """A route that reads its body as a :class:`CountedRequest`."""

    request_class: type[Request] = CountedRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def read_strictly(request: Request) -> Response:
            return await handler(self.request_class(request.scope, request.receive))

        return read_strictly


class JsonRoute(UploadRoute):
    """A route that reads its body as a :class:`JsonRequest`."""

    request_class = JsonRequest


def check_json(value: Any) -> None:
    """Looks at every key, text and number inside, without recursion.

    Raises:
        Invalid: too deep, NUL or a lone surrogate in a text, or a number beyond 64 bits.
    """
    waiting: list[tuple[list[Part], Any]] = [([], value)]
    while waiting:
        at, value = waiting.pop()
        if len(at) > MAX_DEPTH:
            raise _too_deep(at)
        match value:
            case dict():
                for key in value:
                    _check_text(at, key)
                waiting.extend(([*at, key], item) for key, item in value.items())
            case list():
                waiting.extend(([*at, index], item) for index, item in enumerate(value))
            case str():
                _check_text(at, value)
            case bool() | None:
                pass
            case int() if not -_INT64 <= value < _INT64:
                raise _invalid(at, "A whole number must fit in 64 bits")
            case float() if not math.isfinite(value):
                raise _invalid(at, "A number must be finite")


def _check_text(at: list[Part], text: str) -> None:
    if "\x00" in text:
        raise _invalid(at, "Text must not contain a NUL character (U+0000)")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _invalid(at, "Text must not contain a lone surrogate (U+D800 to U+DFFF)")


def _too_deep(at: list[Part]) -> Invalid:
    return _invalid(at[:MAX_DEPTH], f"JSON must not be nested deeper than {MAX_DEPTH} levels")


def _invalid(at: list[Part], detail: str) -> Invalid:
    return Invalid(f"{detail}.", errors=[{"pointer": pointer(at), "detail": detail}])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
