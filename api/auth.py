"""Who may call: the owner of a key, or anybody on this machine where the service is embedded for one person."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.deps import get_resources
from api.errors import ApiError, Forbidden, Unauthorized
from api.resources import Resources
from api.settings import ApiSettings
from store import keys
from store.actors import OPERATOR
from store.errors import KeyEnded
from store.keys import Caller
from store.limits import Scope
from store.session import transaction

#: This machine as a Host header names it, and as an Origin does. Held against the headers as they were sent: a parser that
#: fails, or reads another host than the browser did, would open the door.
_LOCAL = r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?"
_LOCAL_HOST = re.compile(_LOCAL, re.IGNORECASE)
_LOCAL_ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://{_LOCAL}", re.IGNORECASE)

bearer = HTTPBearer(
    auto_error=False, description="A key, `dna_...`. None is needed on the machine of an embedded service."
)


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]

#: Methods that change nothing; all others need more than to read.
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

#: Who calls from the machine of an embedded service.
LOCAL = Caller(OPERATOR, frozenset(Scope), project="default")


class MissingScope(ApiError):
    """A key that is valid, and not for this."""

    status = 403
    kind = "missing_scope"

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            f"The key has not the scope {scope}, which this needs. Ask whoever manages keys for one that has (dna key create NAME "
            f"--scopes {scope}).",
            headers={"WWW-Authenticate": f'Bearer realm="dna", error="insufficient_scope", scope="{scope}"'},
            members={"scope": scope},
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
    credentials: Credentials,
) -> Caller:
    """The caller, found once for each request: on the event loop, but for a key that has not been sent for a while.

    Raises:
        Unauthorized: a key is needed and there is none, or it is not valid.
        Forbidden: no key is needed, but the request comes from a web page of another site.
        TooManyRequests: more of the key than it may send.
        MissingScope: the key is not for this.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        resources = get_resources(request)
        known = await _find(request, resources, credentials)
        await _count(known, resources)
        _need(known, request)
        request.state.caller = known
    return known


async def _count(caller: Caller, resources: Resources) -> None:
    key_id, per_second = caller.actor.key_id, caller.actor.limits.requests_per_second
    if key_id is not None and per_second is not None:
        await run_in_threadpool(resources.key_rates.count, key_id, per_second)


def _need(caller: Caller, request: Request) -> None:
    """A route says by ``needs`` that it takes another scope than its method tells; None: any key may call it."""
    usual = Scope.READ if request.method in _READING else Scope.RUN
    scope: Scope | None = getattr(request.scope.get("route"), "needs", usual)
    if scope is not None and scope not in caller.scopes:
        raise MissingScope(scope)


async def admit(request: Request) -> Caller:
    """The caller of a request whose body is still to be read. Raises as :func:`authenticate`."""
    return await authenticate(request, await bearer(request))


async def _find(request: Request, resources: Resources, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is not None:
        if (accepted := resources.accepted.get(credentials.credentials)) is not None:
            return accepted
        return await run_in_threadpool(_look_up, resources, credentials.credentials)
    if needs_key(resources.settings):
        raise Unauthorized("Send a key: Authorization: Bearer dna_... (dna key create NAME makes one).")
    _refuse_other_sites(request)
    return LOCAL


def _look_up(resources: Resources, sent: str) -> Caller:
    """Who calls by a key that is not known from a moment ago.

    Raises:
        Unauthorized: it is not valid; of the whole of a key that was revoked or has expired, that it is that.
    """
    changes = resources.accepted.changes
    try:
        with transaction(resources.sessions) as session:
            caller = keys.authenticate(session, sent)
    except KeyEnded as error:
        raise Unauthorized(error.message) from error
    if caller is None:
        raise Unauthorized("The key is not valid.")
    resources.accepted.accept(sent, caller, changes=changes)
    return caller


def _refuse_other_sites(request: Request) -> None:
    """A page that a person has open elsewhere can reach loopback: by a name it points there, or straight across sites."""
    hosts, origins = request.headers.getlist("host"), request.headers.getlist("origin")
    local = len(hosts) == 1 and _LOCAL_HOST.fullmatch(hosts[0])
    if not local or not all(_LOCAL_ORIGIN.fullmatch(origin) for origin in origins):
        raise Forbidden("Without a key, requests are taken only from this machine, by the name localhost or 127.0.0.1.")


CallerDep = Annotated[Caller, Depends(authenticate)]
