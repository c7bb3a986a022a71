"""A member of a room that reads every packet, and speaks."""

from collections.abc import Callable

from loadtests.bench.audience import Audience
from loadtests.bench.frames import MARK
from loadtests.light.client import Client
from loadtests.light.connection import OnLost

OnMessage = Callable[[bytes], None]


class Talker(Client):
    """Hears every message that holds a `MARK`, and hands it on."""

    __slots__ = ("audience", "heard", "on_message")

    def __init__(self, request: bytes, greeting: bytes | None, on_lost: OnLost) -> None:
        super().__init__(request, greeting, on_lost)
        self.audience: Audience | None = None
        self.heard = 0
        self.on_message: OnMessage | None = None

    def on_event(self, packet: bytes) -> None:
        """See `Client`."""
        if MARK in packet:
            self.heard += 1
            if self.audience is not None:
                self.audience.moved(self.heard - 1, self.heard)
            if self.on_message is not None:
                self.on_message(packet)
