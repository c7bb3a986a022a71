"""Settings: filled from the environment, or one line that names the variable and never repeats its value."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from deploy.local.ports import HOST, Ports
from deploy.local.unlimited import UNLIMITED
from runtime import servers
from runtime.settings import Port, Seconds, SettingsError, Text, load
from services.auth import keys
from services.auth.settings import AuthSettings
from services.gateway.allowed import Allowed
from services.gateway.settings import GatewaySettings
from services.history.settings import HistorySettings, SetupSettings

ROOT = Path(__file__).parents[2]
SERVICE_SETTINGS = (AuthSettings, GatewaySettings, HistorySettings)
EVERYTHING = {"NATS_URL": "nats://n", "ADMIN_PORT": "9080", "MONGO_URL": "mongodb://m", "SIGNING_KEYS_DIR": "keys"}


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """A group of settings that something else needs on its own."""

    depth: int
    label: Text = "usual"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of each kind."""

    name: Text
    inner: Inner
    port: Port = 80
    wait: Seconds = 1.5
    flag: bool = False
    level: Literal["low", "high"] = "low"
    hosts: tuple[Text, ...] = ()
    numbers: tuple[Annotated[int, Meta(le=9)], ...] = (1,)


def example(**environ: str) -> Example:
    """`Example`, filled from what it needs and `environ`."""
    return load(Example, {"NAME": "n", "DEPTH": "1", **environ})


def complaint(**environ: str) -> str:
    """What is said about `environ`: always one line."""
    with pytest.raises(SettingsError) as caught:
        example(**environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_stand_for_what_is_not_set() -> None:
    """Only what has no default must be set; other variables are nobody's business."""
    assert example(UNRELATED="x") == Example(name="n", inner=Inner(depth=1))


def test_values_are_converted() -> None:
    """Each kind of setting is read from its text, white space around it ignored."""
    read = example(PORT=" 8080\n", WAIT="0.25", FLAG="true", LEVEL="high", HOSTS="a", LABEL="odd")
    assert read == Example(
        name="n", inner=Inner(depth=1, label="odd"), port=8080, wait=0.25, flag=True, level="high", hosts=("a",)
    )


@pytest.mark.parametrize("value", [None, "", "  ", "\t\n"])
@pytest.mark.parametrize("variable", ["NAME", "DEPTH"])
def test_a_missing_variable_is_named(variable: str, value: str | None) -> None:
    """Not set, empty and blank are the same; a group's variable carries no prefix."""
    environ = {"NAME": "n", "DEPTH": "1"}
    if value is None:
        del environ[variable]
    else:
        environ[variable] = value
    with pytest.raises(SettingsError) as caught:
        load(Example, environ)
    assert str(caught.value) == f"{variable} is not set"


def test_an_empty_variable_with_a_default_is_not_set() -> None:
    """As compose files write it: `PORT=`."""
    assert example(PORT="", HOSTS=" ").port == 80


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False)]
)
def test_booleans(text: str, value: bool) -> None:  # noqa: FBT001
    """As Kubernetes, compose and people write them."""
    assert example(FLAG=text).flag is value


@pytest.mark.parametrize("text", ["yes", "on", "2", "-1", "truee", "null"])
def test_other_words_are_no_booleans(text: str) -> None:
    """A typing error must not switch a feature off in silence."""
    assert complaint(FLAG=text).startswith("FLAG is malformed")


def test_tuples_are_separated_by_commas() -> None:
    """Blanks around a part and empty parts do not count; each part is converted and checked."""
    assert example(HOSTS=" a, b ,,c,").hosts == ("a", "b", "c")
    assert example(NUMBERS="1, 9").numbers == (1, 9)
    assert complaint(NUMBERS="1,10").startswith("NUMBERS is malformed")
    assert complaint(NUMBERS="1,x").startswith("NUMBERS is malformed")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("WAIT", "0"),
        ("WAIT", "-1"),
        ("WAIT", "nan"),
        ("DEPTH", "1.5"),
    ],
)
def test_bounds_hold(variable: str, text: str) -> None:
    """A number out of its range is malformed, and the variable is named."""
    assert complaint(**{variable: text}).startswith(f"{variable} is malformed: ")


@pytest.mark.parametrize("text", ["1", "65535"])
def test_bounds_are_allowed_themselves(text: str) -> None:
    """Every port is a port."""
    assert example(PORT=text).port == int(text)


@pytest.mark.parametrize("variable", ["PORT", "WAIT", "FLAG", "DEPTH", "NUMBERS", "LEVEL"])
def test_a_malformed_value_is_never_repeated(variable: str) -> None:
    """It may be a secret in the wrong variable; logs are read by many."""
    said = complaint(**{variable: "hunter2"})
    assert said.startswith(f"{variable} is malformed: ")
    assert "hunter2" not in said


