"""The first things a newcomer copies work: the first client is what `test_examples.py` runs."""

import asyncio
import os
import re
import shutil

import pytest

from deploy.local.stack import ROOT
from tests.support.backends import backend
from tests.support.people import guest
from tests.support.stacks import TestStack

README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readme_begins_with_the_two_commands() -> None:
    """The first code block is `make run` and `make test`."""
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize(("language", "suffix"), [("js", "js"), ("python", "py")])
def test_the_first_client_is_the_one_in_examples(language: str, suffix: str) -> None:
    """To the letter."""
    (block,) = _blocks(language)
    assert block == (ROOT / f"examples/first_client/client.{suffix}").read_text()


async def test_the_backend_of_the_readme(stack: TestStack) -> None:
    """Says something and notifies somebody, by the lines for a shell, which say what came of them."""
    if shutil.which("curl") is None:
        pytest.skip("no curl: the README's lines for backends are NOT tested")
    sender, somebody = await backend(stack, "publish,notify"), await guest(stack)
    (lines,) = [block for block in _blocks("sh") if "curl" in block]
    environ = {**os.environ, "URL": stack.gateway_urls[0], "TOKEN": sender.token, "USER_ID": somebody.id}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-ec", lines.replace("curl ", "curl -sS --fail ")), env=environ, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert (process.returncode, said.count(b'"duplicate":false')) == (0, 2)
