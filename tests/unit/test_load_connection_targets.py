"""What the holder connects to, and from where; how failures are called; and what a machine cannot hold."""

import asyncio
import errno
import socket

import pytest

from loadtests import kinds
from loadtests.connections import run
from loadtests.connections.options import parse
from loadtests.connections.target import Target, TargetError, code_of
from loadtests.light.client import Client
from loadtests.light.connection import ClientError
from loadtests.target import RunError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EMFILE, "x"), kinds.NO_FILES),
        (OSError(errno.ENFILE, "x"), kinds.NO_FILES),
        (OSError(errno.EADDRNOTAVAIL, "x"), kinds.NO_PORTS),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), kinds.UNREACHABLE),
        (TimeoutError(), kinds.TIMEOUT),
        (ClientError("x", b"HTTP/1.1 503 Service Unavailable\r\n"), "HTTP 503"),
        (ClientError("x", b'44{"message":"no","data":{"code":"expired"}}'), "expired"),
        (ClientError("closed"), kinds.DISCONNECTED),
    ],
)
def test_failures_are_called_by_what_failed(error: Exception, code: str) -> None:
    """Files and ports are the generator's own: they make a run invalid."""
    assert code_of(error) == code


def test_a_target_is_a_url() -> None:
    """With the ports that HTTP has, and asked by the name that was given."""
    assert (Target("https://chat.example").port, Target("http://chat.example:81/x").port) == (443, 81)
    assert b"\r\nHost: chat.example:81\r\n" in Target("http://chat.example:81").request
    for bad in ("chat.example", "ftp://chat.example", "http://", "http://h:port", "http://[::1"):
        with pytest.raises(TargetError):
            Target(bad)


async def test_a_target_that_nobody_knows_is_told() -> None:
    """Before anything is measured."""
    with pytest.raises(TargetError, match=r"nobody\.invalid"):
        await Target("http://nobody.invalid").resolve()


async def test_of_a_name_with_addresses_of_both_kinds_one_kind_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources', or IPv4: a server need not listen on ::1 because 127.0.0.1 has the same name."""
    loop = asyncio.get_running_loop()
    both = [(socket.AF_INET6, ("::1", 80, 0, 0)), (socket.AF_INET, ("127.0.0.1", 80))]

    async def resolve(*_: object, **_more: object) -> list[tuple[object, ...]]:
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in both]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    for sources, addresses in ([], ["127.0.0.1"]), (["127.0.0.2"], ["127.0.0.1"]), (["::1"], ["::1"]):
        target = Target("http://both.test", sources)
        await target.resolve()
        assert target.addresses == addresses
    del both[0]
    with pytest.raises(TargetError, match="no way to"):
        await target.resolve()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_source_has_all_its_ports_for_each_target(address: str) -> None:
    """Its port is chosen when the target is known (IP_BIND_ADDRESS_NO_PORT), for IPv6 as for IPv4."""
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), address, 0)
    except OSError:
        pytest.skip(f"there is no {address} here")
    async with server:
        port = server.sockets[0].getsockname()[1]
        target = Target(f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}", [address])
        await target.resolve()
        client = Client(target.request, b"40", lambda _: None)
        await target.open(client)
        try:
            opened = client.transport.get_extra_info("socket")  # type: ignore[union-attr]
            assert opened.getsockopt(socket.IPPROTO_IP, 24) == 1
            assert opened.getsockname()[0] == address
        finally:
            client.close()
        with pytest.raises(ClientError):
            await client.ready


async def test_proxies_have_not_as_many_ports_as_one_likes(capsys: pytest.CaptureFixture[str]) -> None:
    """Towards each gateway: more gateways are a way out."""
    with pytest.raises(RunError, match="--gateways 5"):
        await run._check(parse(["--connections", "120000"], None), ["http://127.0.0.1:1"])
    assert capsys.readouterr().err == ""
