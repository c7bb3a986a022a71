"""What is for backends: asked for with a user's token, with another scope's, and with nonsense by one that may."""

import asyncio
import json
from typing import Any, Final
from weakref import WeakKeyDictionary

from tests.abuse.accounts import signed_in
from tests.abuse.rows import ROOM, Row, Send, named
from tests.abuse.stranger import Stranger
from tests.support.backends import create
from tests.support.stacks import TestStack, unique

_POST: Final = f"/api/rooms/{ROOM}/messages"
_NOTIFY: Final = "/api/users/u-somebody/notifications"
_NOBODY: Final = "401 unauthorized"
_FORBIDDEN: Final = "403 forbidden"
_INVALID: Final = "400 invalid"
_TOO_LARGE: Final = "413 too_large"

_tokens: WeakKeyDictionary[TestStack, dict[str, "asyncio.Task[str]"]] = WeakKeyDictionary()


async def _service(stranger: Stranger, scope: str) -> str:
    """A service token of the stack, made once."""
    made = _tokens.setdefault(stranger.stack, {})
    if scope not in made:
        made[scope] = asyncio.ensure_future(create(stranger.stack, unique("backend"), scope))
    return stranger.keep_secret(await made[scope])


def _as_service(scope: str, path: str, body: Any) -> Send:
    async def send(stranger: Stranger) -> str:
        return (await stranger.ask("POST", path, body, token=await _service(stranger, scope))).words

    return send


def _as_user(path: str, body: Any) -> Send:
    async def send(stranger: Stranger) -> str:
        return (await stranger.ask("POST", path, body, token=await stranger.token())).words

    return send


def _with(token: str | None, path: str) -> Send:
    async def send(stranger: Stranger) -> str:
        return (await stranger.ask("POST", path, {"id": "m", "body": "x", "title": "x"}, token=token)).words

    return send


async def _connects_with_a_service_token(stranger: Stranger) -> str:
    token = await _service(stranger, "publish")
    read = await stranger.ask("GET", _POST, token=token)
    async with stranger.shaken() as socket:
        socket.send("40" + json.dumps({"token": token}))
        return f"{await socket.verdict()}; {read.words}"


async def _speaks_as_a_backend(stranger: Stranger) -> str:
    """A user is who they are, whatever else they say."""
    async with stranger.member(ROOM) as socket:
        forged = {"from": {"id": "svc-billing", "display_name": "billing"}, "user": "svc-billing"}
        message = {"id": unique("forged"), "body": "x", **forged}
        sent = await stranger.ask("POST", _POST, message, token=await stranger.token())
        heard = await socket.hears("message")
        return f"{sent.words}, heard from {heard['from']['id'].rpartition('-')[0]}"


async def _speaks_in_anothers_group(stranger: Stranger) -> str:
    """And in one that never was: the answers are the same, to the letter."""
    owner, other = await signed_in(stranger), await signed_in(stranger)
    made = await stranger.ask("POST", "/api/rooms", {"members": []}, token=owner.access)
    group = json.loads(made.body)["room"]
    message = {"id": "m", "body": "x"}
    theirs, nobodys = [
        await stranger.ask("POST", f"/api/rooms/{room}/messages", message, token=other.access)
        for room in (group, "g-" + "0" * (len(group) - 2))
    ]
    return f"{theirs.words}, the same {theirs.body == nobodys.body}"


async def _notified_of_a_script(stranger: Stranger) -> str:
    """It comes as it was sent: text."""
    account = await signed_in(stranger)
    title = '</script><script>alert(1)</script>42["message"]\x1e41'
    async with stranger.socket(token=account.access) as socket:
        body = {"title": title, "data": {title: title}}
        path = f"/api/users/{account.user}/notifications"
        sent = await stranger.ask("POST", path, body, token=await _service(stranger, "notify"))
        heard = await socket.hears("notification")
        return f"{sent.words}, as it was {heard['title'] == title and heard['data'] == {title: title}}"


