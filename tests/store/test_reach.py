"""Which addresses are connected to for somebody else: public ones, and those that the operator allows."""

from __future__ import annotations

import pytest

from store.reach import Reach, Unreachable, resolve

PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"]

INNER = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's, for its machines
    "169.254.169.254",  # metadata of a cloud
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:1.1.1.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


def leads_to(*addresses: str, allowed: str = "") -> Reach:
    return Reach(allowed.split(), lambda _host, _port: addresses)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    target = leads_to(address).target("https://receiver.example/hook?key=1")
    assert (target.port, target.addresses) == (443, (address,))


@pytest.mark.parametrize("address", INNER)
def test_no_others_are(address: str) -> None:
    with pytest.raises(Unreachable, match="no public address"):
        leads_to(address).target("https://receiver.example/hook")


def test_one_inner_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Unreachable, match="no public address"):
        leads_to("1.1.1.1", "10.0.0.1").target("https://receiver.example/")


def test_what_the_operator_allows_is_reached_also_without_tls() -> None:
    inner = leads_to("10.1.2.3", allowed="10.1.0.0/16 fd00::/8")
    assert inner.target("http://receiver.example:8080/hook").port == 8080
    with pytest.raises(Unreachable, match="no public address"):
        leads_to("10.2.0.1", allowed="10.1.0.0/16").target("https://receiver.example/")
    with pytest.raises(Unreachable, match="Without TLS"):
        leads_to("1.1.1.1", allowed="10.1.0.0/16").target("http://receiver.example/")
    with pytest.raises(Unreachable, match="no public address"):  # It must be written as it is connected to.
        leads_to("::ffff:10.1.2.3", allowed="10.1.0.0/16").target("https://receiver.example/")


def test_which_address_an_inner_name_has_is_told_to_the_operator_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"), pytest.raises(Unreachable, match="DNA_WEBHOOKS_ALLOW_NETWORKS") as refused:
        leads_to("10.20.30.40").target("https://database.inside/")
    assert "10.20" not in refused.value.message
    assert "database.inside leads to 10.20.30.40" in caplog.text


@pytest.mark.parametrize("port", [1, 22, 25, 53, 81, 444, 993, 1023])
def test_ports_of_other_services_are_not_connected_to_unless_the_operator_allows_the_network(port: int) -> None:
    url = f"https://receiver.example:{port}/"
    with pytest.raises(Unreachable, match=f"Port {port} is for other services"):
        leads_to("1.1.1.1").target(url)
    assert leads_to("1.1.1.1", allowed="1.1.1.0/24").target(url).port == port


@pytest.mark.parametrize("port", [80, 443, 1024, 8443, 65_535])
def test_ports_that_anybody_may_listen_at_are_connected_to(port: int) -> None:
    assert leads_to("1.1.1.1").target(f"https://receiver.example:{port}/").port == port


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "localhost", "127.1", "0x7f.1", "2130706433", "017700000001", "[::ffff:7f00:1]", "0"],
)
def test_however_this_machine_is_written(host: str) -> None:
    """As the system itself reads it: that is what would be connected to."""
    with pytest.raises(Unreachable):
        Reach().target(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://receiver.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("receiver.example/hook", "https://"),
        ("/hook", "https://"),
        ("https://", "https://"),
        ("https://me:secret@receiver.example/", "user or password"),
        ("https://me@receiver.example/", "user or password"),
        ("https://receiver.example/#there", "fragment"),
        ("https://receiver.example:0/", "port 0"),
        ("https://receiver.example:99999/", "port 99999"),
        ("https://receiver.example\r\nHost: other/", "no URL"),
        (f"https://{'a' * 70}.example/", "cannot be resolved"),
    ],
)
def test_other_urls_are_refused(url: str, why: str) -> None:
    def strict(host: str, port: int) -> list[str]:
        return resolve(host, port) if len(host) > 60 else ["1.1.1.1"]

    with pytest.raises(Unreachable, match=why):
        Reach(resolver=strict).target(url)


def test_a_name_that_is_unknown_or_leads_nowhere_is_told() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Unreachable, match="cannot be resolved"):
        Reach(resolver=unknown).target("https://receiver.example/")
    with pytest.raises(Unreachable, match="leads nowhere"):
        leads_to().target("https://receiver.example/")
    with pytest.raises(ValueError, match="host bits"):
        Reach(["10.0.0.1/8"])
