"""Letting people in: guests, new accounts, sign-ins. The rules of usernames and passwords are here."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.auth import names
from services.auth.attempts import Attempts
from services.auth.passwords import Passwords
from services.auth.sessions import Sessions
from services.auth.store import Account, AccountStore, UsernameTakenError
from wire.accounts import ChangePassword, Guest, Login, Register, Session
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,31}\Z")
_PASSWORD_SHORTEST: Final = 8
_PASSWORD_LONGEST: Final = 256


class Accounts:
    """Lets people in; `sessions` are what they get.

    Every method raises `ParleyError`: rate_limited above a limit of `attempts` or while too many passwords wait to be
    hashed, unavailable when MongoDB does not answer.
    """

    def __init__(
        self, store: AccountStore, passwords: Passwords, sessions: Sessions, attempts: Attempts, *, allow_guests: bool
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._sessions = sessions
        self._attempts = attempts
        self._allow_guests = allow_guests

    async def guest(self, request: Guest) -> Session:
        """A session for a name alone. Raises `ParleyError`: forbidden, invalid."""
        if not self._allow_guests:
            raise ParleyError(ErrorCode.FORBIDDEN, "guests are not admitted here")
        user = User(id=_new_user_id(), display_name=display_name(request.display_name))
        await self._attempts.entering(request.address)
        return await self._sessions.open(user)

    async def register(self, request: Register) -> Session:
        """Make an account and open its first session. Raises `ParleyError`: invalid."""
        if not _USERNAME.match(request.username):
            raise _invalid("username must be 2 to 32 letters, digits, dots, dashes or underscores")
        _check_new(request.password)
        shown = display_name(request.username if request.display_name is None else request.display_name)
        user = User(id=_new_user_id(), display_name=shown, username=request.username)
        await self._attempts.registering(request.address)
        try:
            await self._store.add(Account(user, await self._passwords.hash(request.password)))
        except UsernameTakenError:
            raise _invalid("this username is taken") from None
        return await self._sessions.open(user)

    async def login(self, request: Login) -> Session:
        """Open a session. Raises `ParleyError`: unauthorized, of which part is not said."""
        plausible = _USERNAME.match(request.username) and len(request.password) <= _PASSWORD_LONGEST
        async with self._attempt(request.username, request.address) as attempt:
            account = await self._store.find(request.username) if plausible else None
            attempt.succeeded = await self._matches(request.password, account)
        if account is None or not attempt.succeeded:
            raise ParleyError(ErrorCode.UNAUTHORIZED, "wrong username or password")
        session = await self._sessions.open(account.user)
        # Looked up again: a change of the password meanwhile has ended all sessions but this one.
        if not await self._store.is_current(account):
            raise ParleyError(ErrorCode.UNAUTHORIZED, "wrong username or password")
        return session

    async def change_password(self, request: ChangePassword) -> Session:
        """Give an account another password, end all its sessions, open one. Raises `ParleyError`: invalid, forbidden.

        May be asked again when it was unavailable: where the new password is the account's already, the rest is done.
        """
        _check_new(request.new_password)
        account = await self._store.of_user(request.user)
        if account is None:
            raise ParleyError(ErrorCode.FORBIDDEN, "only accounts have a password")
        async with self._attempt(account.user.username or "", request.address) as attempt:
            is_current = await self._matches(request.password, account)
            attempt.succeeded = is_current or await self._matches(request.new_password, account)
        if not attempt.succeeded or (is_current and not await self._give(account, request.new_password)):
            raise ParleyError(ErrorCode.FORBIDDEN, "the present password is wrong")
        await self._sessions.end_all(request.user, reason="password")
        return await self._sessions.open(account.user)

    async def _give(self, account: Account, password: str) -> bool:
        return await self._store.change_password(account, await self._passwords.hash(password))

    async def _matches(self, password: str, account: Account | None) -> bool:
        stored = None if account is None else account.password_hash
        matches = await self._passwords.matches(password[:_PASSWORD_LONGEST], stored)
        return matches and len(password) <= _PASSWORD_LONGEST

    @asynccontextmanager
    async def _attempt(self, username: str, address: str) -> "AsyncIterator[_Attempt]":
        """Counted before a password is looked at; not if that cannot be done."""
        await self._attempts.signing_in(username, address)
        attempt = _Attempt()
        try:
            yield attempt
        except ParleyError:
            await self._attempts.not_tried(username, address)
            raise
        if attempt.succeeded:
            await self._attempts.signed_in(username, address)


class _Attempt:
    succeeded = False


def display_name(text: str) -> str:
    """`text` as it will be shown. Raises `ParleyError` (invalid)."""
    return names.shown(text, "display_name")


def _check_new(password: str) -> None:
    if not _PASSWORD_SHORTEST <= len(password) <= _PASSWORD_LONGEST:
        raise _invalid(f"password must have {_PASSWORD_SHORTEST} to {_PASSWORD_LONGEST} characters")


def _new_user_id() -> str:
    return f"u-{secrets.token_hex(10)}"


def _invalid(message: str) -> ParleyError:
    return ParleyError(ErrorCode.INVALID, message)
