"""Who may call: the owner of a key, or anybody on this machine where the service is embedded for one person."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.deps import ResourcesDep, SessionDep
from api.errors import Forbidden, Unauthorized
from api.settings import ApiSettings
from store import keys

bearer = HTTPBearer(
    auto_error=False, description="A key, `dna_...`. None is needed on the machine of an embedded service."
)


@dataclass(frozen=True)
class Caller:
    """``owner`` names whose idempotency keys are whose: the id of the API key, or ``local``."""

    owner: str


def is_loopback(host: str | None) -> bool:
    """Whether an address or name means this machine."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def needs_key(settings: ApiSettings) -> bool:
    """Keys are needed but where the service is embedded and listens on a loopback address only."""
    return not (settings.embedded and is_loopback(settings.api_host))


def authenticate(
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """The caller.

    Raises:
        Unauthorized: a key is needed and there is none, or it is not valid.
        Forbidden: no key is needed, but the request comes from a web page of another site.
    """
    if credentials is not None:
        key = keys.authenticate(session, credentials.credentials)
        if key is None:
            raise Unauthorized("The key is not valid, or was revoked.")
        return Caller(str(key.id))
    if needs_key(resources.settings):
        raise Unauthorized("Send a key: Authorization: Bearer dna_... (dna key create NAME makes one).")
    _refuse_other_sites(request)
    return Caller("local")


def _refuse_other_sites(request: Request) -> None:
    """A page that a person has open elsewhere can reach loopback: by a name it points there, or straight across sites."""
    origin = request.headers.get("origin")
    if not is_loopback(request.url.hostname) or (origin is not None and not is_loopback(urlsplit(origin).hostname)):
        raise Forbidden("Without a key, requests are taken only from this machine, by the name localhost or 127.0.0.1.")


CallerDep = Annotated[Caller, Depends(authenticate)]
