"""All routes of the public port but Socket.IO's."""

from pathlib import Path

from aiohttp import web

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway.access import Access
from services.gateway.api.backends import BackendsApi
from services.gateway.api.messages import Api
from services.gateway.api.rooms import RoomsApi
from services.gateway.api.sessions import SessionsApi
from services.gateway.auth import Auth
from services.gateway.notifying import Notifying
from services.gateway.pages.chat import ChatPage
from services.gateway.pages.docs import DocsPages
from services.gateway.pages.examples import ExamplePages
from services.gateway.posting import Posting
from services.gateway.private_rooms import PrivateRooms
from services.gateway.reading import Reading
from services.gateway.settings import GatewaySettings
from wire.messages import Page


def routes(
    settings: GatewaySettings,
    bus: Bus,
    *,
    auth: Auth,
    access: Access,
    history: Caller[Page],
    posting: Posting,
    notifying: Notifying,
    reading: Reading,
) -> list[web.RouteDef]:
    """The API, and the pages that are served."""
    timeout = settings.limits.body_timeout
    apis = (
        Api(auth, access, history),
        SessionsApi(auth, settings.limits),
        BackendsApi(auth, posting, notifying, body_timeout=timeout),
        RoomsApi(auth, PrivateRooms(bus), access, reading, body_timeout=timeout),
    )
    pages = [
        ChatPage(settings.web),
        *((ExamplePages(Path(settings.examples_dir)), DocsPages(Path(settings.docs_dir))) if settings.docs else ()),
    ]
    return [route for each in (*apis, *pages) for route in each.routes()]
