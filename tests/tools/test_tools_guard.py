"""Requests forged by a model, a page or a name server reach nothing that is not public or allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.destinations import is_public, parse_allow
from vega_trio.errors import ConfigError, ToolError
from vega_trio.tools.exchange import Outgoing, Web
from vega_trio.tools.guard import Guard, resolve_host
from vega_trio.tools.http import fetch, http_tools

Call = Callable[..., Awaitable[str]]

LOOPBACK_FORMS = [
    "127.0.0.1",
    "127.1",
    "127.0.0.01",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "user:password@127.0.0.1",
    "example.com@127.0.0.1",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
]


@pytest.mark.parametrize("host", LOOPBACK_FORMS)
async def test_no_way_of_writing_loopback_reaches_it(server: Any, reply: Any, call: Call, host: str) -> None:
    server.routes["/"] = reply(b"secret")
    get, post = http_tools(Web())
    for made in (get, post):
        with trio.fail_after(5), pytest.raises(ToolError, match=r"is not public|cannot be found|valid URL"):
            await call(made, url=server.url("/", host))
    assert server.asked == []


PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "0.1.2.3",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_everybodys_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_ipv4_address_in_ipv6_never_makes_it_more_public(number: int) -> None:
    plain = is_public(IPv4Address(number))
    assert is_public(IPv6Address((0xFFFF << 32) + number)) == plain
    for wrapped in (number, (0x64FF9B << 96) + number, (0x2002 << 112) + (number << 80), (0x20010000 << 96) + number):
        assert not is_public(IPv6Address(wrapped))


async def test_a_redirect_to_the_metadata_service_is_refused(server: Any, reply: Any, call: Call) -> None:
    server.routes["/"] = reply(status="302 Found", Location="http://169.254.169.254/latest/meta-data/")
    get, _ = http_tools(Web(allow=parse_allow([f"127.0.0.1:{server.port}"])))
    with trio.fail_after(5), pytest.raises(ToolError, match=r"169\.254\.169\.254.* is not public"):
        await call(get, url=server.url("/"))


async def test_a_redirect_from_an_allowed_host_to_another_port_is_refused(server: Any, reply: Any, call: Call) -> None:
    server.routes["/"] = reply(status="302 Found", Location="http://127.0.0.1:1/")
    get, _ = http_tools(Web(allow=parse_allow([f"127.0.0.1:{server.port}"])))
    with trio.fail_after(5), pytest.raises(ToolError, match=r"127\.0\.0\.1.* is not public"):
        await call(get, url=server.url("/"))


class Recorder:
    """A backend that connects to nothing and remembers where it was asked to."""

    def __init__(self, fails: int = 0) -> None:
        self.addresses: list[str] = []
        self.fails = fails

    async def connect_tcp(self, address: str, *_: Any) -> str:
        self.addresses.append(address)
        if len(self.addresses) <= self.fails:
            raise httpcore.ConnectError("refused")
        return f"connected to {address}"


class Names:
    """A name server that gives its answers in turn, the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_name_that_flips_to_loopback_after_the_check_gains_nothing() -> None:
    names, backend = Names(["93.184.216.34"], ["127.0.0.1"]), Recorder()
    guard = Guard(backend, resolve=names)
    with trio.fail_after(5):
        assert await guard.connect_tcp("flip.example", 80) == "connected to 93.184.216.34"
        assert (names.asked, backend.addresses) == ([("flip.example", 80)], ["93.184.216.34"])
        with pytest.raises(ToolError, match="is not public"):
            await guard.connect_tcp("flip.example", 80)
    assert backend.addresses == ["93.184.216.34"]


async def test_a_name_that_flips_between_two_hops_is_refused_at_the_second(server: Any, reply: Any) -> None:
    server.routes["/"] = reply(status="302 Found", Location=server.url("/again", "flip.example"))
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    web = Web(allow=parse_allow([f"127.0.0.1:{server.port}"]), resolve=names)
    with trio.fail_after(5), pytest.raises(ToolError, match=r"169\.254\.169\.254.* is not public"):
        await fetch(web, Outgoing(method="GET", url=server.url("/", "flip.example")))
    assert [asked.target for asked in server.asked] == ["/"]


async def test_one_private_address_among_public_ones_spoils_the_name() -> None:
    backend = Recorder()
    with trio.fail_after(30), pytest.raises(ToolError, match=r"10\.0\.0\.1"):
        await Guard(backend, resolve=Names(["8.8.8.8", "10.0.0.1"])).connect_tcp("mixed.example", 443)
    assert backend.addresses == []


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    backend = Recorder(fails=1)
    with trio.fail_after(30):
        got = await Guard(backend, resolve=Names(["8.8.8.8", "1.1.1.1"])).connect_tcp("two.example", 443)
        assert got == "connected to 1.1.1.1"
        with pytest.raises(httpcore.ConnectError):
            await Guard(Recorder(fails=9), resolve=Names(["8.8.8.8", "1.1.1.1"])).connect_tcp("two.example", 443)


async def test_names_that_lead_nowhere_are_told_to_the_model() -> None:
    async def fail(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with trio.fail_after(5):
        for resolve in (fail, Names([])):
            with pytest.raises(ToolError, match=r"'x\.example' (cannot be found|has no address)"):
                await Guard(Recorder(), resolve=resolve).connect_tcp("x.example", 80)
        with pytest.raises(ToolError, match="cannot be found"):
            await Guard(Recorder()).connect_tcp("a" * 64 + ".example", 80)
        with pytest.raises(ToolError, match="may not connect to the socket"):
            await Guard(Recorder()).connect_unix_socket("/run/docker.sock")


async def test_loopback_resolves_to_its_addresses_without_a_name_server() -> None:
    with trio.fail_after(30):
        assert await resolve_host("127.0.0.1", 80) == ["127.0.0.1"]


# -- what the owner allows


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "expected"),
    [
        ("localhost", "localhost", "127.0.0.1", 80, True),
        ("localhost", "LocalHost.", "127.0.0.1", 80, True),
        ("localhost", "other", "127.0.0.1", 80, False),
        ("localhost:3001", "localhost", "127.0.0.1", 3001, True),
        ("localhost:3001", "localhost", "127.0.0.1", 3002, False),
        ("127.0.0.1:3001", "localhost", "127.0.0.1", 3001, True),
        ("127.0.0.1:3001", "localhost", "::ffff:127.0.0.1", 3001, True),
        ("127.0.0.1:3001", "localhost", "127.0.0.2", 3001, False),
        ("10.0.0.0/8", "x", "10.1.2.3", 1, True),
        ("10.0.0.0/8", "x", "11.1.2.3", 1, False),
        ("10.0.0.0/8", "x", "fd00::1", 1, False),
        ("fd00::/8", "x", "fd00::1", 1, True),
        ("::1", "x", "::1", 1, True),
        ("[::1]:80", "x", "::1", 80, True),
        ("[::1]:80", "x", "::1", 81, False),
        ("my_host.internal", "my_host.internal", "10.0.0.1", 1, True),
    ],
)
def test_entries_of_the_allow_list(entry: str, host: str, address: str, port: int, expected: bool) -> None:
    assert parse_allow([entry]).permits(host, ip_address(address), port) is expected


@pytest.mark.parametrize(
    "entry", ["", "http://localhost", "localhost/x", "host:99999", "host:0", "a b", "*", "10.0.0.0/40"]
)
def test_an_entry_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ConfigError, match=r"settings\.http\.allow: "):
        parse_allow([entry])
