"""The files that `python -m apidocs` writes, as the code of today would have them."""

import tomllib
from pathlib import Path
from typing import Any, Final

import yaml
from aiohttp import web

from apidocs import http, realtime
from apidocs.pages import http_page, index_page, realtime_page
from apidocs.schemas import Json
from runtime import admin
from runtime.bus import Bus
from runtime.nats_client import NatsClient
from services.gateway.gateway import Gateway
from services.gateway.settings import GatewaySettings

_ROOT: Final = Path(__file__).parents[1]
DOCS: Final = _ROOT / "docs"
_HEAD: Final = "# Written by `python -m apidocs`; what the words are is in apidocs/.\n"


def documents() -> dict[str, Json]:
    """By the names of the files. To be called where a loop runs, which a gateway needs; nothing is connected."""
    version = str(tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"])
    return {
        "openapi.yaml": http.document(*_applications(), version),
        "asyncapi.yaml": realtime.document(version),
    }


def files() -> dict[str, bytes]:
    """All of them, below `DOCS`. As `documents`."""
    found = documents()
    openapi, asyncapi = found["openapi.yaml"], found["asyncapi.yaml"]
    return {
        **{name: _yaml(each) for name, each in found.items()},
        "pages/index.html": index_page.page(openapi, asyncapi),
        "pages/openapi.html": http_page.page(openapi),
        "pages/asyncapi.html": realtime_page.page(asyncapi),
    }


def _applications() -> tuple[web.Application, web.Application]:
    settings = GatewaySettings(nats_url=("nats://127.0.0.1",), admin_port=1, docs=True)
    gateway = Gateway(settings, Bus(NatsClient(lambda _: None, None)))
    public, administration = web.Application(), web.Application()
    public.add_routes(gateway.routes)
    gateway.clients.attach(public)
    administration.add_routes(admin.routes())
    return public, administration


def _yaml(document: Any) -> bytes:
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    return f"{_HEAD}{text}".encode()


class _Dumper(yaml.SafeDumper):
    """Writes everything out, as people would: no aliases, and lists further in than what has them."""

    def ignore_aliases(self, _data: Any) -> bool:
        """See `yaml`."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """See `yaml`."""
        super().increase_indent(flow, False)
