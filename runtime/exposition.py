"""What /metrics answers: OpenMetrics 1.0 for whoever prefers it, the text format 0.0.4 for everybody else.

https://prometheus.io/docs/instrumenting/content_negotiation. prometheus_client's own choice looks at no preference,
and answers in versions that it does not write.
"""

from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

_OPENMETRICS: Final = "application/openmetrics-text"
_VERSIONS: Final = ("1.0.0", "0.0.1", "")
_TEXT: Final = ("text/plain", "text/*", "*/*")


def of(accept: str) -> tuple[bytes, str]:
    """All that is registered, and its content type, for a request with the header `accept` ("": none)."""
    open_metrics = text = 0.0
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        values = dict(part.partition("=")[::2] for part in parameters)
        if kind == _OPENMETRICS and values.get("version", "").strip('"') in _VERSIONS:
            open_metrics = max(open_metrics, _preference(values))
        elif kind in _TEXT:
            text = max(text, _preference(values))
    if open_metrics and open_metrics >= text:
        return openmetrics.generate_latest(REGISTRY), openmetrics.CONTENT_TYPE_LATEST  # type: ignore[no-untyped-call]
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4


def _preference(values: dict[str, str]) -> float:
    try:
        return float(values.get("q", "1"))
    except ValueError:
        return 0.0
