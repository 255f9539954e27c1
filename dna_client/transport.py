"""HTTP with retries: a call that may be repeated is, after a pause, when the server is away for a moment."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import loads as json_of
from pathlib import Path
from typing import IO, Any

import httpx

from dna_client.errors import ApiError, LocalError, ServerUnreachable, api_error
from dna_client.visible import all_visible

#: Pauses before the second, third ... attempt, in seconds; each is spread by up to a half.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)

#: An answer arrives within this time, and a stream is never silent for longer: the server sends a comment sooner.
TIMEOUT = httpx.Timeout(60.0, connect=5.0)

#: The server stores what was sent before it answers.
UPLOAD_TIMEOUT = httpx.Timeout(3600.0, connect=5.0)


class Transport:
    """Sends requests to one server under one key. Not safe for use by several threads at once.

    Args:
        printable: every text of an answer in one line, with control characters as escapes: what others wrote may be shown then.
    """

    def __init__(
        self, base_url: str, api_key: str | None, *, pauses: tuple[float, ...] = PAUSES, printable: bool = False
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise LocalError(f"The address of the service must begin with http:// or https://, not {base_url!r}.")
        if not (api_key or "").isascii():
            raise LocalError("The API key holds a character that no key has; copy it again.")
        headers = {"user-agent": "dna-client", "accept": "application/json"}
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        self.base_url = base_url
        self.pauses = pauses
        self._printable = printable
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT)

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """The JSON that the server answers, or None for an answer without content.

        Args:
            params: query; those that are None are left out.
            repeatable: whether sending it twice does no more than sending it once.

        Raises:
            ApiError: the server refused.
            ServerUnreachable: it gave no answer, after the last retry when ``repeatable``.
        """
        query = {name: value for name, value in (params or {}).items() if value is not None}
        request = self._http.build_request(method, path, json=json, params=query, headers=headers)
        response = self._send(request, repeatable=repeatable)
        return self.read(response.content) if response.content else None

    def send_form(
        self, path: str, fields: Mapping[str, str], file: IO[bytes] | None, headers: Mapping[str, str]
    ) -> Any:
        """The JSON that the server answers to a form; a file in it is read piece by piece.

        Raises:
            ApiError: the server refused.
            ServerUnreachable: it gave no answer, after the last retry.
        """
        files = {"file": (Path(file.name).name, file)} if file is not None else None
        request = self._http.build_request(
            "POST", path, data=dict(fields), files=files, headers=dict(headers), timeout=UPLOAD_TIMEOUT
        )
        return self.read(self._send(request, repeatable=True).content)

    def read(self, text: str | bytes) -> Any:
        """The value of JSON that the server has sent."""
        value = json_of(text)
        return all_visible(value) if self._printable else value

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        repeatable: bool = True,
    ) -> httpx.Response:
        """The whole answer, for what stands in its headers.

        Args:
            repeatable: whether sending it twice does no more than sending it once; if not, it is sent once, and a connection that
                breaks is an ``httpx.TransportError``.

        Raises:
            ApiError: the server refused.
            ServerUnreachable: it gave no answer, after the last retry when ``repeatable``.
        """
        request = self._http.build_request(method, path, headers=dict(headers), content=content)
        if repeatable:
            return self._send(request, repeatable=True)
        response = self._http.send(request)
        if response.is_success:
            return response
        raise api_error(response)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """The items of all pages of a list."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path, params={**params, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def patience(self) -> Patience:
        """For a stream, whose caller knows where to continue."""
        return Patience(self.base_url, self.pauses)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str], params: Mapping[str, str]) -> Iterator[httpx.Response]:
        """A response whose body is read inside the block. One attempt, see :meth:`patience`.

        Raises:
            ApiError: the server refused.
            httpx.TransportError: there is no connection, or it broke.
        """
        with self._http.stream("GET", path, headers=dict(headers), params=dict(params)) as response:
            if response.is_error:
                response.read()
                raise api_error(response)
            yield response

    def _send(self, request: httpx.Request, *, repeatable: bool) -> httpx.Response:
        patience = Patience(self.base_url, self.pauses if repeatable else ())
        while True:
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                patience.wait(error)
            else:
                if response.is_success:
                    return response
                patience.wait(api_error(response))


class Patience:
    """The pauses between attempts at one thing, each made up to a half longer so that many clients do not come back at once."""

    def __init__(self, base_url: str, pauses: tuple[float, ...]) -> None:
        self._base_url = base_url
        self._pauses = pauses
        self._left = list(pauses)

    def renew(self) -> None:
        """Something arrived: the count begins anew."""
        self._left = list(self._pauses)

    def wait(self, error: Exception) -> None:
        """Sleeps until the next attempt.

        Raises:
            ApiError: ``error`` itself, when another attempt would get the same, or too many were made.
            ServerUnreachable: too many attempts found no server.
        """
        if self._left and (isinstance(error, httpx.TransportError) or (isinstance(error, ApiError) and error.passing)):
            time.sleep(self._left.pop(0) * random.uniform(1.0, 1.5))
        elif isinstance(error, ApiError):
            raise error
        else:
            raise ServerUnreachable(
                f"No answer from {self._base_url} ({error or type(error).__name__}). Is the service running (dna up), and "
                "is the address right (--url, DNA_URL)?"
            ) from error
