"""docs/openapi.yaml, docs/asyncapi.yaml and their pages say what the code says, and are valid.

If a file differs and the change is meant: `python -m apidocs`, and read the diff.
"""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
import yaml

from apidocs import events, nats, subjects
from apidocs.described import UndescribedError
from apidocs.files import DOCS, documents, files
from apidocs.realtime import message_types
from apidocs.schemas import Schemas
from apidocs.words.client_events import CLIENT_EVENTS
from apidocs.words.routes import ROUTES
from apidocs.words.server_events import PUSHES
from tests.contract.golden_files import message_files
from tests.support import strict
from web import npm
from wire import codec
from wire.messages import Message

RENEW = "if this change of the contract is meant: python -m apidocs"
CHECKER = Path(__file__).parents[1] / "support" / "asyncapi"
FILES = ("openapi.yaml", "asyncapi.yaml", "pages/index.html", "pages/openapi.html", "pages/asyncapi.html")
ADVICE = {
    "asyncapi-latest-version": "3.0 is what the document is meant to be",
}
"""What the parser finds that is no error, and why it stays."""


def read(name: str) -> Any:
    """One of the committed documents."""
    return yaml.safe_load((DOCS / name).read_bytes())


@pytest.mark.parametrize("name", FILES)
async def test_the_files_say_what_the_code_says(name: str) -> None:
    """A route, an event, a message, a field or a word that changes is committed with what it changes here."""
    assert files()[name].decode() == (DOCS / name).read_text(), RENEW


async def test_no_page_is_stray() -> None:
    """Whatever is there is written by `apidocs`, or is the style sheet."""
    assert set(files()) == set(FILES)
    found = {f"pages/{each.name}" for each in (DOCS / "pages").iterdir()}
    assert found == {"pages/style.css", *(each for each in FILES if each.startswith("pages/"))}


def test_openapi_is_valid() -> None:
    """By the official schema of OpenAPI 3.1, and by what it cannot say: references, unique ids, path parameters."""
    document = read("openapi.yaml")
    assert document["openapi"].startswith("3.1.")
    openapi_spec_validator.validate(document)


async def test_asyncapi_is_valid() -> None:
    """By AsyncAPI's own parser, which has nothing to remark but what is listed above."""
    node = shutil.which("node")
    try:
        await asyncio.to_thread(npm.install, CHECKER)
    except npm.NoNpmError:
        node = None
    if node is None:
        pytest.skip("no node or npm: docs/asyncapi.yaml is NOT checked by AsyncAPI's parser")
    process = await asyncio.create_subprocess_exec(
        node, "check.mjs", cwd=CHECKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate((DOCS / "asyncapi.yaml").read_bytes())
    assert process.returncode == 0
    assert [each for each in json.loads(output) if each["code"] not in ADVICE] == []
    assert read("asyncapi.yaml")["asyncapi"].startswith("3.0.")


def _examples() -> Iterator[tuple[str, Any, Any, Any]]:
    document = read("asyncapi.yaml")
    for name, message in document["components"]["messages"].items():
        for number, example in enumerate(message.get("examples", [])):
            yield f"{name}-{number}", document, message["payload"], example["payload"]
    document = read("openapi.yaml")
    for path, method, operation in (
        (path, method, each) for path, all_of in document["paths"].items() for method, each in all_of.items()
    ):
        if method != "servers" and "requestBody" in operation:
            ((_, content),) = operation["requestBody"]["content"].items()
            yield f"{method}-{path}", document, content["schema"], content["example"]


EXAMPLES = [pytest.param(*rest, id=name) for name, *rest in _examples()]


@pytest.mark.parametrize(("document", "schema", "example"), EXAMPLES)
def test_examples_are_valid(document: Any, schema: Any, example: Any) -> None:
    """And have no field that the schema does not know."""
    strict.validator(document, schema).validate(example)


@pytest.mark.parametrize("example", message_files().values(), ids=message_files())
def test_the_schemas_fit_what_is_encoded(example: Message) -> None:
    """All golden messages, those without any default among them, are valid by the schema made of their type."""
    schemas = Schemas()
    schema = schemas.of(type(example), sent=True)
    document = {"components": {"schemas": schemas.components}}
    value = json.loads(codec.encode(example))
    strict.validator(document, schema).validate(value)
    for name in value:
        lacking = {key: each for key, each in value.items() if key != name}
        is_optional = name not in schemas.components[type(example).__name__].get("required", [])
        assert strict.validator(document, schema).is_valid(lacking) == is_optional
    with pytest.raises(jsonschema.ValidationError):
        strict.validator(document, schema).validate({**value, "unknown": 1})


@pytest.mark.parametrize("table", [ROUTES, CLIENT_EVENTS, PUSHES])
async def test_what_nobody_has_described_is_an_error(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """So a new route or event comes with its words; and one that is gone takes them along."""
    name = next(iter(table))
    with monkeypatch.context() as patch:
        patch.delitem(table, name)
        with pytest.raises(UndescribedError):
            documents()
    with monkeypatch.context() as patch:
        patch.setitem(table, "GET /nowhere", table[name])
        with pytest.raises(UndescribedError):
            documents()


async def test_a_message_or_subject_that_nobody_has_described_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of what goes over NATS."""
    monkeypatch.setattr(nats, "SUBJECTS", subjects.SUBJECTS[1:])
    monkeypatch.setattr(subjects, "SUBJECTS", subjects.SUBJECTS[1:])
    with pytest.raises(UndescribedError, match="STORED_MESSAGES"):
        documents()


def test_everything_is_described() -> None:
    """Each event, each acknowledgement, each subject; and `wire` has messages at all, so that this says something."""
    assert events.undescribed() == []
    assert subjects.undescribed() == []
    assert len(message_types()) > 40


def test_pages_have_no_script_and_nothing_from_elsewhere() -> None:
    """They work under the strictest policy; every link within a page leads somewhere."""
    for page in (DOCS / "pages").glob("*.html"):
        text = page.read_text()
        assert not re.search(r"<script|<style| style=| on\w+=|(?:src|href)=\"(?!#|/docs/|/docs\"|/web/icon)", text)
        targets = set(re.findall(r'id="([^"]+)"', text))
        assert set(re.findall(r'href="#([^"]+)"', text)) <= targets, page.name
        assert len(targets) == len(re.findall(r'id="([^"]+)"', text)), "an id is there twice"
