"""Sessions: whoever has the newest refresh token goes on, and what has ended has ended everywhere."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from runtime.bus import Bus
from services.auth.passwords import Passwords
from tests.support.auth_world import REFRESH_SECONDS, AuthWorld, auth_world, refused
from tests.support.hashing import cheap_pool
from tests.support.mongo_server import MongoServer
from wire.accounts import ChangePassword, Disconnect, Guest, Login, Logout, Refresh, Register, Session
from wire.control import SessionRevoked, UserRevoked
from wire.errors import ErrorCode
from wire.messages import User
from wire.streams import TOKEN_SECONDS_MOST

ADDRESS = "192.0.2.1"
PASSWORD, NEW = "correct horse", "battery staple"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hashing() -> AsyncIterator[Passwords]:
    """A pool with room."""
    async with cheap_pool(threads=2, queue=30) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def world(bus: Bus, mongo: MongoServer, hashing: Passwords) -> AsyncIterator[AuthWorld]:
    """Nothing stored yet."""
    async with auth_world(bus, mongo, hashing) as made:
        yield made


async def guest(world: AuthWorld) -> Session:
    """Bob's session."""
    return await world.one.accounts.guest(Guest(display_name="Bob", address=ADDRESS))


async def register(world: AuthWorld) -> Session:
    """Ann's first session."""
    wanted = Register(username="ann", password=PASSWORD, display_name="Ann Ä.", address=ADDRESS)
    return await world.one.accounts.register(wanted)


async def login(world: AuthWorld, password: str = PASSWORD) -> Session:
    """Another session of Ann's."""
    return await world.other.accounts.login(Login(username="ann", password=password, address=ADDRESS))


def refresh(world: AuthWorld, session: Session) -> "asyncio.Task[Session]":
    """Going on with it, through the other instance."""
    return asyncio.ensure_future(world.other.sessions.refresh(Refresh(refresh_token=session.refresh_token)))


def logout(world: AuthWorld, session: Session) -> Logout:
    """What a gateway asks for its bearer."""
    bearer = world.verified(session)
    return Logout(user=bearer.user.id, session=bearer.session, expires_at=bearer.expires_at)


def change(session: Session, password: str = PASSWORD, new_password: str = NEW) -> ChangePassword:
    """What a gateway asks for its bearer."""
    return ChangePassword(user=session.user.id, password=password, new_password=new_password, address=ADDRESS)


async def is_over(world: AuthWorld, session: Session) -> bool:
    """Whether nobody goes on with it."""
    error = await refused(refresh(world, session))
    return (error.code, error.message) == (ErrorCode.UNAUTHORIZED, "the refresh token is not valid")


class Held:
    """A method that goes no further than its beginning, or its end, until it is released."""

    def __init__(self, method: Callable[..., Awaitable[Any]], *, after: bool) -> None:
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self._method = method
        self._after = after

    async def __call__(self, *arguments: Any, **more: Any) -> Any:
        """What the method does, and a stop."""
        if self._after:
            result = await self._method(*arguments, **more)
            await self._stop()
            return result
        await self._stop()
        return await self._method(*arguments, **more)

    async def _stop(self) -> None:
        self.reached.set()
        await self.release.wait()


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", [guest, register])
async def test_a_session_goes_on(world: AuthWorld, begin: Callable[[AuthWorld], Awaitable[Session]]) -> None:
    """The same session of the same user, through any instance, with other tokens, again and again."""
    first = await begin(world)
    sessions = [first]
    for _ in range(3):
        sessions.append(await refresh(world, sessions[-1]))
    assert {each.user for each in sessions} == {first.user}
    assert {world.verified(each).session for each in sessions} == {world.verified(first).session}
    assert len({each.refresh_token for each in sessions}) == len({each.access_token for each in sessions}) == 4
    assert all(world.is_good(each) for each in sessions)
    assert len(await world.stored("sessions")) == 1, "however often it went on"


async def test_no_refresh_token_is_stored(world: AuthWorld) -> None:
    """Digests only; and a token has 256 bits that nobody else has, beside 256 that no other session has."""
    session = await guest(world)
    (document,) = await world.stored("sessions")
    family, _, secret = session.refresh_token.partition(".")
    assert len(family) == len(secret) == 43
    assert document["current"] == hashlib.sha256(session.refresh_token.encode()).hexdigest()
    assert document["family"] == hashlib.sha256(family.encode()).hexdigest()
    assert not {family, secret, session.refresh_token} & {str(each) for each in document.values()}


