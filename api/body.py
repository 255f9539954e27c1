"""Bodies, read once the caller is known and with limits: on bytes as they arrive; of JSON on the number of values, on depth,
and on what PostgreSQL and JSON cannot hold. JSON is parsed in a thread: the event loop serves everybody.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any, NoReturn

import anyio
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope

from api.auth import admit
from api.deps import get_resources
from api.errors import Invalid, Malformed, PayloadTooLarge, TooSlow, WrongMediaType, invalid_fields
from api.pointers import Part, pointer
from api.settings import ApiSettings
from store.limits import Scope as KeyScope

MAX_DEPTH = 32

#: Several times what the largest search has. Each may cost an error with its pointer.
MAX_VALUES = 4000

#: Characters of the name of a field, which errors repeat.
MAX_NAME = 256

_INT64 = 2**63
#: Python reads no longer numbers, and a float has no more before its point.
_MOST_DIGITS = 310

_JSON = re.compile(r"application/([^/]+\+)?json", re.IGNORECASE)

Validate = Callable[[Any], tuple[Any, list[dict[str, Any]]]]


class CountedRequest(Request):
    """A request whose body is counted while it arrives. As it is, it may be as large as the archive of a dataset."""

    def limit(self, settings: ApiSettings) -> int:
        """Bytes that the body may have."""
        return settings.max_upload_bytes

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The chunks, the first once the caller is known.

        Raises:
            Unauthorized: or Forbidden, before anything is read.
            PayloadTooLarge: as soon as the limit is passed, whatever Content-Length says.
            TooSlow: nothing comes for too long, or too little.
        """
        await admit(self)
        settings = get_resources(self).settings
        limit, received = self.limit(settings), 0
        async for chunk in _arriving(super().stream(), settings):
            received += len(chunk)
            if received > limit:
                raise PayloadTooLarge(f"The body is larger than {limit:,} bytes.")
            yield chunk


class JsonRequest(CountedRequest):
    """A request whose body is small and whose JSON is checked before anything else reads it.

    Args:
        validate: gives what the route takes the body for, and what is wrong with it.
    """

    def __init__(self, scope: Scope, receive: Receive, validate: Validate | None) -> None:
        super().__init__(scope, receive)
        self._validate = validate

    def limit(self, settings: ApiSettings) -> int:
        return settings.max_body_bytes

    async def body(self) -> bytes:
        """The body.

        Raises:
            WrongMediaType: it is packed, or not said to be JSON: some clients say nothing of it, and some that it is a form, unless told
                to. A patch has a media type of its own, which is for its route to say.
        """
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise WrongMediaType("Send the body as it is, without Content-Encoding: it is not unpacked here.")
        body = await super().body()
        if (
            body
            and self.method != "PATCH"
            and not _JSON.fullmatch(self.headers.get("content-type", "").partition(";")[0].strip())
        ):
            raise WrongMediaType("Send the body as Content-Type: application/json.")
        return body

    async def json(self) -> Any:
        """The parsed body; raises as :func:`parse_json`, and Invalid where it is not what the route takes.

        FastAPI validates it once more, on the event loop: what is right and of a bounded size is quickly seen to be.
        """
        return await run_in_threadpool(self._parse, await self.body())

    def _parse(self, body: bytes) -> Any:
        value = parse_json(body)
        if self._validate and (details := self._validate(value)[1]):
            raise invalid_fields(details, value)
        return value


class UploadRoute(APIRoute):
    """A route that reads its body as a :class:`CountedRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def read_strictly(request: Request) -> Response:
            return await handler(self.reading(request))

        return read_strictly

    def reading(self, request: Request) -> Request:
        """The request as it is to be read."""
        return CountedRequest(request.scope, request.receive)


class JsonRoute(UploadRoute):
    """A route that reads its body as a :class:`JsonRequest`."""

    def reading(self, request: Request) -> Request:
        field = self.body_field
        return JsonRequest(request.scope, request.receive, partial(field.validate, loc=("body",)) if field else None)


class ComputingRoute(JsonRoute):
    """A route whose answer is computed from its body, and of which nothing is stored: who may read may ask."""

    needs = KeyScope.READ


async def _arriving(chunks: AsyncIterator[bytes], settings: ApiSettings) -> AsyncGenerator[bytes, None]:
    """The chunks, as long as they come: who sends nothing, or a byte now and then, would hold a place of those for uploads for ever.

    Only the time is counted in which they are waited for, not that in which they are written.

    Raises:
        TooSlow: nothing comes for too long, or too little.
    """
    idle, rate = settings.body_idle_seconds, settings.body_bytes_per_second
    waited, received = 0.0, 0
    while True:
        begun = anyio.current_time()
        left = idle + received / rate - waited
        try:
            with anyio.fail_after(min(idle, left)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            slow = (
                f"Less than {rate:,} bytes of the body come in a second"
                if left < idle
                else f"Nothing of the body has come for {idle:g} s"
            )
            raise TooSlow(f"{slow}. Send it again.") from None
        if chunk is None:
            return
        waited, received = waited + anyio.current_time() - begun, received + len(chunk)
        yield chunk


def parse_json(body: bytes) -> Any:
    """The value of a body.

    Raises:
        Malformed: it is not JSON in UTF-8.
        Invalid: it holds too much, or something that cannot be kept; points at it.
    """
    # Every value but the first comes behind one of these, so no more need be built to know that there are too many.
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > MAX_VALUES:
        raise _invalid([], f"JSON must not hold more than {MAX_VALUES:,} values (commas and brackets are counted)")
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_whole)
    except RecursionError as error:
        raise _too_deep([]) from error
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}.") from error
    check_json(value)
    return value


def check_json(value: Any) -> None:
    """Looks at every key, text and number inside, without recursion.

    Raises:
        Invalid: too deep, a name too long, NUL or a lone surrogate in a text, or a number beyond 64 bits.
    """
    waiting: list[tuple[list[Part], Any]] = [([], value)]
    while waiting:
        at, value = waiting.pop()
        if len(at) > MAX_DEPTH:
            raise _too_deep(at)
        match value:
            case dict():
                for key in value:
                    _check_name(at, key)
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


def _check_name(at: list[Part], name: str) -> None:
    if len(name) > MAX_NAME:
        raise _invalid(at, f"The name of a field must not have more than {MAX_NAME} characters")
    _check_text(at, name)


def _check_text(at: list[Part], text: str) -> None:
    if "\x00" in text:
        raise _invalid(at, "Text must not contain a NUL character (U+0000)")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _invalid(at, "Text must not contain a lone surrogate (U+D800 to U+DFFF)")


def _too_deep(at: list[Part]) -> Invalid:
    return _invalid(at[:MAX_DEPTH], f"JSON must not be nested deeper than {MAX_DEPTH} levels")


def _invalid(at: list[Part], detail: str) -> Invalid:
    return Invalid(f"{detail}.", errors=[{"pointer": pointer(at), "detail": detail}])


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
