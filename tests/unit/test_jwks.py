"""Key sets of external issuers: which keys are taken, and for how long they are kept."""

import asyncio
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from structlog.testing import capture_logs

from services.auth import jwks
from services.auth.jwks import JwksError
from services.auth.jwks_cache import FIRST_RETRY_SECONDS, FRESH_SECONDS, RETRY_SECONDS, JwksCache
from tests.support.waiting import until
from wire.errors import ErrorCode, ParleyError

ALL = ("EdDSA", "ES256", "RS256", "PS256")


def member(kid: str | None, kind: str = "OKP", **more: Any) -> dict[str, Any]:
    """A new public key as a JWK."""
    made: dict[str, Any]
    if kind == "OKP":
        made = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True)
    elif kind == "EC":
        made = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    else:
        made = dict(RSA)
    return {**{name: value for name, value in made.items() if name != "key_ops"}, "kid": kid, **more}


RSA = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)
WEAK = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)  # noqa: S505 - refused


def parsed(*members: Any, algorithms: tuple[str, ...] = ALL) -> set[tuple[str, str | None]]:
    """The keys that are taken from a set of these."""
    return set(jwks.parse(json.dumps({"keys": members}).encode(), algorithms))


def test_keys_are_taken_by_algorithm_and_kid() -> None:
    """Those of other algorithms than the issuer's are left out; the only one of an algorithm needs no kid."""
    some = [member("a"), member("b"), member("c", "EC"), member("d", "RSA", alg="RS256")]
    assert parsed(*some) == {
        *(("EdDSA", kid) for kid in "ab"),
        *(("ES256", kid) for kid in ("c", None)),
        *(("RS256", kid) for kid in ("d", None)),
    }
    assert parsed(*some, algorithms=("ES256",)) == {("ES256", "c"), ("ES256", None)}


def test_an_rsa_key_that_says_nothing_is_good_for_both() -> None:
    """RS256 and PS256 take the same keys, unless a key says for which it is."""
    assert parsed(member("a", "RSA")) == {(name, kid) for name in ("RS256", "PS256") for kid in ("a", None)}


@pytest.mark.parametrize(
    "bad",
    [
        {**member("x"), "use": "enc"},
        {**member("x"), "key_ops": ["sign"]},
        {**member("x"), "key_ops": "verify"},
        {**member("x"), "alg": "HS256"},
        {**member("x"), "alg": "RS256"},
        {**member("x"), "kid": 7},
        {**member("x"), "crv": "Ed448"},
        {**member("x"), "crv": "X25519"},
        {**member("x"), "x": "AAAA"},
        {**member("x"), "x": 7},
        OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True) | {"key_ops": ["verify"]},
        {**member("x", "EC"), "crv": "P-384"},
        {**member("x", "EC"), "y": member("x", "EC")["y"]},
        {**member("x", "RSA"), "n": ""},
        {**member("x", "RSA"), "n": None},
        {**member("x", "RSA"), "e": "AQ"},
        {**WEAK, "kid": "x"},
        {"kty": "oct", "k": "AAAA", "kid": "x"},
        {"kty": "oct", "k": "AAAA", "kid": "x", "alg": "HS256"},
        {"kty": ["OKP"], "kid": "x"},
        {},
        [],
        None,
        "key",
    ],
)
def test_keys_that_do_not_fit_are_passed_over(bad: Any) -> None:
    """Private, secret, weak, broken, or for something else; the good ones beside them are taken."""
    assert parsed(bad, member("good")) == {("EdDSA", "good"), ("EdDSA", None)}
    with pytest.raises(JwksError, match="no key in it is good"):
        parsed(bad)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b'{"keys": {}}', b'{"keys": []}', b"{}", b"[" * 99_999, b"\xff"]
)
def test_what_is_no_key_set(data: bytes) -> None:
    """Is an error, and nothing else."""
    with pytest.raises(JwksError):
        jwks.parse(data, ALL)