@pytest.mark.parametrize("kind", SERVICE_SETTINGS, ids=lambda kind: kind.__name__)
def test_every_variable_a_service_needs_is_named_when_missing(kind: type[msgspec.Struct]) -> None:
    """With everything set a service's settings load; without any one that it needs, that one is named."""
    load(kind, EVERYTHING)
    needed = {"NATS_URL", "ADMIN_PORT"}
    needed |= {"MONGO_URL"} if kind is not GatewaySettings else set()
    needed |= {"SIGNING_KEYS_DIR"} if kind is AuthSettings else set()
    for variable in EVERYTHING:
        environ = {name: value for name, value in EVERYTHING.items() if name != variable}
        if variable in needed:
            with pytest.raises(SettingsError, match=f"^{variable} is not set$"):
                load(kind, environ)
        else:
            load(kind, environ)


@pytest.mark.parametrize("kind", SERVICE_SETTINGS, ids=lambda kind: kind.__name__)
def test_a_required_list_has_something_in_it(kind: type[msgspec.Struct]) -> None:
    """NATS_URL="," names no server: it must stop the process, not let it search for ever."""
    with pytest.raises(SettingsError, match="NATS_URL"):
        load(kind, {**EVERYTHING, "NATS_URL": " , "})


def test_a_gateway_has_a_transport() -> None:
    """TRANSPORTS="," leaves no way to connect: it must be named at start."""
    with pytest.raises(SettingsError, match="TRANSPORTS"):
        load(GatewaySettings, {**EVERYTHING, "TRANSPORTS": ","})


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        (SetupSettings, "DEDUPE_WINDOW_SECONDS"),
        (SetupSettings, "MESSAGES_MAX_AGE_DAYS"),
        (GatewaySettings, "ROOM_LINGER_SECONDS"),
        (GatewaySettings, "DRAIN_SECONDS"),
    ],
)
def test_seconds_are_finite(kind: type[msgspec.Struct], variable: str) -> None:
    """Infinity cannot be told to a timer or to NATS: it must be named at start, not crash later."""
    with pytest.raises(SettingsError, match=variable):
        load(kind, {**EVERYTHING, variable: "inf"})


@pytest.mark.parametrize(
    ("kind", "variable", "wrong"),
    [
        (GatewaySettings, "DRAIN_SECONDS", "-1"),
        (GatewaySettings, "PUBLISHES_IN_FLIGHT_MOST", "0"),
        (SetupSettings, "MESSAGES_MAX_BYTES", str(2**63)),
    ],
)
def test_numbers_are_of_some_use(kind: type[msgspec.Struct], variable: str, wrong: str) -> None:
    """No time that is past, no gateway that may publish nothing, and nothing that NATS cannot count to."""
    with pytest.raises(SettingsError, match=variable):
        load(kind, {**EVERYTHING, variable: wrong})


def test_unlimited_is_no_limit_at_all() -> None:
    """What load tests and measurements lift is all that there is: a new limit must not slow them down unseen."""
    settings = load(GatewaySettings, {**EVERYTHING, **UNLIMITED})
    assert set(settings.allowed.shown.values()) == {0}
    assert UNLIMITED.keys() <= {name.upper() for name in Allowed.__struct_fields__}
    limits = settings.limits
    assert (limits.sessions_most, limits.sessions_per_address_most, limits.http_connections_most) == (0, 0, 0)
    assert (limits.handshakes_per_second, limits.frames_per_second) == (0, 0)


@pytest.mark.parametrize("name", Allowed.__struct_fields__)
def test_limits_are_numbers_from_0(name: str) -> None:
    """-1 and a word are malformed, and named; what has to be something is 1 at least."""
    for wrong in ("-1", "many", "1e9"):
        with pytest.raises(SettingsError, match=f"^{name.upper()} is malformed: "):
            load(GatewaySettings, {**EVERYTHING, name.upper(): wrong})


def test_a_gateway_may_take_as_long_to_end_as_its_drain_and_its_last_message() -> None:
    """And as any service beside; 0 is no drain at all."""
    ends = [load(GatewaySettings, {**EVERYTHING, "DRAIN_SECONDS": seconds}).stop_seconds for seconds in ("0", "30")]
    assert ends == [15, 45]
    assert load(AuthSettings, EVERYTHING).stop_seconds == 10


@pytest.mark.parametrize(
    ("urls", "addresses"),
    [
        (["nats://n"], ["n:4222"]),
        (["nats://user:p@ss@a:1", "tls://token@b.example:2/"], ["a:1", "b.example:2"]),
        (["ws://a/nats?x=1", "wss://user:hunter2@b"], ["a:80", "b:443"]),
        (["nats://[::1]:4222", "nats://127.0.0.1"], ["::1:4222", "127.0.0.1:4222"]),
    ],
)
def test_addresses_of_nats_servers(urls: list[str], addresses: list[str]) -> None:
    """Every scheme of NATS, with and without port and password; the password is not part of the address."""
    assert servers.hosts_and_ports(urls) == addresses


