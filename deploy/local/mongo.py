"""When the embedded MongoDB-protocol server is ready: not when it listens, but when it writes.

A start that is cut short while it makes its tables leaves a database that opens, answers, and refuses every write.
"""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.process import StackError

_TIMEOUT_MS = 3000


async def writes(url: str, host: str, port: int, folder: Path) -> bool:
    """Whether it has written under a unique index; raises `StackError` when it answers, and refuses to.

    `folder` holds its database, and belongs to this stack alone.
    """
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        url, serverSelectionTimeoutMS=_TIMEOUT_MS, timeoutMS=_TIMEOUT_MS
    )
    try:
        started = client["parley_stack"]["started"]
        await started.create_index("token", unique=True)
        await started.replace_one({"_id": "stack"}, {"token": uuid.uuid4().hex}, upsert=True)
    except OperationFailure as error:
        if error.timeout:
            return False
        raise StackError(f"mongo refuses to write: its database is damaged; remove {folder}") from None
    except PyMongoError:
        return False
    finally:
        await client.close()
    return True
