"""Sessions that strangers have by right, whose tokens they then put where they do not belong."""

import json
from typing import NamedTuple

from tests.abuse.stranger import Stranger


class Account(NamedTuple):
    """A session of somebody: the id of the user, and both tokens."""

    user: str
    access: str
    refresh: str


async def signed_in(stranger: Stranger) -> Account:
    """A new guest."""
    answer = await stranger.ask("POST", "/api/guest", {"display_name": "Ann"})
    return given(stranger, answer.body)


def given(stranger: Stranger, body: bytes) -> Account:
    """What an answer of the API says of a session; its tokens are secrets from now on."""
    told = json.loads(body)
    access, refresh = stranger.keep_secret(told["access_token"]), stranger.keep_secret(told["refresh_token"])
    return Account(told["user"]["id"], access, refresh)
