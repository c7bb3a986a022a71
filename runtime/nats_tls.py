"""TLS to NATS, as the settings say. Server certificates are always checked, and so are the names in them."""

import ssl
from contextlib import suppress
from pathlib import Path

from cryptography import x509

from runtime import metrics, secret_files
from runtime.settings import ProcessSettings, SettingsError


def context(settings: ProcessSettings) -> ssl.SSLContext | None:
    """What connections are made with, or None: nothing was set, so it is the server that decides.

    Raises `SettingsError` when a file cannot be used.
    """
    certificate, key = settings.nats_cert_file, settings.nats_key_file
    if not settings.nats_ca_file and not certificate and not key:
        return None
    if bool(certificate) != bool(key):
        raise SettingsError("NATS_CERT_FILE and NATS_KEY_FILE are of use together only")
    made = ssl.create_default_context(cafile=_readable("NATS_CA_FILE", settings.nats_ca_file) or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        secret_files.read("NATS_KEY_FILE", key)
        try:
            # Without a password it would ask for one on the terminal.
            made.load_cert_chain(_readable("NATS_CERT_FILE", certificate), key, password="")
        except (ssl.SSLError, ValueError):
            raise SettingsError("NATS_CERT_FILE and NATS_KEY_FILE hold no certificate and its key, as PEM") from None
    for use, path in (("nats_ca", settings.nats_ca_file), ("nats_client", certificate)):
        if path:
            _note_expiry(use, path)
    return made


def _note_expiry(use: str, path: str) -> None:
    # Those that are used, and not what may be in the file later. OpenSSL puts up with more than `cryptography` does.
    with suppress(ValueError):
        certificates = x509.load_pem_x509_certificates(Path(path).read_bytes())
        first = min(each.not_valid_after_utc for each in certificates)
        metrics.certificate_expiry.labels(use=use).set(first.timestamp())


def _readable(variable: str, path: str) -> str:
    """`path`, if certificates are there that can be read."""
    if path:
        try:
            ssl.create_default_context(cadata=Path(path).read_text(encoding="ascii"))
        except (ssl.SSLError, ValueError):
            raise SettingsError(f"{variable}: {path} holds no certificate, as PEM") from None
        except OSError as error:
            raise SettingsError(f"{variable}: {path}: {error.strerror}") from None
    return path
