"""The local stack's ports: distinct, movable, and a taken one is named before anything starts."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import HOST, Ports, is_taken
from deploy.local.process import StackError
from deploy.local.stack import ROOT, Stack

NAMES = [each.name for each in fields(Ports)]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with closing(socket.create_server((HOST, 0))) as listener:
        yield listener.getsockname()[1]


def stack(folder: Path, ports: Ports, **more: Any) -> Stack:
    """A stack that is not started yet."""
    return Stack(folder / "data", ports, sink=lambda *_: None, **more)


@pytest.mark.parametrize("name", NAMES)
async def test_a_taken_port_is_named(tmp_path: Path, taken: int, name: str) -> None:
    """Number and owner are told, whichever it is; nothing was started or made."""
    unstarted = stack(tmp_path, replace(Ports.free(), **{name: taken}))
    with pytest.raises(StackError) as caught:
        async with unstarted:
            pass
    assert str(caught.value) == f"port {taken} ({name.replace('_', '-')}) is taken"
    assert not any(each.is_running for each in unstarted.children.values())
    assert not (tmp_path / "data").exists()


def test_ports_of_servers_elsewhere_do_not_matter(tmp_path: Path, taken: int) -> None:
    """With NATS_URL and MONGO_URL nothing here listens where they would."""
    ports = replace(Ports.free(), nats=taken, mongo=taken)
    elsewhere = stack(tmp_path, ports, nats_url="nats://elsewhere", mongo_url="mongodb://elsewhere")
    elsewhere._check_ports()
    with pytest.raises(StackError, match="mongo"):
        stack(tmp_path, ports, nats_url="nats://elsewhere")._check_ports()


def test_the_usual_ports_are_the_documented_ones() -> None:
    """As the design has them, and no two alike."""
    usual = Ports()
    assert (usual.gateway_1, usual.gateway_2, usual.gateway_1_admin, usual.gateway_2_admin) == (
        8080,
        8081,
        9080,
        9081,
    )
    assert (usual.auth_admin, usual.history_admin, usual.nats, usual.mongo) == (9090, 9091, 14222, 17017)
    assert len(set(asdict(usual).values())) == len(NAMES)


@pytest.mark.parametrize("offset", [0, 1, 100, -10])
def test_ports_can_be_shifted(offset: int) -> None:
    """Every port moves by the same distance."""
    moved = asdict(Ports.shifted(offset))
    assert moved == {name: port + offset for name, port in asdict(Ports()).items()}


def test_free_ports_are_distinct_and_free() -> None:
    """Two stacks side by side: no port is another's, each can be listened on, and no connection is given one."""
    ports = list(asdict(Ports.free()).values())
    assert len(set(ports)) == len(NAMES)
    with socket.create_server((HOST, 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert max(ports) < connection.getsockname()[1]
    assert not any(is_taken(port) for port in ports)


def test_free_ports_are_nobody_elses_before_somebody_listens() -> None:
    """Of stacks that start at the same time none gets another's, in whichever process; then they can be had again."""
    first = Ports.free()
    same = replace(first)
    assert not same.reserve()
    command = f"from deploy.local.ports import Ports; raise SystemExit(Ports(*{[*asdict(first).values()]}).reserve())"
    assert subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=False).returncode == 0
    with closing(socket.create_server((HOST, first.nats))):
        assert is_taken(first.nats)
        assert not same.reserve()
    del first
    assert same.reserve()


def test_further_gateways_have_ports_of_their_own(tmp_path: Path) -> None:
    """The first two where they always are; what the others have is reserved for as long as the stack is kept."""
    ports = Ports.free()
    four = stack(tmp_path, ports, gateways=4)
    assert [each.name for each in four.gateways] == ["gateway-1", "gateway-2", "gateway-3", "gateway-4"]
    assert four.gateways[:2] == stack(tmp_path, ports).gateways
    assert four.gateway_urls[:2] == [f"http://{HOST}:{ports.gateway_1}", f"http://{HOST}:{ports.gateway_2}"]
    further = [port for each in four.gateways[2:] for port in each[1:]]
    assert len({*asdict(ports).values(), *further}) == len(NAMES) + len(further) == len(NAMES) + 4
    assert not any(replace(ports, gateway_1=port).reserve() for port in further)


async def test_a_taken_port_of_a_further_gateway_is_named(tmp_path: Path) -> None:
    """As those of the first two; and of a gateway that is not wanted it does not matter."""
    four = stack(tmp_path, Ports.free(), gateways=4)
    port = four.gateways[3].admin_port
    with closing(socket.create_server((HOST, port))), pytest.raises(StackError, match=f"{port} .gateway-4-admin. is"):
        await four.__aenter__()
    with closing(socket.create_server((HOST, 0))) as listener:
        one = stack(tmp_path, replace(Ports.free(), gateway_2=listener.getsockname()[1]), gateways=1)
        one._check_ports()


def test_a_port_is_taken_while_somebody_listens(taken: int) -> None:
    """On the same address or on all addresses; and free again afterwards, at once."""
    assert is_taken(taken)
    with closing(socket.create_server(("0.0.0.0", 0))) as everywhere:  # noqa: S104 - that is what is tested
        port = everywhere.getsockname()[1]
        assert is_taken(port)
    assert not is_taken(port)


def test_a_port_with_a_past_connection_is_free() -> None:
    """What is left of closed connections (TIME_WAIT) does not keep a stack from starting again."""
    listener = socket.create_server((HOST, 0))
    port = listener.getsockname()[1]
    with closing(socket.create_connection((HOST, port))):
        accepted, _ = listener.accept()
        accepted.close()
        listener.close()
    assert not is_taken(port)


def test_an_offset_out_of_range_is_a_clear_error() -> None:
    """It names the port that there is not."""
    with pytest.raises(ValueError, match=r"there is no port 74222 \(nats\)"):
        Ports.shifted(60_000)
