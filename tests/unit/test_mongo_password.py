"""The password of MongoDB's user, from a file."""

from pathlib import Path

import pytest

from runtime import mongo_password
from runtime.settings import SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """With a password in it."""
    made = tmp_path / "password"
    made.write_text("hunter2\n")
    made.chmod(0o600)
    return made


@pytest.mark.parametrize("url", ["mongodb://auth@h", "mongodb+srv://auth@h/?a=b", "mongodb://auth@h:1,g:2/x"])
def test_it_is_that_of_the_user_in_the_url(file: Path, url: str) -> None:
    """Without the end of the line; and nothing without a file."""
    assert mongo_password.arguments(url, str(file)) == {"password": "hunter2"}
    assert mongo_password.arguments(url, "") == {}


@pytest.mark.parametrize("url", ["mongodb://h", "mongodb://auth:own@h", "mongodb://[h", "garbage", ""])
def test_a_url_of_another_kind_stays_as_it_is(file: Path, url: str) -> None:
    """It names nobody, or has a password of its own, or is none."""
    assert mongo_password.arguments(url, str(file)) == {}


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    """By the name of the setting, and without what is in it."""
    file.chmod(0o640)
    assert mongo_password.arguments("mongodb://auth@h", str(file)) == {"password": "hunter2"}
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=r"^MONGO_PASSWORD_FILE: .* is open to others: chmod 600 it$"):
        mongo_password.arguments("mongodb://auth@h", str(file))
