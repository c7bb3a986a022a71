"""Signing keys: files of them, the folder they are in, which of them signs, and which may go."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import LogCapture

from services.auth import key_folder, keys, metrics
from services.auth.keys import KeyFileError, SigningKey
from tests.support.waiting import until

NOW = datetime(2026, 11, 28, 6, 16, 2, tzinfo=UTC).timestamp()
DAY = 86_400
NAME = "20261128T061602Z.pem"


def made(at: float) -> SigningKey:
    """A key that was made at that time."""
    return keys._signing_key(Ed25519PrivateKey.generate(), at)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_key_file_is_named_by_when_it_was_made(tmp_path: Path) -> None:
    """It is its owner's alone, holds the key, and leaves nothing else behind."""
    file = keys.generate(tmp_path, NOW + 0.25)
    assert file.name == "20261128T061602.250000Z.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.read(file).made == NOW + 0.25
    assert list(tmp_path.iterdir()) == [file]


def test_keys_of_one_instant_do_not_collide(tmp_path: Path) -> None:
    """Each gets a file of its own, and none is overwritten; not even a link that leads nowhere."""
    (tmp_path / "20261128T061602.000000Z.pem").symlink_to("nowhere")
    files = [keys.generate(tmp_path, NOW) for _ in range(20)]
    assert len(set(files)) == len({keys.read(each).kid for each in files}) == 20
    assert os.readlink(tmp_path / "20261128T061602.000000Z.pem") == "nowhere"  # noqa: PTH115


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o666])
def test_a_key_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Readable, writable or executable by others, or writable by the group; the group may read it (Kubernetes)."""
    file = keys.generate(tmp_path, NOW)
    file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.read(file)
    file.chmod(0o640)
    keys.read(file)


@pytest.mark.parametrize(
    "data", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff" * 99, b"-" * 1_000_000]
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, data: bytes) -> None:
    """One line names the file; what is in it is not shown."""
    file = tmp_path / NAME
    file.write_bytes(data)
    file.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        keys.read(file)
    assert str(caught.value) == f"{file} is not an unencrypted PEM private key"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """What cannot be read is named, with the reason; a pipe without a writer does not hold anybody up."""
    for name, make, said in (
        ("20260101T000000Z.pem", lambda _: None, "No such file"),
        ("20260102T000000Z.pem", lambda path: path.mkdir(mode=0o700), "Is a directory"),
        ("20260103T000000Z.pem", lambda path: os.mkfifo(path, 0o600), "is not a file"),
        ("20260104T000000Z.pem", lambda path: path.symlink_to(path), "Too many levels"),
    ):
        make(tmp_path / name)
        with pytest.raises(KeyFileError, match=f"{name}.*{said}"):
            keys.read(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["signing.pem", "20261128.pem", "20261328T061602Z.pem", "2026112T061602Z.pem", "20261128T061602.5Z.pem"]
)
def test_a_name_that_tells_no_time_is_refused(tmp_path: Path, name: str) -> None:
    """Which key signs depends on it."""
    keys.generate(tmp_path, NOW).rename(tmp_path / name)
    with pytest.raises(KeyFileError, match="is not named by when it was made, like 20261128T061602Z"):
        keys.read(tmp_path / name)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A good private key that is not Ed25519 signs nothing here."""
    file = tmp_path / NAME
    foreign = generate_private_key(SECP256R1())
    file.write_bytes(foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match="not an Ed25519 key"):
        keys.read(file)


# --- which signs ----------------------------------------------------------------------------------------------------


def test_the_newest_that_is_old_enough_signs() -> None:
    """So that all who verify have heard of it; the oldest if none is, so that there is always one."""
    first, second, third = made(NOW - 5000), made(NOW - 600), made(NOW - 599)
    some = [first, second, third]
    for _ in range(10):
        random.shuffle(some)
        assert keys.signer(some, NOW, 600) is second
        assert keys.signer(some, NOW + 1, 600) is third
        assert keys.signer(some, NOW - 5000, 600) is first
        assert keys.signer(some, NOW - 1, 600) is first
    assert keys.signer([third], NOW, 600) is third


