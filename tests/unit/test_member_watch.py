"""Answers about membership that are out of date before they are used."""

import asyncio

from services.gateway.member_watch import MemberWatch
from services.gateway.replies import Done
from wire.control import MembersChanged

REMOVED = MembersChanged(room="g-1", removed=("u-ann",), reason="removed")


def test_whoever_is_removed_while_they_are_asked_about_is_noticed() -> None:
    """They alone, from that room alone, and only meanwhile."""
    watch = MemberWatch()
    watch.note(REMOVED)
    with (
        watch.of("u-ann", ["g-1", "g-2"]) as ann,
        watch.of("u-ann", ["g-2"]) as elsewhere,
        watch.of("u-bob", ["g-1"]) as bob,
    ):
        assert not ann.is_over
        watch.note(MembersChanged(room="g-1", added=("u-ann",)))
        assert not ann.is_over
        watch.note(REMOVED)
        assert [each.is_over for each in (ann, elsewhere, bob)] == [True, False, False]
    assert not watch._visits


async def test_their_entering_is_cancelled() -> None:
    """However far it has come."""
    watch = MemberWatch()

    async def enter() -> Done:
        await asyncio.Event().wait()
        return Done()

    with watch.of("u-ann", ["g-1"]) as visit:
        visit.entering = asyncio.create_task(enter())
        await asyncio.sleep(0)
        watch.note(REMOVED)
        await asyncio.wait({visit.entering})
        assert visit.entering.cancelled()
