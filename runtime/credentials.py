"""`python -m runtime.credentials FOLDER`: the secrets of a whole deployment, made where they are not there yet.

    gateway/ auth/ history/ admin/    what each kind of process gets: nats.nk, the seed for NATS_NKEY_FILE, and
                                      mongo.password, for MONGO_PASSWORD_FILE (gateways have none)
    nats/nkeys.conf                   the public halves of the seeds, for nats-server; no secret
    mongo/                            for MongoDB: root.password; the three others' once more; and keyfile, by which
                                      members of a replica set know each other
    grafana/                          admin.password, of the user `admin` where Grafana runs beside it

Every secret is in a file of its own with mode 0600, and never overwritten: to replace one, remove it first.
"""

import argparse
import secrets
import sys
from pathlib import Path
from typing import Final

from runtime import nkeys, secret_files
from runtime.nkeys import UserKey
from runtime.settings import SettingsError

_KEYFILE_BYTES: Final = 256
NATS_USERS: Final = ("gateway", "auth", "history", "admin")
SEED: Final = "nats.nk"
PUBLIC_KEYS: Final = "nats/nkeys.conf"
MONGO_USERS: Final = ("auth", "history", "admin")
PASSWORD: Final = "mongo.password"  # noqa: S105 - a file
GRAFANA_PASSWORD: Final = "grafana/admin.password"  # noqa: S105 - a file


def make(folder: Path) -> None:
    """Make what is missing in `folder`, which need not be there. Raises `SettingsError` and `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = {user: _key(folder / user) for user in NATS_USERS}
    lines = [f"NATS_{user.upper()}_NKEY: {key.public}\n" for user, key in keys.items()]
    public = folder / PUBLIC_KEYS
    public.parent.mkdir(exist_ok=True)
    public.write_text("".join(lines))
    mongo = folder / "mongo"
    mongo.mkdir(mode=0o700, exist_ok=True)
    secret_files.make(mongo / "root.password", _password)
    secret_files.make(mongo / "keyfile", lambda: secrets.token_hex(_KEYFILE_BYTES))
    for user in MONGO_USERS:
        secret_files.make(folder / user / PASSWORD, _password)
        secret_files.make(mongo / f"{user}.password", (folder / user / PASSWORD).read_text().strip)
    grafana = folder / GRAFANA_PASSWORD
    grafana.parent.mkdir(mode=0o700, exist_ok=True)
    secret_files.make(grafana, _password)


def _password() -> str:
    return secrets.token_urlsafe(32)


def _key(folder: Path) -> UserKey:
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / SEED
    secret_files.make(file, lambda: nkeys.generate().seed)
    return nkeys.read(file.name, str(file))


def main() -> None:
    """Run; one line on standard error and exit code 1 when it does not work."""
    parser = argparse.ArgumentParser(prog="python -m runtime.credentials", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files are made")
    try:
        make(parser.parse_args().folder)
    except (SettingsError, OSError) as error:
        sys.exit(f"credentials: {error}")


if __name__ == "__main__":
    main()