def test_of_keys_of_one_instant_all_choose_the_same() -> None:
    """Instances that read them in another order sign with the same."""
    some = [made(NOW) for _ in range(5)]
    chosen = keys.signer(some, NOW + 600, 600)
    for _ in range(20):
        random.shuffle(some)
        assert keys.signer(some, NOW + 600, 600) is chosen


# --- the folder -----------------------------------------------------------------------------------------------------


def test_a_folder_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    """Keys are links into `..data`, a link to a folder with a dot; the mode of the files counts, not of the links."""
    data = tmp_path / "..2026_11_28_06_16_02.123"
    data.mkdir()
    file = keys.generate(data, NOW)
    file.chmod(0o440)
    (tmp_path / "..data").symlink_to(data.name)
    (tmp_path / file.name).symlink_to(f"..data/{file.name}")
    (tmp_path / "lost+found").mkdir()
    assert [each.kid for each in key_folder.read(tmp_path)] == [keys.read(file).kid]
    file.chmod(0o444)
    with pytest.raises(KeyFileError, match=f"{tmp_path / file.name} is open to others"):
        key_folder.read(tmp_path)


def test_a_folder_without_keys_is_refused(tmp_path: Path) -> None:
    """It is named, and so is one that is not there."""
    with pytest.raises(KeyFileError, match=f"^{tmp_path} holds no key$"):
        key_folder.read(tmp_path)
    with pytest.raises(KeyFileError, match=f"^{tmp_path}/none: No such file"):
        key_folder.read(tmp_path / "none")


def test_rotate_makes_the_first_key(tmp_path: Path) -> None:
    """And the folder, for its owner alone; the second keeps the first."""
    folder = tmp_path / "keys"
    (line,) = key_folder.rotate(folder, NOW)
    (first,) = key_folder.read(folder)
    assert line == f"made 20261128T061602.000000Z.pem, kid {first.kid}"
    assert folder.stat().st_mode & 0o777 == 0o700
    lines = list(key_folder.rotate(folder, NOW + 1))
    assert lines[1:] == [f"kept 20261128T061602.000000Z.pem, kid {first.kid}"]
    assert len(key_folder.read(folder)) == 2


def test_rotate_removes_what_nobody_needs(tmp_path: Path) -> None:
    """A key goes once the next has been signing for longer than any token lives, and not a day before."""
    first, second = keys.generate(tmp_path, NOW), keys.generate(tmp_path, NOW + DAY)
    list(key_folder.rotate(tmp_path, NOW + 3 * DAY))
    assert first.exists(), "the second may have begun to sign a day later, and a token live for a day"
    lines = list(key_folder.rotate(tmp_path, NOW + 3 * DAY + 3601))
    assert not first.exists()
    assert second.exists()
    assert lines[1].startswith(f"removed {first.name}, kid ")
    assert [each.split()[0] for each in lines] == ["made", "removed", "kept", "kept"]


def test_of_keys_of_one_instant_the_one_that_signs_stays(tmp_path: Path) -> None:
    """Also if the order of their names is another."""
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        keys.generate(folder, NOW)
        keys.generate(folder, NOW).rename(folder / NAME)
        signs = keys.signer(key_folder.read(folder), NOW + 9 * DAY, 600)
        list(key_folder.rotate(folder, NOW + 9 * DAY))
        assert signs.kid in {each.kid for each in key_folder.read(folder)}


@pytest.mark.parametrize("seed", range(20))
def test_rotate_never_removes_what_may_be_needed(tmp_path: Path, seed: int) -> None:
    """Whenever it is run: the key that signs stays, whatever the activation, and so do all that signed of late."""
    chance = random.Random(seed)
    now = NOW
    for _ in range(12):
        now += chance.choice([0, 1, 600, 3600, DAY / 2, DAY, 2 * DAY, 5 * DAY])
        before = key_folder.read(tmp_path) if any(tmp_path.iterdir()) else []
        list(key_folder.rotate(tmp_path, now))
        left = {each.kid for each in key_folder.read(tmp_path)}
        for activation in (1, 600, DAY):
            for ago in (0, 600, DAY / 2, DAY):
                known_then = [each for each in before if each.made <= now - ago]
                if known_then:
                    assert keys.signer(known_then, now - ago, activation).kid in left


