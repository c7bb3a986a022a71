"""A private conversation: whoever opens it, two people have one room, and nobody else is let in."""

import asyncio
import os
import uuid
from typing import Any

import aiohttp
import socketio

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")


async def post(path: str, body: dict[str, Any], token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(URL, headers=headers) as http, http.post(path, json=body) as reply:
        return await reply.json()


class Person:
    async def sign_in(self, name: str) -> "Person":
        session = await post("/api/guest", {"display_name": name})
        self.id, self.token = session["user"]["id"], session["access_token"]
        self.client = socketio.AsyncClient()
        await self.client.connect(URL, auth={"token": self.token})
        return self

    def what_is_said(self, author: "Person") -> asyncio.Future[str]:
        said = asyncio.get_running_loop().create_future()

        @self.client.on("message")  # type: ignore[untyped-decorator]
        def hear(message: dict[str, Any]) -> None:
            if message["from"]["id"] == author.id:
                said.set_result(message["body"])

        return said


async def main() -> None:
    ann, bob, carol = [await Person().sign_in(name) for name in ("Ann", "Bob", "Carol")]
    room = (await post("/api/direct", {"user": bob.id}, ann.token))["room"]
    again = (await post("/api/direct", {"user": ann.id}, bob.token))["room"]
    print("one room for both:", "yes" if room == again else "no")

    question, answer = bob.what_is_said(ann), ann.what_is_said(bob)
    for each in (ann, bob):
        await each.client.call("join", {"room": room})
    await ann.client.call("message", {"room": room, "id": uuid.uuid4().hex, "body": "Are you there?"})
    print("Bob reads:", await question)
    await bob.client.call("message", {"room": room, "id": uuid.uuid4().hex, "body": "Always."})
    print("Ann reads:", await answer)

    refusal = await carol.client.call("join", {"room": room})
    print("Carol is told:", refusal["error"]["code"])
    for each in (ann, bob, carol):
        await each.client.disconnect()


asyncio.run(main())
