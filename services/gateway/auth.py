"""The auth service, as a gateway asks it."""

import time
from typing import Final

import msgspec

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway.control import Control
from services.gateway.revocations import Revocations
from services.gateway.user_rate import UserRate
from wire import subjects
from wire.accounts import Keys, Service, Session, Verified, VerifyToken
from wire.errors import ErrorCode, ParleyError
from wire.messages import Done

_VERIFY_SECONDS = 3.0
_SIGN_IN_SECONDS = 10.0
"""Password hashing is slow by design, and may have to wait for a thread; what ends has to be stored twice."""


class _ConnectAuth(msgspec.Struct):
    token: str


class Auth:
    """Every call raises `ParleyError`. Nobody bears a token before it is known which are revoked: see `Control`."""

    def __init__(self, bus: Bus, control: Control, asking: UserRate) -> None:
        self._control = control
        self._asking = asking
        self.revocations: Final = Revocations()
        self._verify = Caller(bus, subjects.AUTH_VERIFY, Verified, timeout=_VERIFY_SECONDS)
        self.guest = Caller(bus, subjects.AUTH_GUEST, Session, timeout=_SIGN_IN_SECONDS)
        self.register = Caller(bus, subjects.AUTH_REGISTER, Session, timeout=_SIGN_IN_SECONDS)
        self.login = Caller(bus, subjects.AUTH_LOGIN, Session, timeout=_SIGN_IN_SECONDS)
        self.refresh = Caller(bus, subjects.AUTH_REFRESH, Session, timeout=_SIGN_IN_SECONDS)
        self.logout = Caller(bus, subjects.AUTH_LOGOUT, Done, timeout=_SIGN_IN_SECONDS)
        self.password = Caller(bus, subjects.AUTH_PASSWORD, Session, timeout=_SIGN_IN_SECONDS)
        self.disconnect = Caller(bus, subjects.AUTH_DISCONNECT, Done, timeout=_SIGN_IN_SECONDS)
        self.verify_service = Caller(bus, subjects.AUTH_VERIFY_SERVICE, Service, timeout=_VERIFY_SECONDS)
        self.keys = Caller(bus, subjects.AUTH_KEYS, Keys, timeout=_VERIFY_SECONDS)

    async def bearer(self, token: str) -> Verified:
        """Whose `token` it is: unauthorized, expired or unavailable otherwise."""
        self._control.check()
        verified = await self._verify(VerifyToken(token=token))
        if verified.expires_at <= time.time():
            raise ParleyError(ErrorCode.EXPIRED, "the token has expired")
        self.check(verified)
        return verified

    async def asking(self, token: str) -> Verified:
        """As `bearer`, of an HTTP request; and rate_limited if its user asks too often."""
        bearer = await self.bearer(token)
        self._asking.take(bearer.user.id)
        return bearer

    def check(self, bearer: Verified) -> None:
        """Raises `ParleyError` unless the token of `bearer`, who was verified before, is still good."""
        self._control.check()
        self.revocations.check(bearer)

    async def connecting(self, auth: object) -> Verified:
        """Who sends a CONNECT packet with `auth`, which must be ``{token}``."""
        try:
            return await self.bearer(msgspec.convert(auth, _ConnectAuth).token)
        except msgspec.ValidationError:
            raise ParleyError(ErrorCode.UNAUTHORIZED, "connect with auth: {token}") from None
