"""Sessions that have ended, tokens where they do not belong, and passwords that are guessed."""

import json
import statistics
from typing import Any, Final

import psutil

from tests.abuse.accounts import given, signed_in
from tests.abuse.forger import forger
from tests.abuse.rows import ROOM, Row, Send, http, named
from tests.abuse.stranger import PATH, Stranger, request
from tests.support.stacks import unique

_HISTORY: Final = f"/api/rooms/{ROOM}/messages"
_NOBODY: Final = "401 unauthorized"
_INVALID: Final = "400 invalid"


async def _refreshes_with_an_access_token(stranger: Stranger) -> str:
    account = await signed_in(stranger)
    return (await stranger.ask("POST", "/api/refresh", {"refresh_token": account.access})).words


async def _reads_with_a_refresh_token(stranger: Stranger) -> str:
    account = await signed_in(stranger)
    over_http = await stranger.ask("GET", _HISTORY, token=account.refresh)
    async with stranger.shaken() as socket:
        socket.send("40" + json.dumps({"token": account.refresh}))
        return f"{over_http.words}; {await socket.verdict()}"


async def _refreshes_twice(stranger: Stranger) -> str:
    """Two have the token: nobody keeps the session, on whichever socket."""
    account = await signed_in(stranger)
    async with stranger.socket(token=account.access) as socket:
        first = await stranger.ask("POST", "/api/refresh", {"refresh_token": account.refresh})
        newer = given(stranger, first.body)
        again = await stranger.ask("POST", "/api/refresh", {"refresh_token": account.refresh})
        newest = await stranger.ask("POST", "/api/refresh", {"refresh_token": newer.refresh})
        end = await socket.end()
        read = await stranger.ask("GET", _HISTORY, token=newer.access)
        return f"{first.words}, {again.words}, {newest.words}; {end}; {read.words}"


async def _comes_back_after_logout(stranger: Stranger) -> str:
    account = await signed_in(stranger)
    async with stranger.socket(token=account.access) as socket:
        out = await stranger.ask("POST", "/api/logout", token=account.access)
        end = await socket.end()
    words = [(await stranger.ask("GET", _HISTORY, token=account.access)).words]
    words.append((await stranger.ask("POST", "/api/refresh", {"refresh_token": account.refresh})).words)
    async with stranger.shaken() as again:
        again.send("40" + json.dumps({"token": account.access}))
        words.append(await again.verdict())
    return f"{out.words}; {end}; {', '.join(words)}"


def _refreshes(body: Any) -> Send:
    async def send(stranger: Stranger) -> str:
        return (await stranger.ask("POST", "/api/refresh", body)).words

    return send


def _refreshes_here(token: Any) -> Send:
    """By the event, on a socket of its own user."""

    async def send(stranger: Stranger) -> str:
        async with stranger.socket() as socket:
            socket.ask("refresh", {"token": token})
            return await socket.outcome()

    return send


async def _refreshes_as_another(stranger: Stranger) -> str:
    async with stranger.socket() as socket:
        socket.ask("refresh", {"token": await stranger.token()})
        return await socket.outcome()


def _claims(**claims: Any) -> Send:
    """A token that is signed by the real key, for a name that can be no id."""

    async def send(stranger: Stranger) -> str:
        token = stranger.keep_secret((await forger(stranger)).token(claims=claims))
        over_http = (await stranger.ask("GET", _HISTORY, token=token)).words
        async with stranger.shaken() as socket:
            socket.send("40" + json.dumps({"token": token}))
            return f"{await socket.verdict()}; {over_http}"

    return send


