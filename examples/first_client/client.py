import asyncio, uuid, aiohttp, socketio


async def main(url: str = "http://127.0.0.1:8081") -> None:
    async with aiohttp.ClientSession(url) as http, http.post("/api/guest", json={"display_name": "Bob"}) as reply:
        token = (await reply.json())["access_token"]
    client = socketio.AsyncClient()
    client.on("message", lambda message: print(f"{message['from']['display_name']}: {message['body']}"))
    await client.connect(url, auth={"token": token})
    await client.call("join", {"room": "lobby"})
    ack = await client.call("message", {"room": "lobby", "id": uuid.uuid4().hex, "body": "Hello!"})
    print("stored as", ack["seq"])
    await client.disconnect()


asyncio.run(main())
