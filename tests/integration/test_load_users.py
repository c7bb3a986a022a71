"""The load tests' users on a real stack: what they time, what they count, and that the checker believes them."""

import asyncio
from pathlib import Path

from checker.judge import judge
from checker.report import text
from deploy.local.ports import HOST
from loadtests import kinds
from loadtests.facts import Facts
from tests.support.playing import Playing, playing, read_histories
from tests.support.stacks import TestStack

ALL = {"chat": 5, "lurker": 2, "storm": 2, "dashboard": 3, "browser": 3}
COUNT = sum(ALL.values())
ROOMS = 2


async def _keeps_the_promise(stack: TestStack, playing: Playing) -> Facts:
    """The facts, whose account is good."""
    facts = await playing.finish()
    await read_histories(facts.account, stack.gateway_urls[0], await stack.token())
    verdict = judge(facts.account)
    assert verdict.holds, text(verdict)
    assert facts.settled
    assert facts.crashes == []
    assert facts.invalid == []
    return facts


def _has_all(seen: dict, kinds: tuple[str, ...], least: int) -> bool:  # type: ignore[type-arg]
    return all(seen["succeeded"].get(kind, 0) >= least for kind in kinds)


async def test_every_kind_is_played_and_timed(stack: TestStack, tmp_path: Path) -> None:
    """With reconnects on purpose, and users who vanish; none of that is a drop, a failure, or a loss."""
    tokens = await stack.mint(COUNT)
    async with playing(stack.gateway_urls, tokens, tmp_path, ALL) as users:
        await users.until(lambda seen: _has_all(seen, kinds.KINDS, 1), "each kind of request", seconds=120)
        facts = await _keeps_the_promise(stack, users)
    line = facts.timeline
    failures = {kind: line.total(kind).failures for kind in line.kinds()}
    assert not any(failures.values()), failures
    assert line.counted(kinds.DROPS) == 0
    assert line.counted(kinds.UNTIMED) == 0
    assert line.counted(kinds.EVENTS_SENT) > 0
    # Three dashboards in one room: each event is heard by two, but for those who came later.
    assert line.total(kinds.EVENT).succeeded <= 2 * line.counted(kinds.EVENTS_SENT)
    received = sum(len(stay.received) for stay in facts.account.stays)
    assert line.counted(kinds.DELIVERIES) == received >= line.total(kinds.DELIVERY).succeeded
    assert line.total(kinds.MESSAGE).succeeded == len(facts.account.acknowledged)
    assert set(facts.gateways) == {"gateway-1", "gateway-2"}
    assert sum(facts.gateways.values()) == sum(
        line.total(kind).succeeded for kind in (kinds.CONNECT, kinds.CONNECT_UPGRADED)
    )
    fast, whole = (line.total(kind).percentile(0.5) for kind in (kinds.CONNECT, kinds.RECONNECT))
    assert fast is not None
    assert whole is not None
    assert 0 < fast < whole, "a reconnect has a pause in it"
    (generator,) = facts.generators
    assert len(generator.usage) >= 3
    assert any(each.lag_seconds for each in generator.usage)
    assert max(second.levels.get(kinds.CONNECTED, 0) for second in line.seconds.values()) == COUNT
    numbers = sorted(line.seconds)
    assert all(kinds.USERS in line.seconds[number].levels for number in numbers[1:-1]), "no second without"


