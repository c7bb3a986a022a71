"""The HTTP API: signing in, keys, reading a room; and problems."""

from typing import Any

import aiohttp
import jwt
import pytest

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique


async def _ask(stack: TestStack, method: str, path: str, **more: Any) -> tuple[int, Any, str]:
    async with (
        aiohttp.ClientSession(stack.gateway_urls[0]) as http,
        http.request(method, path, **more) as response,
    ):
        return response.status, await response.json(content_type=None), response.content_type


async def test_guest_gets_a_session_that_connects(stack: TestStack) -> None:
    """The token is signed with a published key, and says who it is for."""
    status, session, _ = await _ask(stack, "POST", "/api/guest", json={"display_name": "  Zoë  "})
    assert status == 201
    assert session["user"]["display_name"] == "Zoë"
    assert session["token_type"] == "Bearer"
    status, keys, _ = await _ask(stack, "GET", "/.well-known/jwks.json")
    assert status == 200
    assert all("d" not in key for key in keys["keys"]), "never the private part"
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(session["access_token"])["kid"]]
    claims = jwt.decode(session["access_token"], key, algorithms=["EdDSA"], audience="parley", issuer="parley")
    assert claims["sub"] == session["user"]["id"]
    assert {"sid", "jti", "exp", "iat"} <= claims.keys()
    async with PythonClient(stack.gateway_urls[1], session["access_token"]) as client:
        told = client.of("session")[0]
        assert told["user"] == session["user"]
        assert told["session"] == claims["sid"]
        assert 0 < told["expires_in"] <= session["expires_in"]


async def test_register_then_login(stack: TestStack) -> None:
    """An account is the same user at each sign-in, whatever the case of the name; a second of the name is refused."""
    name = unique("Ann")
    account = {"username": name, "password": "correct horse"}
    status, session, _ = await _ask(stack, "POST", "/api/register", json=account)
    assert (status, session["user"]["username"], session["user"]["display_name"]) == (201, name, name)
    status, again, _ = await _ask(stack, "POST", "/api/login", json={**account, "username": name.upper()})
    assert (status, again["user"]) == (200, session["user"])
    status, problem, kind = await _ask(stack, "POST", "/api/register", json={**account, "username": name.lower()})
    assert (status, problem["code"], kind) == (400, "invalid", "application/problem+json")


@pytest.mark.parametrize("who", [{"password": "wrong password"}, {"username": "nobody-here"}])
async def test_a_failed_login_does_not_say_why(stack: TestStack, who: dict[str, str]) -> None:
    """A wrong password and an unknown name answer alike."""
    account = {"username": unique("Bob"), "password": "correct horse"}
    await _ask(stack, "POST", "/api/register", json=account)
    status, problem, _ = await _ask(stack, "POST", "/api/login", json={**account, **who})
    assert (status, problem["code"]) == (401, "unauthorized")
    assert problem["detail"] == "wrong username or password"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/guest", b"", 400, "invalid"),
        ("POST", "/api/guest", b"{", 400, "invalid"),
        ("POST", "/api/guest", b"[]", 400, "invalid"),
        ("POST", "/api/guest", b"{}", 400, "invalid"),
        ("POST", "/api/guest", b'{"display_name":7}', 400, "invalid"),
        ("POST", "/api/guest", b'{"display_name":""}', 400, "invalid"),
        ("POST", "/api/guest", b'{"display_name":"\xff"}', 400, "invalid"),
        ("POST", "/api/guest", b'{"display_name":"a\\u202eb"}', 400, "invalid"),
        ("POST", "/api/guest", b"x" * 70000, 413, "too_large"),
        ("POST", "/api/register", b'{"username":"x y","password":"12345678"}', 400, "invalid"),
        ("POST", "/api/register", b'{"username":"fine","password":"short"}', 400, "invalid"),
        ("POST", "/api/login", b'{"username":"fine"}', 400, "invalid"),
        ("GET", "/api/guest", None, 405, "invalid"),
        ("GET", "/api/nothing", None, 404, "invalid"),
        ("GET", "/api/rooms/lobby/messages", None, 401, "unauthorized"),
        ("GET", "/web/../pyproject.toml", None, 404, "invalid"),
        ("GET", "/web/%2e%2e/pyproject.toml", None, 404, "invalid"),
        ("GET", "/web/package.json", None, 404, "invalid"),
        ("GET", "/web/%00.js", None, 404, "invalid"),
        ("GET", f"/web/{'x' * 300}.js", None, 404, "invalid"),
    ],
)
async def test_a_bad_request_is_a_problem(
    stack: TestStack, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    """`application/problem+json` with type, title, status, code and detail."""
    got, problem, kind = await _ask(stack, method, path, data=body)
    assert (got, problem["code"], kind) == (status, code, "application/problem+json")
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"] == "about:blank"


async def test_reading_a_room_over_http(stack: TestStack) -> None:
    """The same pages as over Socket.IO, for whoever bears a token."""
    room = unique("http")
    token = await stack.token()
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/rooms/{room}/messages"
    async with PythonClient(stack.gateway_urls[0], token) as client:
        await client.join(room)
        seqs = [(await client.say(room, f"m{number}"))["seq"] for number in range(5)]
    status, page, _ = await _ask(stack, "GET", path, headers=headers, params={"limit": 2})
    assert (status, [each["seq"] for each in page["messages"]], page["more"]) == (200, seqs[3:], True)
    assert page["messages"][0]["prev"] == seqs[2]
    params = {"limit": 2, "before": seqs[3]}
    _, page, _ = await _ask(stack, "GET", path, headers=headers, params=params)
    assert [each["seq"] for each in page["messages"]] == seqs[1:3]
    params = {"after": seqs[3]}
    _, page, _ = await _ask(stack, "GET", path, headers=headers, params=params)
    assert ([each["seq"] for each in page["messages"]], page["more"]) == (seqs[4:], False)
    for wrong in ({"limit": 0}, {"limit": "x"}, {"before": 1, "after": 1}):
        status, problem, _ = await _ask(stack, "GET", path, headers=headers, params=wrong)
        assert (status, problem["code"]) == (400, "invalid")
    status, problem, _ = await _ask(stack, "GET", "/api/rooms/g-x/messages", headers=headers)
    assert (status, problem["code"]) == (403, "forbidden")
    status, problem, _ = await _ask(stack, "GET", "/api/rooms/a.b/messages", headers=headers)
    assert (status, problem["code"]) == (400, "invalid")


async def test_a_chunked_polling_request_is_refused_instead_of_lost(stack: TestStack) -> None:
    """python-engineio would answer 200 and drop what is in it."""

    async def chunks() -> Any:
        yield b"4"

    status, problem, _ = await _ask(stack, "POST", "/socket.io/?EIO=4&transport=polling&sid=x", data=chunks())
    assert (status, problem["code"]) == (411, "invalid")


async def test_another_origin_is_refused(stack: TestStack) -> None:
    """A page from elsewhere cannot connect with a visitor's browser, unless it is on the list."""
    async with aiohttp.ClientSession() as http:
        url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=polling"
        async with http.get(url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 400
        async with http.get(url, headers={"Origin": stack.gateway_urls[0]}) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", ["/", "/api/rooms", "/nothing", "/socket.io/?EIO=4&transport=polling"])
async def test_no_answer_names_versions(stack: TestStack, path: str) -> None:
    """Of what the gateway is made of, to whoever looks for one with a known hole."""
    async with aiohttp.ClientSession(stack.gateway_urls[0]) as http, http.get(path) as response:
        assert response.headers["Server"] == "parley"
