"""Who the services are to the servers: the stack's own secrets, or those of servers that run elsewhere."""

from pathlib import Path

_PERMISSIONS = Path(__file__).parents[1] / "k8s" / "base" / "nats-permissions.conf"
_KEYS = "nats/nkeys.conf"
_USERS = {"setup": "admin"}
"""Of the processes that are not called as their user is; of `gateway-1` it is the first word."""


class Secrets:
    """`folder` holds them, as `python -m runtime.credentials` makes them; by default it is in the data folder."""

    def __init__(self, data: Path, folder: Path | None, *, own_nats: bool) -> None:
        self.folder = (folder or data / "credentials").absolute()
        self.nats_config = data / "nats.conf"
        self._nats_asks = own_nats or folder is not None

    def seed(self, user: str) -> Path:
        """The file with the seed of one of NATS's users: gateway, auth, history or admin."""
        return self.folder / user / "nats.nk"

    def environment(self, process: str) -> dict[str, str]:
        """The settings of a process that say who it is."""
        if not self._nats_asks:
            return {}
        return {"NATS_NKEY_FILE": str(self.seed(_USERS.get(process) or process.partition("-")[0]))}

    def write_config(self) -> None:
        """Configure the stack's own nats-server."""
        # With its name as an argument nats-server could not read its configuration again.
        self.nats_config.write_text(f"server_name: parley\n{nats_permissions(self.folder)}")


def nats_permissions(folder: Path) -> str:
    """The permissions that NATS has everywhere, in its own words, for the users whose keys are in `folder`."""
    # nats-server includes only what is below the file that it reads.
    return _PERMISSIONS.read_text().replace(f"include {_KEYS}", (folder / _KEYS).read_text())
