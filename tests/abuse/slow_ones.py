"""What does not come to an end by itself: the gateway ends it, within the time that it gives everybody."""

from typing import Final

from tests.abuse.polling import polling
from tests.abuse.rows import Row, Send, http, packets
from tests.abuse.stranger import HANDSHAKE, PATH, Stranger
from tests.conformance.raw import CONTINUATION, PING, TEXT, frame
from tests.support.stacks import unique
from tests.support.waiting import until

_POST: Final = "POST /api/login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n"


async def _connects_to_nothing(stranger: Stranger) -> str:
    async with stranger.shaken() as socket:
        return await socket.end()


async def _connects_by_polling_to_nothing(stranger: Stranger) -> str:
    async with polling(stranger, connected=False) as session:
        return f"{await session.poll()}, then {await session.poll()}"


def _refused(auth: str, told: str) -> Send:
    """Who was refused stays, answers pings and goes on asking."""

    async def send(stranger: Stranger) -> str:
        async with stranger.shaken() as socket:
            socket.send(f"40{auth}")
            assert await socket.verdict() == told
            return await socket.end()

    return send


async def _leaves_and_stays(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        socket.send("41")
        return await socket.end()


def _begins_to_upgrade(*sent: str) -> Send:
    async def send(stranger: Stranger) -> str:
        async with polling(stranger) as session, stranger.shaken(sid=session.sid) as socket:
            for each in sent:
                socket.send(each)
            return f"{await socket.end()}, then {await session.post('6')}"

    return send


async def _announces_packets_that_never_come(stranger: Stranger) -> str:
    async with polling(stranger) as session:
        head = f"POST {session.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42"
        return f"{await stranger.http(head)}, then {await session.post('6')}"


async def _reads_nothing(stranger: Stranger) -> str:
    """Asks for 20 MB of pages, and reads none of them: what waits for it is bounded."""
    name, room = "parley_gateway_slow_readers_closed_total", unique("large")
    closed = await stranger.stack.metric("gateway-1", name)

    async def is_closed() -> bool:
        return await stranger.stack.metric("gateway-1", name) > closed

    async with stranger.member(room) as speaker, stranger.member(room, receives=4096) as reader:
        for _ in range(40):
            await speaker.call("message", {"room": room, "id": unique("large"), "body": "x" * 16_000})
        for _ in range(40):
            reader.ask("history", {"room": room, "limit": 200})
        await until(is_closed, "it to be closed", every=0.5)
        return "closed"


async def _pings(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        socket.send(frame(PING, b"x" * 125) * 500)
        return f"{await socket.outcome()}, {socket.pongs} pongs"


ROWS: Final = [
    Row(f"slow: {name}", send, expected, slow=True)
    for name, (send, expected) in {
        "nothing but line ends": (http("\r\n" * 5_000), "ended"),
        "nothing at all": (http(""), "ended"),
        "half a line": (http("GET /api/ro"), "ended"),
        "half of the headers": (http("GET / HTTP/1.1\r\nHost: {host}\r\nX-Half: "), "ended"),
        "half of a WebSocket's handshake": (
            http(HANDSHAKE.split("Sec-", maxsplit=1)[0].replace("{target}", PATH)),
            "ended",
        ),
        "half of a body": (http(_POST + '\r\n{"username":'), "408 invalid"),
        "half of a body in chunks": (
            http(_POST.replace("Content-Length: 100", "Transfer-Encoding: chunked") + "\r\n5\r\n{"),
            "408 invalid",
        ),
        "packets that never come": (_announces_packets_that_never_come, "408 invalid, then 200"),
        "no CONNECT": (_connects_to_nothing, "closed 1000"),
        "no CONNECT by polling": (_connects_by_polling_to_nothing, "200 with 1, then 400 1"),
        "a refused CONNECT": (_refused('{"token":"x"}', "refused unauthorized"), "refused unauthorized, closed 1000"),
        "a refused namespace": (_refused("/admin,{}", "refused"), "refused, closed 1000"),
        "a DISCONNECT, and nothing behind it": (_leaves_and_stays, "closed 1000"),
        "an upgrade that says nothing": (_begins_to_upgrade(), "closed 1002, then 200"),
        "an upgrade that stops behind its probe": (_begins_to_upgrade("2probe"), "closed 1002, then 200"),
        "pages that nobody reads": (_reads_nothing, "closed"),
        "five hundred pings": (_pings, "open, 500 pongs"),
        "five hundred PONGs that nobody asked for": (packets(*["3"] * 500), "open"),
        "a thousand empty fragments": (
            packets(
                frame(TEXT, b'421["leave",', final=False)
                + frame(CONTINUATION, final=False) * 1_000
                + frame(CONTINUATION, b'{"room":"r"}]')
            ),
            "ok, open",
        ),
    }.items()
]
