"""The stack's own database: who may enter it, when it is ready, and what may be wrong with it."""

from pathlib import Path

from deploy.local import mongo, mongo_users
from deploy.local.ports import HOST, Ports
from deploy.local.secrets import Secrets


class OwnMongo:
    """What the stack knows of it, across its starts; its process is the stack's. `folder` holds the database."""

    def __init__(self, url: str, ports: Ports, folder: Path, secrets: Secrets) -> None:
        self.folder = folder
        self.has_written = False
        """Whether it was ever seen to write."""
        self._url = url
        self._port = ports.mongo
        self._secrets = secrets

    def make_folder(self) -> None:
        """The server's files are open to all of the machine, and everything is in them: this is not."""
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o700)

    @property
    def has_users(self) -> bool:
        """Whether those of the services were made."""
        return mongo_users.are_made(self._secrets)

    async def make_users(self) -> None:
        """In a server that lets anybody in, and runs."""
        await mongo_users.make(self._url, self._secrets)

    async def is_ready(self) -> bool:
        """Whether it writes; raises `StackError` when it answers, and refuses to."""
        url = self._secrets.mongo_url(self._url, "root") if self.has_users else self._url
        written = await mongo.writes(url, HOST, self._port, self.folder)
        self.has_written |= written
        return written

    def explained(self, how: str) -> str:
        """`how` it ended, with what may be the reason."""
        return how if self.has_written else f"{how} (if its database is damaged: remove {self.folder})"
