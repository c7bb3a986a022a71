"""All of the official clients, for tests that try each."""

from typing import Any, Final

from tests.support.clients.javascript import JavaScriptClient, OldestJavaScriptClient
from tests.support.clients.official import OfficialClient
from tests.support.clients.python import AsyncPythonClient, SyncPythonClient

_CLASSES: Final[dict[str, type[OfficialClient]]] = {
    "js": JavaScriptClient,
    "js-oldest": OldestJavaScriptClient,
    "python": AsyncPythonClient,
    "python-sync": SyncPythonClient,
}
KINDS: Final = tuple(_CLASSES)


def client(kind: str, url: str, **options: Any) -> OfficialClient:
    """One of `KINDS`; `others` are namespaces beside the default one."""
    return _CLASSES[kind](url, **options)