async def test_each_use_gives_a_session_its_whole_life_again(world: AuthWorld) -> None:
    """And who does not use it in time has to sign in, with no other word than for a token that never was."""
    session = await guest(world)
    for _ in range(3):
        world.later += REFRESH_SECONDS - 5
        session = await refresh(world, session)
    world.later += REFRESH_SECONDS + 1
    assert await is_over(world, session)
    assert not world.heard, "nothing of it could still be good"


@pytest.mark.parametrize(
    "token",
    ["", ".", "x", "x.y", "a" * 43 + "." + "b" * 43, "a" * 60_000, "ä.ö", "\0.\0", '{"$gt":""}', ".".join("ab" * 40)],
)
async def test_what_is_no_refresh_token_is_unauthorized(world: AuthWorld, token: str) -> None:
    """In the same words as one that was used."""
    await guest(world)
    error = await refused(world.one.sessions.refresh(Refresh(refresh_token=token)))
    assert (error.code, error.message) == (ErrorCode.UNAUTHORIZED, "the refresh token is not valid")
    assert not world.heard


async def test_an_access_token_is_no_refresh_token(world: AuthWorld) -> None:
    """Neither is the family's part of one, with something else behind it, without ending the session for it."""
    session = await guest(world)
    assert (await refused(world.one.sessions.refresh(Refresh(session.access_token)))).code == ErrorCode.UNAUTHORIZED
    assert await refresh(world, session)


async def test_a_user_is_as_the_session_has_them(world: AuthWorld) -> None:
    """The names that came with the sign-in come with each refresh, and are in its token."""
    session = await register(world)
    assert session.user == User(id=session.user.id, display_name="Ann Ä.", username="ann")
    again = await refresh(world, session)
    assert again.user == world.verified(again).user == session.user


# --- a token that comes again ---------------------------------------------------------------------------------------


async def test_an_old_token_ends_the_session_for_whoever_has_the_new_one(world: AuthWorld) -> None:
    """One of the two has stolen it, and nobody knows which. All gateways hear, and other sessions go on."""
    first, unhurt = await guest(world), await guest(world)
    second = await refresh(world, first)
    assert await is_over(world, first)
    assert not world.is_good(first)
    assert not world.is_good(second)
    assert await is_over(world, second)
    assert world.is_good(await refresh(world, unhurt))


async def test_the_oldest_token_is_known_as_well(world: AuthWorld) -> None:
    """However many came after it."""
    first = newest = await guest(world)
    for _ in range(20):
        newest = await refresh(world, newest)
    assert await is_over(world, first)
    assert await is_over(world, newest)


async def test_of_many_who_come_at_once_one_goes_on_and_not_for_long(world: AuthWorld) -> None:
    """Through two instances; the others are the reuse that ends the session."""
    session = await guest(world)
    token = Refresh(refresh_token=session.refresh_token)
    instances = (world.one, world.other)
    results = await asyncio.gather(
        *(instances[number % 2].sessions.refresh(token) for number in range(20)), return_exceptions=True
    )
    (winner,) = [each for each in results if isinstance(each, Session)]
    assert await is_over(world, winner)
    assert not world.is_good(winner)


async def test_an_old_token_is_announced_once(world: AuthWorld) -> None:
    """Whoever has one cannot make all gateways work by asking again and again."""
    session = await guest(world)
    await refresh(world, session)
    for _ in range(5):
        assert await is_over(world, session)
    assert len(world.heard) == 1


async def test_a_reuse_that_could_not_be_announced_is_by_the_next(world: AuthWorld) -> None:
    """Nobody goes on meanwhile; whoever asks again, with whichever of the tokens, has it announced."""
    first = await guest(world)
    second = await refresh(world, first)
    await world.lose_stream()
    assert (await refused(refresh(world, first))).code == ErrorCode.UNAVAILABLE
    assert (await refused(refresh(world, second))).code == ErrorCode.UNAVAILABLE
    world.heard.clear()
    await world.make_stream()
    assert await is_over(world, second)
    assert not world.is_good(second)


# --- ends -----------------------------------------------------------------------------------------------------------


