"""What aiohttp logs, without the requests that are none: any stranger could fill the log with them.

And not only with noise: what it says of a malformed request repeats the line that was wrong, be it one with a token.
"""

import logging
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from services.gateway.edge import metrics

_NAME: Final = "aiohttp.server"


def quiet() -> logging.Logger:
    """The logger for an `AppRunner`: malformed requests are counted instead."""
    logger = logging.getLogger(_NAME)
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
        return True
    metrics.malformed_requests.inc()
    return False