async def _eleventh_failure(stranger: Stranger) -> str:
    """Of one account, from wherever, whatever a proxy that nobody trusts is said to have seen."""
    account = {"username": unique("dora"), "password": stranger.keep_secret(unique("correct horse battery"))}
    given(stranger, (await stranger.ask("POST", "/api/register", account)).body)
    words = []
    for number in range(11):
        body = json.dumps({**account, "password": "x" * 12})
        words.append(
            await stranger.http(request("POST", "/api/login", f"X-Forwarded-For: 10.0.0.{number}", body=body))
        )
    good = await stranger.ask("POST", "/api/login", account)
    later = int(good.headers.get("retry-after", "0")) > 0
    return f"{words.count(_NOBODY)} wrong, then {words[-1]}, the right one {good.words}, later {later}"


async def _does_not_tell_who_is_there(stranger: Stranger) -> str:
    """The same is said, and as much is computed, for an account and for none: whatever else the machine does."""
    auth = psutil.Process(stranger.stack.children["auth"].pid)
    account = {"username": unique("eve"), "password": stranger.keep_secret(unique("correct horse battery"))}
    given(stranger, (await stranger.ask("POST", "/api/register", account)).body)
    said, seconds = set(), dict[str, list[float]]()
    for username in (account["username"], unique("nobody")) * 5:
        before = auth.cpu_times()
        answer = await stranger.ask("POST", "/api/login", {"username": username, "password": "x" * 12})
        after = auth.cpu_times()
        said.add(answer.body)
        seconds.setdefault(username, []).append(after.user + after.system - before.user - before.system)
    one, other = map(statistics.median, seconds.values())
    return f"the same answer {len(said) == 1}, the same work {0.4 < one / other < 2.5}"


ROWS: Final[list[Row]] = named(
    {
        "a token in a query": (http(request("GET", f"{_HISTORY}?token=x")), _INVALID),
        "a token in a query, in capitals": (http(request("GET", f"{_HISTORY}?Access_Token=x")), _INVALID),
        "a token in a handshake's query": (http(request("GET", f"{PATH}polling&token=x")), _INVALID),
        "a token in the query of a path of nobody": (http(request("GET", "/nothing?token=x")), _INVALID),
        "an access token for a refresh": (_refreshes_with_an_access_token, _NOBODY),
        "a refresh token for access": (_reads_with_a_refresh_token, f"{_NOBODY}; refused unauthorized"),
        "a refresh token twice": (_refreshes_twice, f"200, {_NOBODY}, {_NOBODY}; closed 1000; {_NOBODY}"),
        "a session behind its logout": (
            _comes_back_after_logout,
            f"204; closed 1000; {_NOBODY}, {_NOBODY}, refused unauthorized",
        ),
        "a refresh: an operator": (_refreshes({"refresh_token": {"$gt": ""}}), _INVALID),
        "a refresh: nothing": (_refreshes({"refresh_token": ""}), _NOBODY),
        "a refresh: a NUL": (_refreshes({"refresh_token": "\0"}), _NOBODY),
        "a refresh: 60 KB": (_refreshes({"refresh_token": "x" * 60_000}), _NOBODY),
        "a refresh: half of two": (_refreshes({"refresh_token": "A" * 22 + "." + "B" * 43}), _NOBODY),
        "a refresh on a socket: nonsense": (_refreshes_here("x"), "unauthorized, open"),
        "a refresh on a socket: an operator": (_refreshes_here({"$gt": ""}), "invalid, open"),
        "a refresh on a socket: another's token": (_refreshes_as_another, "forbidden, open"),
        "a token: a subject that is a wildcard": (_claims(sub=">"), f"refused unauthorized; {_NOBODY}"),
        "a token: a session that is none": (_claims(sid="a.b"), f"refused unauthorized; {_NOBODY}"),
        "a token: a name that is none": (_claims(name=7), f"refused unauthorized; {_NOBODY}"),
        "the eleventh failure": (
            _eleventh_failure,
            "10 wrong, then 429 rate_limited, the right one 429 rate_limited, later True",
        ),
        "whether an account is there": (_does_not_tell_who_is_there, "the same answer True, the same work True"),
    }
)
