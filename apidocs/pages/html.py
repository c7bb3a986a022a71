"""HTML, piece by piece. Whatever is a `str` is text, and escaped; only what was made here is `Html`."""

import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final

_CODE: Final = re.compile(r"`([^`]+)`")
_EMPTY: Final = frozenset({"meta", "link", "br"})


class Html(str):
    """Markup."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str) -> Html:
    """An element; `class_` is `class`. Blocks begin on a line of their own, so that diffs can be read."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    end = "" if name in _EMPTY else f"{join(*inside)}</{name}>"
    line = "" if name in {"code", "a", "span", "b", "title"} else "\n"
    return Html(f"{line}<{name}{given}>{end}")


def join(*parts: str) -> Html:
    """One after the other."""
    return Html("".join(each if isinstance(each, Html) else html.escape(each, quote=False) for each in parts))


def between(separator: str, parts: Iterable[str]) -> Html:
    """`parts`, with `separator` between each two."""
    return join(*[each for part in parts for each in (separator, part)][1:])


def prose(text: str) -> Html:
    """Text whose `words` are code."""
    return Html(_CODE.sub(r"<code>\1</code>", html.escape(text, quote=False)))


def paragraphs(text: str) -> Html:
    """The same, with a paragraph for each."""
    return join(*(tag("p", prose(each)) for each in text.split("\n\n") if each))


def example(value: Any) -> Html:
    """JSON, as people write it."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > 72:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    return tag("pre", tag("code", text))


def anchor(name: str) -> str:
    """What a part of the page is called in its address."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-").lower() or "root"


def document(title: str, navigation: Html, *inside: str) -> bytes:
    """A whole page."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="/web/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/docs/style.css"),
    )
    skip = tag("a", "To the content", class_="skip", href="#content")
    body = tag("body", skip, navigation, tag("main", *inside, id="content"))
    return f"<!doctype html>{tag('html', head, body, lang='en')}\n".encode()


def navigation(current: str, groups: dict[str, list[tuple[str, Html]]]) -> Html:
    """Where the other pages are, and what is on this one, folded up by whoever has no room for it."""
    pages = [("/docs/openapi", "HTTP"), ("/docs/asyncapi", "Realtime")]
    links = [tag("a", "Parley", class_="home", href="/docs/")]
    for to, text in pages:
        links.append(tag("a", text, href=to, **({"aria_current": "page"} if to == f"/docs/{current}" else {})))
    if not groups:
        return tag("nav", tag("div", *links, class_="pages"), aria_label="Pages", class_="bar")
    links.append(tag("a", "YAML", href=f"/docs/{current}.yaml"))
    lists = (
        join(tag("h2", group), tag("ul", *(tag("li", tag("a", text, href=f"#{to}")) for to, text in parts)))
        for group, parts in groups.items()
    )
    contents = tag("details", tag("summary", "Contents"), tag("div", *lists, class_="links"), open="")
    return tag("nav", tag("div", *links, class_="pages"), contents, aria_label="Contents")
