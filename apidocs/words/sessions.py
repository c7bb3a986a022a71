"""Routes that let people in and out."""

from typing import Final

from apidocs.described import Route
from apidocs.words.tags import SESSIONS
from services.gateway.api import sessions as sessions_api
from wire.errors import ErrorCode

_ACCOUNT: Final = {"username": "ann", "password": "correct horse battery"}

ROUTES: Final[dict[str, Route]] = {
    "POST /api/guest": Route(
        tag=SESSIONS,
        summary="Come in by a name alone",
        text="Makes a user who is gone with the session. Admitted where `ALLOW_GUESTS` is on (the local stack). "
        "`display_name` has 1 to 64 characters, in one line.",
        body=sessions_api.GuestBody,
        example={"display_name": "Ann"},
        answers={201: ("A session.", sessions_api.SessionBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "POST /api/register": Route(
        tag=SESSIONS,
        summary="Make an account, and sign in",
        text="`username` has 2 to 32 letters, digits, dots, dashes or underscores, `password` 8 to 256 characters, "
        "`display_name` 1 to 64; without one it is the username.",
        body=sessions_api.RegisterBody,
        example={**_ACCOUNT, "display_name": "Ann"},
        answers={201: ("A session.", sessions_api.SessionBody)},
    ),
    "POST /api/login": Route(
        tag=SESSIONS,
        summary="Sign in",
        text="Whether the name or the password was wrong is not told.",
        body=sessions_api.LoginBody,
        example=_ACCOUNT,
        answers={200: ("A session.", sessions_api.SessionBody)},
        codes=(ErrorCode.UNAUTHORIZED,),
    ),
    "POST /api/refresh": Route(
        tag=SESSIONS,
        summary="Go on with a session",
        text="Replaces both tokens. A refresh token that is used a second time ends its session: two have it, and "
        "one of them is a thief. After `unavailable`, try again with the same token.",
        body=sessions_api.RefreshBody,
        example={"refresh_token": "k2jv...Q.9sB1...A"},
        answers={200: ("The same session with other tokens.", sessions_api.SessionBody)},
        codes=(ErrorCode.UNAUTHORIZED,),
    ),
    "POST /api/logout": Route(
        tag=SESSIONS,
        summary="End the session of the bearer",
        text="Its connections are closed within two seconds, and its tokens are good for nothing.",
        bearer=("user",),
        answers={204: ("It has ended.", None)},
    ),
    "POST /api/password": Route(
        tag=SESSIONS,
        summary="Change the password",
        text="Ends all sessions of the account, and opens one. A password has 8 to 256 characters.",
        bearer=("user",),
        body=sessions_api.PasswordBody,
        example={"password": "correct horse battery", "new_password": "staple gun and glue"},
        answers={200: ("The new session.", sessions_api.SessionBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "GET /.well-known/jwks.json": Route(
        tag=SESSIONS,
        summary="The keys that verify access tokens",
        text="A JSON Web Key Set (RFC 7517) of public keys, good for five minutes.",
        answers={200: ("The set.", "application/jwk-set+json")},
    ),
}