async def test_logging_out_ends_one_session(world: AuthWorld) -> None:
    """Its tokens are no good any more, whenever they were issued; the user's other sessions go on."""
    first = await register(world)
    unhurt = await login(world)
    second = await refresh(world, first)
    await world.one.sessions.logout(logout(world, first))
    assert not world.is_good(first)
    assert not world.is_good(second)
    assert await is_over(world, second)
    assert world.is_good(await refresh(world, unhurt))


async def test_logging_out_again_announces_it_again(world: AuthWorld) -> None:
    """Whoever could not be told whether it was done asks again."""
    session = await guest(world)
    await world.lose_stream()
    assert (await refused(world.one.sessions.logout(logout(world, session)))).code == ErrorCode.UNAVAILABLE
    world.heard.clear()
    await world.make_stream()
    for number in range(2):
        await world.other.sessions.logout(logout(world, session))
        assert len(world.heard) == number + 1
    assert not world.is_good(session)


async def test_a_session_that_is_not_stored_can_be_ended(world: AuthWorld) -> None:
    """A minted one, or one of another issuer."""
    await world.one.sessions.logout(Logout(user="u-elsewhere", session="s-elsewhere", expires_at=0))
    (heard,) = world.heard
    assert isinstance(heard, SessionRevoked)
    assert (heard.session, heard.user) == ("s-elsewhere", "u-elsewhere")


async def test_the_session_of_another_issuer_stays_ended(world: AuthWorld) -> None:
    """Until no token of it can be good: the issuer may have signed others than the one that was presented."""
    now = int(time.time())
    await world.one.sessions.logout(Logout(user="ex-ann", session="x-1", expires_at=now + 5))
    (heard,) = world.heard
    assert isinstance(heard, SessionRevoked)
    assert heard.until >= now + TOKEN_SECONDS_MOST


async def test_nobody_marks_the_session_of_another_user(world: AuthWorld) -> None:
    """A token of another issuer that names one of our sessions ends nothing that is stored."""
    session = await guest(world)
    await world.one.sessions.logout(Logout(user="x-1", session=world.verified(session).session, expires_at=0))
    assert await refresh(world, session)


async def test_a_disconnected_user_has_no_session_left(world: AuthWorld) -> None:
    """Whatever the number; others do, and the user may sign in again at once."""
    sessions = [await register(world), *[await login(world) for _ in range(3)]]
    unhurt = await guest(world)
    await world.one.sessions.disconnect(Disconnect(user=sessions[0].user.id))
    for each in sessions:
        assert not world.is_good(each)
        assert await is_over(world, each)
    assert world.is_good(await refresh(world, unhurt))
    again = await login(world)
    assert world.is_good(again)
    assert world.is_good(await refresh(world, again))


async def test_a_user_whom_nobody_knows_can_be_disconnected(world: AuthWorld) -> None:
    """Of another issuer: what is announced is all that there is to do."""
    before = int(world.now() * 1000)
    await world.one.sessions.disconnect(Disconnect(user="x-1"))
    (heard,) = world.heard
    assert isinstance(heard, UserRevoked)
    assert heard.user == "x-1"
    assert before <= heard.before <= int(world.now() * 1000)


@pytest.mark.parametrize("is_stored", [False, True])
async def test_who_goes_on_while_being_disconnected_is_out(
    world: AuthWorld, monkeypatch: pytest.MonkeyPatch, *, is_stored: bool
) -> None:
    """Whichever is stored first: the refresh is refused, or the token that comes of it is not good."""
    session = await guest(world)
    held = Held(world.other.store.rotate, after=is_stored)
    monkeypatch.setattr(world.other.store, "rotate", held)
    going_on = refresh(world, session)
    await held.reached.wait()
    await world.one.sessions.disconnect(Disconnect(user=session.user.id))
    held.release.set()
    (result,) = await asyncio.gather(going_on, return_exceptions=True)
    assert isinstance(result, Session) == is_stored
    assert not (isinstance(result, Session) and world.is_good(result))


# --- passwords ------------------------------------------------------------------------------------------------------


async def test_another_password_ends_all_sessions_and_opens_one(world: AuthWorld) -> None:
    """Whose token is good at once, however soon it was issued; the old password is none any more."""
    old = [await register(world), await login(world)]
    new = await world.one.accounts.change_password(change(old[0]))
    assert new.user == old[0].user
    assert world.is_good(new)
    assert world.is_good(await refresh(world, new))
    for each in old:
        assert not world.is_good(each)
        assert await is_over(world, each)
    assert (await refused(login(world))).code == ErrorCode.UNAUTHORIZED
    assert (await login(world, NEW)).user == new.user


