"""All routes, in the order in which they are shown."""

from typing import Final

from apidocs.described import Route
from apidocs.words import backends, rooms, served, sessions

ROUTES: Final[dict[str, Route]] = {**sessions.ROUTES, **rooms.ROUTES, **backends.ROUTES, **served.ROUTES}
