"""Keys of NATS's users and the files that they are in. That nats-server takes them: test_nats_permissions.py."""

import stat
import threading
from pathlib import Path

import pytest

from runtime import credentials, nkeys, secret_files
from runtime.settings import SettingsError

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
"""A pair that NATS's own documentation shows."""


def test_a_pair_of_nats_own_documentation() -> None:
    """The seed's public half is the one that belongs to it, and it is written as it was read."""
    key = nkeys.of_seed(SEED)
    assert (key.public, key.seed) == (PUBLIC, SEED)


def test_new_keys_are_users_and_differ() -> None:
    """Each is what it says when it is read again."""
    one, other = nkeys.generate(), nkeys.generate()
    assert one.seed != other.seed
    for each in (one, other):
        assert (each.seed[:2], each.public[0]) == ("SU", "U")
        assert nkeys.of_seed(each.seed).public == each.public


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hunter2",
        PUBLIC,
        SEED[:-1],
        SEED.lower(),
        f"{SEED[:20]}A{SEED[21:]}",
        f"SA{SEED[2:]}",
        SEED * 2,
        "é" * 58,
        "SU" + "A" * 56,
    ],
)
def test_what_is_no_seed_of_a_user_is_refused(tmp_path: Path, wrong: str) -> None:
    """In one line that names the variable and the file, and repeats none of it."""
    with pytest.raises(ValueError, match=r"."):
        nkeys.of_seed(wrong)
    file = tmp_path / "nats.nk"
    file.write_text(wrong)
    file.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        nkeys.read("NATS_NKEY_FILE", str(file))
    said = str(caught.value)
    assert said.startswith(f"NATS_NKEY_FILE: {file}")
    assert "\n" not in said
    assert not wrong or wrong not in said
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o644, 0o777])
def test_a_secret_that_is_open_to_others_is_not_read(tmp_path: Path, mode: int) -> None:
    """Its group may read it, as mounted secrets are; nobody else may, and only its owner may write it."""
    file = tmp_path / "secret"
    file.write_text("hunter2")
    file.chmod(mode)
    with pytest.raises(SettingsError, match=r"^IT: .* is open to others: chmod 600 it$"):
        secret_files.read("IT", str(file))
    file.chmod(0o440)
    assert secret_files.read("IT", str(file)) == "hunter2"


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, bytes that are no text."""
    file = tmp_path / "secret"
    with pytest.raises(SettingsError, match=r"^IT: .*: No such file or directory$"):
        secret_files.read("IT", str(file))
    file.mkdir(mode=0o700)
    with pytest.raises(SettingsError, match=r"^IT: .*: Is a directory$"):
        secret_files.read("IT", str(file))
    file.rmdir()
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match=r"^IT: .* is no text$"):
        secret_files.read("IT", str(file))


def test_credentials_are_made_once(tmp_path: Path) -> None:
    """All with mode 0600, in folders that are closed; what is there stays, and what was removed is made anew."""
    folder = tmp_path / "credentials"
    credentials.make(folder)
    secrets = {file: file.read_text() for file in folder.glob("*/*") if "conf" not in file.name}
    assert len(secrets) >= len(credentials.NATS_USERS)
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
    assert {stat.S_IMODE(file.parent.stat().st_mode) for file in secrets} == {0o700}
    public = (folder / credentials.PUBLIC_KEYS).read_text()
    credentials.make(folder)
    assert {file: file.read_text() for file in secrets} == secrets
    assert (folder / credentials.PUBLIC_KEYS).read_text() == public
    (folder / "auth" / credentials.SEED).unlink()
    credentials.make(folder)
    changed = [file for file, secret in secrets.items() if file.read_text() != secret]
    assert changed == [folder / "auth" / credentials.SEED]
    for user in credentials.NATS_USERS:
        key = nkeys.read("it", str(folder / user / credentials.SEED))
        assert f"NATS_{user.upper()}_NKEY: {key.public}\n" in (folder / credentials.PUBLIC_KEYS).read_text()
    assert not list(folder.glob("*/.*")), "nothing half-written is left"


def test_credentials_made_by_two_at_once_are_the_same(tmp_path: Path) -> None:
    """Whoever comes second takes what is there."""
    threads = [threading.Thread(target=credentials.make, args=(tmp_path,)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    public = (tmp_path / credentials.PUBLIC_KEYS).read_text()
    for user in credentials.NATS_USERS:
        assert nkeys.read("it", str(tmp_path / user / credentials.SEED)).public in public