async def _dismisses_anothers(stranger: Stranger) -> str:
    """It is answered as any that is not there, and stays."""
    account, token = await signed_in(stranger), await _service(stranger, "notify")
    path = f"/api/users/{account.user}/notifications"
    await stranger.ask("POST", path, {"id": "n-1", "title": "Hi"}, token=token)
    async with stranger.socket() as socket:
        ack = await socket.call("dismiss", {"id": "n-1"})
    async with stranger.socket(token=account.access) as theirs:
        return f"{ack['ok']}, still there {(await theirs.hears('notification'))['id'] == 'n-1'}"


ROWS: Final[list[Row]] = named(
    {
        "saying something: no token": (_with(None, _POST), _NOBODY),
        "saying something: a token that is none": (_with("x", _POST), _NOBODY),
        "saying something: a service token that is none": (_with("pst_" + "A" * 43, _POST), _NOBODY),
        "saying something: a service token with NUL": (_with("pst_\0", _POST), "400"),
        "saying something: a service token of 6 KB": (_with("pst_" + "A" * 6_000, _POST), _NOBODY),
        "saying something: another scope": (_as_service("notify", _POST, {"id": "m", "body": "x"}), _FORBIDDEN),
        "saying something: no body": (_as_service("publish", _POST, None), _INVALID),
        "saying something: a list": (_as_service("publish", _POST, []), _INVALID),
        "saying something: an operator": (_as_service("publish", _POST, {"id": "m", "body": {"$gt": ""}}), _INVALID),
        "saying something: half a character": (
            _as_service("publish", _POST, b'{"id": "m", "body": "\\ud800"}'),
            _INVALID,
        ),
        "saying something: 16 KiB and one": (_as_user(_POST, {"id": "m", "body": "x" * 16_385}), _TOO_LARGE),
        "saying something: data 65 deep": (
            _as_user(_POST, {"id": "m", "body": "x", "data": json.loads("[" * 65 + "]" * 65)}),
            _INVALID,
        ),
        "saying something: in another's group": (_speaks_in_anothers_group, f"{_FORBIDDEN}, the same True"),
        "saying something: as a backend": (_speaks_as_a_backend, "201, heard from load"),
        "a service token for a socket": (_connects_with_a_service_token, f"refused unauthorized; {_NOBODY}"),
        "notifying: no token": (_with(None, _NOTIFY), _NOBODY),
        "notifying: a user's token": (_as_user(_NOTIFY, {"title": "x"}), _NOBODY),
        "notifying: another scope": (_as_service("publish", _NOTIFY, {"title": "x"}), _FORBIDDEN),
        "notifying: a wildcard": (_as_service("notify", "/api/users/%3E/notifications", {"title": "x"}), _INVALID),
        "notifying: an operator": (_as_service("notify", _NOTIFY, {"title": {"$gt": ""}}), _INVALID),
        "notifying: an operator for an id": (
            _as_service("notify", _NOTIFY, {"title": "x", "id": {"$ne": 1}}),
            _INVALID,
        ),
        "notifying: nothing to see": (_as_service("notify", _NOTIFY, {"title": "\u2003"}), _INVALID),
        "notifying: a title too long": (_as_service("notify", _NOTIFY, {"title": "x" * 257}), _TOO_LARGE),
        "notifying: escapes that take six bytes": (
            _as_service("notify", _NOTIFY, {"title": "x", "body": "\0" * 2_048}),
            _TOO_LARGE,
        ),
        "notifying: data 65 deep": (
            _as_service("notify", _NOTIFY, {"title": "x", "data": json.loads("[" * 65 + "]" * 65)}),
            _INVALID,
        ),
        "notified of a script": (_notified_of_a_script, "202, as it was True"),
        "another's notification dismissed": (_dismisses_anothers, "True, still there True"),
    }
)
