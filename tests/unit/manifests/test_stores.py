"""NATS and MongoDB: what is mounted, said and asked fits together, and nats-server takes its configuration."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.local import mongo_users
from runtime import credentials
from tests.support.certificates import Authority
from tests.support.manifests import (
    BASE,
    K8S,
    OVERLAYS,
    Manifests,
    overlay,
)

ALL = ("base", *OVERLAYS)


def test_nats_knows_its_users() -> None:
    """What nats.conf includes is mounted where it looks: the permissions, and beside them the public keys."""
    manifests = overlay("base")
    (volume,) = (each for each in manifests.pod("nats")["volumes"] if each["name"] == "config")
    _, keys = (each["configMap"] for each in volume["projected"]["sources"])
    files = manifests.config["nats-config"]
    included = re.findall(r"^\s*include (\S+)$", "\n".join(files.values()), re.MULTILINE)
    assert set(included) == {*files, keys["items"][0]["path"]} - {"nats.conf"}
    assert keys["items"][0]["path"] == credentials.PUBLIC_KEYS
    users = set(re.findall(r"nkey: \$NATS_(\w+)_NKEY", files["nats-permissions.conf"]))
    assert users == {each.upper() for each in credentials.NATS_USERS}


def _written(manifests: Manifests, folder: Path) -> dict[str, str]:
    """The files of NATS's ConfigMap, as they are mounted, with keys as they are made; returns the environment."""
    credentials.make(folder)
    authority = Authority(folder, "ca")
    certificate, key = authority.sign("nats")
    tls = {"tls.crt": certificate, "tls.key": key, "ca.crt": authority.file}
    for file, text in manifests.config["nats-config"].items():
        for name, path in tls.items():
            text = text.replace(f"/etc/nats-tls/{name}", str(path))  # noqa: PLW2901
        (folder / file).write_text(text)
    values = {each["name"]: each.get("value", "nats-0") for each in manifests.container("nats")["env"]}
    assert {"SERVER_NAME", "MAX_FILE_STORE"} <= values.keys()
    return values


@pytest.mark.parametrize("name", ALL)
def test_nats_server_takes_its_configuration(tmp_path: Path, name: str) -> None:
    """As it is mounted, with keys as they are made; and a key that is missing is an error, not an open door."""
    environ = _written(overlay(name), tmp_path)
    command: list[str | Path] = [Path(sys.executable).with_name("nats-server"), "-t", "-c", tmp_path / "nats.conf"]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / credentials.PUBLIC_KEYS).write_text("")
    assert subprocess.run(command, env=environ, check=False, capture_output=True).returncode != 0


def test_nats_server_takes_the_configuration_of_docker_compose(tmp_path: Path) -> None:
    """It shares the permissions with Kubernetes."""
    credentials.make(tmp_path)
    for file in (K8S.parent / "compose" / "nats.conf", BASE / "nats-permissions.conf"):
        shutil.copyfile(file, tmp_path / file.name)
    command: list[str | Path] = [Path(sys.executable).with_name("nats-server"), "-t", "-c", tmp_path / "nats.conf"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ALL)
def test_nats_is_one_thing(name: str) -> None:
    """Replicas, routes, ports, the store and its volume, and what the exporter asks fit together."""
    manifests = overlay(name)
    config, spec = manifests.config["nats-config"]["nats.conf"], manifests.workloads["nats"]["spec"]
    ports = manifests.ports("nats")
    assert spec["podManagementPolicy"] == "Parallel", "none is ready before a quorum has elected"
    routes = re.findall(r"nats://(\S+):(\d+)", config)
    if spec["replicas"] > 1:
        names = [f"nats-{i}.{spec['serviceName']}" for i in range(spec["replicas"])]
        assert routes == [(each, str(ports["cluster"])) for each in names]
    else:
        assert routes == []
        assert "cluster {" not in config
    listening = ("client", "cluster") if routes else ("client",)
    assert re.findall(r"^\s*port: (\d+)$", config, re.MULTILINE) == [str(ports[each]) for each in listening]
    assert f"http_port: {ports['monitor']}\n" in config
    mounts = {each["mountPath"] for each in manifests.container("nats")["volumeMounts"]}
    assert {"/data", "/run/nats", "/etc/nats-config"} <= mounts
    assert "store_dir: /data\n" in config
    values = {each["name"]: each.get("value", "") for each in manifests.container("nats")["env"]}
    (claim,) = spec["volumeClaimTemplates"]
    volume = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * 2**30
    store = int(values["MAX_FILE_STORE"][:-1]) * {"G": 2**30, "M": 2**20}[values["MAX_FILE_STORE"][-1]]
    assert 0.8 * volume <= store <= 0.95 * volume
    memory = int(manifests.container("nats")["resources"]["limits"]["memory"].removesuffix("i")[:-1])
    unit = {"G": 1024, "M": 1}[manifests.container("nats")["resources"]["limits"]["memory"][-2]]
    assert 0.8 * memory * unit <= int(values["GOMEMLIMIT"].removesuffix("MiB")) <= 0.95 * memory * unit


