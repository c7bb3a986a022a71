"""The password with which a service signs in to MongoDB, kept out of its URL."""

from typing import Any
from urllib.parse import urlsplit

from runtime import secret_files


def arguments(url: str, path: str) -> dict[str, Any]:
    """What a client of MongoDB is made with beside `url`: the password in the file at `path`.

    Nothing if `path` is empty, or if the URL names no user or has a password of its own. Raises `SettingsError`,
    which names MONGO_PASSWORD_FILE, when the file cannot be read or is open to others.
    """
    try:
        user = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:  # it is no URL, and whoever makes the client says so
        return {}
    if not path or not user or ":" in user:
        return {}
    return {"password": secret_files.read("MONGO_PASSWORD_FILE", path)}
