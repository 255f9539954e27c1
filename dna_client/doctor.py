"""What may be wrong with a service, as far as its address tells; and findings of the parts that look at the servers behind it."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from dna_client.errors import ClientError, LocalError, ServerUnreachable, Unauthorized
from dna_client.processes import python
from dna_client.transport import Transport

Level = Literal["ok", "warning", "wrong"]

#: Seconds that a clock may differ by; the service tells the time in whole ones.
DRIFT, ASTRAY = 3.0, 30.0
#: Seconds that the shortest answer may take.
SLOW = 1.0


@dataclass(frozen=True)
class Finding:
    """``check`` names the piece. ``advice`` says what to do, ``fix`` what ``--fix`` would do about it; empty where there is nothing."""

    check: str
    level: Level
    said: str
    advice: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Examined:
    """What a part has found, and what it has mended before."""

    findings: list[Finding]
    fixed: list[str]


def behind(module: str, environment: Mapping[str, str], *arguments: str, fix: bool = False) -> Examined:
    """What a part of this installation finds: ``store doctor`` of the servers, ``worker.doctor`` of this machine.

    Raises:
        LocalError: it cannot look, and says why.
    """
    command = python(module, *arguments, "--json", *(["--fix"] if fix else []))
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        raise LocalError(done.stderr.strip() or f"{module} has said nothing.") from error
    return Examined([Finding(**finding) for finding in told["findings"]], told["fixed"])


def of_service(url: str, key: str | None) -> list[Finding]:
    """What the service at an address says of itself."""
    transport = Transport(url, key, pauses=(), printable=True)
    try:
        return list(_ask(transport, url, key))
    except ServerUnreachable as error:
        return [Finding("service", "wrong", error.message)]
    finally:
        transport.close()


def _ask(transport: Transport, url: str, key: str | None) -> Iterator[Finding]:
    begun, asked = time.perf_counter(), datetime.now(UTC)
    try:
        answer = transport.send("GET", "/healthz", {})
    except ServerUnreachable:
        raise
    except ClientError as error:
        yield Finding(
            "service",
            "wrong",
            f"{url} is no service of DNA, or not alive: {error.message}",
            "See to its address and its log.",
        )
        return
    took = time.perf_counter() - begun
    said = f"{url} answers in {1000 * took:.0f} ms."
    yield Finding(
        "service", "warning" if took > SLOW else "ok", said, "It is far away, or busy." if took > SLOW else ""
    )
    yield from _clock(answer, asked, took)
    yield from _ready(transport)
    yield from _version(transport)
    yield from _door(url, key)
    yield from _workers(transport, key)


def _clock(answer: httpx.Response, asked: datetime, took: float) -> Iterator[Finding]:
    """By the header ``Date``, which is cut to the second."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return
    ahead = (asked - theirs).total_seconds() + took / 2 - 0.5
    if abs(ahead) <= DRIFT + took / 2:
        yield Finding("clock", "ok", "This machine and the service have the same time.")
        return
    level: Level = "wrong" if abs(ahead) > ASTRAY else "warning"
    where = "ahead of" if ahead > 0 else "behind"
    yield Finding(
        "clock", level, f"This machine is {abs(ahead):.0f} s {where} the service.", "Let both take their time from NTP."
    )


def _ready(transport: Transport) -> Iterator[Finding]:
    try:
        found = transport.read(transport.send("GET", "/readyz", {}).content)
    except ServerUnreachable:
        raise
    except ClientError as error:
        checks = getattr(error, "problem", {}).get("checks", {})
        yield Finding("ready", "wrong", error.message, "Run dna doctor on the machine of the service: it says more.")
    else:
        checks = found
        yield Finding("ready", "ok", f"Requests are served; {found['workers']} live workers.")
    for sentence in checks.get("warnings", []):
        yield Finding("ready", "wrong" if "is full" in sentence else "warning", sentence)


def _version(transport: Transport) -> Iterator[Finding]:
    ours = version("dna-automl")
    theirs = transport.call("GET", "/openapi.json")["info"]["version"]
    if ours == theirs:
        yield Finding("versions", "ok", f"The service is dna-automl {theirs}, as this client.")
    else:
        said = f"The service is dna-automl {theirs}, this client {ours}."
        yield Finding(
            "versions", "warning", said, f"pip install dna-automl=={theirs}, or bring the service up to date."
        )


def _door(url: str, key: str | None) -> Iterator[Finding]:
    """Whether others than this machine get in without a key."""
    stranger = Transport(url, None, pauses=())
    try:
        stranger.call("GET", "/keys/me")
    except Unauthorized:
        if key is None:
            yield Finding(
                "keys",
                "warning",
                "The service wants a key, and none was given: less can be seen.",
                "Set DNA_API_KEY or --key.",
            )
        else:
            yield Finding("keys", "ok", "Without a key nobody gets in.")
    else:
        yield _open(url)
    finally:
        stranger.close()


def _open(url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    if _is_this_machine(host):
        return Finding("keys", "ok", "From this machine it takes requests without a key, as a local one does.")
    return Finding(
        "keys",
        "wrong",
        f"Whoever reaches {host} may do everything without a key.",
        "A proxy leads to a service that takes callers for local: start it without --embedded (DNA_EMBEDDED), and make keys (dna key create).",
    )


def _is_this_machine(host: str) -> bool:
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(address).split("%")[0]).is_loopback for address in found)


def _workers(transport: Transport, key: str | None) -> Iterator[Finding]:
    try:
        found: Sequence[Any] = list(transport.pages("/workers", {}))
    except Unauthorized as error:
        if key is not None:
            yield Finding("keys", "wrong", error.message, "Give a key that may read: DNA_API_KEY or --key.")
        return
    versions = {worker["versions"].get("dna-automl"): worker["hostname"] for worker in found}
    if len(versions) > 1:
        said = ", ".join(f"{number} on {host}" for number, host in sorted(versions.items(), key=str))
        yield Finding("versions", "wrong", f"Workers are of several versions: {said}.", "Bring all to one version.")
    elif found:
        hosts = sorted({worker["hostname"] for worker in found})
        many = f"{len(found)} nodes" if len(found) > 1 else "One node"
        yield Finding("workers", "ok", f"{many} on {', '.join(hosts[:5])}{' and others' if len(hosts) > 5 else ''}.")
