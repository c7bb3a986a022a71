"""Sessions that nobody opens: wrong versions, wrong origins, and ids that are made up or another's."""

from typing import Final

from tests.abuse.rows import Send, http, named
from tests.abuse.stranger import HANDSHAKE, PATH, Stranger, request

_FORGED: Final = '","level":"error","event":"forged"}\r\n{"event":"forged"}'


def _opens(*headers: str, target: str = f"{PATH}polling", method: str = "GET") -> Send:
    return http(request(method, target, *headers))


def _opens_websocket(*headers: str, target: str = f"{PATH}websocket", instead_of: str = "\0") -> Send:
    """A good handshake, but for `headers`, and for the header `instead_of`, which is left out."""
    lines = [each for each in HANDSHAKE.splitlines() if not each.startswith(instead_of)]
    head = "\r\n".join([*lines[:-1], *headers, "", ""]).replace("{target}", target)
    return http(head.replace("{more}", ""))


def _with_anothers_session(method: str, transport: str, *, with_packets: str = "") -> Send:
    """Somebody has found out the id of a session that is on a WebSocket, which goes on afterwards."""

    async def send(stranger: Stranger) -> str:
        async with stranger.socket() as victim:
            target = f"{PATH}{transport}&sid={victim.sid}"
            outcome = await stranger.http(request(method, target, body=with_packets))
            return f"{outcome}; {await victim.outcome()}"

    return send


async def _upgrades_anothers_session(stranger: Stranger) -> str:
    async with stranger.socket() as victim, stranger.shaken(sid=victim.sid) as thief:
        thief.send("2probe")
        thief.send("5")
        return f"{await thief.end()}; {await victim.outcome()}"


ROWS: Final = named(
    {
        "EIO=3": (_opens(target="/socket.io/?EIO=3&transport=polling"), "400 5"),
        "EIO=3 over a WebSocket": (_opens_websocket(target="/socket.io/?EIO=3&transport=websocket"), "400 5"),
        "EIO=04": (_opens(target="/socket.io/?EIO=04&transport=polling"), "400 5"),
        "EIO in other digits": (_opens(target="/socket.io/?EIO=%D9%A4&transport=polling"), "400 5"),
        "no EIO": (_opens(target="/socket.io/?transport=polling"), "400 5"),
        "EIO twice": (_opens(target="/socket.io/?EIO=3&EIO=4&transport=polling"), "400 5"),
        "an unknown transport": (_opens(target=f"{PATH}pigeon"), "400 0"),
        "no transport": (_opens(target="/socket.io/?EIO=4"), "400 0"),
        "two transports": (_opens(target=f"{PATH}webtransport&transport=polling"), "400 0"),
        "a POST without a session": (http(request("POST", f"{PATH}polling", body="40")), "400 2"),
        "PUT": (_opens(method="PUT"), "400 2"),
        "a session that was made up": (_opens(target=f"{PATH}polling&sid=AAAAAAAAAAAAAAAAAAAA"), "400 1"),
        "a session without an id": (_opens(target=f"{PATH}polling&sid="), "400 1"),
        "a session of 3,000 characters": (_opens(target=f"{PATH}polling&sid={'a' * 3_000}"), "400 1"),
        "a session with a NUL": (_opens(target=f"{PATH}polling&sid=a%00b"), "400 1"),
        "log injection in a session's id": (
            _opens(target=f"{PATH}polling&sid=" + "".join(f"%{each:02x}" for each in _FORGED.encode())),
            "400 1",
        ),
        "log injection in everything else": (
            _opens(f"User-Agent: {_FORGED.splitlines()[0]}", target=f"{PATH}%0d%0a{{&x=%0a%1b[2J%E2%80%AE"),
            "400 0",
        ),
        "a poll of another's session": (_with_anothers_session("GET", "polling"), "400 3; open"),
        "packets into another's session": (
            _with_anothers_session("POST", "polling", with_packets='42["leave",{"room":"well"}]'),
            "400 3; open",
        ),
        "an upgrade of another's session": (_upgrades_anothers_session, "closed 1008; open"),
        "a foreign origin": (_opens("Origin: https://evil.example"), "400 4"),
        "a foreign origin over a WebSocket": (_opens_websocket("Origin: https://evil.example"), "400 4"),
        "a foreign origin that asks first": (
            _opens("Origin: https://evil.example", "Access-Control-Request-Method: POST", method="OPTIONS"),
            "400 4",
        ),
        "the null origin": (_opens("Origin: null"), "400 4"),
        "an empty origin": (_opens("Origin: "), "400 4"),
        "the origin of a file": (_opens("Origin: file://"), "400 4"),
        "our origin with another port": (_opens("Origin: http://127.0.0.1:1"), "400 4"),
        "our origin as a subdomain": (_opens("Origin: http://{host}.evil.example"), "400 4"),
        "our origin as a user's name": (_opens("Origin: http://{host}@evil.example"), "400 4"),
        "our origin as a path": (_opens("Origin: http://evil.example/{host}"), "400 4"),
        "two origins": (_opens("Origin: https://evil.example", "Origin: http://{host}"), "400 4"),
        "a forged X-Forwarded-Host": (
            _opens("Origin: https://evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"),
            "400 4",
        ),
        "a forged Forwarded": (
            _opens("Origin: https://evil.example", "Forwarded: host=evil.example;proto=https"),
            "400 4",
        ),
        "a forged X-Forwarded-For": (_opens("X-Forwarded-For: 10.0.0.1, \0", "X-Real-IP: ::1"), "400"),
        "WebSocket version 8": (
            _opens_websocket("Sec-WebSocket-Version: 8", instead_of="Sec-WebSocket-Version"),
            "426 invalid",
        ),
        "no WebSocket key": (_opens_websocket(instead_of="Sec-WebSocket-Key"), "400 invalid"),
        "a WebSocket key of 8 bytes": (
            _opens_websocket("Sec-WebSocket-Key: bm9uc2Vucw==", instead_of="Sec-WebSocket-Key"),
            "400 invalid",
        ),
        "a WebSocket key that is not ASCII": (
            _opens_websocket("Sec-WebSocket-Key: \udcff", instead_of="Sec-WebSocket-Key"),
            "400 invalid",
        ),
        "a WebSocket without an upgrade": (_opens_websocket(instead_of="Upgrade"), "400 invalid"),
    }
)
