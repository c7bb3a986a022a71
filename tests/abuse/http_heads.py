"""Requests whose head is none, or says too much."""

from typing import Final

from tests.abuse.rows import http, named
from tests.abuse.stranger import PATH, request

_GET: Final = "GET /api/rooms/r/messages HTTP/1.1\r\nHost: {host}\r\n"
_POST: Final = "POST /api/guest HTTP/1.1\r\nHost: {host}\r\n"
_WITHOUT_TOKEN: Final = "401 unauthorized"

ROWS: Final = named(
    {
        "no HTTP": (http("hello\r\n\r\n"), "400"),
        "TLS on the plain port": (http(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64), "400"),
        "the preface of HTTP/2": (http("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400"),
        "HTTP/0.9": (http("GET /metrics\r\n\r\n"), "404 invalid"),
        "HTTP/9.9": (http("GET / HTTP/9.9\r\n\r\n"), "400"),
        "a method that is none": (http(request("BREW", "/")), "400"),
        "a method with a NUL": (http(request("GE\0T", "/")), "400"),
        "CONNECT": (http("CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404 invalid"),
        "TRACE": (http(request("TRACE", "/")), "405 invalid"),
        "another host's target": (http(request("GET", "http://evil.example/api/rooms/r/messages")), _WITHOUT_TOKEN),
        "a path outside": (http(request("GET", "/web/../../../../etc/passwd")), "404 invalid"),
        "an escaped path outside": (http(request("GET", "/web/%2e%2e/%2e%2e/pyproject.toml")), "404 invalid"),
        "a doubly escaped path outside": (http(request("GET", "/web/%252e%252e/pyproject.toml")), "404 invalid"),
        "a path with a NUL": (http(request("GET", "/web/chat.js%00.css")), "404 invalid"),
        "a path that is no UTF-8": (http(request("GET", "/web/%ff%fe.js")), "404 invalid"),
        "a route for the gateway itself": (http(request("GET", "/metrics")), "404 invalid"),
        "a line of 9 KB": (http(request("GET", "/" + "x" * 9_000)), "400"),
        "a header of 9 KB": (http(request("GET", "/", "X-Long: " + "x" * 9_000)), "400"),
        "a name of 9 KB": (http(request("GET", "/", "X" * 9_000 + ": x")), "400"),
        "two hundred headers": (http(request("GET", "/", *[f"X-{number}: x" for number in range(200)])), "400"),
        "a header without a name": (http(request("GET", "/", ": x")), "400"),
        "a header without a colon": (http(request("GET", "/", "nonsense")), "400"),
        "a header with a space before its colon": (http(request("GET", "/", "Content-Length : 0")), "400"),
        "a header over two lines": (http(request("GET", "/", "X-Folded: a", " b")), "400"),
        "a header with a NUL": (http(request("GET", "/", "X-Nul: a\0b")), "400"),
        "a header with a bare CR": (http(request("GET", "/", "X-Cr: a\rb: c")), "400"),
        "lines that end with LF alone": (http("GET /metrics HTTP/1.1\nHost: {host}\n\n"), "400"),
        "two lengths": (http(f"{_POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"), "400"),
        "a length and chunks": (
            http(f"{_POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400",
        ),
        "a length below zero": (http(f"{_POST}Content-Length: -1\r\n\r\n"), "400"),
        "a length with a sign": (http(f"{_POST}Content-Length: +2\r\n\r\n{{}}"), "400"),
        "a length in hexadecimal": (http(f"{_POST}Content-Length: 0x2\r\n\r\n{{}}"), "400"),
        "a length of a hundred digits": (http(f"{_POST}Content-Length: {'9' * 100}\r\n\r\n{{}}"), "400"),
        "chunks of no size": (http(f"{_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"), "400"),
        "a chunk with a size below zero": (http(f"{_POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"), "400"),
        "an encoding that is none": (http(f"{_POST}Transfer-Encoding: identity, chunked, x\r\n\r\n"), "400"),
        "an expectation that is none": (http(f"{_POST}Expect: the-moon\r\nContent-Length: 2\r\n\r\n{{}}"), "417"),
        "an expectation that is no text": (
            http(f"{_POST}Expect: \udcff\r\nContent-Length: 2\r\n\r\n{{}}"),
            "500",  # it is aiohttp that fails, at repeating it
        ),
        "two hosts": (http("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400"),
        "no host": (http("GET /metrics HTTP/1.1\r\n\r\n"), "400"),
        "a host with a script": (http("GET /metrics HTTP/1.1\r\nHost: <script>\r\n\r\n"), "404 invalid"),
        "a scheme that is none": (http(f"{_GET}Authorization: Basic dTpw\r\n\r\n"), _WITHOUT_TOKEN),
        "a scheme without a token": (http(f"{_GET}Authorization: Bearer\r\n\r\n"), _WITHOUT_TOKEN),
        "a token that is no text": (http(f"{_GET}Authorization: Bearer \udcff\r\n\r\n"), "401 unauthorized"),
        "an origin and a host that are no text": (
            http("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: \udcff\r\nOrigin: http://\udcff\r\n\r\n"),
            "400 4",
        ),
        "headers asked for that are no text": (
            http(
                "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n"
                "Access-Control-Request-Headers: \udcff\r\n\r\n"
            ),
            "200",
        ),
        "an upgrade to something else": (http(f"{_GET}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), _WITHOUT_TOKEN),
        "JSONP": (http(request("GET", f"{PATH}polling&j=0")), "400 3"),
    }
)
"""No answer tells one what the server is made of, or why it did not like a token."""