async def test_the_present_password_is_asked_for(world: AuthWorld) -> None:
    """Whoever has found an open window changes nothing, and ends nothing. The words do not mean the session."""
    session = await register(world)
    for wrong in ("wrong password", "", "a" * 60_000):
        error = await refused(world.one.accounts.change_password(change(session, wrong)))
        assert (error.code, error.message) == (ErrorCode.FORBIDDEN, "the present password is wrong")
    assert world.is_good(await refresh(world, session))
    assert await login(world)


async def test_a_session_of_the_same_moment_is_good(world: AuthWorld) -> None:
    """However quickly it was opened: on a clock that stands still meanwhile, for a coarse one does."""
    session = await register(world)
    world.tick = 0.5
    for password, new in ((PASSWORD, NEW), (NEW, PASSWORD)):
        changed = await world.one.accounts.change_password(change(session, password, new))
        assert world.is_good(changed)


@pytest.mark.parametrize("new", ["", "a" * 7, "a" * 257])
async def test_a_new_password_is_as_any(world: AuthWorld, new: str) -> None:
    """One that could not be registered is invalid, and nothing has happened."""
    session = await register(world)
    error = await refused(world.one.accounts.change_password(change(session, new_password=new)))
    assert error.code == ErrorCode.INVALID
    assert world.is_good(await refresh(world, session))


async def test_who_has_no_password_changes_none(world: AuthWorld) -> None:
    """A guest."""
    assert (await refused(world.one.accounts.change_password(change(await guest(world))))).code == ErrorCode.FORBIDDEN


async def test_a_change_that_was_cut_off_is_asked_for_again(world: AuthWorld) -> None:
    """The password is stored, and nobody has heard: the same request finishes it, and no other one does."""
    session = await register(world)
    await world.lose_stream()
    assert (await refused(world.one.accounts.change_password(change(session)))).code == ErrorCode.UNAVAILABLE
    world.heard.clear()
    await world.make_stream()
    error = await refused(world.other.accounts.change_password(change(session, PASSWORD, "another one")))
    assert error.code == ErrorCode.FORBIDDEN
    new = await world.other.accounts.change_password(change(session))
    assert world.is_good(new)
    assert not world.is_good(session)
    assert await login(world, NEW)


async def test_of_two_changes_at_once_one_is_made(world: AuthWorld) -> None:
    """The other's present password is not the present one any more."""
    session = await register(world)
    wanted = [change(session, new_password=f"{NEW} {number}") for number in range(4)]
    results = await asyncio.gather(
        *(world.one.accounts.change_password(each) for each in wanted), return_exceptions=True
    )
    (made,) = [number for number, each in enumerate(results) if isinstance(each, Session)]
    assert await login(world, f"{NEW} {made}")


@pytest.mark.parametrize("is_opened", [False, True])
async def test_who_signs_in_with_the_old_password_meanwhile_is_out(
    world: AuthWorld, monkeypatch: pytest.MonkeyPatch, *, is_opened: bool
) -> None:
    """Its check was before the change, and its session, which would have outlived the change, before or after it."""
    session = await register(world)
    held = Held(world.other.sessions.open, after=is_opened)
    monkeypatch.setattr(world.other.sessions, "open", held)
    going_in = asyncio.ensure_future(login(world))
    await held.reached.wait()
    await world.one.accounts.change_password(change(session))
    held.release.set()
    assert (await refused(going_in)).code == ErrorCode.UNAUTHORIZED


# --- what is kept, and without a database ---------------------------------------------------------------------------


async def test_sessions_are_gone_some_time_after_they_have_expired(world: AuthWorld) -> None:
    """MongoDB removes them; nothing that is checked relies on when."""
    await guest(world)
    indexes = await world.mongo["sessions"].index_information()
    assert any(each.get("expireAfterSeconds") == 0 for each in indexes.values())
    (document,) = await world.stored("sessions")
    assert isinstance(document["expires_at"], datetime)
    assert abs(document["expires_at"].timestamp() - world.now() - REFRESH_SECONDS) < 10


async def test_sessions_are_kept_by_a_majority(world: AuthWorld) -> None:
    """Whoever was told that a session has ended is not betrayed by the loss of one server."""
    assert world.one.store._sessions.write_concern.document == {"w": "majority"}
