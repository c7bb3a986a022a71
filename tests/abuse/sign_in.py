"""Bodies of the API that are none, and names and passwords that nobody has."""

import gzip
import json
from typing import Any, Final

from tests.abuse.accounts import given
from tests.abuse.rows import MIB, Row, Send, http, named
from tests.abuse.stranger import Stranger, request
from tests.support.stacks import unique

_WRONG: Final = "401 unauthorized"
_INVALID: Final = "400 invalid"
_OPERATOR: Final = {"$gt": ""}


def _password(stranger: Stranger) -> str:
    return stranger.keep_secret(f"{unique('correct horse battery staple')} {stranger.address}")


def _posts(path: str, body: Any) -> Send:
    """JSON, or bytes as they are."""

    async def send(stranger: Stranger) -> str:
        return (await stranger.ask("POST", f"/api/{path}", body)).words

    return send


def _logs_in(**changed: Any) -> Send:
    """Somebody who has an account tries with something else in its place."""

    async def send(stranger: Stranger) -> str:
        account = {"username": unique("ann"), "password": _password(stranger)}
        registered = await stranger.ask("POST", "/api/register", account)
        if registered.status != 201:
            return f"not registered: {registered.words}"
        given(stranger, registered.body)
        if isinstance(changed.get("password"), str) and len(changed["password"]) > 8:
            stranger.keep_secret(changed["password"][:1_000])
        return (await stranger.ask("POST", "/api/login", {**account, **changed})).words

    return send


def _registers(**changed: Any) -> Send:
    async def send(stranger: Stranger) -> str:
        account = {"username": unique("bob"), "password": _password(stranger), **changed}
        answer = await stranger.ask("POST", "/api/register", account)
        return answer.words

    return send


def _named(display_name: Any) -> Send:
    return _posts("guest", {"display_name": display_name})


async def _registers_anothers_name(stranger: Stranger) -> str:
    name = unique("carol")
    answers = [
        await stranger.ask("POST", "/api/register", {"username": each, "password": _password(stranger)})
        for each in (name, name, name.upper())
    ]
    return ", ".join(each.words for each in answers)


