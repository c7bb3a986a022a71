"""Everything else that is served: Socket.IO, pages, and the admin port."""

from typing import Final

from apidocs.described import EngineProblem, Route
from apidocs.words.tags import ADMIN, PAGES, REALTIME

ROUTES: Final[dict[str, Route]] = {
    "GET /socket.io/": Route(
        tag=REALTIME,
        summary="Connect, or poll (Engine.IO 4)",
        text="What goes through it is described in asyncapi.yaml; official Socket.IO clients do the rest.",
        answers={
            101: ("A WebSocket.", None),
            200: ("Packets.", "text/plain"),
            400: ("No request of Engine.IO's.", EngineProblem),
            429: ("Too many connections of this address; `Retry-After` says for how long.", EngineProblem),
            503: ("No room for another client; `Retry-After` says for how long.", EngineProblem),
        },
    ),
    "POST /socket.io/": Route(
        tag=REALTIME,
        summary="Send the packets of a client that polls (Engine.IO 4)",
        body="text/plain",
        example='40{"token":"..."}',
        answers={
            200: ("They were taken.", "text/html"),
            400: ("No request of Engine.IO's.", EngineProblem),
        },
        also={411: "The body has no length."},
    ),
    "OPTIONS /socket.io/": Route(
        tag=REALTIME,
        summary="May a page of another origin ask? (CORS)",
        answers={
            200: ("It may, if the headers say so.", None),
            400: ("No page of that origin may.", EngineProblem),
        },
    ),
    "GET /": Route(
        tag=PAGES,
        summary="The chat page",
        answers={
            200: ("The page.", "text/html"),
            503: ("The page was not built; this is one that says how.", "text/html"),
        },
    ),
    "GET /web/{path}": Route(
        tag=PAGES,
        summary="What the chat page loads",
        answers={200: ("A file of it.", "*/*")},
        also={404: "There is no such file."},
    ),
    "GET /docs": Route(
        tag=PAGES,
        summary="Leads to these pages",
        answers={308: ("They are at `/docs/`.", None)},
        also={404: "`DOCS` is off."},
    ),
    "GET /docs/{path}": Route(
        tag=PAGES,
        summary="These pages, where `DOCS` is on",
        text="`openapi` and `asyncapi` are pages, `openapi.yaml` and `asyncapi.yaml` what they show; without a "
        "name it is an index.",
        answers={200: ("A page, or a file.", "*/*")},
        also={404: "There is no such page, or `DOCS` is off."},
    ),
    "GET /examples/{path}": Route(
        tag=PAGES,
        summary="The examples that are pages, where `DOCS` is on",
        answers={
            200: ("A page, or what it loads.", "*/*"),
            308: ("It ends in a slash.", None),
        },
        also={404: "There is no such file, or `DOCS` is off."},
    ),
    "GET /livez": Route(
        tag=ADMIN,
        summary="Does the process turn?",
        text="No dependency has a say. Not answering is the reason to restart it.",
        answers={200: ("It does.", "text/plain")},
        is_admin=True,
    ),
    "GET /readyz": Route(
        tag=ADMIN,
        summary="May traffic come here?",
        answers={200: ("It may.", "text/plain"), 503: ("It may not, and why.", "text/plain")},
        is_admin=True,
    ),
    "GET /metrics": Route(
        tag=ADMIN,
        summary="Metrics, for Prometheus",
        answers={200: ("All of them.", "text/plain")},
        is_admin=True,
    ),
}
