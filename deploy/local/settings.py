"""The settings of the services of a stack, beside those that say where things are and who they are."""

from collections.abc import Mapping
from typing import Final

from deploy.local.ports import HOST

SETTINGS: Final[Mapping[str, str]] = {
    "PYTHONUNBUFFERED": "1",
    "ADMIN_HOST": HOST,
    "HOST": HOST,
    "ALLOW_GUESTS": "true",
    "DOCS": "true",
    # Everybody has the same address here.
    "CONNECTIONS_PER_ADDRESS_MOST": "0",
    "LOGIN_FAILURES_PER_ADDRESS": "0",
    "REGISTRATIONS_PER_ADDRESS": "0",
    "GUESTS_PER_ADDRESS": "0",
    "DRAIN_SECONDS": "0",  # Ctrl-C is not to take half a minute
}
