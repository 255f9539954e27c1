"""Who may call: the owner of a key, or anybody on this machine where the service is embedded for one person."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.accepted import Caller
from api.deps import ResourcesDep, get_resources
from api.errors import Forbidden, Unauthorized
from api.resources import Resources
from api.settings import ApiSettings
from store import keys
from store.session import transaction

#: This machine as a Host header names it, and as an Origin does. Held against the headers as they were sent: a parser that
#: fails, or reads another host than the browser did, would open the door.
_LOCAL = r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?"
_LOCAL_HOST = re.compile(_LOCAL, re.IGNORECASE)
_LOCAL_ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://{_LOCAL}", re.IGNORECASE)

bearer = HTTPBearer(
    auto_error=False, description="A key, `dna_...`. None is needed on the machine of an embedded service."
)


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


async def authenticate(
    request: Request,
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """The caller, found once for each request: on the event loop, but for a key that has not been sent for a while.

    Raises:
        Unauthorized: a key is needed and there is none, or it is not valid.
        Forbidden: no key is needed, but the request comes from a web page of another site.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        known = request.state.caller = await _find(request, resources, credentials)
    return known


async def admit(request: Request) -> Caller:
    """The caller of a request whose body is still to be read. Raises as :func:`authenticate`."""
    return await authenticate(request, get_resources(request), await bearer(request))


async def _find(request: Request, resources: Resources, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is not None:
        if (accepted := resources.accepted.get(credentials.credentials)) is not None:
            return accepted
        return await run_in_threadpool(_look_up, resources, credentials.credentials)
    if needs_key(resources.settings):
        raise Unauthorized("Send a key: Authorization: Bearer dna_... (dna key create NAME makes one).")
    _refuse_other_sites(request)
    return Caller("local")


def _look_up(resources: Resources, sent: str) -> Caller:
    revocations = resources.accepted.revocations
    with transaction(resources.sessions) as session:
        key = keys.authenticate(session, sent)
    if key is None:
        raise Unauthorized("The key is not valid, or was revoked.")
    caller = Caller(str(key.id))
    resources.accepted.accept(sent, key.id, caller, revocations=revocations)
    return caller


def _refuse_other_sites(request: Request) -> None:
    """A page that a person has open elsewhere can reach loopback: by a name it points there, or straight across sites."""
    hosts, origins = request.headers.getlist("host"), request.headers.getlist("origin")
    local = len(hosts) == 1 and _LOCAL_HOST.fullmatch(hosts[0])
    if not local or not all(_LOCAL_ORIGIN.fullmatch(origin) for origin in origins):
        raise Forbidden("Without a key, requests are taken only from this machine, by the name localhost or 127.0.0.1.")


CallerDep = Annotated[Caller, Depends(authenticate)]
