"""A backend tells a user something: python backend.py USER TITLE. On all devices at once, or when they are back."""

import asyncio
import os
import sys

import aiohttp

URL = os.environ.get("PARLEY_URL", "http://127.0.0.1:8080")


async def main(user: str, title: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['PARLEY_TOKEN']}"}  # of: python -m services.auth token create
    # Sent again with the same id, after an error or a crash, it is shown once.
    notification = {"id": "order-7-sent", "title": title, "body": "It left the house at nine.", "data": {"order": 7}}
    path = f"/api/users/{user}/notifications"
    async with (
        aiohttp.ClientSession(URL, headers=headers) as http,
        http.post(path, json=notification) as reply,
    ):
        told = await reply.json(content_type=None)
        print(reply.status, "kept until it was read" if reply.ok else told["detail"])


if len(sys.argv) != 3:
    print("usage: python backend.py USER TITLE", file=sys.stderr)
    sys.exit(2)
asyncio.run(main(*sys.argv[1:]))
