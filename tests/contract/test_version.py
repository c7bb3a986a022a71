"""There is one version: what the program says of itself is what its package, its images and its descriptions say."""

import re
from pathlib import Path

import pytest

from runtime.version import VERSION

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("pyproject.toml", r'^version = "(.+)"$'),
        ("Makefile", r"^VERSION \?= (.+)$"),
        ("docs/openapi.yaml", r"^  version: (.+)$"),
        ("docs/asyncapi.yaml", r"^  version: (.+)$"),
    ],
)
def test_all_say_the_same_version(file: str, pattern: str) -> None:
    """In each place where one is written."""
    assert re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE) == [VERSION]