MALFORMED_NATS_URLS = [
    "http://hunter2",
    "hunter2:4222",
    "NATS://hunter2",
    "nats:hunter2",
    "nats://",
    "nats://user:hunter2@",
    "nats://hunter2 y",
    "nats://hunter2:0",
    "nats://hunter2:65536",
    "nats://hunter2:port",
    "nats://user:hunter2/ret@h",
    "nats://hunter2/ret@h",
    "nats://hunter2#ret@h",
    "nats://hunter2?ret@h",
    "nats://[hunter2",
]


@pytest.mark.parametrize("url", MALFORMED_NATS_URLS)
def test_a_malformed_address_of_a_nats_server_is_refused(url: str) -> None:
    """Also as the last of several; and no part of it is repeated."""
    with pytest.raises(SettingsError, match=r"^NATS_URL is malformed: ") as caught:
        servers.hosts_and_ports(["nats://n", url])
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_nats_servers_are_reached_one_way() -> None:
    """nats-py cannot mix WebSockets with the rest, and says so with a traceback."""
    with pytest.raises(SettingsError, match=r"^NATS_URL is malformed: "):
        servers.hosts_and_ports(["nats://n", "ws://n"])


# --- as processes -------------------------------------------------------------------------------------------------


def started(service: str, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """`python -m services.<service>` with these variables and no others, once it has ended by itself."""
    command = [sys.executable, "-m", f"services.{service}"]
    path = os.environ.get("PATH", "")
    return subprocess.run(
        command, cwd=ROOT, env={"PATH": path, **environ}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("service", ["gateway", "auth", "history"])
@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "NATS_URL is not set"),
        ({"NATS_URL": ""}, "NATS_URL is not set"),
        ({"NATS_URL": "nats://user:hunter2@n"}, "ADMIN_PORT is not set"),
        ({"NATS_URL": "nats://n", "ADMIN_PORT": "hunter2"}, "ADMIN_PORT is malformed: Expected `int`, got `str`"),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_line(service: str, environ: dict[str, str], said: str) -> None:
    """Exit code 1, one line on standard error that names the variable, nothing else, and no secret."""
    done = started(service, environ)
    assert done.returncode == 1
    assert done.stderr == f"{service}: {said}\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("NATS_URL", "nats://user:hunter2/ret@h", "NATS_URL is malformed: this is no host and port"),
        (
            "NATS_URL",
            "http://hunter2 y",
            "NATS_URL is malformed: it must begin with one of nats://, tls://, ws://, wss://",
        ),
        ("MONGO_URL", "http://user:hunter2@h", "MONGO_URL is malformed"),
        ("MONGO_URL", "mongodb://user:hunter2/ret@h", "MONGO_URL is malformed"),
        ("MONGO_URL", "mongodb://user:hunter2@h:port", "MONGO_URL is malformed"),
        ("MONGO_URL", "mongodb://user:hunter2@h,g/?directConnection=true", "MONGO_URL is malformed"),
    ],
)
def test_auth_refuses_malformed_addresses(tmp_path: Path, variable: str, value: str, said: str) -> None:
    """Exit code 1 and one line; no traceback, no second try, and no part of a password."""
    keys.generate(tmp_path, 0)
    environ = {**EVERYTHING, "NATS_URL": f"nats://{HOST}:1", "ADMIN_HOST": HOST}
    environ |= {"ADMIN_PORT": str(Ports.free().auth_admin), "SIGNING_KEYS_DIR": str(tmp_path), variable: value}
    done = started("auth", environ)
    assert (done.returncode, done.stderr) == (1, f"auth: {said}\n")
    assert "hunter2" not in done.stdout
    assert "Traceback" not in done.stdout


def test_auth_refuses_a_key_that_others_may_read(tmp_path: Path) -> None:
    """Exit code 1 before NATS is even looked for, and one line that names the file and the cure; no traceback."""
    file = keys.generate(tmp_path, 0)
    file.chmod(0o604)
    port = str(Ports.free().auth_admin)
    environ = {**EVERYTHING, "NATS_URL": f"nats://{HOST}:1", "ADMIN_HOST": HOST, "ADMIN_PORT": port}
    done = started("auth", {**environ, "SIGNING_KEYS_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == f"auth: SIGNING_KEYS_DIR: {file} is open to others: chmod 600 it\n"
    assert "Traceback" not in done.stdout


def test_auth_refuses_a_folder_without_keys(tmp_path: Path) -> None:
    """The same for a folder that is empty."""
    port = str(Ports.free().auth_admin)
    environ = {**EVERYTHING, "NATS_URL": f"nats://{HOST}:1", "ADMIN_HOST": HOST, "ADMIN_PORT": port}
    done = started("auth", {**environ, "SIGNING_KEYS_DIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == (1, f"auth: SIGNING_KEYS_DIR: {tmp_path} holds no key\n")
