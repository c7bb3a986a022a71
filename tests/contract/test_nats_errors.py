"""What the NATS client reports is counted: under a fixed set of words, and what it let go besides."""

import asyncio

import pytest
from nats.errors import SlowConsumerError

from runtime import metrics
from runtime.nats_errors import KINDS, NatsErrors
from tests.support.nats_server import connected, nats_server
from tests.support.waiting import until

_PUBLISHED = 20


def _errors(kind: str) -> float:
    return float(metrics.nats_errors.labels(kind=kind)._value.get())


def _let_go() -> float:
    return float(metrics.nats_slow_consumers._value.get())


async def test_what_was_let_go_for_want_of_a_reader_is_counted() -> None:
    """A subscription of nats-py's has a queue: what finds it full is gone, and each of it is told."""
    go_on = asyncio.Event()
    handled: list[bytes] = []

    async def handle(_message: object) -> None:
        await go_on.wait()
        handled.append(b"")

    async with nats_server() as server, connected(server.url) as bus:
        before, errors = _let_go(), _errors(SlowConsumerError.__name__)
        await bus.client.subscribe("slow", cb=handle, pending_msgs_limit=4)
        for _ in range(_PUBLISHED):
            bus.publish("slow", b"x")
        await until(lambda: _let_go() > before, "something to be let go")
        assert await bus.round_trip(5)
        gone = _let_go() - before
        assert _errors(SlowConsumerError.__name__) - errors == gone
        go_on.set()
        await until(lambda: len(handled) + gone == _PUBLISHED, "the others to be handled")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Exception("nats: 'Authorization Violation'"), "AuthorizationViolation"),
        (Exception("nats: permissions violation for publish to x"), "PermissionsViolation"),
        (ConnectionRefusedError(), "ConnectionRefusedError"),
        (type("Invented", (Exception,), {})(), "other"),
    ],
)
async def test_errors_are_counted_under_a_few_words(error: Exception, kind: str) -> None:
    """Whatever a library may think of is one of them."""
    before = _errors(kind)
    await NatsErrors([]).add(error)
    assert _errors(kind) == before + 1
    assert kind in {*KINDS, "other"}


def test_what_a_callback_raised_is_counted_as_that() -> None:
    """By no name of an exception of ours."""
    before = _errors("callback")
    NatsErrors([]).note(KeyError("x"))
    assert _errors("callback") == before + 1
