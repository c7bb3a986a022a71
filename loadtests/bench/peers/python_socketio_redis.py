"""python-socketio with its Redis manager, on aiohttp and uvloop: publish and subscribe, at most once."""

import os
from typing import Any

import socketio
import uvloop
from aiohttp import web


def application() -> web.Application:
    """A chat on Socket.IO."""
    manager = socketio.AsyncRedisManager(os.environ["REDIS_URL"])
    server = socketio.AsyncServer(async_mode="aiohttp", client_manager=manager, transports=["websocket"])

    async def join(sid: str, wanted: dict[str, Any]) -> dict[str, Any]:
        await server.enter_room(sid, wanted["room"])
        return {"ok": True}

    async def message(_sid: str, said: dict[str, Any]) -> dict[str, Any]:
        await server.emit("message", said, room=said["room"])
        return {"ok": True}

    server.on("join", join)
    server.on("message", message)
    app = web.Application()
    server.attach(app)
    return app


if __name__ == "__main__":
    uvloop.install()
    web.run_app(
        application(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None, backlog=4096
    )
