"""Whether a machine has local ports enough for a load; in folders that say so, and in this machine."""

import socket
from pathlib import Path

import pytest

from loadtests.preflight import Need, check
from tests.support.machines import TARGET, like_good, one


def _row(local: str, remote: str, state: str = "01") -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 240 1\n"


def test_a_good_machine_is_let_be(tmp_path: Path) -> None:
    """Nothing is found where all fits, up to the last connection."""
    ports = 60999 - 32768 + 1
    machine = like_good(tmp_path)
    assert check(Need(ports - 100, targets=[TARGET]), machine) == []
    assert check(Need(ports - 99, targets=[TARGET]), machine) != []


def test_too_few_ports_refuse_and_it_is_said_how_many_sources_do(tmp_path: Path) -> None:
    """With as many sources as it says, it fits; with one less it does not."""
    machine = like_good(tmp_path)
    need = Need(90_000, targets=[TARGET])
    found = one(check(need, machine))
    assert found.refuses
    assert "need 90100 local ports, and 28232 are free (32768 to 60999: 28232 " in found.problem
    assert "sysctl" not in found.mend  # not even all 64,512 would do
    assert found.mend.startswith(" ".join(f"--source 127.0.0.{number}" for number in (1, 2, 3, 4)) + "   (")
    three, four = ([f"127.0.0.{number}" for number in range(1, most + 1)] for most in (3, 4))
    assert check(Need(90_000, targets=[TARGET], sources=three), machine) != []
    assert check(Need(90_000, targets=[TARGET], sources=four), machine) == []


def test_a_wider_range_mends_it_if_it_does(tmp_path: Path) -> None:
    """The range that is said to be enough is enough."""
    need = Need(40_000, targets=[TARGET])
    found = one(check(need, like_good(tmp_path / "before")))
    assert 'sysctl -w net.ipv4.ip_local_port_range="1024 65535"' in found.mend.splitlines()
    assert check(need, like_good(tmp_path / "after", ip_local_port_range="1024\t65535\n")) == []


def test_each_target_has_ports_of_its_own(tmp_path: Path) -> None:
    """Connections are spread over them, and over sources."""
    machine = like_good(tmp_path)
    targets = [("127.0.0.1", port) for port in (8081, 8082, 8083, 8084)]
    assert check(Need(90_000, targets=targets[:3]), machine) != []
    assert check(Need(90_000, targets=targets), machine) == []
    assert check(Need(180_000, targets=targets), like_good(tmp_path / "more", limits="")) != []
    sources = ["127.0.0.1", "127.0.0.2"]
    assert check(Need(180_000, targets=targets, sources=sources), like_good(tmp_path / "more", limits="")) == []


def test_on_other_hosts_it_is_said_how_to_get_addresses(tmp_path: Path) -> None:
    """There is no 127.0.0.2 towards them."""
    found = one(check(Need(90_000, targets=[("192.0.2.1", 443)]), like_good(tmp_path)))
    assert "for each of 4 addresses of this machine" in found.mend
    assert "--url URL for each of 4 addresses or ports" in found.mend


def test_reserved_ports_are_none(tmp_path: Path) -> None:
    """Single ones and ranges; those outside of the range do not count."""
    machine = like_good(tmp_path, ip_local_reserved_ports="8080,40000-49999,60000\n")
    found = one(check(Need(28_000, targets=[TARGET]), machine))
    assert "18231 are free (32768 to 60999: 18231 that are not reserved, 0 in use)" in found.problem


@pytest.mark.parametrize(
    ("tcp", "tcp6"),
    [
        (_row("0100007F:8001", "0100007F:1F90"), ""),
        ("", _row("0000000000000000FFFF00000100007F:8001", "0000000000000000FFFF00000100007F:1F90")),
    ],
)
def test_ports_in_use_towards_the_target_are_none(tmp_path: Path, tcp: str, tcp6: str) -> None:
    """Also when IPv4 is spoken by way of a socket of IPv6; not what listens, goes elsewhere, or may be reused."""
    others = _row("0100007F:8002", "0100007F:1F91") + _row("0100007F:8003", "0200007F:1F90")
    others += _row("0100007F:8004", "00000000:0000", "0A") + _row("0100007F:1F90", "0100007F:8001")
    others += _row("0100007F:8005", "0100007F:1F90", "06")
    machine = like_good(tmp_path, tcp=f"header\n{others}{tcp}", tcp6=f"header\n{tcp6}")
    found = one(check(Need(28_132, targets=[TARGET]), machine))
    assert "28231 are free (32768 to 60999: 28232 that are not reserved, 1 in use)" in found.problem
    assert check(Need(28_132, targets=[TARGET], sources=["127.0.0.2"]), machine) == []


def test_ended_connections_hold_their_ports_where_linux_does_not_reuse_them(tmp_path: Path) -> None:
    """That is, towards other hosts, unless it is told to."""
    need = Need(28_132, targets=[("192.0.2.1", 8080)])
    rows = "header\n" + _row("0A00000A:8001", "010200C0:1F90", "06")
    assert check(need, like_good(tmp_path / "2", tcp=rows)) != []
    assert check(need, like_good(tmp_path / "1", tcp=rows, tcp_tw_reuse="1\n")) == []


def test_this_machines_connections_are_seen() -> None:
    """A connection to the target takes one port of those that are free."""
    span = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not span.exists():
        pytest.skip("there is no /proc here")
    with socket.create_server(("127.0.0.1", 0)) as server:
        need = Need(1_000_000, targets=[server.getsockname()[:2]])

        def in_use() -> str:
            (found,) = [each.problem for each in check(need) if "local ports" in each.problem]
            return found

        assert "reserved, 0 in use" in in_use()
        with socket.create_connection(server.getsockname()), socket.create_connection(server.getsockname()):
            assert "reserved, 2 in use" in in_use()
