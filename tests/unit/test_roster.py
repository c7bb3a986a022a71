"""Who is connected: a model test."""

import random
from collections import defaultdict

import pytest

from services.gateway.connection import Connection
from services.gateway.roster import Roster
from tests.support.edge import connection
from wire.accounts import Verified
from wire.messages import User


def _of(user: str) -> Connection:
    made, _ = connection()
    made.bearer = Verified(user=User(id=user, display_name=user), session="s", expires_at=0, issued_at=0)
    return made


@pytest.mark.parametrize("seed", range(20))
async def test_it_knows_the_connections_of_each_user(seed: int) -> None:
    """Whoever comes and goes, also twice; and it keeps nothing of those who are gone."""
    rng, roster = random.Random(seed), Roster()
    model: defaultdict[str, set[Connection]] = defaultdict(set)
    everybody = [_of(f"u-{number % 4}") for number in range(12)]
    for _ in range(300):
        one = rng.choice(everybody)
        user = one.bearer.user.id
        if rng.random() < 0.5:
            roster.add(one)
            model[user].add(one)
        else:
            roster.remove(one)
            model[user].discard(one)
        assert set(roster.of(user)) == model[user]
        assert len(roster.of(user)) == len(model[user])
    for one in everybody:
        roster.remove(one)
    assert not roster._users
