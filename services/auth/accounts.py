"""Letting people in: guests, new accounts, sign-ins. The rules of usernames and passwords are here."""

import re
import secrets
from typing import Final

from services.auth import names
from services.auth.directory import Directory
from services.auth.passwords import Passwords
from services.auth.store import Account, AccountStore, UsernameTakenError
from services.auth.tokens import Tokens
from wire.accounts import Guest, Login, Register, Session
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,31}\Z")
_PASSWORD_SHORTEST: Final = 8
_PASSWORD_LONGEST: Final = 256


class Accounts:
    """Opens sessions."""

    def __init__(
        self, store: AccountStore, directory: Directory, passwords: Passwords, tokens: Tokens, *, allow_guests: bool
    ) -> None:
        self._store = store
        self._directory = directory
        self._passwords = passwords
        self._tokens = tokens
        self._allow_guests = allow_guests

    async def guest(self, request: Guest) -> Session:
        """A session for a name alone; only that is stored. Raises `ParleyError`: forbidden, invalid, unavailable."""
        if not self._allow_guests:
            raise ParleyError(ErrorCode.FORBIDDEN, "guests are not admitted here")
        return await self._open(User(id=_new_user_id(), display_name=display_name(request.display_name)))

    async def register(self, request: Register) -> Session:
        """Make an account and open its first session. Raises `ParleyError`: invalid, rate_limited, unavailable."""
        if not _USERNAME.match(request.username):
            raise _invalid("username must be 2 to 32 letters, digits, dots, dashes or underscores")
        if not _PASSWORD_SHORTEST <= len(request.password) <= _PASSWORD_LONGEST:
            raise _invalid(f"password must have {_PASSWORD_SHORTEST} to {_PASSWORD_LONGEST} characters")
        shown = display_name(request.username if request.display_name is None else request.display_name)
        user = User(id=_new_user_id(), display_name=shown, username=request.username)
        try:
            await self._store.add(Account(user, await self._passwords.hash(request.password)))
        except UsernameTakenError:
            raise _invalid("this username is taken") from None
        return await self._open(user)

    async def login(self, request: Login) -> Session:
        """Open a session. Raises `ParleyError`: unauthorized (of which part, is not said), and as `register`."""
        plausible = _USERNAME.match(request.username) and len(request.password) <= _PASSWORD_LONGEST
        account = await self._store.find(request.username) if plausible else None
        stored = None if account is None else account.password_hash
        if not await self._passwords.matches(request.password[:_PASSWORD_LONGEST], stored) or account is None:
            raise ParleyError(ErrorCode.UNAUTHORIZED, "wrong username or password")
        return await self._open(account.user)

    async def _open(self, user: User) -> Session:
        # Before anybody can hear of the session: who has one can be invited.
        await self._directory.saw(user)
        token = self._tokens.issue(user, session=f"s-{secrets.token_hex(12)}")
        return Session(user=user, access_token=token, expires_in=self._tokens.lifetime)


def display_name(text: str) -> str:
    """`text` as it will be shown. Raises `ParleyError` (invalid)."""
    return names.shown(text, "display_name")


def _new_user_id() -> str:
    return f"u-{secrets.token_hex(10)}"


def _invalid(message: str) -> ParleyError:
    return ParleyError(ErrorCode.INVALID, message)
