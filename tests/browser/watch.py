"""What a browser's pages say, ask for and get while a test drives them; whatever nobody expected fails the test."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

#: Of the console; what is of other types tells no fault.
_FAULTS = frozenset({"error", "warning", "assert"})

#: Chromium says in the console of every answer of 400 and more what is kept here from the answer itself.
_SAID_TWICE = "Failed to load resource:"

#: A request that the page itself has given up, as of a stream when one leaves the page; and downloads, which go elsewhere.
_GIVEN_UP = "net::ERR_ABORTED"

#: Addresses that lead to no host.
_INSIDE = frozenset({"data", "blob", "about"})


class Watch:
    """Listens to all pages of a context.

    Args:
        url: of the service; whatever leads elsewhere is a fault.

    Attributes:
        requests: method and address of each, in order.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._context = context
        self._host = urlsplit(url).netloc
        self.requests: list[str] = []
        self._faults: list[str] = []
        self._expected: list[str] = []
        self._listeners = {
            "console": self._console,
            "weberror": self._error,
            "dialog": self._dialog,
            "request": self._request,
            "requestfailed": self._failed,
            "response": self._response,
        }
        for event, listener in self._listeners.items():
            context.on(event, listener)

    def close(self) -> None:
        """Listens no longer: the context may be another test's next."""
        for event, listener in self._listeners.items():
            self._context.remove_listener(event, listener)

    def expect(self, pattern: str) -> None:
        """Says before or after that faults are meant which contain this regular expression, such as ``answered 409: POST /searches``.

        What is expected and does not come is a fault as well.
        """
        self._expected.append(pattern)

    def settle(self) -> None:
        """Hears what the pages have said until now."""
        for page in self._context.pages:
            page.evaluate("0")

    @property
    def unexpected(self) -> list[str]:
        """All that went wrong and nobody expected, a line each."""
        self.settle()
        wrong = [fault for fault in self._faults if not any(re.search(known, fault) for known in self._expected)]
        idle = [known for known in self._expected if not any(re.search(known, fault) for fault in self._faults)]
        return wrong + [f"expected, and did not come: {known}" for known in idle]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in _FAULTS and not message.text.startswith(_SAID_TWICE):
            self._faults.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        self._faults.append(f"uncaught: {error.error.stack or error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        self._faults.append(f"dialog {dialog.type}: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url}")
        parts = urlsplit(request.url)
        if parts.scheme not in _INSIDE and parts.netloc != self._host:
            self._faults.append(f"another host: {request.method} {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self._faults.append(f"failed with {request.failure}: {_asked(request)}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"answered {response.status}: {_asked(response.request)}")


def _asked(request: Request) -> str:
    parts = urlsplit(request.url)
    return f"{request.method} {parts.path}{f'?{parts.query}' if parts.query else ''}"
