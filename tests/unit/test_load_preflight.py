"""Whether a machine can make a load: looked at in folders that hold what other machines say; and in this one."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.preflight import Finding, Need, check, text
from loadtests.preflight.files import BESIDE

_TARGET = ("127.0.0.1", 8080)
_LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 {}                files
Max locked memory         8388608              8388608              bytes
"""
_GOOD = {
    "proc/self/limits": _LIMITS.format(100_000),
    "proc/meminfo": "MemTotal:       99999999 kB\nMemAvailable:   88888888 kB\n",
    "proc/net/tcp": "  sl  local_address rem_address   st\n",
    "proc/net/tcp6": "  sl  local_address rem_address   st\n",
    "proc/sys/fs/file-max": "9223372036854775807\n",
    "proc/sys/fs/file-nr": "684\t0\t9223372036854775807\n",
    "proc/sys/net/core/somaxconn": "4096\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "proc/sys/net/ipv4/ip_local_reserved_ports": "\n",
    "proc/sys/net/ipv4/tcp_max_syn_backlog": "2048\n",
    "proc/sys/net/ipv4/tcp_tw_reuse": "2\n",
    "proc/sys/net/netfilter/nf_conntrack_count": "0\n",
    "proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
}
"""Of a machine on which 10,000 connections from one process work; what it has of cores is that of this one."""


def _machine(folder: Path, **files: str) -> Path:
    """One like `_GOOD`, but for these files, by the last part of their path."""
    for path, content in _GOOD.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files.pop(target.name.replace("-", "_"), content))
    assert not files
    return folder


def _one(findings: list[Finding]) -> Finding:
    (found,) = findings
    return found


def _row(local: str, remote: str, state: str = "01") -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 240 1\n"


def test_a_good_machine_is_let_be(tmp_path: Path) -> None:
    """Nothing is found where all fits, up to the last connection."""
    ports = 60999 - 32768 + 1
    machine = _machine(tmp_path)
    assert check(Need(ports - 100, targets=[_TARGET]), machine) == []
    assert check(Need(ports - 99, targets=[_TARGET]), machine) != []


def test_too_few_files_refuse(tmp_path: Path) -> None:
    """By the hard limit, for the soft one is raised; more processes are a way out, and how many is said."""
    machine = _machine(tmp_path, limits=_LIMITS.format(4096))
    assert check(Need(4096 - BESIDE, targets=[_TARGET]), machine) == []
    found = _one(check(Need(10_000, targets=[_TARGET]), machine))
    assert found.refuses
    assert "10200 open files are needed for 10000 connections in one process, and 4096 are allowed" in found.problem
    assert "ulimit -n 10200" in found.mend
    assert "--processes 3 " in found.mend
    cores_only = check(Need(10_000, processes=3, targets=[_TARGET]), machine)
    assert not [each for each in cores_only if each.refuses]


def test_a_process_of_the_own_system_may_need_more_files(tmp_path: Path) -> None:
    """A proxy has two for each connection."""
    need = Need(10_000, targets=[_TARGET], own_system=True, system_files=20_100)
    machine = _machine(tmp_path, limits=_LIMITS.format(20_000))
    (found,) = [each for each in check(need, machine) if each.refuses]
    assert "20100 open files are needed for one process of the system" in found.problem


def test_no_limit_of_files_is_no_finding(tmp_path: Path) -> None:
    """`unlimited` is no number."""
    assert check(Need(20_000, targets=[_TARGET]), _machine(tmp_path, limits=_LIMITS.format("unlimited"))) == []


def test_the_machine_has_a_limit_of_files_too(tmp_path: Path) -> None:
    """With those that are open already."""
    machine = _machine(tmp_path, file_max="10000\n", file_nr="5000\t0\t10000\n")
    found = _one(check(Need(6000, targets=[_TARGET]), machine))
    assert found == Finding(
        "11200 open files are needed on this machine, and 10000 are allowed", "sysctl -w fs.file-max=11200", True
    )


