"""What is at /docs/: where everything is."""

from apidocs.pages.html import document, navigation, paragraphs, prose, tag
from apidocs.schemas import Json


def page(openapi: Json, asyncapi: Json) -> bytes:
    """All of it."""
    cards = (
        _card("/docs/openapi", openapi["info"], "openapi.yaml", "OpenAPI 3.1"),
        _card("/docs/asyncapi", asyncapi["info"], "asyncapi.yaml", "AsyncAPI 3.0"),
    )
    start = paragraphs(
        "Sign in over HTTP, connect with an official Socket.IO client and the access token, `join` a room, and send "
        "a `message`. Keep the `seq` of the last one that came: `join` with it as `after`, and nothing is missed.\n\n"
        "Nothing here is asked of anywhere else: all of it is in this gateway's folder docs/."
    )
    head = tag("header", tag("h1", "Parley"), start)
    return document("Parley", navigation("", {}), head, *cards)


def _card(to: str, info: Json, file: str, standard: str) -> str:
    title = tag("h2", tag("a", info["title"], href=to))
    says = prose(str(info["description"]))
    raw = tag("p", tag("a", file, href=f"/docs/{file}"), f", {standard}", class_="quiet")
    return tag("article", title, tag("p", says), raw)
