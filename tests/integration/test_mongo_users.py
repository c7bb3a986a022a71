"""Who may do what in MongoDB: the users that services have, on the stack's own database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from deploy.local import mongo_users, programs
from deploy.local.ports import HOST
from deploy.local.process import Child
from deploy.local.stack import ROOT
from runtime import credentials
from services.auth.settings import DatabaseSettings as AuthDatabase
from services.history.settings import DatabaseSettings as HistoryDatabase
from tests.support.clients.parley import PythonClient
from tests.support.setting_up import set_up, set_up_in_vain
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

Work = Callable[[Any], Awaitable[Any]]

UNAUTHORIZED: Final = 13
AUTHENTICATION_FAILED: Final = 18
FOREIGN: Final = {"auth": "parley_history", "history": "parley", "admin": "parley"}
OWN: Final = {"auth": "parley", "history": "parley_history", "admin": "parley_history"}


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, serverSelectionTimeoutMS=5000)
    try:
        yield client
    finally:
        await client.close()


async def _code(work: Awaitable[Any]) -> int:
    """0 if it was carried out, else MongoDB's code."""
    try:
        await work
    except OperationFailure as error:
        return error.code or -1
    return 0


READS: Final[dict[str, Work]] = {
    "find": lambda each: each["messages"].find_one({}),
    "count": lambda each: each["users"].count_documents({}),
    "aggregate": lambda each: _all(each["users"].aggregate([{"$match": {}}])),
    "collections": lambda each: each.list_collection_names(),
    "indexes": lambda each: each["users"].index_information(),
}
WRITES: Final[dict[str, Work]] = {
    "insert": lambda each: each["messages"].insert_one({}),
    "update": lambda each: each["users"].update_one({"_id": 1}, {"$set": {"a": 1}}, upsert=True),
    "delete": lambda each: each["sessions"].delete_many({}),
    "index": lambda each: each["messages"].create_index("a"),
    "drop": lambda each: each["messages"].drop(),
}


async def _all(cursor: Awaitable[Any]) -> list[Any]:
    return [each async for each in await cursor]


@pytest.mark.parametrize("user", FOREIGN)
@pytest.mark.parametrize("what", [*READS, *WRITES])
async def test_no_service_gets_at_anothers_data(stack: TestStack, user: str, what: str) -> None:
    """Neither reading nor writing: auth has nothing to do with what is said, nor history with accounts."""
    async with _client(stack.mongo_url_of(user)) as client:
        assert await _code({**READS, **WRITES}[what](client[FOREIGN[user]])) == UNAUTHORIZED


@pytest.mark.parametrize("what", ["delete", "index", "drop"])
async def test_history_only_ever_adds(stack: TestStack, what: str) -> None:
    """It can remove nothing, and its indexes are made by the admin step."""
    async with _client(stack.mongo_url_of("history")) as client:
        assert await _code(WRITES[what](client["parley_history"])) == UNAUTHORIZED
        assert await _code(READS["indexes"](client["parley_history"])) == 0


@pytest.mark.parametrize("user", OWN)
async def test_no_service_is_an_administrator(stack: TestStack, user: str) -> None:
    """No users, no roles, no other databases, no end of the server."""
    async with _client(stack.mongo_url_of(user)) as client:
        admin = client["admin"]
        for command in (
            admin.command("createUser", "x", pwd="x", roles=["root"]),  # noqa: S106 - of nobody
            admin.command("updateUser", user, roles=["root"]),
            admin.command("grantRolesToUser", user, roles=["root"]),
            admin.command("createRole", "x", privileges=[], roles=["root"]),
            client.list_database_names(),
            admin["system.users"].find_one({}),
        ):
            assert await _code(command) == UNAUTHORIZED


