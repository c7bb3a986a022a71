"""What is counted of MongoDB, against a server of its protocol that goes away and comes back."""

import pytest
from pymongo.errors import OperationFailure, PyMongoError

from runtime import mongo, mongo_watching
from tests.support.mongo_server import mongo_server
from tests.support.waiting import until


def _commands(command: str, result: str) -> float:
    return float(mongo_watching.commands.labels(command=command, result=result)._value.get())


def _answers(result: str) -> float:
    samples = next(iter(mongo_watching.command_duration.collect())).samples
    name = "parley_mongo_command_duration_seconds_count"
    return next(each.value for each in samples if each.name == name and each.labels == {"result": result})


def _is_connected() -> bool:
    return bool(mongo_watching.connected._value.get())


async def test_commands_are_counted_and_so_is_whether_there_is_a_server() -> None:
    """By name, those that nobody thought of together; and it shows when the server goes, and when it is back."""
    async with mongo_server() as server:
        with mongo.connected(server.url, "watched", heartbeatFrequencyMS=500) as database:
            things = mongo.majority(database, "things")
            before = {each: _commands(each, "ok") for each in ("insert", "find", "other")}
            failed, answers, failures = _commands("other", "failed"), _answers("ok"), _answers("failed")
            await things.insert_one({"_id": 1})
            assert await things.find_one({"_id": 1}) == {"_id": 1}
            await database.command("ping")
            with pytest.raises(OperationFailure):
                await database.command("noSuchCommand")
            assert {each: _commands(each, "ok") - before[each] for each in before} == {
                "insert": 1,
                "find": 1,
                "other": 1,
            }
            assert _commands("other", "failed") == failed + 1
            assert (_answers("ok"), _answers("failed")) == (answers + 3, failures + 1)
            await until(_is_connected, "the server to be known")  # pymongo tells it a moment later
            await server.kill()
            await until(lambda: not _is_connected(), "the server to be missed")
            with pytest.raises(PyMongoError):
                await things.find_one({"_id": 1})
            await server.start()
            await until(_is_connected, "the server to be found again")
        await until(lambda: not _is_connected(), "the client to be closed")
