"""Settings: a frozen Struct per service, filled from the environment, or one line that says what is wrong.

SettingsError
"""

import socket
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta, field
from msgspec.inspect import StructType, VarTupleType, type_info

from wire.codec import reason

S = TypeVar("S", bound=msgspec.Struct)

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]
Text = Annotated[str, Meta(min_length=1)]
Texts = Annotated[tuple[Text, ...], Meta(min_length=1)]


class SettingsError(Exception):
    """A variable is missing or malformed; the message names it and never repeats its value (it may be a secret)."""


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every process needs. A field `nats_url` is read from the variable `NATS_URL`."""

    nats_user: ClassVar[str] = ""
    """Whose replies nobody else may listen to (see `wire.subjects.inbox`): the kind of service, and no setting."""

    nats_url: Texts
    """Comma separated."""
    nats_nkey_file: str = ""
    """The seed of the NATS user that this is, readable by its owner (and group) alone."""
    nats_ca_file: str = ""
    """Who may have signed the certificates of NATS; the system's authorities unless set. Then there has to be TLS."""
    nats_cert_file: str = ""
    nats_key_file: str = ""
    """Of a client certificate, should NATS want one; the key is for its owner (and group) alone."""
    instance: Text = field(default_factory=socket.gethostname)
    """The name of this process in logs, metrics and to clients."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class ServiceSettings(ProcessSettings, frozen=True, kw_only=True):
    """What every service needs."""

    admin_host: Text = "0.0.0.0"  # noqa: S104 - the probes and the scraper come from outside the pod
    admin_port: Port
    revision: Text = "unknown"
    """Of the source that this was built from, for the metrics; images have it."""

    @property
    def stop_seconds(self) -> float:
        """How long the process may take to end once it was asked; whoever asks waits a little longer."""
        return 10.0


def load(kind: type[S], environ: Mapping[str, str]) -> S:
    """Fill `kind` from `environ`; an empty variable counts as absent. Raises `SettingsError`.

    A field whose type is a Struct groups settings that something else needs on their own; it adds no prefix.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        if isinstance(type_info(hints[each.name]), StructType):
            values[each.name] = load(hints[each.name], environ)
            continue
        variable = each.name.upper()
        text = environ.get(variable, "").strip()
        if text:
            values[each.name] = _convert(variable, text, hints[each.name])
        elif each.required:
            raise SettingsError(f"{variable} is not set")
    return kind(**values)


def _convert(variable: str, text: str, kind: Any) -> Any:
    value: Any = text
    if isinstance(type_info(kind), VarTupleType):
        value = tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable} is malformed: {reason(error)}") from None