@pytest.mark.parametrize("work", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
async def test_nobody_gets_in_without_a_password(stack: TestStack, work: Work) -> None:
    """Nothing is read or written without a user, and none gets in with a wrong password or another's."""
    async with _client(stack.mongo_url) as client:
        for database in ("parley", "parley_history", "admin"):
            assert await _code(work(client[database])) == UNAUTHORIZED


@pytest.mark.parametrize("user", mongo_users.USERS)
async def test_a_wrong_password_is_refused(stack: TestStack, user: str) -> None:
    """None, and another user's."""
    for password in ("wrong", stack.secrets.mongo_passwords()["auth" if user != "auth" else "history"]):
        async with _client(stack.mongo_url.replace("://", f"://{user}:{password}@")) as client:
            assert await _code(client["parley"]["users"].find_one({})) == AUTHENTICATION_FAILED


def test_databases_are_those_that_the_services_use() -> None:
    """By default, as the roles have them."""
    assert AuthDatabase(mongo_url="m").mongo_database == mongo_users.AUTH_DATABASE
    assert HistoryDatabase(mongo_url="m").mongo_database == mongo_users.HISTORY_DATABASE


async def test_the_step_says_what_mongodb_refused(stack: TestStack, tmp_path: Path) -> None:
    """A wrong password: one line, without it; and a file that others may read."""
    password = tmp_path / "password"
    password.write_text("hunter2")
    password.chmod(0o600)
    environ = {**stack.environment("setup"), "MONGO_PASSWORD_FILE": str(password)}
    # The stream, too: what MongoDB holds decides where it begins, and whether history has to get all of it again.
    refused = "WriteFailedError: AuthenticationFailed"
    ended = await set_up_in_vain(environ, "history's indexes", streams.MESSAGES, why=refused)
    assert ended.code == 1
    assert ended.said.startswith("setup: stopped, not done: history's indexes (")
    assert ended.said.count("\n") == 1
    for what, reasons in ended.reasons().items():
        assert f"{what} ({reasons[-1]})" in ended.said
    assert "hunter2" not in f"{ended}"
    password.chmod(0o644)
    ended = await set_up(environ)
    assert (ended.code, ended.said) == (
        1,
        f"setup: MONGO_PASSWORD_FILE: {password} is open to others: chmod 600 it\n",
    )


async def test_no_password_is_said(stack: TestStack) -> None:
    """Neither by a process, nor in what a process is started with."""
    said = "\n".join([*stack.output, *(f"{stack.environment(name)}" for name in stack.children)])
    assert not [each for each in stack.secrets.mongo_passwords().values() if each in said]
    assert {(stack.secrets.folder / user / credentials.PASSWORD).stat().st_mode & 0o077 for user in OWN} == {0}


async def test_a_folder_of_before_there_were_users(tmp_path: Path) -> None:
    """It starts, keeps its accounts, and what was said is found where history has it now; again, it just starts."""
    data = tmp_path / "data"
    stack = TestStack(data)
    folder = data / "mongo"
    folder.mkdir(parents=True)
    command = programs.mongo(stack.ports, folder, asks=False)
    old = Child("mongo", command, cwd=ROOT, environ={}, sink=lambda *_: None)
    await old.start()
    room = unique("before")
    messages = [
        {"room": room, "seq": seq, "user": "u", "id": f"m{seq}", "name": "U", "body": "x", "ts": 1} for seq in (1, 2)
    ]
    async with _client(stack.mongo_url) as client:

        async def is_up() -> bool:
            return bool(await client["admin"].command("ping"))

        await until(is_up, "it to answer")
        await client["parley"]["messages"].insert_many(messages)
        await client["parley"]["state"].insert_one({"_id": "messages", "highest_seq": 2})
        await client["parley"]["users"].insert_one({"_id": "u", "username_key": "ann"})
    await old.stop()
    for _ in range(2):
        stack = TestStack(data)
        async with stack, PythonClient(stack.gateway_urls[0], await stack.token()) as one:
            await one.join(room)
            page = await one.call("history", {"room": room})
            assert [each["seq"] for each in page["messages"]] == [1, 2]
            async with _client(stack.mongo_url_of("root")) as client:
                assert set(await client["parley"].list_collection_names()) >= {"users"}
                assert not {"messages", "state"} & set(await client["parley"].list_collection_names())
                assert await client["parley"]["users"].count_documents({"_id": "u"}) == 1
            assert HOST in stack.mongo_url
            assert folder.stat().st_mode & 0o077 == 0, "whoever may read the files needs no password"


async def test_passwords_that_were_lost_are_made_anew(tmp_path: Path) -> None:
    """The database gets them at the next start; the old ones are good for nothing."""
    async with TestStack(tmp_path / "data") as stack:
        before = stack.mongo_url_of("auth")
    (stack.secrets.folder / "auth" / credentials.PASSWORD).unlink()
    async with TestStack(tmp_path / "data", ports=stack.ports) as again:
        async with _client(again.mongo_url_of("auth")) as client:
            assert await _code(client["parley"]["users"].find_one({})) == 0
        async with _client(before) as client:
            assert await _code(client["parley"]["users"].find_one({})) == AUTHENTICATION_FAILED
