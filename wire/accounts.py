"""What gateways ask the auth service of people: who bears a token, and to let somebody in or out.

`address` is the client's, as the gateway that was asked knows it; attempts are limited by it.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from wire.ids import Id
from wire.messages import Author, Message, Millis, User

LEEWAY_SECONDS: Final = 10
"""By how much the clock of whoever issues tokens may differ from that of whoever verifies them."""
EXTERNAL_SESSION: Final = "x-"
"""What the ids of sessions begin with that another issuer has opened."""

SERVICE_TOKEN: Final = "pst_"  # noqa: S105 - what anybody may know of one
"""What service tokens begin with, by which those who look for leaked secrets know one."""
SERVICE_AUTHOR: Final = "svc-"
"""What the ids begin with under which backends say something; no user has such a one."""

ServiceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,60}\Z")]
"""Of a service token; behind `SERVICE_AUTHOR` it is an id."""

Scope = Literal["publish", "notify", "disconnect"]
"""What a service token may be good for."""


class VerifyToken(Message, frozen=True, tag="auth.verify"):
    """Is this access token good? Answered by `Verified` or `Refused`.

    Whether it was revoked is not looked at: gateways hear of that themselves (see `wire.control`).
    """

    token: str


class Verified(Message, frozen=True, tag="auth.verified"):
    """The bearer of the token."""

    user: User
    session: Id
    expires_at: Annotated[int, Meta(ge=0)]
    """Seconds since the epoch."""
    issued_at: Millis


class Guest(Message, frozen=True, tag="auth.guest"):
    """Let somebody in by a name alone. Answered by `Session` or `Refused`."""

    display_name: str
    address: str


class Register(Message, frozen=True, tag="auth.register"):
    """Make an account. Answered by `Session` or `Refused`."""

    username: str
    password: str
    address: str
    display_name: str | None = None


class Login(Message, frozen=True, tag="auth.login"):
    """Open a session for an account. Answered by `Session` or `Refused`."""

    username: str
    password: str
    address: str


class Refresh(Message, frozen=True, tag="auth.refresh"):
    """Go on with a session. Answered by `Session`, with another refresh token, or `Refused`."""

    refresh_token: str


class Session(Message, frozen=True, tag="auth.session"):
    """A session was opened, or goes on."""

    user: User
    access_token: str
    expires_in: int
    """Seconds until the access token expires."""
    refresh_token: str
    """Good for one use."""


class Logout(Message, frozen=True, tag="auth.logout"):
    """End the session of a bearer who was verified. Answered by `Done` or `Refused`."""

    user: Id
    session: Id
    expires_at: Annotated[int, Meta(ge=0)]
    """Of the token that was presented, seconds since the epoch."""


class ChangePassword(Message, frozen=True, tag="auth.password"):
    """Give an account another password: ends all its sessions, and opens one. Answered by `Session` or `Refused`."""

    user: Id
    password: str
    """The one that it has."""
    new_password: str
    address: str


class Disconnect(Message, frozen=True, tag="auth.disconnect"):
    """End all sessions of a user. Answered by `Done` or `Refused`."""

    user: Id


class VerifyService(Message, frozen=True, tag="auth.verify_service"):
    """Is this service token good for `scope`? Answered by `Service` or `Refused`."""

    token: str
    scope: Scope


class Service(Message, frozen=True, tag="auth.service"):
    """The bearer of a service token."""

    name: ServiceName

    @property
    def author(self) -> Author:
        """As whom it says something."""
        return Author(id=f"{SERVICE_AUTHOR}{self.name}", display_name=self.name)


class GetKeys(Message, frozen=True, tag="auth.get_keys"):
    """Which keys verify access tokens? Answered by `Keys`."""


class Keys(Message, frozen=True, tag="auth.keys"):
    """A JSON Web Key Set (RFC 7517): public keys only."""

    keys: list[dict[str, Any]]
