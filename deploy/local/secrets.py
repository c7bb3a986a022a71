"""Who the services are to the servers: the stack's own secrets, or those of servers that run elsewhere."""

from pathlib import Path
from urllib.parse import quote

_PERMISSIONS = Path(__file__).parents[1] / "k8s" / "base" / "nats-permissions.conf"
_KEYS = "nats/nkeys.conf"
_MONGO_USERS = ("root", "auth", "history", "admin")
_USERS = {"setup": "admin"}
"""Of the processes that are not called as their user is; of `gateway-1` it is the first word."""


class Secrets:
    """`folder` holds them, as `python -m runtime.credentials` makes them; by default it is in the data folder."""

    def __init__(self, data: Path, folder: Path | None, *, own_nats: bool, own_mongo: bool) -> None:
        self.folder = (folder or data / "credentials").absolute()
        self.nats_config = data / "nats.conf"
        self.mongo_marker = data / "mongo" / "parley-users"  # gone with the database, if somebody removes that
        self._nats_asks = own_nats or folder is not None
        self._mongo_asks = own_mongo or folder is not None

    def seed(self, user: str) -> Path:
        """The file with the seed of one of NATS's users: gateway, auth, history or admin."""
        return self.folder / user / "nats.nk"

    def environment(self, process: str, mongo_url: str) -> dict[str, str]:
        """The settings of a process that say who it is."""
        user = _USERS.get(process) or process.partition("-")[0]
        found = {"NATS_NKEY_FILE": str(self.seed(user))} if self._nats_asks else {}
        if not self._mongo_asks or user not in _MONGO_USERS or "@" in mongo_url:
            return {**found, "MONGO_URL": mongo_url}
        return {
            **found,
            "MONGO_URL": mongo_url.replace("://", f"://{user}@", 1),
            "MONGO_PASSWORD_FILE": str(self._password_file(user)),
        }

    def mongo_passwords(self) -> dict[str, str]:
        """Of all users of MongoDB; to be called once they are made."""
        return {user: self._password_file(user).read_text().strip() for user in _MONGO_USERS}

    def mongo_url(self, url: str, user: str) -> str:
        """`url` with a user of MongoDB (auth, history, admin or root) and their password."""
        if not self._mongo_asks or "@" in url:
            return url
        password = quote(self.mongo_passwords()[user], safe="")
        return url.replace("://", f"://{user}:{password}@", 1)

    def write_config(self) -> None:
        """Configure the stack's own nats-server."""
        # With its name as an argument nats-server could not read its configuration again.
        self.nats_config.write_text(f"server_name: parley\n{nats_permissions(self.folder)}")

    def _password_file(self, user: str) -> Path:
        return (
            self.folder / ("mongo" if user == "root" else user) / f"{'root' if user == 'root' else 'mongo'}.password"
        )


def nats_permissions(folder: Path) -> str:
    """The permissions that NATS has everywhere, in its own words, for the users whose keys are in `folder`."""
    # nats-server includes only what is below the file that it reads.
    return _PERMISSIONS.read_text().replace(f"include {_KEYS}", (folder / _KEYS).read_text())
