"""docs/openapi.yaml and docs/asyncapi.yaml are what a running system does: all of it is seen, and no more."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import pytest_asyncio

from tests.support.backends import create
from tests.support.described import conversation, refusals, routes
from tests.support.described.events import DescribedEvents
from tests.support.described.http import DescribedHttp, Seen
from tests.support.described.routes import Bearer
from tests.support.described.wiretap import DescribedSubjects, Heard, TappedStack
from tests.support.waiting import until

BUNDLE: Final = Path(__file__).parents[2] / "web" / "vendor" / "socket.io.esm.min.js"
TOKEN_SECONDS: Final = 20
"""It is said to expire after three quarters of it."""
NARROW: Final = {
    "CONNECTIONS_MOST": "1",
    "CONNECTIONS_PER_ADDRESS_MOST": "1",
    "HTTP_CONNECTIONS_MOST": "3",
    "PRESENCE_BATCH_ABOVE": "1",
    "DOCS": "false",
    "DRAIN_SECONDS": "1",
}
"""The second gateway: it is soon full, and has neither page nor documents."""
DEFECT: Final = "internal is a defect of ours, and none is known"
NEVER_SEEN: Final = {
    Seen("POST /api/guest", 403, "application/problem+json"): "the stack admits guests; tests/unit/test_accounts.py",
}
NEVER_HEARD: Final = {
    "nats.JS.ACK.MESSAGES.history.place": "nats-server lets nobody but itself hear that",
    "nats.refused": "how a refusal looks is the same of every question; some are heard",
}


pytestmark = pytest.mark.timeout(300)


class Drive(NamedTuple):
    """What was seen of one stack."""

    http: DescribedHttp
    events: DescribedEvents
    heard: list[Heard]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drive(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Drive]:
    """Every route and every event of a stack, used and refused."""
    data, nothing = tmp_path_factory.mktemp("stack"), tmp_path_factory.mktemp("no-page")
    own = {"auth": {"GROUPS_PER_USER_MOST": "1"}, "gateway-2": {**NARROW, "WEB_DIR": str(nothing)}}
    http, events = DescribedHttp(), DescribedEvents()
    async with TappedStack(data, own_environ=own) as stack, stack.tapped() as heard:
        one, two = (Bearer(http, url) for url in stack.gateway_urls)
        backend = Bearer(http, one.url, await create(stack, "backend", "publish,notify,disconnect"))
        other_backend = Bearer(http, one.url, await create(stack, "notifier", "notify"))
        tokens = {"user": (await routes.guest(one)).token, "service": backend.token}
        (short,) = await stack.mint(1, seconds=TOKEN_SECONDS)
        await asyncio.gather(
            conversation.expiring(events, one.url, short),
            refusals.halves(http, one.url, tokens, one.url + await routes.polling(one)),
            _quick(stack, one, two, backend, other_backend, events),
        )
        await _ends(stack, one, two, events)
        yield Drive(http, events, heard)


async def _quick(
    stack: TappedStack, one: Bearer, two: Bearer, backend: Bearer, other_backend: Bearer, events: DescribedEvents
) -> None:
    http = one.http
    silent = Bearer(http, one.url, await create(stack, "silent", "disconnect"))
    await routes.engineio(one)
    await routes.sessions(one, backend, other_backend)
    await routes.rooms(one)
    await routes.messages(one, backend, other_backend)
    await routes.notifications(one, backend, silent)
    await routes.pages(one, two)
    await routes.admin(Bearer(http, stack.admin_url("gateway-1")))
    await refusals.malformed(http, one.url)
    await refusals.too_large(http, one.url, {"user": (await routes.guest(one)).token, "service": backend.token})
    await refusals.crowded(http, two.url)
    await conversation.connecting(events, one.url, (await routes.guest(one)).token)
    await conversation.talking(events, one)
    await conversation.membership(events, one)
    await conversation.notified(events, one, backend)


async def _ends(stack: TappedStack, one: Bearer, two: Bearer, events: DescribedEvents) -> None:
    """A gateway that is full, and then drains; and one without NATS."""
    name = "GET /socket.io/"

    async def full() -> None:
        for address, status in (("127.0.0.1", 429), ("127.0.0.2", 503)):
            answer = await two.http.ask(name, two.url + refusals.path_of(name), address=address)
            assert answer.status == status
        stack.children["gateway-2"].send_signal(signal.SIGTERM)

    await conversation.large_room(events, one, two, full)
    await stack.children["gateway-2"].ended()
    await stack.children["nats"].kill()
    admin = Bearer(one.http, stack.admin_url("gateway-1"))

    async def unready() -> bool:
        return (await admin.http.ask("GET /readyz", f"{admin.url}/readyz")).status == 503

    await until(unready, "a gateway that is not ready")


def test_every_route_answers_as_described(drive: Drive) -> None:
    """Each with each of its statuses and kinds of bodies. What is not described fails the drive."""
    unseen = {each for each in drive.http.described() - drive.http.seen if each.status != 500}
    if not BUNDLE.is_file():
        unseen.discard(Seen("GET /", 200, "text/html"))
    assert unseen == set(NEVER_SEEN), DEFECT


def test_every_event_is_acknowledged_as_described(drive: Drive) -> None:
    """Each, good and refused; and every event that clients are sent was, in each of its shapes."""
    assert drive.events.described() - drive.events.seen == set()


def test_everything_on_nats_is_as_described(drive: Drive) -> None:
    """Each message was on a subject that is described, and valid; each that is described was heard."""
    subjects = DescribedSubjects(drive.heard)
    for each in drive.heard:
        subjects.check(each)
    unheard = {each for each in subjects.described() - subjects.seen if each[1] not in NEVER_HEARD}
    assert unheard == set()
    assert any(message == "nats.refused" for _, message in subjects.seen)
