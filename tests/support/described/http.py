"""HTTP requests and their answers, held against docs/openapi.yaml."""

import json
import re
from typing import Any, Final, NamedTuple

import aiohttp
import yaml

from apidocs.files import DOCS
from tests.support import strict

Json = dict[str, Any]
_JSON: Final = re.compile(r"application/(.+\+)?json")


class Seen(NamedTuple):
    """One way in which an operation was answered; no `kind`: without a body."""

    operation: str
    status: int
    kind: str


class Answer(NamedTuple):
    """What came."""

    status: int
    body: Any
    headers: Any


class DescribedHttp:
    """Asks, and checks. An answer that nobody has described is an `AssertionError`."""

    def __init__(self) -> None:
        self.document: Final[Json] = yaml.safe_load((DOCS / "openapi.yaml").read_bytes())
        self.seen: Final[set[Seen]] = set()
        self.operations: Final[dict[str, Json]] = {
            f"{method.upper()} {path}": operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if method != "servers"
        }

    def described(self) -> set[Seen]:
        """All ways in which all operations may be answered."""
        return {
            Seen(name, int(status), kind)
            for name, operation in self.operations.items()
            for status, response in operation["responses"].items()
            for kind in self._response(response).get("content", {"": None})
        }

    async def ask(self, operation: str, url: str, *, address: str = "127.0.0.1", **more: Any) -> Answer:
        """Send a request of `operation` to `url`, from one of this machine's addresses."""
        connector = aiohttp.TCPConnector(local_addr=(address, 0), force_close=True)
        method = operation.partition(" ")[0]
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.request(method, url, allow_redirects=False, **more) as response,
        ):
            text = (await response.read()).decode()
            answer = self.check(operation, response.status, response.headers.get("Content-Type", ""), text)
            if response.ok:
                self._check_request(operation, response.url.query.keys(), more.get("json"))
            return Answer(response.status, answer, response.headers)

    def check(self, operation: str, status: int, content_type: str, text: str) -> Any:
        """Whether `operation` may be answered so; returns what is in `text`."""
        responses = self.operations[operation]["responses"]
        assert str(status) in responses, f"{operation}: nobody has described {status}: {text[:300]}"
        content = self._response(responses[str(status)]).get("content", {})
        kind = content_type.partition(";")[0]
        found = kind if kind in content else "*/*"
        if not text and not content:
            self.seen.add(Seen(operation, status, ""))
            return None
        assert found in content, f"{operation}: nobody has described {kind or 'no body'} with {status}: {text[:300]}"
        self.seen.add(Seen(operation, status, found))
        if not _JSON.fullmatch(kind):
            return text
        value = json.loads(text)
        strict.validator(self.document, content[found]["schema"]).validate(value)
        return value

    def _check_request(self, operation: str, query: Any, body: Any) -> None:
        described = self.operations[operation]
        names = {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}
        if "socket.io" not in operation:  # which is Engine.IO's
            assert set(query) <= names, f"{operation}: nobody has described {set(query) - names}"
        if body is not None:
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            strict.validator(self.document, schema).validate(body)

    def _response(self, response: Json) -> Json:
        name = response.get("$ref", "").rpartition("/")[2]
        found: Json = self.document["components"]["responses"][name] if name else response
        return found
