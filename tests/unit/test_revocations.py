"""Which tokens are no good any more."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import revocations
from services.gateway.revocations import Revocations
from wire import streams
from wire.accounts import Verified
from wire.control import SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

USERS = st.sampled_from(["u-ann", "u-bob"])
SESSIONS = st.sampled_from(["s-1", "s-2", "s-3"])
MOMENTS = st.integers(0, 100)
NOW = 1_000_000


def bearer(user: str, session: str, issued_at: int) -> Verified:
    """Of a token."""
    return Verified(user=User(id=user, display_name=user), session=session, expires_at=NOW, issued_at=issued_at)


@given(
    sessions=st.lists(st.builds(SessionRevoked, session=SESSIONS, user=USERS, until=st.just(2 * NOW))),
    users=st.lists(st.builds(UserRevoked, user=USERS, before=MOMENTS)),
    tokens=st.lists(st.builds(bearer, USERS, SESSIONS, MOMENTS)),
)
def test_a_token_is_hit_by_its_session_or_by_its_user(
    sessions: list[SessionRevoked], users: list[UserRevoked], tokens: list[Verified]
) -> None:
    """In whatever order they are told, and however often."""
    table = Revocations(lambda: NOW)
    told: list[SessionRevoked | UserRevoked] = [*sessions, *users, *reversed(sessions), *reversed(users)]
    for each in told:
        table.add(each)
    for token in tokens:
        by_session = any(each.session == token.session for each in sessions)
        by_user = any(each.user == token.user.id and token.issued_at <= each.before for each in users)
        assert table.hit(token) == (by_session or by_user)
        if table.hit(token):
            with pytest.raises(ParleyError) as refused:
                table.check(token)
            assert refused.value.code is ErrorCode.UNAUTHORIZED
        else:
            table.check(token)


def test_another_issuers_clock_may_be_ahead() -> None:
    """By as much as its tokens are taken for good: none that was issued before the moment survives it."""
    table = Revocations(lambda: NOW)
    table.add(UserRevoked(user="u-ann", before=100_000))
    assert table.hit(bearer("u-ann", "x-1", 110_000))
    assert not table.hit(bearer("u-ann", "x-1", 110_001))
    assert not table.hit(bearer("u-ann", "s-1", 100_001))


def test_what_does_not_matter_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that does."""
    monkeypatch.setattr(revocations, "_FORGET_EVERY", 10)
    clock = [time.time()]
    table = Revocations(lambda: clock[0])
    for number in range(100):
        clock[0] += 60
        table.add(SessionRevoked(session=f"s-{number}", user="u-ann", until=int(clock[0]) + 600))
        assert table.hit(bearer("u-bob", f"s-{number}", 0))
        assert len(table) <= 10 + 10 + 1
    table.add(UserRevoked(user="u-cleo", before=int(clock[0] * 1000)))
    clock[0] += streams.TOKEN_SECONDS_MOST - 1
    for number in range(20):
        table.add(SessionRevoked(session=f"later-{number}", user="u-ann", until=int(clock[0]) + 600))
    assert table.hit(bearer("u-cleo", "s-x", 0))
    clock[0] += 2000
    for number in range(20):
        table.add(SessionRevoked(session=f"last-{number}", user="u-ann", until=int(clock[0]) + 600))
    assert not table.hit(bearer("u-cleo", "s-x", 0))
