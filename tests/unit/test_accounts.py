"""Accounts: who may be called how, and what a sign-in gives away."""

from collections.abc import AsyncIterator
from typing import cast

import jwt
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.bus import Bus
from services.auth import database
from services.auth.accounts import Accounts, display_name
from services.auth.passwords import Passwords
from tests.support.auth_world import AuthWorld, auth_world, refused
from tests.support.hashing import Counting, cheap_pool
from tests.support.mongo_server import MongoServer
from wire.accounts import Guest, Login, Register, Session
from wire.errors import ErrorCode, ParleyError

PASSWORD = "correct horse"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hashing() -> AsyncIterator[Passwords]:
    """A real pool, which counts."""
    async with cheap_pool(threads=1, queue=8) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def world(bus: Bus, mongo: MongoServer, hashing: Passwords) -> AsyncIterator[AuthWorld]:
    """No accounts yet."""
    async with auth_world(bus, mongo, hashing) as made:
        yield made


@pytest.fixture
def accounts(world: AuthWorld) -> Accounts:
    """One instance's."""
    return world.one.accounts


def ann(username: str = "ann", password: str = PASSWORD, display: str | None = None) -> Register:
    """Ann's wish for an account."""
    return Register(username=username, password=password, display_name=display, address="192.0.2.1")


async def test_an_account_can_sign_in(accounts: Accounts, world: AuthWorld) -> None:
    """Registering and signing in open different sessions of the same user; the password itself is kept nowhere."""
    made = await accounts.register(ann(display="Ann Ä."))
    again = await accounts.login(Login(username="ann", password=PASSWORD, address="192.0.2.1"))
    assert made.user == again.user
    assert (made.user.username, made.user.display_name) == ("ann", "Ann Ä.")
    one, other = (world.verified(each) for each in (made, again))
    assert one.user == other.user == made.user
    assert one.session != other.session
    assert PASSWORD not in repr(await world.stored("users"))


async def test_a_session_says_how_long_it_lasts(world: AuthWorld, accounts: Accounts) -> None:
    """`expires_in` is the lifetime of the token that comes with it."""
    session = await accounts.guest(Guest(display_name="Bob", address="192.0.2.1"))
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    assert session.expires_in == world.tokens.lifetime
    assert session.expires_in - 1 < claims["exp"] - claims["iat"] <= session.expires_in


async def test_guests_have_a_name_and_nothing_else(accounts: Accounts, world: AuthWorld) -> None:
    """Two guests of one name are two users; neither has a username or an account."""
    sessions: list[Session] = [await accounts.guest(Guest(display_name="Bob", address="192.0.2.1")) for _ in range(2)]
    assert sessions[0].user.id != sessions[1].user.id
    assert {each.user.username for each in sessions} == {None}
    assert not await world.stored("users")


async def test_whoever_has_a_session_is_in_the_directory(accounts: Accounts, world: AuthWorld) -> None:
    """Guests, new accounts, and those who sign in again, also if the directory was lost meanwhile."""

    async def people() -> set[str]:
        return {each["_id"] for each in await world.stored("people")}

    guest = await accounts.guest(Guest(display_name="Bob", address="192.0.2.1"))
    made = await accounts.register(ann())
    assert await people() == {guest.user.id, made.user.id}
    await world.mongo["people"].delete_many({})
    await accounts.login(Login(username="ann", password=PASSWORD, address="192.0.2.1"))
    assert await people() == {made.user.id}


async def test_guests_can_be_kept_out(hashing: Passwords, world: AuthWorld) -> None:
    """Where guests are not allowed, no name lets one in."""
    one = world.one
    closed = Accounts(one.account_store, hashing, one.sessions, one.attempts, allow_guests=False)
    assert (await refused(closed.guest(Guest(display_name="Bob", address="192.0.2.1")))).code == ErrorCode.FORBIDDEN


@pytest.mark.parametrize("username", ["ab", "a.b-c_d", "9lives", "A" * 32])
async def test_usernames_that_are_allowed(accounts: Accounts, username: str) -> None:
    """2 to 32 letters, digits, dots, dashes and underscores; without a display name, it is the one shown."""
    assert (await accounts.register(ann(username))).user.display_name == username


@pytest.mark.parametrize(
    "username",
    [
        "",
        "a",
        "a" * 33,
        ".ab",
        "-ab",
        "_ab",
        "a b",
        "ab\n",
        "\nab",
        "änn",
        "\u0430nn",
        "a/b",
        "a@b",
        "a\0b",
        "ann\u202e",
    ],
)
async def test_usernames_that_are_not(accounts: Accounts, world: AuthWorld, username: str) -> None:
    """Others are invalid, look-alikes from other scripts among them, and nothing is stored."""
    assert (await refused(accounts.register(ann(username)))).code == ErrorCode.INVALID
    assert not await world.stored("users")


@pytest.mark.parametrize("password", ["", "a" * 7, "a" * 257, "a" * 60_000])
async def test_passwords_have_a_length(accounts: Accounts, world: AuthWorld, password: str) -> None:
    """Neither guessed quickly nor hashed for ever; the error does not repeat it."""
    error = await refused(accounts.register(ann(password=password)))
    assert error.code == ErrorCode.INVALID
    assert not password or password not in error.message
    assert not await world.stored("users")