def test_a_bad_file_stops_rotation(tmp_path: Path) -> None:
    """Nothing is made and nothing removed: what is wrong is mended first."""
    keys.generate(tmp_path, NOW - 9 * DAY)
    keys.generate(tmp_path, NOW - 8 * DAY)
    (tmp_path / NAME).touch(mode=0o600)
    with pytest.raises(KeyFileError, match=NAME):
        list(key_folder.rotate(tmp_path, NOW))
    assert len(list(tmp_path.iterdir())) == 3


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[tuple[list[list[SigningKey]], LogCapture]]:
    """What is handed on while the folder is looked at, and what is logged."""
    handed_on: list[list[SigningKey]] = []
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[capture])
    try:
        async with key_folder.followed(folder, key_folder.read(folder), handed_on.append, every=0.01):
            yield handed_on, capture
    finally:
        structlog.configure(processors=before)


async def looked_again(folder_looks: int = 3) -> None:
    """Wait until a bad folder was looked at some more times."""
    seen = metrics.key_reload_failures._value.get()
    await until(lambda: metrics.key_reload_failures._value.get() >= seen + folder_looks, "it is looked at again")


async def test_a_new_key_is_handed_on(tmp_path: Path) -> None:
    """Within a look or two, once, and logged; one that is removed is gone as soon."""
    first = keys.generate(tmp_path, NOW)
    async with followed(tmp_path) as (handed_on, capture):
        keys.generate(tmp_path, NOW + 1)
        await until(lambda: len(handed_on) == 1, "the new key is handed on")
        assert len(handed_on[0]) == 2
        first.unlink()
        await until(lambda: len(handed_on) == 2, "the removed key is gone")
        assert len(handed_on[1]) == 1
    assert [each["event"] for each in capture.entries] == ["signing keys changed"] * 2


async def test_a_folder_that_turns_bad_changes_nothing(tmp_path: Path) -> None:
    """Empty, gone, or with a bad file in it: the keys stay, each is said once, and it goes on once mended."""
    folder = tmp_path / "keys"
    list(key_folder.rotate(folder, NOW))
    (file,) = folder.iterdir()
    async with followed(folder) as (handed_on, capture):
        file.chmod(0o644)
        await looked_again()
        file.chmod(0o600)
        (folder / NAME).write_text("no key")
        (folder / NAME).chmod(0o600)
        await looked_again()
        folder.rename(tmp_path / "away")
        await looked_again()
        folder.mkdir()
        await looked_again()
        assert not handed_on
        folder.rmdir()
        (tmp_path / "away").rename(folder)
        (folder / NAME).unlink()
        await until(lambda: capture.entries[-1]["log_level"] == "info", "it is mended")
        assert not handed_on, "they are the same keys"
        keys.generate(folder, NOW + 1)
        await until(lambda: len(handed_on) == 1, "the next key is handed on")
    reasons = [each["reason"] for each in capture.entries if each["log_level"] == "error"]
    assert [sum(part in each for each in reasons) for part in ("open to others", "unencrypted PEM", "holds no")] == [
        1
    ] * 3
    assert len(reasons) <= 6


async def test_a_look_in_between_is_no_harm(tmp_path: Path) -> None:
    """Kubernetes exchanges all at once by moving a link: whatever is seen then, the newest keys are handed on."""
    for number in range(2):
        (tmp_path / f"..{number}").mkdir()
        keys.generate(tmp_path / f"..{number}", NOW + number)
    (tmp_path / "..data").symlink_to("..0")
    (old,) = [each.name for each in (tmp_path / "..0").iterdir()]
    (new,) = [each.name for each in (tmp_path / "..1").iterdir()]
    (tmp_path / old).symlink_to(f"..data/{old}")
    async with followed(tmp_path) as (handed_on, _):
        (tmp_path / "..new").symlink_to("..1")
        (tmp_path / "..new").rename(tmp_path / "..data")
        await looked_again(1)
        (tmp_path / new).symlink_to(f"..data/{new}")
        (tmp_path / old).unlink()
        await until(lambda: bool(handed_on), "the new key is handed on")
        assert [each.made for each in handed_on[-1]] == [NOW + 1]
