"""Every route used for what it is there for, and refused for what depends on that."""

from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import msgspec

from tests.support.described.http import Answer, DescribedHttp
from tests.support.stacks import unique

_POLLING: Final = "/socket.io/?EIO=4&transport=polling"
PASSWORD: Final = "correct horse battery"


class Bearer(msgspec.Struct, frozen=True):
    """Whoever asks with a token, and what they ask is checked."""

    http: DescribedHttp
    url: str
    token: str = ""
    id: str = ""

    async def ask(self, operation: str, status: int, path: str = "", **more: Any) -> Any:
        """The body of the answer, which has `status`; `path` where the route's own has parameters."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        where = self.url + (path or operation.partition(" ")[2])
        answer: Answer = await self.http.ask(operation, where, headers=headers, **more)
        assert answer.status == status, (operation, answer)
        return answer.body

    def bearing(self, session: Any) -> "Bearer":
        """The same with the token of a session."""
        return Bearer(self.http, self.url, session["access_token"], session["user"]["id"])


async def guest(anybody: Bearer) -> Bearer:
    """Somebody new."""
    return anybody.bearing(await anybody.ask("POST /api/guest", 201, json={"display_name": unique("guest")}))


async def sessions(anybody: Bearer, backend: Bearer, other_backend: Bearer) -> None:
    """In, on and out."""
    account = {"username": unique("ann"), "password": PASSWORD}
    await anybody.ask("POST /api/register", 201, json={**account, "display_name": "Ann"})
    session = await anybody.ask("POST /api/login", 200, json=account)
    await anybody.ask("POST /api/login", 401, json={**account, "password": "wrong horse"})
    refreshed = await anybody.ask("POST /api/refresh", 200, json={"refresh_token": session["refresh_token"]})
    await anybody.ask("POST /api/refresh", 401, json={"refresh_token": "nobody's"})
    ann = anybody.bearing(refreshed)
    other = {"password": PASSWORD, "new_password": "battery staple"}
    ann = anybody.bearing(await ann.ask("POST /api/password", 200, json=other))
    await ann.ask("POST /api/password", 403, json={"password": "wrong horse", "new_password": "staple of batteries"})
    await ann.ask("POST /api/logout", 204)
    await anybody.ask("GET /.well-known/jwks.json", 200)
    name, path = "POST /api/users/{user}/disconnect", f"/api/users/{ann.id}/disconnect"
    await backend.ask(name, 202, path)
    await other_backend.ask(name, 403, path)


async def rooms(anybody: Bearer) -> None:
    """Groups and conversations: of somebody who may own one group."""
    ann, bob = await guest(anybody), await guest(anybody)
    made = await ann.ask("POST /api/rooms", 201, json={"name": "Climbing", "members": []})
    await ann.ask("POST /api/rooms", 403, json={"members": []})
    room = f"/api/rooms/{made['room']}"
    members = f"{room}/members"
    for who, status in ((bob, 403), (ann, 204)):
        await who.ask("PUT /api/rooms/{room}/members/{user}", status, f"{members}/{bob.id}")
        await who.ask("PATCH /api/rooms/{room}", status, room, json={"name": "Bouldering"})
    await bob.ask("GET /api/rooms/{room}", 200, room)
    await bob.ask("GET /api/rooms/{room}", 200, "/api/rooms/lobby")
    await ann.ask("GET /api/rooms", 200)
    await ann.ask("GET /api/rooms", 200, "/api/rooms?after=g-0")
    await ann.ask("POST /api/direct", 200, json={"user": bob.id})
    await bob.ask("DELETE /api/rooms/{room}/members/{user}", 403, f"{members}/{ann.id}")
    await ann.ask("DELETE /api/rooms/{room}/members/{user}", 204, f"{members}/{bob.id}")
    await bob.ask("GET /api/rooms/{room}", 403, room)
    await bob.ask("DELETE /api/rooms/{room}", 403, room)
    await ann.ask("DELETE /api/rooms/{room}", 204, room)


async def messages(anybody: Bearer, backend: Bearer, other_backend: Bearer) -> None:
    """What is said, and read."""
    ann, room = await guest(anybody), unique("room")
    name, path = "POST /api/rooms/{room}/messages", f"/api/rooms/{room}/messages"
    message = {"id": "m-1", "body": "Hello!", "data": {"n": 1}}
    for who in (ann, backend):
        for again in (False, True):
            assert (await who.ask(name, 201, path, json=message))["duplicate"] is again
    await other_backend.ask(name, 403, path, json=message)
    await ann.ask(name, 403, "/api/rooms/g-nobodys/messages", json=message)
    read = "GET /api/rooms/{room}/messages"
    assert len((await ann.ask(read, 200, f"{path}?after=0&limit=10"))["messages"]) == 2
    await ann.ask(read, 200, f"{path}?before=9")
    await ann.ask(read, 403, "/api/rooms/g-nobodys/messages")


async def notifications(anybody: Bearer, backend: Bearer, other_backend: Bearer) -> None:
    """A backend tells a user something; see `conversation` for what the user sees."""
    ann, name = await guest(anybody), "POST /api/users/{user}/notifications"
    path, body = f"/api/users/{ann.id}/notifications", {"id": "n-1", "title": "Build 7", "body": "failed", "data": 7}
    for again in (False, True):
        assert (await backend.ask(name, 202, path, json=body))["duplicate"] is again
    await backend.ask(name, 202, path, json={"title": "Build 8"})
    await other_backend.ask(name, 403, path, json=body)


async def pages(anybody: Bearer, without: Bearer) -> None:
    """What browsers are served; `without`: by a gateway that has no page and no documents."""
    await anybody.ask("GET /", 200)
    await without.ask("GET /", 503)
    await anybody.ask("GET /web/{path}", 200, "/web/app.js")
    await anybody.ask("GET /web/{path}", 404, "/web/nothing.js")
    await anybody.ask("GET /docs", 308)
    await without.ask("GET /docs", 404)
    for path in ("", "openapi", "asyncapi", "style.css", "openapi.yaml", "asyncapi.yaml"):
        await anybody.ask("GET /docs/{path}", 200, f"/docs/{path}")
    await anybody.ask("GET /docs/{path}", 404, "/docs/nothing")
    for path, status in (("cursors/", 200), ("page.css", 200), ("cursors", 308), ("nothing", 404)):
        await anybody.ask("GET /examples/{path}", status, f"/examples/{path}")


async def admin(anybody: Bearer) -> None:
    """What a gateway that is well says of itself."""
    for path in ("/livez", "/readyz", "/metrics"):
        await anybody.ask(f"GET {path}", 200)


async def polling(anybody: Bearer) -> str:
    """Where a client that has just begun to poll sends its packets, for some seconds."""
    text = await anybody.ask("GET /socket.io/", 200, _POLLING)
    return f"{_POLLING}&sid={msgspec.json.decode(text[1:])['sid']}"


async def engineio(anybody: Bearer) -> None:
    """The transports, and how they are refused."""
    get, post, options = "GET /socket.io/", "POST /socket.io/", "OPTIONS /socket.io/"
    session = await polling(anybody)
    await anybody.ask(post, 200, session, data='40{"token":"none"}')
    await anybody.ask(get, 200, session)
    await anybody.ask(get, 400, "/socket.io/?EIO=4&transport=pigeon")
    await anybody.ask(post, 400, f"{_POLLING}&sid=nobodys", data="2")
    await anybody.ask(post, 413, await polling(anybody), data="4" + "x" * 70_000)
    await anybody.ask(post, 411, await polling(anybody), data=_chunks())
    for origin, status in ((anybody.url, 200), ("https://evil.example", 400)):
        headers = {"Origin": origin}
        assert (await anybody.http.ask(options, anybody.url + _POLLING, headers=headers)).status == status
    websocket = f"{anybody.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(websocket):
        anybody.http.check(get, 101, "", "")


async def _chunks() -> AsyncIterator[bytes]:
    yield b"2"
