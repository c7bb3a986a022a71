"""Whether a machine can make a load: looked at in folders that hold what other machines say; and in this one."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.preflight import Finding, Need, check, text
from loadtests.preflight.files import BESIDE
from tests.support.machines import GOOD, LIMITS, TARGET, like_good, one


def test_too_few_files_refuse(tmp_path: Path) -> None:
    """By the hard limit, for the soft one is raised; more processes are a way out, and how many is said."""
    machine = like_good(tmp_path, limits=LIMITS.format(4096))
    assert check(Need(4096 - BESIDE, targets=[TARGET]), machine) == []
    found = one(check(Need(10_000, targets=[TARGET]), machine))
    assert found.refuses
    assert "10200 open files are needed for 10000 connections in one process, and 4096 are allowed" in found.problem
    assert "ulimit -n 10200" in found.mend
    assert "--processes 3 " in found.mend
    two = check(Need(10_000, processes=2, targets=[TARGET]), machine)
    assert [each for each in two if each.refuses]
    cores_only = check(Need(10_000, processes=3, targets=[TARGET]), machine)
    assert not [each for each in cores_only if each.refuses]


def test_a_process_of_the_own_system_may_need_more_files(tmp_path: Path) -> None:
    """A proxy has two for each connection."""
    need = Need(10_000, targets=[TARGET], own_system=True, system_files=20_100)
    machine = like_good(tmp_path, limits=LIMITS.format(20_000))
    (found,) = [each for each in check(need, machine) if each.refuses]
    assert "20100 open files are needed for one process of the system" in found.problem


def test_a_limit_that_is_too_low_for_any_process_has_no_other_way_out(tmp_path: Path) -> None:
    """More processes would not help."""
    found = one(check(Need(60, targets=[TARGET]), like_good(tmp_path, limits=LIMITS.format(BESIDE))))
    assert "--processes" not in found.mend


def test_no_limit_of_files_is_no_finding(tmp_path: Path) -> None:
    """`unlimited` is no number."""
    assert check(Need(20_000, targets=[TARGET]), like_good(tmp_path, limits=LIMITS.format("unlimited"))) == []


def test_the_machine_has_a_limit_of_files_too(tmp_path: Path) -> None:
    """With those that are open already."""
    machine = like_good(tmp_path, file_max="10000\n", file_nr="5000\t0\t10000\n")
    found = one(check(Need(6000, targets=[TARGET]), machine))
    assert found == Finding(
        "11200 open files are needed on this machine, and 10000 are allowed", "sysctl -w fs.file-max=11200", True
    )


def test_the_table_of_connections_refuses(tmp_path: Path) -> None:
    """With what is in it; the number that is said to be enough is enough."""
    files = {"nf_conntrack_count": "60000\n", "nf_conntrack_max": "65536\n"}
    found = one(check(Need(10_000, targets=[TARGET]), like_good(tmp_path / "before", **files)))
    assert found.refuses
    assert "sysctl -w net.netfilter.nf_conntrack_max=72000" in found.mend
    files["nf_conntrack_max"] = "72000\n"
    assert check(Need(10_000, targets=[TARGET]), like_good(tmp_path / "after", **files)) == []


def test_short_queues_are_told_of_where_the_system_is_here(tmp_path: Path) -> None:
    """They do not refuse, and do not matter for a system elsewhere."""
    machine = like_good(tmp_path, somaxconn="128\n", tcp_max_syn_backlog="512\n")
    assert check(Need(5000, targets=[TARGET]), machine) == []
    found = check(Need(5000, targets=[TARGET], own_system=True), machine)
    mends = [each.mend for each in found if each.problem.startswith("net.")]
    assert mends == ["sysctl -w net.core.somaxconn=1024", "sysctl -w net.ipv4.tcp_max_syn_backlog=1024"]
    assert not any(each.refuses for each in found)


def test_little_memory_and_few_cores_are_told_of(tmp_path: Path) -> None:
    """They refuse nothing."""
    machine = like_good(tmp_path, meminfo="MemAvailable:   1048576 kB\n")
    memory = one(check(Need(20_000, targets=[TARGET]), machine))
    assert "2002 MiB of memory are needed, and 1024 MiB are free" in memory.problem
    too_many = len(os.sched_getaffinity(0)) + 1
    cores = one(check(Need(100, processes=too_many, targets=[TARGET]), like_good(tmp_path / "cores")))
    assert f"{too_many} processes that make load share" in cores.problem
    assert not memory.refuses
    assert not cores.refuses


def test_a_containers_share_of_cores_counts(tmp_path: Path) -> None:
    """`cpu.max` of its control group: half a core."""
    group = like_good(tmp_path) / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("50000 100000\n")
    (group / "memory.max").write_text("max\n")
    assert "share 0.5 cores" in one(check(Need(100, targets=[TARGET]), tmp_path)).problem


def test_a_source_has_to_be_an_address_of_this_machine(tmp_path: Path) -> None:
    """And of the kind that the target has."""
    machine = like_good(tmp_path)
    assert check(Need(10, targets=[TARGET], sources=["127.0.0.1", "127.0.0.77"]), machine) == []
    for source, what in (("192.0.2.77", "address of this machine"), ("nonsense", "IP address")):
        found = one(check(Need(10, targets=[TARGET], sources=[source]), machine))
        assert (found.problem, found.refuses) == (f"{source} is no {what}", True)
    found = one(check(Need(10, targets=[("2001:db8::1", 80)], sources=["127.0.0.1"]), machine))
    assert "one is IPv4, the other IPv6" in found.problem


def test_elsewhere_it_says_that_it_cannot_look(tmp_path: Path) -> None:
    """And refuses nothing."""
    found = one(check(Need(10_000_000, targets=[TARGET]), tmp_path))
    assert "no Linux" in found.problem
    assert not found.refuses


@given(content=st.text(max_size=200) | st.sampled_from(["-1 -1", "1 0", "70000 80000", "1-\n", "a\n: b: c d\n"]))
def test_no_content_of_files_breaks_it(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    """What cannot be understood is not judged."""
    machine = tmp_path_factory.mktemp("machine")
    for path in GOOD:
        (machine / path).parent.mkdir(parents=True, exist_ok=True)
        (machine / path).write_text(content, errors="replace")
    check(Need(1000, targets=[TARGET, ("::1", 8080)], sources=["127.0.0.1"], own_system=True), machine)


def test_what_refuses_is_said_first(tmp_path: Path) -> None:
    """With what mends it on the lines below."""
    machine = like_good(tmp_path, meminfo="MemAvailable: 1 kB\n", nf_conntrack_max="10\n")
    lines = text(check(Need(100, targets=[TARGET]), machine)).splitlines()
    assert [line.split(":")[0] for line in lines] == ["cannot run", "    mend", "beware", "    mend"]


def test_this_machine_lets_a_small_run_be() -> None:
    """And refuses one for which there are never enough ports."""
    assert not [each for each in check(Need(10, targets=[TARGET])) if each.refuses]
    refused = [each.problem for each in check(Need(1_000_000, targets=[TARGET])) if each.refuses]
    if Path("/proc/sys/net/ipv4/ip_local_port_range").exists():
        assert any("local ports" in problem for problem in refused)


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
