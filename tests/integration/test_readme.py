"""The first thing a newcomer copies works: it is what `test_examples.py` runs."""

import re

import pytest

from deploy.local.stack import ROOT

README = (ROOT / "README.md").read_text()


def test_the_readme_begins_with_the_two_commands() -> None:
    """The first code block is `make run` and `make test`."""
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize(("language", "suffix"), [("js", "js"), ("python", "py")])
def test_the_first_client_is_the_one_in_examples(language: str, suffix: str) -> None:
    """To the letter."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert block == (ROOT / f"examples/first_client/client.{suffix}").read_text()
