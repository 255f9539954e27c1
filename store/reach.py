"""Which addresses the service connects to when a URL is a caller's: the public internet, and networks that the operator allows.

Whoever names a URL could otherwise have the service ask what only it can reach: its own machine, the networks behind it, the metadata of a
cloud. A name may lead anywhere and elsewhere a moment later, so what counts are the addresses it leads to when a connection is made, and
the connection is made to those.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from store.errors import StoreError

logger = logging.getLogger("dna.store.reach")

Address = IPv4Address | IPv6Address

#: Gives the addresses of a name.
Resolver = Callable[[str, int], Sequence[str]]

#: IPv4 that is nobody's on the internet: the special-purpose registry of IANA (RFC 6890 and later) with its anycast of AS112 and AMT,
#: relays of 6to4, multicast, reserved; and Azure's server for its machines, whose address only looks public.
_SPECIAL_4 = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]

#: All IPv6 that is given out. Outside of it lie loopback, mapped and translated IPv4 (NAT64), link-local, unique local and multicast.
_GIVEN_OUT = IPv6Network("2000::/3")

#: Within it: protocol assignments with Teredo, documentation, 6to4, which carries an IPv4 address, AS112, and what the 6bone has given back.
_SPECIAL_6 = [
    ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
]

#: Of those that are other services', at public addresses, the ones that are connected to.
_PORTS = (80, 443)

#: Ports from here on are anybody's.
_FREE_PORTS = 1024


class Unreachable(StoreError):
    """The URL is none that the service connects to; the message says why."""


@dataclass(frozen=True)
class Target:
    """Where to connect to. ``addresses`` are those to try, in order; the name is for ``Host`` and for the certificate."""

    url: httpx.URL
    port: int
    addresses: Sequence[str]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system orders them.

    Raises:
        OSError: it has none, or nobody can say just now.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Reach:
    """The rule: public addresses, and the operator's networks.

    Args:
        allowed: networks in CIDR notation. Only what lies in them is connected to without TLS.
        resolver: gives the addresses of a name.

    Raises:
        ValueError: one is no network.
    """

    def __init__(self, allowed: Sequence[str] = (), resolver: Resolver = resolve) -> None:
        self._allowed = [ip_network(network) for network in allowed]
        self._resolver = resolver

    def target(self, url: str) -> Target:
        """Where the URL leads at this moment. Asks the resolver once; may take as long as that does.

        Raises:
            Unreachable: it is not of the form that is taken, its name is unknown, or an address of it is not to be connected to.
        """
        parsed = parse(url)
        port = parsed.port or {"https": 443, "http": 80}[parsed.scheme]
        try:
            found = self._resolver(parsed.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"The name {parsed.host} cannot be resolved ({error}).") from error
        target = Target(parsed, port, found)
        self._check(target, [ip_address(address) for address in found])
        return target

    def _check(self, target: Target, found: Sequence[Address]) -> None:
        """Of a name that leads to several addresses each must be allowed: which one is taken is not ours to say."""
        if not found:
            raise Unreachable(f"The name {target.url.host} leads nowhere.")
        for address in found:
            if not any(address in network for network in self._allowed):
                _check_public(target, address)


def _check_public(target: Target, address: Address) -> None:
    """What holds where the operator allows nothing. Which address a name has is told to the operator alone: whoever may name a URL could
    ask for all names of the inner network."""
    if not is_public(address):
        logger.warning("%s leads to %s, which is no public address, and is not connected to", target.url.host, address)
        raise Unreachable(
            f"{target.url.host} leads to no public address. The operator of the service finds in its log to which, "
            "and may allow its network (DNA_WEBHOOKS_ALLOW_NETWORKS)."
        )
    if target.url.scheme != "https":
        raise Unreachable(
            "Without TLS only networks that the operator allows (DNA_WEBHOOKS_ALLOW_NETWORKS) are connected to. Write https://."
        )
    if target.port not in _PORTS and target.port < _FREE_PORTS:
        raise Unreachable(
            f"Port {target.port} is for other services than receivers of webhooks. Listen at 443 or at {_FREE_PORTS} and above."
        )


def parse(url: str) -> httpx.URL:
    """The URL, where it has the form that is taken.

    Raises:
        Unreachable: it has not; says what to write.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Unreachable(f"This is no URL: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Unreachable("Write a whole URL that begins with https://.")
    if parsed.userinfo:
        raise Unreachable("A URL with a user or password in it is not taken: messages are signed instead.")
    if parsed.fragment:
        raise Unreachable("A URL with a fragment (#) is not taken: it would not be sent.")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise Unreachable(f"There is no port {parsed.port} to connect to.")
    return parsed


def is_public(address: Address) -> bool:
    """Whether it is one of the public internet. An address of IPv4 inside one of IPv6, however it is written, is not."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    return address in _GIVEN_OUT and not any(address in network for network in _SPECIAL_6)