async def test_a_gateway_that_is_killed_loses_nothing(own_stack: TestStack, tmp_path: Path) -> None:
    """Its connections are drops; their users are back by themselves, resume, and are timed from the loss on."""
    users = {"chat": 6, "lurker": 2, "browser": 2}
    tokens = await own_stack.mint(10)
    async with playing(own_stack.gateway_urls, tokens, tmp_path, users, rooms=ROOMS) as playing_users:
        await playing_users.until(lambda seen: seen["succeeded"].get(kinds.MESSAGE, 0) > 20, "a chat")
        await own_stack.children["gateway-1"].kill()
        # Of five: some may be reconnecting on purpose just now.
        await playing_users.until(lambda seen: seen["counts"].get(kinds.DROPS, 0) >= 2, "drops")
        await playing_users.until(lambda seen: seen["connected"] == 10, "all with the other gateway")
        await own_stack.children["gateway-1"].start()
        await own_stack.ready("gateway-1")
        said = playing_users.seen["succeeded"][kinds.MESSAGE]
        await playing_users.until(lambda seen: seen["succeeded"][kinds.MESSAGE] > said + 20, "more chat")
        facts = await _keeps_the_promise(own_stack, playing_users)
    line = facts.timeline
    assert line.total(kinds.RECONNECT).succeeded >= 2
    assert line.total(kinds.RESUME).succeeded >= ROOMS * line.total(kinds.RECONNECT).succeeded
    assert line.total(kinds.CONNECT).failures.keys() <= {kinds.UNREACHABLE, kinds.DISCONNECTED}
    assert any(not stay.lasted for stay in facts.account.stays)


async def test_a_gateway_that_says_it_ends_is_left_for_another_at_once(own_stack: TestStack, tmp_path: Path) -> None:
    """Nobody knocks at its door again: a rolling restart is no failure of anything, but drops and reconnects."""
    tokens = await own_stack.mint(6)
    async with playing(own_stack.gateway_urls, tokens, tmp_path, {"lurker": 6}) as users:
        await users.until(lambda seen: seen["connected"] == 6, "all")
        await own_stack.children["gateway-1"].stop()
        await users.until(lambda seen: seen["succeeded"].get(kinds.RECONNECT, 0) == 3, "half of them elsewhere")
        assert users.seen["connected"] == 6
        assert users.seen["counts"][kinds.DROPS] == 3
        assert users.seen["failures"] == {}


async def test_all_are_dropped_at_once_and_come_back(stack: TestStack, tmp_path: Path) -> None:
    """A reconnect storm is told by the conductor: none of it is a drop, all of it is timed."""
    users = {"chat": 6, "lurker": 4}
    async with playing(stack.gateway_urls, await stack.mint(10), tmp_path, users) as playing_users:
        await playing_users.until(lambda seen: seen["connected"] == 10, "all")
        await playing_users.until(lambda seen: seen["succeeded"].get(kinds.MESSAGE, 0) > 10, "a chat")
        before = playing_users.seen["succeeded"].get(kinds.RECONNECT, 0)
        await playing_users.say("drop")
        await playing_users.until(lambda seen: seen["succeeded"].get(kinds.RECONNECT, 0) >= before + 10, "all back")
        facts = await _keeps_the_promise(stack, playing_users)
    assert facts.timeline.counted(kinds.DROPS) == 0


async def test_a_refused_connection_fails_with_the_servers_code(stack: TestStack, tmp_path: Path) -> None:
    """Whichever way it was to be made; and where nobody listens, it says that."""
    for url, code in ((stack.gateway_urls[0], "unauthorized"), (f"http://{HOST}:1", kinds.UNREACHABLE)):
        async with playing([url], ["no token"], tmp_path, {"chat": 1, "browser": 1}) as users:
            await users.until(
                lambda seen: seen["failures"].keys() == {kinds.CONNECT, kinds.CONNECT_UPGRADED}, "refusals"
            )
            codes = {code for failures in users.seen["failures"].values() for code in failures}
            assert codes == {code}
            assert users.seen["connected"] == 0


async def test_a_lack_of_files_is_told_as_such(stack: TestStack, tmp_path: Path) -> None:
    """By users of either kind, whichever library hides it: it makes a run invalid."""
    users = {"chat": 20, "browser": 20}
    tokens = await stack.mint(40)
    async with playing(stack.gateway_urls, tokens, tmp_path, users, files=20) as playing_users:
        await playing_users.until(
            lambda seen: all(
                kinds.NO_FILES in seen["failures"].get(kind, {}) for kind in (kinds.CONNECT, kinds.CONNECT_UPGRADED)
            ),
            "no files",
        )
        assert playing_users.seen["connected"] > 0
        await asyncio.wait_for(playing_users.finish(), 60)