@pytest.mark.parametrize("password", ["a" * 8, "a" * 256, "ä" * 256])
async def test_the_bounds_of_a_password_are_allowed(accounts: Accounts, password: str) -> None:
    """Counted in characters, and good for signing in."""
    await accounts.register(ann(password=password))
    await accounts.login(Login(username="ann", password=password, address="192.0.2.1"))


async def test_a_taken_username_is_taken_in_any_case(accounts: Accounts, world: AuthWorld) -> None:
    """`Ann` cannot pose as `ann`; the account that was there first is untouched, and either spelling signs in."""
    first = await accounts.register(ann())
    error = await refused(accounts.register(ann("ANN", "another password")))
    assert error.code == ErrorCode.INVALID
    assert "taken" in error.message
    assert [each["_id"] for each in await world.stored("users")] == [first.user.id]
    assert (await accounts.login(Login(username="aNN", password=PASSWORD, address="192.0.2.1"))).user == first.user


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ann", "wrong password"),
        ("ann", ""),
        ("ann", PASSWORD + " "),
        ("ann", PASSWORD.upper()),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("ann\n", PASSWORD),
        ("no such name!", PASSWORD),
        ("a" * 10_000, PASSWORD),
        ("ann", "a" * 60_000),
        ("nobody", "no account has this password"),
    ],
)
async def test_a_failed_sign_in_does_not_say_why(
    accounts: Accounts, hashing: Passwords, username: str, password: str
) -> None:
    """An unknown user, an impossible one and a wrong password answer alike, after exactly one real check each."""
    await accounts.register(ann())
    hasher = cast("Counting", hashing._hasher)
    before = hasher.checks
    error = await refused(accounts.login(Login(username=username, password=password, address="192.0.2.1")))
    assert (error.code, error.message, error.retry_after) == (
        ErrorCode.UNAUTHORIZED,
        "wrong username or password",
        None,
    )
    assert hasher.checks == before + 1


async def test_the_end_of_a_long_password_counts(accounts: Accounts) -> None:
    """A password that is too long is wrong, also when its beginning is the right one."""
    await accounts.register(ann(password="a" * 256))
    await accounts.login(Login(username="ann", password="a" * 256, address="192.0.2.1"))
    error = await refused(accounts.login(Login(username="ann", password="a" * 257, address="192.0.2.1")))
    assert error.code == ErrorCode.UNAUTHORIZED


# --- display names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ann", "Ann"),
        ("  Ann \t", "Ann"),
        ("\u3000Ann\u00a0", "Ann"),
        ("A\u0308nn", "Änn"),
        ("李 明", "李 明"),
        ("🙂", "🙂"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("x" * 64, "x" * 64),
        ("a\u0300" * 64, "à" * 64),
    ],
)
def test_display_names_are_shown_composed_and_trimmed(text: str, shown: str) -> None:
    """Any script and emoji; NFC, so that what looks the same is the same; 64 characters after that."""
    assert display_name(text) == shown


@pytest.mark.parametrize(
    "character",
    [
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
        *"\0\n\r\t\x1b\x7f\x85\u2028\u2029\ufeff\u200b\u00ad\ud800",
    ],
    ids=lambda each: f"U+{ord(each):04X}",
)
def test_invisible_controls_are_refused(character: str) -> None:
    """Bidirectional controls, line breaks, terminal escapes and zero widths: one name cannot look like another."""
    with pytest.raises(ParleyError) as caught:
        display_name(f"An{character}n")
    assert caught.value.code == ErrorCode.INVALID


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000", "x" * 65, "x" * 60_000])
def test_a_display_name_has_1_to_64_characters(text: str) -> None:
    """White space is none."""
    with pytest.raises(ParleyError) as caught:
        display_name(text)
    assert caught.value.code == ErrorCode.INVALID


@settings(deadline=None)
@given(st.text(st.characters(), max_size=70))
def test_a_shown_name_is_shown_again_as_it_is(text: str) -> None:
    """Whatever comes in, the result is refused as invalid or needs no more cleaning."""
    try:
        shown = display_name(text)
    except ParleyError as error:
        assert error.code == ErrorCode.INVALID  # noqa: PT017 - it may or may not be refused
    else:
        assert display_name(shown) == shown
        assert 1 <= len(shown) <= 64
        assert shown.isprintable() or any(not each.isprintable() for each in text)


@pytest.mark.parametrize("text", ["👩\u200d🔬", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "क्\u200dष"])
def test_joiners_within_words_are_no_controls(text: str) -> None:
    """An emoji of a scientist and ordinary Persian or Hindi spelling need U+200C and U+200D."""
    assert display_name(text) == text


@pytest.mark.parametrize("text", ["\u3164", "\u2800", "\u115f\u1160", "\u034f"], ids=ascii)
def test_a_name_can_be_seen(text: str) -> None:
    """A name of nothing but blank letters is empty to all who read it."""
    with pytest.raises(ParleyError):
        display_name(text)


async def test_an_account_is_kept_by_a_majority(world: AuthWorld) -> None:
    """Who was told that the account is made can sign in after the database's first server is lost."""
    assert world.one.account_store._users.write_concern.document == {"w": "majority"}


def test_a_url_may_not_say_otherwise() -> None:
    """Whatever is written there."""
    with database.connected("mongodb://127.0.0.1:1/?w=1", "parley") as unreached:
        assert database.majority(unreached, "users").write_concern.document == {"w": "majority"}
