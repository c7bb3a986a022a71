"""The life of a connection: how it begins, and all the ways in which it ends."""

import json

import aiohttp


class Life:
    """A connection of a guest, over a bare WebSocket: nothing happens that is not here."""

    def __init__(self, http: aiohttp.ClientSession, token: str) -> None:
        self.http = http
        self.token = token
        self.id = ""

    async def begin(self) -> None:
        """Connect, and be in a room."""
        self.socket = await self.http.ws_connect("/socket.io/?EIO=4&transport=websocket")
        self.id = await self.connect()
        await self.socket.send_str('421["join",{"room":"lives"}]')
        await self._until("431")

    async def connect(self) -> str:
        """Connect within the session; returns the connection's id."""
        await self.socket.send_str(f'40{{"token":"{self.token}"}}')
        return str(json.loads((await self._until("40"))[2:])["sid"])

    async def _until(self, beginning: str) -> str:
        while not (packet := str((await self.socket.receive(timeout=15)).data)).startswith(beginning):
            assert not self.socket.closed
        return packet

    async def close(self) -> None:
        """Close the WebSocket."""
        await self.socket.close()

    async def disconnect(self) -> None:
        """Say farewell, as the JavaScript client does."""
        await self.socket.send_str("41")

    async def end(self) -> None:
        """Close the session, as Engine.IO has it."""
        await self.socket.send_str("1")

    async def babble(self) -> None:
        """Send what is no packet."""
        await self.socket.send_str("x")

    async def sign_out(self) -> None:
        """End the session of its user."""
        async with self.http.post("/api/logout", headers={"Authorization": f"Bearer {self.token}"}) as response:
            assert response.status == 204

    async def wait(self) -> None:
        """Do nothing: its token expires."""
