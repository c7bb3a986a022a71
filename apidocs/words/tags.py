"""By what routes are grouped, in the order in which they are shown."""

from typing import Final

SESSIONS: Final = "Sessions"
ROOMS: Final = "Rooms"
MESSAGES: Final = "Messages"
BACKENDS: Final = "Backends"
PAGES: Final = "Pages"
REALTIME: Final = "Realtime"
ADMIN: Final = "Admin port"

TAGS: Final = {
    SESSIONS: "Letting people in, going on, and ending what was begun. An access token lasts ten minutes by default; "
    "a refresh token is good for one use.",
    ROOMS: "Rooms of a user. Ids that begin with `g-` or `d-` are groups and direct conversations, and only for "
    "their members: not being a member and there being no such room are answered alike. Every other room is public.",
    MESSAGES: "What was said.",
    BACKENDS: "What an application's own servers ask, with a service token (`python -m services.auth token`).",
    REALTIME: "Socket.IO, which has a description of its own: asyncapi.yaml.",
    PAGES: "What a browser is served.",
    ADMIN: "On a port of its own, which never belongs on the internet. The auth and history services have one, too.",
}
