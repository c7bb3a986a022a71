"""The first thing a newcomer copies works."""

import asyncio
import os
import re
import shutil
import sys

import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.stack import ROOT
from tests.support.backends import backend
from tests.support.people import guest
from tests.support.stacks import TestStack


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def _code(language: str) -> str:
    (block,) = _blocks(language)
    return block


def _aimed_at(code: str, stack: TestStack) -> str:
    usual = Ports()
    for port, actual in zip((usual.gateway_1, usual.gateway_2), stack.gateway_urls, strict=True):
        code = code.replace(f"http://{HOST}:{port}", actual)
    return code


async def _output(*command: str, code: str, until: str) -> str:
    """Run `code`, and return what it printed up to the line that has `until`."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT / "web", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(code.encode())
        process.stdin.close()
        printed = ""
        async with asyncio.timeout(30):
            while line := await process.stdout.readline():
                printed += line.decode()
                if until in printed:
                    break
        return printed
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_javascript_client_of_the_readme(stack: TestStack) -> None:
    """It is in the lobby, and its message is stored."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: the README's JavaScript is NOT tested")
    code = _aimed_at(_code("js"), stack)
    assert "stored as" in await _output(node, "--input-type=module", "-", code=code, until="stored as")


async def test_the_python_client_of_the_readme(stack: TestStack) -> None:
    """The same."""
    code = _aimed_at(_code("python"), stack)
    assert "'ok': True" in await _output(sys.executable, "-", code=code, until="'ok'")


def test_the_readme_begins_with_the_two_commands() -> None:
    """The first code block is `make run` and `make test`."""
    first = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make run", "make test"]


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