@pytest.mark.parametrize("name", ALL)
def test_nats_leaves_and_is_asked_as_it_should(name: str) -> None:
    """Lame duck before the end, within the grace; health by /healthz; the exporter asks for what the rules name."""
    manifests = overlay(name)
    only, config = manifests.container("nats"), manifests.config["nats-config"]["nats.conf"]
    assert only["lifecycle"]["preStop"]["exec"]["command"] == ["nats-server", "-sl=ldm=/run/nats/nats.pid"]
    assert "pid_file: /run/nats/nats.pid\n" in config
    lame = sum(int(each) for each in re.findall(r"lame_duck_(?:grace_period|duration): (\d+)s", config))
    assert manifests.pod("nats")["terminationGracePeriodSeconds"] >= lame + 10
    probes = [only[each]["httpGet"]["path"] for each in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert probes == ["/healthz", "/healthz?js-enabled-only=true", "/healthz?js-server-only=true"]
    (exporter,) = (each for each in manifests.pod("nats")["containers"] if each["name"] == "exporter")
    assert {"-varz", "-routez", "-connz", "-healthz", "-jsz=all"} <= set(exporter["args"])
    assert exporter["args"][-1] == f"http://127.0.0.1:{manifests.ports('nats')['monitor']}"
    assert f"-port={manifests.ports('nats')['metrics']}" in exporter["args"]


@pytest.mark.parametrize("name", ALL)
def test_mongodb_replica_set_is_one_thing(name: str) -> None:
    """mongod, the script that initiates the set, and the clients mean the same set and members."""
    manifests = overlay(name)
    spec, arguments = manifests.workloads["mongodb"]["spec"], manifests.container("mongodb")["args"]
    assert spec["podManagementPolicy"] == "Parallel", "a set is initiated when all of its members answer"
    rs = arguments[arguments.index("--replSet") + 1]
    script = manifests.config["mongodb-scripts"]["replica-set.js"]
    assert f'_id: "{rs}"' in script
    assert f"replicaSet={rs}&" in script
    values = {each["name"]: each["value"] for each in manifests.container("mongodb")["env"]}
    members = values["REPLICA_SET_MEMBERS"]
    assert members.split(",") == [f"mongodb-{i}.{spec['serviceName']}:27017" for i in range(spec["replicas"])]
    for service, user in (("auth", "auth"), ("history", "history"), ("setup", "admin")):
        assert manifests.environment(service)["MONGO_URL"] == f"mongodb://{user}@{members}/?replicaSet={rs}"
        (mount,) = (each for each in manifests.container(service)["volumeMounts"] if each["name"] == "credentials")
        assert manifests.environment(service)["MONGO_PASSWORD_FILE"] == f"{mount['mountPath']}/{credentials.PASSWORD}"
    mounts = {each["name"]: each["mountPath"] for each in manifests.container("mongodb")["volumeMounts"]}
    assert mounts["data"] == "/data/db", "elsewhere it would be the image's volume, which ends with the pod"
    (first,) = manifests.pod("mongodb")["initContainers"]
    assert first["command"][-1] == arguments[arguments.index("--keyFile") + 1] == f"{mounts['keyfile']}/keyfile"
    assert "--bind_ip_all" in arguments
    probe = manifests.container("mongodb")["startupProbe"]["exec"]["command"]
    assert probe == ["mongosh", "--quiet", f"{mounts['scripts']}/replica-set.js"]
    # mongod has a socket there, mongosh its log.
    assert mounts["tmp"] == values["HOME"] == "/tmp"  # noqa: S108 - what images call it
    cache = float(arguments[arguments.index("--wiredTigerCacheSizeGB") + 1])
    memory = manifests.container("mongodb")["resources"]["limits"]["memory"]
    assert cache * 1024 * 2 <= int(memory[:-2]) * {"Gi": 1024, "Mi": 1}[memory[-2:]]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("store", ["nats", "mongodb"])
def test_members_of_a_store_find_each_other_before_they_are_ready(name: str, store: str) -> None:
    """None is ready without the others. Each pod has a name of its own; and who lost its volume has time to copy."""
    manifests = overlay(name)
    service = manifests.named("Service")[manifests.workloads[store]["spec"]["serviceName"]]["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    probe = manifests.container(store)["startupProbe"]
    assert probe["failureThreshold"] * probe.get("periodSeconds", 10) >= 900
    assert manifests.pod(store)["terminationGracePeriodSeconds"] >= 30


def test_docker_compose_names_its_member() -> None:
    """The script is the same one, and would not know whom to initiate."""
    mongo = yaml.safe_load((K8S.parents[1] / "docker-compose.yml").read_text())["services"]["mongo"]
    assert mongo["environment"]["REPLICA_SET_MEMBERS"] == f"{mongo['hostname']}:27017"


def test_mongodb_knows_the_users_that_services_are() -> None:
    """The script makes the same users, roles and databases as the local stack, and reads passwords where they are."""
    manifests = overlay("base")
    script = manifests.config["mongodb-scripts"]["replica-set.js"]
    (mount,) = (each for each in manifests.container("mongodb")["volumeMounts"] if each["name"] == "credentials")
    assert f"{mount['mountPath']}/${{user}}.password" in script
    for user, roles in mongo_users.ROLES.items():
        for role in roles:
            said = f'"{role}"' if isinstance(role, str) else f'{{ role: "{role["role"]}", db: "{role["db"]}" }}'
            assert (
                f"{user}: [{said}]" in script or f'user: "{user}", pwd: password("{user}"), roles: [{said}]' in script
            )
    assert f'db: "{mongo_users.HISTORY_DATABASE}", collection: ""' in script
    assert f"actions: {json.dumps(mongo_users.HISTORY_ACTIONS)}" in script
    for service in ("auth", "history", "setup"):
        database = mongo_users.AUTH_DATABASE if service == "auth" else mongo_users.HISTORY_DATABASE
        assert manifests.environment(service)["MONGO_DATABASE"] == database
