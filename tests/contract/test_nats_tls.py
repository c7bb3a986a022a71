"""TLS to NATS: a real nats-server with certificates of a test's own authority."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from deploy.local.ports import HOST
from runtime import bus, metrics, nats_tls
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.listening import Delivery
from runtime.settings import ServiceSettings, SettingsError, load
from tests.support.certificates import Authority
from tests.support.nats_server import nats_server
from tests.support.waiting import until


def _tls(certificate: Path, key: Path, *, clients: Path | None = None) -> str:
    verify = f'ca_file: "{clients}", verify: true' if clients else ""
    return f'tls {{ cert_file: "{certificate}", key_file: "{key}", {verify} }}\n'


def _settings(url: str, **more: Path) -> ServiceSettings:
    files = {name.upper(): str(file) for name, file in more.items()}
    return load(ServiceSettings, {"NATS_URL": url, "ADMIN_PORT": "1", **files})


async def _connects(settings: ServiceSettings, *, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), bus.connect(settings, Lifecycle()) as connection:
            return await _echoes(connection)
    return False


async def _echoes(connection: Bus) -> bool:
    heard: list[Delivery] = []
    large = b"x" * 500_000
    connection.listen("echo.*", heard.append)
    for _ in range(5):
        connection.publish("echo.large", large)
    await until(lambda: len(heard) == 5, "all that was published")
    return all(each.data == large for each in heard)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the client trusts."""
    return Authority(tmp_path, "authority")


async def test_a_server_of_the_authority_is_trusted(authority: Authority) -> None:
    """All that is published arrives; and again after the server was away."""
    certificate = authority.sign("localhost", HOST)
    async with nats_server(_tls(*certificate)) as server:
        settings = _settings(server.url, nats_ca_file=authority.file)
        async with bus.connect(settings, Lifecycle()) as connection:
            assert await _echoes(connection)
            await server.kill()
            await server.start()
            await until(lambda: connection.round_trip(1), "it to be connected again")
            assert await _echoes(connection)
        assert await _connects(_settings(f"tls://{HOST}:{server.port}", nats_ca_file=authority.file), seconds=20)


async def test_a_server_of_another_authority_is_refused(tmp_path: Path, authority: Authority) -> None:
    """And so is one that only the system's authorities could vouch for."""
    other = Authority(tmp_path, "other")
    async with nats_server(_tls(*other.sign("localhost", HOST))) as server:
        assert not await _connects(_settings(server.url, nats_ca_file=authority.file), seconds=3)
        assert not await _connects(_settings(server.url), seconds=3)
        assert await _connects(_settings(server.url, nats_ca_file=other.file), seconds=20)


async def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    """The authority is right, and the server somebody else."""
    async with nats_server(_tls(*authority.sign("elsewhere"))) as server:
        assert not await _connects(_settings(server.url, nats_ca_file=authority.file), seconds=3)


async def test_a_server_without_tls_is_refused(authority: Authority) -> None:
    """Whoever asks for TLS is not talked out of it, which nats-py alone would be: by the setting or by the URL."""
    async with nats_server() as server:
        assert not await _connects(_settings(server.url, nats_ca_file=authority.file), seconds=3)
        assert not await _connects(_settings(f"tls://{HOST}:{server.port}"), seconds=3)
        assert await _connects(_settings(server.url), seconds=20)


async def test_a_server_may_want_a_certificate(authority: Authority) -> None:
    """Without one: no. With one of its authority: yes."""
    certificate, key = authority.sign("gateway")
    async with nats_server(_tls(*authority.sign("localhost", HOST), clients=authority.file)) as server:
        assert not await _connects(_settings(server.url, nats_ca_file=authority.file), seconds=3)
        known = _settings(server.url, nats_ca_file=authority.file, nats_cert_file=certificate, nats_key_file=key)
        assert await _connects(known, seconds=20)


def test_when_certificates_expire_can_be_seen(tmp_path: Path, authority: Authority) -> None:
    """Of several in a file, the first that does; of those that were read, whatever the files say later."""
    certificate, key = authority.sign("gateway")
    late = Authority(tmp_path, "late", days=3)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(late.file.read_bytes() + authority.file.read_bytes())
    nats_tls.context(_settings("tls://x", nats_ca_file=bundle, nats_cert_file=certificate, nats_key_file=key))
    files = {"nats_ca": authority.file, "nats_client": certificate}
    bundle.write_bytes(late.file.read_bytes())
    for use, file in files.items():
        expires = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        assert metrics.certificate_expiry.labels(use=use)._value.get() == expires.timestamp()


def test_files_that_cannot_be_used_are_named(tmp_path: Path, authority: Authority) -> None:
    """One line each, which says which setting is wrong."""
    certificate, key = authority.sign("gateway")
    other_key = authority.sign("other")[1]
    garbage, missing = tmp_path / "garbage", tmp_path / "missing"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nhunter2\n")
    garbage.chmod(0o600)
    cases: list[tuple[dict[str, Path], str]] = [
        ({"nats_ca_file": missing}, f"NATS_CA_FILE: {missing}: No such file or directory"),
        ({"nats_ca_file": garbage}, f"NATS_CA_FILE: {garbage} holds no certificate, as PEM"),
        ({"nats_ca_file": key}, f"NATS_CA_FILE: {key} holds no certificate, as PEM"),
        ({"nats_cert_file": certificate}, "NATS_CERT_FILE and NATS_KEY_FILE are of use together only"),
        ({"nats_key_file": key}, "NATS_CERT_FILE and NATS_KEY_FILE are of use together only"),
        (
            {"nats_cert_file": garbage, "nats_key_file": key},
            f"NATS_CERT_FILE: {garbage} holds no certificate, as PEM",
        ),
        (
            {"nats_cert_file": certificate, "nats_key_file": garbage},
            "NATS_CERT_FILE and NATS_KEY_FILE hold no certificate and its key, as PEM",
        ),
        (
            {"nats_cert_file": certificate, "nats_key_file": other_key},
            "NATS_CERT_FILE and NATS_KEY_FILE hold no certificate and its key, as PEM",
        ),
        (
            {"nats_cert_file": certificate, "nats_key_file": missing},
            f"NATS_KEY_FILE: {missing}: No such file or directory",
        ),
    ]
    for files, said in cases:
        with pytest.raises(SettingsError) as caught:
            nats_tls.context(_settings("nats://n", **files))
        assert str(caught.value) == said
    key.chmod(0o644)
    with pytest.raises(SettingsError, match=r"^NATS_KEY_FILE: .* is open to others: chmod 600 it$"):
        nats_tls.context(_settings("nats://n", nats_cert_file=certificate, nats_key_file=key))
