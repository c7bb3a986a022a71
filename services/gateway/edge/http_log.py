"""What aiohttp logs, without what strangers do: any of them could fill the log with requests that are none.

And not only with noise: what it says of a malformed request repeats the line that was wrong, be it one with a token.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from services.gateway.edge import metrics, tracebacks

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter

_NAME: Final = "aiohttp.server"


class HttpLog(_Adapter):
    """The logger of an `AppRunner`: malformed requests are counted instead, and who has hung up is nobody's news."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger(_NAME), {})

    def log(self, level: int, msg: object, *args: object, exc_info: Any = None, **more: Any) -> None:
        """See `logging.Logger`."""
        # A UnicodeError is what aiohttp fails with when it repeats a header that is no text.
        if isinstance(exc_info, HttpProcessingError | web.RequestPayloadError | UnicodeError):
            metrics.malformed_requests.inc()
            tracebacks.drop(exc_info)
        elif not isinstance(exc_info, ConnectionError):
            super().log(level, msg, *args, exc_info=exc_info, **more)