async def _logs_in_with_a_body_in_chunks(stranger: Stranger) -> str:
    body = json.dumps({"username": unique("nobody"), "password": _password(stranger)})
    chunks = "".join(f"1\r\n{each}\r\n" for each in body)
    return await stranger.http(
        f"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    )


async def _chooses_its_id(stranger: Stranger) -> str:
    wanted = {
        "display_name": "ann",
        "id": "u-admin",
        "user": {"id": "u-admin"},
        "address": "::1",
        "type": "auth.login",
    }
    answer = await stranger.ask("POST", "/api/guest", wanted)
    user = given(stranger, answer.body).user
    return f"{answer.words}, {'its own id' if user == 'u-admin' else 'an id of ours'}"


def _bomb(encoding: str, data: bytes) -> Send:
    async def send(stranger: Stranger) -> str:
        head = f"POST /api/guest HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(data)}"
        return await stranger.http(head.encode() + b"\r\n\r\n" + data)

    return send


ROWS: Final = [
    *named(
        {
            "sign in: no body": (_posts("login", b""), _INVALID),
            "sign in: no JSON": (_posts("login", b"username=ann&password=secret"), _INVALID),
            "sign in: a list": (_posts("login", ["ann", "secret"]), _INVALID),
            "sign in: null": (_posts("login", b"null"), _INVALID),
            "sign in: two bodies": (_posts("login", b"{}{}"), _INVALID),
            "sign in: nesting of 5,000": (_posts("login", b"[" * 5_000), _INVALID),
            "sign in: NaN": (_posts("login", b'{"username":NaN,"password":"x"}'), _INVALID),
            "sign in: half a character": (_posts("login", b'{"username":"\\ud800","password":"x"}'), _INVALID),
            "sign in: no UTF-8": (_posts("login", b'{"username":"\xff","password":"x"}'), _INVALID),
            "sign in: a byte-order mark": (_posts("login", b'\xef\xbb\xbf{"username":"x","password":"x"}'), _INVALID),
            "sign in: UTF-16": (_posts("login", '{"username":"x","password":"x"}'.encode("utf-16")), _INVALID),
            "sign in: an unknown user": (_posts("login", {"username": "nobody", "password": "x" * 12}), _WRONG),
            "sign in: a wrong password": (_logs_in(password="x" * 20), _WRONG),
            "sign in: no password": (_logs_in(password=""), _WRONG),
            "sign in: a password that is an operator": (_logs_in(password=_OPERATOR), _INVALID),
            "sign in: a password that is null": (_logs_in(password=None), _INVALID),
            "sign in: a password that is a number": (_logs_in(password=12345678), _INVALID),
            "sign in: a password of 257 characters": (_logs_in(password="x" * 257), _WRONG),
            "sign in: a password of 60 KB": (_logs_in(password="x" * 60_000), _WRONG),
            "sign in: a name that is an operator": (_logs_in(username=_OPERATOR), _INVALID),
            "sign in: a name that is a pattern": (_logs_in(username="/.*/"), _WRONG),
            "sign in: a name with a NUL": (_logs_in(username="ann\0"), _WRONG),
            "sign in: a name with a forged line": (_logs_in(username='ann\r\n{"event":"forged"}'), _WRONG),
            "sign in: a name of 60 KB": (_logs_in(username="x" * 60_000), _WRONG),
            "sign in: a body in many chunks": (_logs_in_with_a_body_in_chunks, _WRONG),
            "sign in: by GET": (http(request("GET", "/api/login?username=ann")), "405 invalid"),
            "an account: no password": (_registers(password=None), _INVALID),
            "an account: a short password": (_registers(password="x" * 7), _INVALID),
            "an account: a password of 257 characters": (_registers(password="x" * 257), _INVALID),
            "an account: a password that is an operator": (_registers(password=_OPERATOR), _INVALID),
            "an account: a name that is an operator": (_registers(username=_OPERATOR), _INVALID),
            "an account: a name with a look-alike": (_registers(username="\u0430nn"), _INVALID),
            "an account: a name with a dollar": (_registers(username="$where"), _INVALID),
            "an account: a name with a line end": (_registers(username="ann\n"), _INVALID),
            "an account: a name of one character": (_registers(username="a"), _INVALID),
            "an account: a shown name that is a list": (_registers(display_name=["x"]), _INVALID),
            "an account: another's name": (_registers_anothers_name, "201, 400 invalid, 400 invalid"),
            "a guest: no name": (_posts("guest", {}), _INVALID),
            "a guest: a name that is an operator": (_named(_OPERATOR), _INVALID),
            "a guest: a name of spaces": (_named(" \t "), _INVALID),
            "a guest: a name that shows nothing": (_named("\u3164"), _INVALID),
            "a guest: control characters": (_named("ann\x1b[2J"), _INVALID),
            "a guest: a line end": (_named("ann\r\nX: y"), _INVALID),
            "a guest: an override of direction": (_named("ann\u202enimda"), _INVALID),
            "a guest: 65 characters": (_named("x" * 65), _INVALID),
            "a guest: half a character": (_posts("guest", b'{"display_name":"\\udfff"}'), _INVALID),
            "a guest: its own id and role": (_chooses_its_id, "201, an id of ours"),
        }
    ),
    Row("sign in: a password of 2 MB", _logs_in(password="x" * 2_000_000), "413 too_large"),
    Row("an account: a password of 2 MB", _registers(password="x" * 2_000_000), "413 too_large"),
    Row("a guest: a bomb", _bomb("gzip", gzip.compress(b" " * (64 * MIB))), "413 too_large"),
    Row("a guest: what does not inflate", _bomb("gzip", b"nonsense"), _INVALID),
]
