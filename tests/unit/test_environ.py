"""What a connect handler is told of the request."""

from aiohttp.test_utils import make_mocked_request

from services.gateway.edge.environ import Environ


def test_it_has_the_names_of_wsgi() -> None:
    """Headers, method, path as decoded, query as sent, the address that was found; however the mapping is read."""
    request = make_mocked_request("GET", "/socket.io/%41?a=1&b=2", headers={"X-Forwarded-For": "::1", "Host": "h"})
    environ = Environ(request, "192.0.2.7")
    assert environ["HTTP_X_FORWARDED_FOR"] == "::1"
    assert dict(environ) == {
        "HTTP_X_FORWARDED_FOR": "::1",
        "HTTP_HOST": "h",
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/socket.io/A",
        "QUERY_STRING": "a=1&b=2",
        "REMOTE_ADDR": "192.0.2.7",
    }
    assert len(environ) == 6
    assert environ.get("HTTP_COOKIE") is None


def test_nothing_is_made_before_somebody_asks() -> None:
    """It is made for every connection, and Parley's own handler does not ask."""
    environ = Environ(make_mocked_request("GET", "/"), "")
    assert environ._made is None
    assert environ is not None
    assert "HTTP_HOST" not in environ
    assert environ._made is not None
