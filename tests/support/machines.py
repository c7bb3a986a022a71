"""Machines for the load tests' preflight: folders that hold what other machines say in /proc and /sys."""

from pathlib import Path
from typing import Final

from loadtests.preflight import Finding

TARGET: Final = ("127.0.0.1", 8080)
LIMITS: Final = """Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 {}                files
Max locked memory         8388608              8388608              bytes
"""
GOOD: Final = {
    "proc/self/limits": LIMITS.format(100_000),
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


def like_good(folder: Path, **files: str) -> Path:
    """One like `GOOD`, but for these files, by the last part of their path."""
    for path, content in GOOD.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files.pop(target.name.replace("-", "_"), content))
    assert not files
    return folder


def one(findings: list[Finding]) -> Finding:
    """The only one."""
    (found,) = findings
    return found
