"""Why nothing can be served, or not this request. What a request got wrong is KServe's ``InvalidInput``."""

from __future__ import annotations


class CannotServe(Exception):
    """The server does not start; ``message`` says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Busy(Exception):
    """No place is free for what a request brings; the same one may be taken in a moment."""
