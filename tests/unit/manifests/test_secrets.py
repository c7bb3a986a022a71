"""deploy/k8s/secrets: with the images' real commands and the real kubectl, up to what a cluster would be sent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runtime import credentials
from tests.support.manifests import K8S, KUBECTL, MAPS_BY_HAND, ROOT, SECRETS_BY_HAND, Manifest

# An engine that runs what a container would; its folder /out is the one that is mounted.
ENGINE = f"""#!{sys.executable}
import os, subprocess, sys
words = sys.argv[1:]
if words == ["--version"]:
    sys.exit(print(os.environ.get("ENGINE_VERSION", "Docker version 29.1.3")))
with open(os.environ["APPLIED"] + ".engine", "a") as log:
    print(*words, file=log)
folder = words[words.index("-v") + 1].rpartition(":")[0]
after = [each.replace("/out", folder, 1) for each in words[words.index("-m"):]]
sys.exit(subprocess.call([{sys.executable!r}, *after], cwd={str(ROOT)!r}))
"""
# A kubectl whose cluster is a file for each object: as it was created or, if it is there, replaced.
CLUSTER = f"""#!{sys.executable}
import os, pathlib, sys, yaml
words = sys.argv[1:]
cluster = pathlib.Path(os.environ["APPLIED"])
if words[:2] == ["get", "namespace"]:
    sys.exit(1)
if words[:2] == ["create", "namespace"]:
    cluster.mkdir(exist_ok=True)
elif words[2] == "get":
    sys.exit(not (cluster / words[4]).exists())
elif words[3:] == ["-f", "-"]:
    text = sys.stdin.read()
    file = cluster / yaml.safe_load(text)["metadata"]["name"]
    if file.exists() != (words[2] == "replace"):
        sys.exit("AlreadyExists" if file.exists() else "NotFound")
    file.write_text(text)
else:
    os.execv({str(KUBECTL)!r}, [{str(KUBECTL)!r}, *words])
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """With an engine and a cluster."""
    for name, text in (("engine", ENGINE), ("kubectl", CLUSTER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o700)
    here = {
        "ENGINE": str(tmp_path / "engine"),
        "KUBECTL": str(tmp_path / "kubectl"),
        "APPLIED": str(tmp_path / "all"),
    }
    return {**os.environ, **here}


def run(folder: Path, environ: dict[str, str]) -> dict[str, Manifest]:
    """What is in the cluster afterwards, by name."""
    command = [K8S / "secrets", folder]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    objects = [yaml.safe_load(each.read_text()) for each in Path(environ["APPLIED"]).iterdir()]
    assert {each["kind"] for each in objects} == {"Secret", "ConfigMap"}
    return {each["metadata"]["name"]: each for each in objects}


def test_it_makes_what_the_manifests_expect_and_overwrites_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """Each Secret with its files; a second run sends the same, one after a removed file another of that alone."""
    folder = tmp_path / "folder"
    made = run(folder, environ)
    assert made.keys() == SECRETS_BY_HAND | MAPS_BY_HAND
    assert {name: set(each["data"]) for name, each in made.items() if name.startswith("credentials-")} == {
        "credentials-gateway": {credentials.SEED},
        **{f"credentials-{user}": {credentials.SEED, credentials.PASSWORD} for user in credentials.MONGO_USERS},
        "credentials-mongo": {"keyfile", *(f"{user}.password" for user in ("root", *credentials.MONGO_USERS))},
    }
    assert len(made["signing-keys"]["data"]) == 1
    assert made["nats-nkeys"]["data"].keys() == {"nkeys.conf"}
    assert run(folder, environ) == made
    (folder / "credentials" / "gateway" / credentials.SEED).unlink()
    rotated = run(folder, environ)
    assert {name for name in made if made[name] != rotated[name]} == {"credentials-gateway", "nats-nkeys"}


def test_a_signing_key_that_is_removed_is_gone_from_the_cluster(tmp_path: Path, environ: dict[str, str]) -> None:
    """Whoever has brought it there: a key that has leaked must not stay because another tool owns the field."""
    folder = tmp_path / "folder"
    (name,) = run(folder, environ)["signing-keys"]["data"]
    (folder / "signing-keys" / name).rename(folder / "signing-keys" / "another.pem")
    assert run(folder, environ)["signing-keys"]["data"].keys() == {"another.pem"}


@pytest.mark.parametrize(("version", "needed"), [("Docker version 29.1.3", False), ("podman version 5.4.2", True)])
def test_the_folder_is_ours_in_podman_too(
    tmp_path: Path, environ: dict[str, str], version: str, *, needed: bool
) -> None:
    """Without root its users are others than those outside, and the folder is for one user alone."""
    run(tmp_path / "folder", {**environ, "ENGINE_VERSION": version})
    for said in Path(environ["APPLIED"] + ".engine").read_text().splitlines():
        assert ("label=disable" in said) == needed
        assert ("--userns keep-id" in said) == (needed and os.getuid() != 0)


def test_nobody_else_may_read_it(tmp_path: Path, environ: dict[str, str]) -> None:
    """Neither the folder nor what is in it."""
    folder = tmp_path / "folder"
    run(folder, environ)
    secret = [path for path in folder.rglob("*") if path.is_file() and path.name != "nkeys.conf"]
    assert secret
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *secret])
