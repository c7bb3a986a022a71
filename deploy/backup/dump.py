"""Collections to files and back: BSON documents one after the other, as mongodump writes and mongorestore reads them.

    FOLDER/<database>/<collection>.bson

Indexes are not among it: history's are made by the admin step, auth makes its own. BackupError
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.collection import Collection

DATABASES: Final = ("parley", "parley_history")
_LAST: Final = "state"
"""It says how far the messages go: what is copied after them cannot say too little."""
_AT_ONCE: Final = 500
_SUFFIX: Final = ".bson"
_RAW: Final = CodecOptions(document_class=RawBSONDocument)

Client = MongoClient[RawBSONDocument]


class BackupError(Exception):
    """Nothing was done, or not all of it; the message is the one line to show."""


def save(client: Client, folder: Path, databases: Sequence[str] = DATABASES) -> dict[str, int]:
    """Copy `databases` into `folder`, which must not be there; returns how many documents, by "<db>.<collection>".

    What was written before is in it whole; of what is written meanwhile, some. `folder` is there once all of it is on
    disk, and for its owner alone. Raises `BackupError`, `PyMongoError` and `OSError`; what was begun is then in
    `<folder>.partial`.
    """
    if folder.exists():
        raise BackupError(f"{folder} is there already")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(mode=0o700)
    except FileExistsError:
        raise BackupError(f"{partial} is there, of a backup that failed: remove it") from None
    counts = {}
    for database in databases:
        (partial / database).mkdir(mode=0o700)
        for name in _names(client, database):
            path = partial / database / f"{name}{_SUFFIX}"
            counts[f"{database}.{name}"] = _copy(_collection(client, database, name), path)
    partial.rename(folder)
    return counts


def load(client: Client, folder: Path) -> dict[str, int]:
    """Write what is in `folder` into collections that must be empty; returns how many documents, as `save`.

    Raises `BackupError`, before it writes anything, `PyMongoError` and `OSError`.
    """
    files = sorted(folder.glob(f"*/*{_SUFFIX}"))
    if not files:
        raise BackupError(f"{folder} holds no backup")
    targets = {path: _collection(client, path.parent.name, path.name.removesuffix(_SUFFIX)) for path in files}
    for target in targets.values():
        if target.find_one() is not None:
            raise BackupError(f"{target.full_name} is not empty")
    return {target.full_name: _fill(target, path) for path, target in targets.items()}


def _names(client: Client, database: str) -> list[str]:
    names = [name for name in client[database].list_collection_names() if not name.startswith("system.")]
    return sorted(names, key=lambda name: (name == _LAST, name))


def _collection(client: Client, database: str, name: str) -> Collection[RawBSONDocument]:
    return client[database].get_collection(
        name, codec_options=_RAW, read_preference=ReadPreference.PRIMARY, write_concern=WriteConcern(w="majority")
    )


def _copy(collection: Collection[RawBSONDocument], path: Path) -> int:
    count = 0
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        for document in collection.find():
            file.write(document.raw)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _fill(collection: Collection[RawBSONDocument], path: Path) -> int:
    count = 0
    with path.open("rb") as file:
        documents: Iterator[RawBSONDocument] = bson.decode_file_iter(file, _RAW)
        while batch := list(islice(documents, _AT_ONCE)):
            collection.insert_many(batch, ordered=False)
            count += len(batch)
    return count
