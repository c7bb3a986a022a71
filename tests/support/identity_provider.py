"""An identity provider: signs tokens, and publishes its keys over HTTP as it is told to."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from deploy.local.ports import HOST


class IdentityProvider:
    """`published` are its public keys; with `answer`, it answers that instead of them; without `open`, it hangs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""
        self.asked = 0
        self.answer: web.Response | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.published: list[dict[str, Any]] = []
        self._private: dict[str, tuple[str, Any]] = {}

    def add_key(self, algorithm: str) -> str:
        """Make a key, publish it, and return its kid."""
        kid = secrets.token_hex(4)
        private: Any
        if algorithm == "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
            public = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        else:
            private = rsa.generate_private_key(65537, 2048)
            public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        self._private[kid] = algorithm, private
        self.published.append({**public, "kid": kid, "alg": algorithm, "use": "sig"})
        return kid

    def remove_key(self, kid: str) -> None:
        """Publish it no longer."""
        self.published = [each for each in self.published if each["kid"] != kid]

    def token(self, kid: str, **changed: Any) -> str:
        """A token signed with a key of this provider, published or not."""
        algorithm, private = self._private[kid]
        now = int(time.time())
        claims = {
            "iss": self.name,
            "aud": "parley-chat",
            "sub": "auth0|ann",
            "name": "Ann",
            "iat": now,
            "exp": now + 300,
        }
        return jwt.encode({**claims, **changed}, private, algorithm=algorithm, headers={"kid": kid})

    async def keys(self, _request: web.Request) -> web.StreamResponse:
        """Its key set."""
        self.asked += 1
        await self.open.wait()
        return self.answer or web.json_response({"keys": self.published})


@asynccontextmanager
async def serving(*providers: IdentityProvider) -> AsyncIterator[None]:
    """Each has an address of its own while the block runs."""
    app = web.Application()
    for number, each in enumerate(providers):
        app.router.add_get(f"/{number}", each.keys)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        port = runner.addresses[0][1]
        for number, each in enumerate(providers):
            each.url = f"http://{HOST}:{port}/{number}"
        yield
    finally:
        for each in providers:
            each.open.set()
        await runner.cleanup()