def test_too_few_ports_refuse_and_it_is_said_how_many_sources_do(tmp_path: Path) -> None:
    """With as many sources as it says, it fits; with one less it does not."""
    machine = _machine(tmp_path)
    need = Need(90_000, targets=[_TARGET])
    found = _one(check(need, machine))
    assert found.refuses
    assert "need 90100 local ports, and 28232 are free (32768 to 60999: 28232 " in found.problem
    assert "sysctl" not in found.mend  # not even all 64,512 would do
    assert found.mend.startswith(" ".join(f"--source 127.0.0.{number}" for number in (1, 2, 3, 4)) + "   (")
    three, four = ([f"127.0.0.{number}" for number in range(1, most + 1)] for most in (3, 4))
    assert check(Need(90_000, targets=[_TARGET], sources=three), machine) != []
    assert check(Need(90_000, targets=[_TARGET], sources=four), machine) == []


def test_a_wider_range_mends_it_if_it_does(tmp_path: Path) -> None:
    """The range that is said to be enough is enough."""
    need = Need(40_000, targets=[_TARGET])
    found = _one(check(need, _machine(tmp_path / "before")))
    assert 'sysctl -w net.ipv4.ip_local_port_range="1024 65535"' in found.mend.splitlines()
    assert check(need, _machine(tmp_path / "after", ip_local_port_range="1024\t65535\n")) == []


def test_each_target_has_ports_of_its_own(tmp_path: Path) -> None:
    """Connections are spread over them, and over sources."""
    machine = _machine(tmp_path)
    targets = [("127.0.0.1", port) for port in (8081, 8082, 8083, 8084)]
    assert check(Need(90_000, targets=targets[:3]), machine) != []
    assert check(Need(90_000, targets=targets), machine) == []
    assert check(Need(180_000, targets=targets), _machine(tmp_path / "more", limits="")) != []
    sources = ["127.0.0.1", "127.0.0.2"]
    assert check(Need(180_000, targets=targets, sources=sources), _machine(tmp_path / "more", limits="")) == []


def test_on_other_hosts_it_is_said_how_to_get_addresses(tmp_path: Path) -> None:
    """There is no 127.0.0.2 towards them."""
    found = _one(check(Need(90_000, targets=[("192.0.2.1", 443)]), _machine(tmp_path)))
    assert "for each of 4 addresses of this machine" in found.mend
    assert "--url URL for each of 4 addresses or ports" in found.mend


def test_reserved_ports_are_none(tmp_path: Path) -> None:
    """Single ones and ranges; those outside of the range do not count."""
    machine = _machine(tmp_path, ip_local_reserved_ports="8080,40000-49999,60000\n")
    found = _one(check(Need(28_000, targets=[_TARGET]), machine))
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
    machine = _machine(tmp_path, tcp=f"header\n{others}{tcp}", tcp6=f"header\n{tcp6}")
    found = _one(check(Need(28_132, targets=[_TARGET]), machine))
    assert "28231 are free (32768 to 60999: 28232 that are not reserved, 1 in use)" in found.problem
    assert check(Need(28_132, targets=[_TARGET], sources=["127.0.0.2"]), machine) == []


def test_ended_connections_hold_their_ports_where_linux_does_not_reuse_them(tmp_path: Path) -> None:
    """That is, towards other hosts, unless it is told to."""
    need = Need(28_132, targets=[("192.0.2.1", 8080)])
    rows = "header\n" + _row("0A00000A:8001", "010200C0:1F90", "06")
    assert check(need, _machine(tmp_path / "2", tcp=rows)) != []
    assert check(need, _machine(tmp_path / "1", tcp=rows, tcp_tw_reuse="1\n")) == []


def test_the_table_of_connections_refuses(tmp_path: Path) -> None:
    """With what is in it; the number that is said to be enough is enough."""
    files = {"nf_conntrack_count": "60000\n", "nf_conntrack_max": "65536\n"}
    found = _one(check(Need(10_000, targets=[_TARGET]), _machine(tmp_path / "before", **files)))
    assert found.refuses
    assert "sysctl -w net.netfilter.nf_conntrack_max=72000" in found.mend
    files["nf_conntrack_max"] = "72000\n"
    assert check(Need(10_000, targets=[_TARGET]), _machine(tmp_path / "after", **files)) == []


