"""Requests with a condition (RFC 9110): a client that holds an answer already need not get it again."""

from __future__ import annotations

import re

from fastapi import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_held(request: Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names that tag. Weak tags count: a proxy that packs an answer makes its tag weak."""
    said = ", ".join(request.headers.getlist("if-none-match"))
    return said.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(said)
