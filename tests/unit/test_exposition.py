"""Which format whoever scrapes is answered in."""

import pytest

from runtime import exposition

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html, */*;q=0.1", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS),
        # Prometheus 2 and 3, as they ask by default; and one that is told to prefer text.
        (
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            OPENMETRICS,
        ),
        (
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            OPENMETRICS,
        ),
        ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2", TEXT),
        ("application/openmetrics-text;version=7.0.0", TEXT),
        ("application/openmetrics-text;version=x.y", TEXT),
        ("application/openmetrics-text;q=0,text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=often", TEXT),
        (";;,=,;q=", TEXT),
    ],
)
def test_the_format_is_the_one_that_is_preferred(accept: str, kind: str) -> None:
    """And the text one for whoever does not say, or wants a version that there is not."""
    body, content_type = exposition.of(accept)
    assert content_type == kind
    assert body.endswith(b"# EOF\n") == (kind == OPENMETRICS)