def test_short_queues_are_told_of_where_the_system_is_here(tmp_path: Path) -> None:
    """They do not refuse, and do not matter for a system elsewhere."""
    machine = _machine(tmp_path, somaxconn="128\n", tcp_max_syn_backlog="512\n")
    assert check(Need(5000, targets=[_TARGET]), machine) == []
    found = check(Need(5000, targets=[_TARGET], own_system=True), machine)
    mends = [each.mend for each in found if each.problem.startswith("net.")]
    assert mends == ["sysctl -w net.core.somaxconn=1024", "sysctl -w net.ipv4.tcp_max_syn_backlog=1024"]
    assert not any(each.refuses for each in found)


def test_little_memory_and_few_cores_are_told_of(tmp_path: Path) -> None:
    """They refuse nothing."""
    machine = _machine(tmp_path, meminfo="MemAvailable:   1048576 kB\n")
    memory = _one(check(Need(20_000, targets=[_TARGET]), machine))
    assert "2002 MiB of memory are needed, and 1024 MiB are free" in memory.problem
    too_many = len(os.sched_getaffinity(0)) + 1
    cores = _one(check(Need(100, processes=too_many, targets=[_TARGET]), _machine(tmp_path / "cores")))
    assert f"{too_many} processes that make load share" in cores.problem
    assert not memory.refuses
    assert not cores.refuses


def test_a_containers_share_of_cores_counts(tmp_path: Path) -> None:
    """`cpu.max` of its control group: half a core."""
    group = _machine(tmp_path) / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("50000 100000\n")
    (group / "memory.max").write_text("max\n")
    assert "share 0.5 cores" in _one(check(Need(100, targets=[_TARGET]), tmp_path)).problem


def test_a_source_has_to_be_an_address_of_this_machine(tmp_path: Path) -> None:
    """And of the kind that the target has."""
    machine = _machine(tmp_path)
    assert check(Need(10, targets=[_TARGET], sources=["127.0.0.1", "127.0.0.77"]), machine) == []
    for source in ("192.0.2.77", "nonsense"):
        found = _one(check(Need(10, targets=[_TARGET], sources=[source]), machine))
        assert (found.problem, found.refuses) == (f"{source} is no address of this machine", True)
    found = _one(check(Need(10, targets=[("2001:db8::1", 80)], sources=["127.0.0.1"]), machine))
    assert "one is IPv4, the other IPv6" in found.problem


def test_elsewhere_it_says_that_it_cannot_look(tmp_path: Path) -> None:
    """And refuses nothing."""
    found = _one(check(Need(10_000_000, targets=[_TARGET]), tmp_path))
    assert "no Linux" in found.problem
    assert not found.refuses


@given(content=st.text(max_size=200) | st.sampled_from(["-1 -1", "1 0", "70000 80000", "1-\n", "a\n: b: c d\n"]))
def test_no_content_of_files_breaks_it(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    """What cannot be understood is not judged."""
    machine = tmp_path_factory.mktemp("machine")
    for path in _GOOD:
        (machine / path).parent.mkdir(parents=True, exist_ok=True)
        (machine / path).write_text(content, errors="replace")
    check(Need(1000, targets=[_TARGET, ("::1", 8080)], sources=["127.0.0.1"], own_system=True), machine)


def test_what_refuses_is_said_first(tmp_path: Path) -> None:
    """With what mends it on the lines below."""
    machine = _machine(tmp_path, meminfo="MemAvailable: 1 kB\n", nf_conntrack_max="10\n")
    lines = text(check(Need(100, targets=[_TARGET]), machine)).splitlines()
    assert [line.split(":")[0] for line in lines] == ["cannot run", "    mend", "beware", "    mend"]


def test_this_machine_lets_a_small_run_be() -> None:
    """And refuses one for which there are never enough ports."""
    assert not [each for each in check(Need(10, targets=[_TARGET])) if each.refuses]
    refused = [each.problem for each in check(Need(1_000_000, targets=[_TARGET])) if each.refuses]
    if Path("/proc/sys/net/ipv4/ip_local_port_range").exists():
        assert any("local ports" in problem for problem in refused)


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


def test_the_soft_limit_of_files_is_raised() -> None:
    """In a process of its own, which begins with less than it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    program = (
        "import resource; from loadtests.preflight import raise_file_limit as up;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (64, {min(hard % (1 << 63), 500)}));"
        "print(up(), resource.getrlimit(resource.RLIMIT_NOFILE)[0], up(400))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["500", "500", "500"]
