"""`python -m deploy.backup`: files as mongodump has them, and nothing done by halves."""

import os
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.backup import commands, dump
from deploy.backup.dump import BackupError
from tests.support.stacks import TestStack

NAMES = ("backup_one", "backup_two")
DOCUMENTS = [{"_id": number, "text": "x" * number, "large": 2**40} for number in range(1, 1203)]


@pytest.fixture
def client(stack: TestStack) -> "Any":
    """Of the stack's MongoDB, with a database of a thousand documents and an empty one."""
    with MongoClient(stack.mongo_url_of("root"), document_class=RawBSONDocument) as made:
        for name in NAMES:
            made.drop_database(name)
        made[NAMES[0]]["numbers"].insert_many([RawBSONDocument(bson.encode(each)) for each in DOCUMENTS])
        made[NAMES[0]]["state"].insert_one(RawBSONDocument(bson.encode({"_id": "messages"})))
        yield made
        for name in NAMES:
            made.drop_database(name)


def test_what_is_saved_comes_back_byte_for_byte(client: dump.Client, tmp_path: Path) -> None:
    """One file for each collection, of BSON documents one after the other, for its owner alone."""
    folder = tmp_path / "backup"
    counts = dump.save(client, folder, NAMES)
    assert counts == {"backup_one.numbers": len(DOCUMENTS), "backup_one.state": 1}
    assert list(counts)[-1] == "backup_one.state", "what says how far the rest goes comes last"
    file = folder / "backup_one" / "numbers.bson"
    assert bson.decode_all(file.read_bytes()) == DOCUMENTS
    assert [each.stat().st_mode & 0o777 for each in (folder, file.parent, file)] == [0o700, 0o700, 0o600]
    client.drop_database("backup_one")
    assert dump.load(client, folder) == counts
    found = client["backup_one"]["numbers"].find().sort("_id")
    assert b"".join(each.raw for each in found) == file.read_bytes()


def test_nothing_is_overwritten(client: dump.Client, tmp_path: Path) -> None:
    """Neither a backup, nor the rest of one that failed, nor what a database holds."""
    folder = tmp_path / "backup"
    dump.save(client, folder, NAMES)
    with pytest.raises(BackupError, match="is there already"):
        dump.save(client, folder, NAMES)
    with pytest.raises(BackupError, match="is not empty"):
        dump.load(client, folder)
    assert client["backup_one"]["numbers"].count_documents({}) == len(DOCUMENTS)
    (tmp_path / "other.partial").mkdir()
    with pytest.raises(BackupError, match="of a backup that failed"):
        dump.save(client, tmp_path / "other", NAMES)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "backup: MONGO_URL is missing\n"),
        ({"MONGO_URL": "mongodb://user:hunter2@:x"}, "backup: MONGO_URL is malformed\n"),
        ({"MONGO_URL": "mongodb://127.0.0.1", "MONGO_PASSWORD_FILE": "/nowhere"}, "backup: [Errno 2] No such file"),
        ({"MONGO_URL": "mongodb://127.0.0.1"}, "backup: nowhere holds no backup\n"),
    ],
)
def test_what_is_wrong_is_one_line(environ: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 1; a password is not repeated."""
    assert commands.main(["load", "nowhere"], environ) == 1
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count(os.linesep) == 1
    assert "hunter2" not in error
