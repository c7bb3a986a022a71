"""The official JavaScript client with connection state recovery."""

from typing import Any

from tests.support.clients.official import OfficialClient
from tests.support.clients.parley import JsClient
from tests.support.waiting import until


class RecoveringClient(JsClient):
    """Opted in. Joins nothing by itself."""

    def __init__(self, url: str, token: str, *, transport: str = "websocket", **auth: Any) -> None:
        OfficialClient.__init__(self, url, auth={"token": token, "recover": True, **auth}, transports=[transport])

    def of(self, name: str) -> list[Any]:
        """The payloads of event `name` so far, whatever else it carried."""
        return [args[0] for args in self.heard(name)]

    @property
    def bodies(self) -> list[str]:
        """Of all messages so far, of whatever room."""
        return [each["body"] for each in self.of("message")]

    @property
    def offsets(self) -> list[str]:
        """The last arguments of all messages so far."""
        return [args[1] for args in self.heard("message")]

    @property
    def pid(self) -> str:
        """The newest."""
        return str(self.happened("connect")[-1]["pid"])

    async def came_back(self, *, times: int = 1) -> bool:
        """Wait until it has connected again so many times; whether it was recovered the last time."""
        await self.is_connected(times=1 + times)
        await until(lambda: len(self.of("session")) == 1 + times, "the session event")
        return bool(self.happened("connect")[-1]["recovered"])
