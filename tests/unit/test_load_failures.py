"""Why a load test's client could not connect, dug out of what the libraries make of it."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
import requests
import websocket
from engineio.exceptions import ConnectionError as EngineError

from deploy.local.stack import ROOT
from loadtests import kinds
from loadtests.failures import code_of


def _raised(raiser: Callable[[], object]) -> BaseException:
    try:
        raiser()
    except BaseException as error:  # noqa: BLE001 - it is the result
        return error
    raise AssertionError("nothing was raised")


def _engineio_hides(error: Exception) -> BaseException:
    """As python-engineio does it: another one in its place."""

    def connect() -> None:
        try:
            raise error
        except OSError:
            raise EngineError("Connection error") from None

    return _raised(connect)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EMFILE, kinds.NO_FILES),
        (errno.ENFILE, kinds.NO_FILES),
        (errno.EADDRNOTAVAIL, kinds.NO_PORTS),
        (errno.ECONNREFUSED, kinds.UNREACHABLE),
    ],
)
def test_the_systems_error_is_found_below_others_and_in_texts(number: int, code: str) -> None:
    """A text is all that urllib3 and python-engineio leave of it when they poll."""
    error = OSError(number, "words")
    assert code_of(_engineio_hides(error)) == code
    assert code_of(EngineError(f"(Caused by NewConnectionError('...: [Errno {number}] words'))")) == code


def test_a_real_refusal_by_polling_is_unreachable_and_a_real_silence_is_late() -> None:
    """By the exceptions of the libraries themselves, and by their texts."""
    refused = _raised(lambda: requests.get("http://127.0.0.1:1", timeout=5))
    assert code_of(refused) == code_of(str(refused)) == kinds.UNREACHABLE
    assert code_of(websocket.WebSocketTimeoutException("timed out")) == kinds.TIMEOUT
    assert code_of("HTTPConnectionPool(...): Read timed out. (read timeout=5)") == kinds.TIMEOUT


def test_what_the_server_said_is_the_code() -> None:
    """In a refused CONNECT, in an HTTP problem, or by a status alone."""
    assert code_of(None, {"message": "no", "data": {"code": "unauthorized"}}) == "unauthorized"
    assert (
        code_of(EngineError("Unexpected status code 503 in server response", {"code": "unavailable"}))
        == "unavailable"
    )
    assert code_of(EngineError("Unexpected status code 503 in server response", None)) == "HTTP 503"
    assert code_of(websocket.WebSocketBadStatusException("Handshake status 503", 503)) == "HTTP 503"


def test_what_this_machine_lacks_goes_before_what_came_of_it() -> None:
    """A server may well have said something, too."""
    assert code_of({"code": "unavailable"}, OSError(errno.EMFILE, "words")) == kinds.NO_FILES


def test_exceptions_that_hide_each_other_in_a_circle_have_an_end() -> None:
    """Nobody checks that they do not."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert code_of(one) == kinds.UNREACHABLE


def test_a_real_lack_of_ports_is_told_as_such() -> None:
    """By a client that begins with a WebSocket, and by one that begins with polling."""
    unshare = shutil.which("unshare")
    set_up = "ip link set lo up && echo '40000 40001' > /proc/sys/net/ipv4/ip_local_port_range"
    if (
        unshare is None
        or subprocess.run([unshare, "-rn", "sh", "-c", set_up], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody have a network of their own")
    command = [unshare, "-rn", "sh", "-c", f'{set_up} && exec "$0" -m tests.support.short_of_ports', sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n") == [kinds.NO_PORTS, kinds.NO_PORTS, ""], done.stderr