NAMES = ("kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "key_ops", "d", "oth")
VALUES = (
    st.none()
    | st.integers()
    | st.text(max_size=9)
    | st.lists(st.text(max_size=3))
    | st.sampled_from(["OKP", "RSA", "EC", "Ed25519", "P-256", "sig", RSA["n"], RSA["e"], "AAAA", "A" * 43])
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.sampled_from(["OKP", "EC", "RSA"]))
def test_no_key_set_raises_anything_else(changed: dict[str, Any], kind: str) -> None:
    """Whatever an issuer publishes, the good key in it is found."""
    assert ("EdDSA", "good") in parsed({**member("x", kind), **changed}, member("good"))


# --- kept -----------------------------------------------------------------------------------------------------------


class World:
    """An issuer that answers as a test wants it to, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.members: list[dict[str, Any]] = [member("a")]
        self.fetches = 0
        self.trouble: str | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> bytes:
        """See `jwks_fetching.Fetch`."""
        self.fetches += 1
        await self.gate.wait()
        if self.trouble is not None:
            raise JwksError(self.trouble)
        return json.dumps({"keys": self.members}).encode()

    def cache(self, most: int = 8) -> JwksCache:
        """A cache of its keys."""
        return JwksCache("issuer", ALL, self.fetch, most=most, clock=lambda: self.now)


@pytest.fixture
async def world() -> World:
    """An issuer with a key `a`."""
    return World()


async def code(asked: Any) -> ErrorCode:
    """How the question for a key is refused."""
    with pytest.raises(ParleyError) as caught:
        await asked
    return caught.value.code


async def test_keys_are_fetched_when_needed_and_kept(world: World) -> None:
    """Once for five minutes, however many tokens come."""
    cache = world.cache()
    assert world.fetches == 0
    for _ in range(5):
        assert isinstance(await cache.key("EdDSA", "a"), jwt.PyJWK)
    assert world.fetches == 1
    world.now += FRESH_SECONDS - 1
    await cache.key("EdDSA", "a")
    assert world.fetches == 1
    world.now += 1
    world.members = [member("b")]
    assert await code(cache.key("EdDSA", "a")) == ErrorCode.UNAUTHORIZED, "the issuer has taken it back"
    assert world.fetches == 2


async def test_an_unknown_kid_is_looked_for(world: World) -> None:
    """At once, so that an issuer may rotate its keys; but once in 30 seconds, whatever strangers make up."""
    cache = world.cache()
    await cache.key("EdDSA", "a")
    world.members.append(member("b"))
    await cache.key("EdDSA", "b")
    assert world.fetches == 2
    world.members.append(member("c"))
    for number in range(59):
        assert await code(cache.key("EdDSA", f"made-up-{number}")) == ErrorCode.UNAUTHORIZED
        world.now += RETRY_SECONDS / 60
    assert await code(cache.key("EdDSA", "c")) == ErrorCode.UNAUTHORIZED
    assert world.fetches == 2
    world.now += RETRY_SECONDS / 60
    await cache.key("EdDSA", "c")
    assert world.fetches == 3


async def test_another_algorithm_is_not_looked_for(world: World) -> None:
    """What the issuer is not trusted for costs no fetch."""
    for name in ("HS256", "none", "ES512", ""):
        assert await code(world.cache().key(name, "a")) == ErrorCode.UNAUTHORIZED
    assert world.fetches == 0


async def test_while_the_issuer_does_not_answer_its_keys_stay(world: World) -> None:
    """However old; it is asked every 30 seconds, and that it does not answer is logged once."""
    cache = world.cache()
    await cache.key("EdDSA", "a")
    world.trouble = "down"
    with capture_logs() as logs:
        for _ in range(100):
            world.now += FRESH_SECONDS / 5
            await cache.key("EdDSA", "a")
            world.now += 0.1
            await cache.key("EdDSA", "a")
            assert await code(cache.key("EdDSA", "b")) == ErrorCode.UNAVAILABLE, "it may be a new one"
        assert [each["event"] for each in logs] == ["keys of an issuer cannot be had"]
        before = world.fetches
        assert 90 < before < 102
        world.now += RETRY_SECONDS
        world.trouble = None
        await cache.key("EdDSA", "a")
        await cache.key("EdDSA", "a")
        assert world.fetches == before + 1
        assert logs[1]["event"] == "keys of an issuer can be had again"


async def test_keys_that_were_never_there_are_unavailable(world: World) -> None:
    """The client tries again, and does not sign in again; the issuer is asked every five seconds."""
    world.trouble = "down"
    cache = world.cache()
    for _ in range(10):
        assert await code(cache.key("EdDSA", "a")) == ErrorCode.UNAVAILABLE
    assert world.fetches == 1
    world.trouble = None
    world.now += FIRST_RETRY_SECONDS
    await cache.key("EdDSA", "a")


async def test_fetches_at_once_are_one(world: World) -> None:
    """All wait for the same; one who gives up does not take it from the others."""
    cache = world.cache()
    world.gate.clear()
    asked = [asyncio.create_task(cache.key("EdDSA", "a")) for _ in range(8)]
    await until(lambda: world.fetches == 1, "it is being fetched")
    asked.pop().cancel()
    world.gate.set()
    await asyncio.gather(*asked)
    assert world.fetches == 1


async def test_only_so_many_wait(world: World) -> None:
    """The others are told to come back, or served with the keys that are known: they would hold up other issuers'."""
    cache = world.cache(most=2)
    world.gate.clear()
    asked = [asyncio.create_task(cache.key("EdDSA", "a")) for _ in range(2)]
    await until(lambda: world.fetches == 1, "it is being fetched")
    async with asyncio.timeout(5):
        assert await code(cache.key("EdDSA", "a")) == ErrorCode.UNAVAILABLE
    world.gate.set()
    await asyncio.gather(*asked)
    world.now += FRESH_SECONDS
    world.gate.clear()
    asked = [asyncio.create_task(cache.key("EdDSA", "a")) for _ in range(2)]
    await until(lambda: world.fetches == 2, "it is being fetched again")
    async with asyncio.timeout(5):
        await cache.key("EdDSA", "a")
        assert await code(cache.key("EdDSA", "b")) == ErrorCode.UNAVAILABLE, "it may be in what comes"
    world.gate.set()
    await asyncio.gather(*asked)
