"""Who reaches whom in docker-compose.yml: its networks, the proxy's configuration and Prometheus's."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.unit.test_containers_lint import COMPOSE, CONTAINERS, ROOT, SERVICES, stage

HAPROXY = ROOT / "deploy" / "compose" / "haproxy.cfg"
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose" / "prometheus.yml").read_text())
IN_THE_BACKEND = ("nats", "mongo", "auth", "history", "setup", "nats-exporter")


def test_only_the_proxy_is_public() -> None:
    """The monitoring is for this machine; NATS and MongoDB publish nothing and stay in the internal network."""
    published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}
    assert published.keys() == {"proxy", "prometheus", "grafana"}
    assert all(published[name][0].startswith("127.0.0.1:") for name in ("prometheus", "grafana"))
    assert COMPOSE["networks"]["backend"] == {"internal": True}
    assert all(CONTAINERS[name]["networks"] == ["backend"] for name in IN_THE_BACKEND)
    # Grafana, which people sign in to, reaches Prometheus and no gateway, NATS or MongoDB.
    assert CONTAINERS["grafana"]["networks"] == ["monitoring"]


def test_profiles_add_and_take_nothing_away() -> None:
    """Without one there is the system, with `monitoring` what watches it, with `loadtest` its users."""
    profiles = {name: each["profiles"] for name, each in CONTAINERS.items() if "profiles" in each}
    watching = {name: ["monitoring"] for name in ("prometheus", "grafana", "nats-exporter")}
    assert profiles == watching | {"loadtest": ["loadtest"]}
    needed = {each for name in CONTAINERS.keys() - profiles.keys() for each in CONTAINERS[name].get("depends_on", {})}
    assert not needed & profiles.keys()


def test_proxy_leads_to_the_gateways() -> None:
    """To their image's ports, at the name of their service; the published port is listened on."""
    text, image = HAPROXY.read_text(), stage("gateway")
    port, admin = re.search(r"\bPORT=(\d+)", image), re.search(r"\bADMIN_PORT=(\d+)", image)
    assert port
    assert admin
    servers = re.findall(r"^    server-template (\S+) \d+ (\S+)$", text, re.MULTILINE)
    assert servers == [("gateway", f"gateway:{port[1]}")] * 2
    assert f" check port {admin[1]} " in text
    (published,) = CONTAINERS["proxy"]["ports"]
    assert f"bind :{published.rpartition(':')[2]}\n" in text
    # Its word is taken for whom a request is from, and nobody else's: no other container is given its address.
    address = CONTAINERS["proxy"]["networks"]["edge"]["ipv4_address"]
    assert CONTAINERS["gateway"]["environment"]["TRUSTED_PROXIES"] == address
    (network,) = COMPOSE["networks"]["edge"]["ipam"]["config"]
    assert network["ip_range"].endswith(".128/25")
    assert address.endswith(".10")


def test_haproxy_takes_its_configuration() -> None:
    """Without a warning, by Debian's version."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if haproxy is None:
        pytest.skip("no haproxy: its configuration is NOT tested")
    done = subprocess.run([haproxy, "-c", "-dW", "-f", HAPROXY], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_everybody_where_they_answer() -> None:
    """Each job is a container in a network of Prometheus's, at the port where it tells its metrics."""
    admin = {name: re.search(r"ADMIN_PORT=(\d+)", stage(name)) for name in SERVICES}
    ports = {name: int(found[1]) for name, found in admin.items() if found} | {"nats-exporter": 7777, "proxy": 8405}
    # Runbooks scale these: each instance is a target, and not whichever the name happens to lead to.
    for name, job in zip(SERVICES, PROMETHEUS["scrape_configs"], strict=False):
        (found,) = job["dns_sd_configs"]
        assert (found["names"], found["type"], found["port"]) == ([name], "A", ports[name])
    targets = [each["static_configs"][0]["targets"] for each in PROMETHEUS["scrape_configs"][len(SERVICES) :]]
    assert targets == [[f"{name}:{ports[name]}"] for name in ("nats-exporter", "proxy")]
    jobs = [each["job_name"] for each in PROMETHEUS["scrape_configs"]]
    assert jobs == ["parley-gateway", "parley-auth", "parley-history", "parley-nats", "parley-proxy"]
    for name in ports:
        assert set(CONTAINERS[name]["networks"]) & set(CONTAINERS["prometheus"]["networks"]), name
