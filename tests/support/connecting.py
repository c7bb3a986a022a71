"""How a gateway answers a token, told by a bare CONNECT."""

import json
from typing import Any

import aiohttp


async def connect_answer(url: str, token: str) -> dict[str, Any]:
    """The data of the `session` event at the gateway `url`, or `{"code", "message"}` of the refusal."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        await socket.receive_str(timeout=10)
        await socket.send_str(f"40{json.dumps({'token': token})}")
        answer = await socket.receive_str(timeout=10)
        if answer.startswith("44"):
            refusal: dict[str, Any] = json.loads(answer[2:])["data"]
            return refusal
        assert answer.startswith("40")
        name, data = json.loads((await socket.receive_str(timeout=10))[2:])
        assert name == "session"
        told: dict[str, Any] = data
        return told
