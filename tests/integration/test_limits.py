"""Limits, on the whole: what is too much is refused with the time to wait, and nobody else is concerned."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

FULL: Final = 25
BURST: Final = 5
FLOOD: Final = 2000
LIMITS: Final = {
    "CONNECTIONS_MOST": str(FULL),
    "CONNECTIONS_PER_USER_MOST": "2",
    "ROOMS_PER_SOCKET_MOST": "3",
    "MESSAGES_PER_SECOND": "2",
    "MESSAGES_BURST": str(BURST),
    "TYPINGS_PER_SECOND": "0.5",
    "TYPINGS_BURST": "2",
    "PAGES_PER_SECOND": "0.5",
    "PAGES_BURST": "1",
    "READS_PER_SECOND": "0.5",
    "READS_BURST": "1",
    "REQUESTS_PER_SECOND": "0.5",
    "REQUESTS_BURST": "3",
    "MISTAKES_PER_SECOND": "0.5",
    "MISTAKES_BURST": "3",
    "TRUSTED_PROXIES": "127.0.0.1",
    "CONNECTIONS_PER_ADDRESS_MOST": "4",
    "LOG_LEVEL": "debug",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def limited() -> AsyncIterator[TestStack]:
    """A stack in which little is allowed."""
    async with fresh(environ=LIMITS) as stack:
        yield stack


def _client(stack: TestStack, token: str, address: str = "192.0.2.1") -> PythonClient:
    headers = {"X-Forwarded-For": address}
    return PythonClient(stack.gateway_urls[0], token, transports=["websocket"], headers=headers)


async def _count(stack: TestStack, limit: str) -> float:
    return await stack.metric("gateway-1", "parley_gateway_limited_total", limit=limit)


async def test_messages_above_a_burst_are_refused_until_the_time_they_are_told(limited: TestStack) -> None:
    """What was refused was not stored; whoever waits as told is taken; the connection and other sockets go on."""
    room = unique("burst")
    async with (
        _client(limited, await limited.token()) as one,
        _client(limited, await limited.token(), "192.0.2.2") as other,
    ):
        await one.join(room)
        await other.join(room)
        acks = await asyncio.gather(*(one.say(room, f"m{number}") for number in range(BURST * 2)))
        assert [each["ok"] for each in acks] == [True] * BURST + [False] * BURST
        error = acks[-1]["error"]
        assert error["code"] == "rate_limited"
        assert 0 < error["retry_after"] <= 0.5
        assert (await other.say(room, "other"))["ok"]
        await asyncio.sleep(error["retry_after"])
        assert (await one.say(room, "last"))["ok"]
        await until(lambda: any(each["id"] == "last" for each in other.messages(room)), "the last message")
        told = [each["id"] for each in other.messages(room)]
        assert told == [*(f"m{number}" for number in range(BURST)), "other", "last"]
        page = await one.call("history", {"room": room})
        assert [each["id"] for each in page["messages"]] == told
    assert await _count(limited, "message") >= BURST


async def test_each_kind_of_event_has_a_limit_of_its_own(limited: TestStack) -> None:
    """Typing, pages, read markers and events that are none; one that is used up leaves the others as they are."""
    room = unique("kinds")
    async with _client(limited, await limited.token()) as one:
        await one.join(room)
        typing = [await one.call("typing", {"room": room, "active": True}) for _ in range(3)]
        pages = [await one.call("history", {"room": room}) for _ in range(2)]
        reads = [await one.call("read", {"room": room, "seq": 0}) for _ in range(2)]
        nonsense = [await one.call("nonsense", {}) for _ in range(4)]
        assert [each["ok"] for each in typing + pages + reads] == [True, True, False, True, False, True, False]
        codes = [each["error"]["code"] for each in [typing[2], pages[1], reads[1], *nonsense]]
        assert codes == [*["rate_limited"] * 3, "invalid", "invalid", "invalid", "rate_limited"]
        assert (await one.say(room, "m"))["ok"]
    for limit in ("typing", "history", "read", "mistake"):
        assert await _count(limited, limit) >= 1


async def test_a_socket_is_in_so_many_rooms(limited: TestStack) -> None:
    """Joining one that it is in is fine, and so is another once it has left one."""
    rooms = [unique("rooms") for _ in range(4)]
    async with _client(limited, await limited.token()) as one:
        for room in rooms[:3]:
            await one.join(room)
        await one.join(rooms[0])
        ack = await one.call("join", {"room": rooms[3]})
        assert ack["error"]["code"] == "rate_limited"
        assert "3 rooms" in ack["error"]["message"]
        assert (await one.call("leave", {"room": rooms[0]}))["ok"]
        await one.join(rooms[3])
    assert await _count(limited, "rooms") == 1


async def test_a_user_has_so_many_connections(limited: TestStack) -> None:
    """The next is refused with code and time; another user is not; once one has gone there is a place."""
    token = await limited.token()
    async with _client(limited, token):
        async with _client(limited, token):
            refused = await _refusal(limited, token)
            assert refused["code"] == "rate_limited"
            assert 2 <= refused["retry_after"] <= 10
            async with _client(limited, await limited.token()):
                pass
        await until(lambda: _is_let_in(limited, token), "a place")


async def test_an_address_has_so_many_connections(limited: TestStack) -> None:
    """429 and Retry-After; an address is the one that a trusted proxy vouches for, and others are not concerned."""
    async with aiohttp.ClientSession() as http, AsyncExitStack() as exits:
        for _ in range(4):
            await exits.enter_async_context(http.ws_connect(_url(limited), headers=_from("203.0.113.1")))
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(_url(limited), headers=_from("198.51.100.1, 203.0.113.1"))
        assert caught.value.status == 429
        assert 5 <= int(caught.value.headers["Retry-After"]) <= 30  # type: ignore[index]
        await exits.enter_async_context(http.ws_connect(_url(limited), headers=_from("203.0.113.2")))
    assert await _count(limited, "address") >= 1


async def test_a_gateway_that_is_full_says_so(limited: TestStack) -> None:
    """Handshakes are answered 503 and Retry-After, and /readyz no, until there is a place; those inside go on."""
    room = unique("full")
    async with aiohttp.ClientSession() as http, _client(limited, await limited.token()) as one:
        await one.join(room)
        async with AsyncExitStack() as exits:
            for number in range(FULL - 1):
                headers = _from(f"192.0.2.{number // 4 + 100}")
                await exits.enter_async_context(http.ws_connect(_url(limited), headers=headers))
            async with http.get(_url(limited, "polling"), headers=_from("192.0.2.99")) as response:
                assert response.status == 503
                assert 1 <= int(response.headers["Retry-After"]) <= 5
                assert "full" in await response.text()
            async with http.get(f"{limited.admin_url('gateway-1')}/readyz") as response:
                assert (response.status, await response.text()) == (503, "full\n")
            assert await limited.metric("gateway-1", "parley_gateway_sessions") == FULL
            assert await limited.metric("gateway-1", "parley_gateway_connections_limit") == FULL
            assert (await one.say(room, "m"))["ok"]
        await until(lambda: limited.is_ready("gateway-1"), "a place")


@pytest.mark.parametrize("path", ["/socket.io/?EIO=4&transport=polling&", "/api/rooms/r/messages?", "/?"])
@pytest.mark.parametrize("name", ["token", "access_token", "auth"])
async def test_a_token_in_a_url_is_refused_and_not_logged(limited: TestStack, path: str, name: str) -> None:
    """400, and a problem that says where it belongs; whatever else is right with the request."""
    token = await limited.token()
    url = f"{limited.gateway_urls[0]}{path}{name}={token}"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        assert (response.status, response.content_type) == (400, "application/problem+json")
        assert "Authorization" in (await response.json())["detail"]
    assert not any(token in line for line in limited.output)


async def test_every_service_counts_its_tasks(limited: TestStack) -> None:
    """So that a leak of them is seen."""
    for service in ("gateway-1", "gateway-2", "auth", "history"):
        assert 1 <= await limited.metric(service, "parley_tasks") < 100


async def test_whoever_floods_is_slowed_down_and_served_all_the_same() -> None:
    """With everything as it is by default: thousands of events at once are all answered, and others do not wait."""
    room = unique("flood")
    environ = dict.fromkeys(("FRAMES_PER_SECOND", "MESSAGES_PER_SECOND", "MISTAKES_PER_SECOND"), "")
    async with (
        fresh(environ=environ) as stack,
        aiohttp.ClientSession() as http,
        PythonClient(stack.gateway_urls[0], await stack.token()) as other,
        # Whoever is read so slowly has no answer to a goodbye soon.
        http.ws_connect(_url(stack), timeout=aiohttp.ClientWSTimeout(ws_close=0.1)) as flooder,
    ):
        await flooder.send_str("40" + json.dumps({"token": await stack.token()}))
        began = time.monotonic()
        for number in range(FLOOD):
            await flooder.send_str(f'42{number}["nonsense"]')
        await other.join(room)
        assert (await other.say(room, "m"))["ok"]
        assert await stack.metric("gateway-1", "parley_gateway_events_total") < FLOOD, "it had to wait for all of it"
        codes: dict[str, int] = {}
        while sum(codes.values()) < 300:
            packet = await flooder.receive_str(timeout=20)
            if packet.startswith("43"):
                code = json.loads(packet[packet.index("[") :])[0]["error"]["code"]
                codes[code] = codes.get(code, 0) + 1
        assert 50 <= codes["invalid"] <= 50 + 10 * (time.monotonic() - began) + 1
        assert codes["invalid"] + codes["rate_limited"] == sum(codes.values())
        assert await stack.metric("gateway-1", "parley_gateway_limited_total", limit="frames") >= 1
        assert not flooder.closed


def _url(stack: TestStack, transport: str = "websocket") -> str:
    return f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport={transport}"


def _from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def _refusal(stack: TestStack, token: str) -> Any:
    """What the CONNECT of one more is refused with; None if it is not."""
    async with aiohttp.ClientSession() as http, http.ws_connect(_url(stack), headers=_from("192.0.2.8")) as socket:
        await socket.receive_str()
        await socket.send_str("40" + json.dumps({"token": token}))
        answer = await socket.receive_str()
        return json.loads(answer[2:])["data"] if answer.startswith("44") else None


async def _is_let_in(stack: TestStack, token: str) -> bool:
    return await _refusal(stack, token) is None


async def test_a_user_asks_so_often_over_http(limited: TestStack) -> None:
    """On however many connections; whoever waits as told is answered, and others are all the time."""
    mine, other = await limited.token(), await limited.token()
    before = await _count(limited, "api")

    async def ask(token: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{limited.gateway_urls[0]}/api/rooms/lobby/messages?limit=1"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
            return answer.status, await answer.json()

    answers = [await ask(mine) for _ in range(6)]
    assert [status for status, _ in answers[:3]] == [200] * 3
    status, problem = answers[-1]
    assert (status, problem["code"]) == (429, "rate_limited")
    assert (await ask(other))[0] == 200
    assert await _count(limited, "api") > before
    await asyncio.sleep(problem["retry_after"])  # as it says
    assert (await ask(mine))[0] == 200


async def test_an_address_has_so_many_requests_under_way(limited: TestStack) -> None:
    """Bodies that do not come take the places of that address, and nobody else's."""
    host, _, port = limited.gateway_urls[0].removeprefix("http://").partition(":")
    head = f"POST /api/login HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: %s\r\nContent-Length: 9\r\n\r\n"
    async with AsyncExitStack() as stack:

        async def begin(address: str) -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            writer.write((head % address).encode())
            return reader

        waiting = [await begin("192.0.2.77") for _ in range(8)]
        refused = await begin("192.0.2.77")
        assert (await refused.readline()).startswith(b"HTTP/1.1 429")
        other = asyncio.ensure_future((await begin("192.0.2.78")).readline())
        assert not [each for each in waiting if each.at_eof()]
        done, _ = await asyncio.wait({other}, timeout=0.2)
        assert not done, "it is waited for, too"
        other.cancel()
        await asyncio.wait({other})
