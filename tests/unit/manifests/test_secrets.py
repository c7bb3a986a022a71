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
import subprocess, sys
words = sys.argv[1:]
folder = words[words.index("-v") + 1].rpartition(":")[0]
after = [each.replace("/out", folder, 1) for each in words[words.index("--entrypoint") + 3:]]
sys.exit(subprocess.call([{sys.executable!r}, *after], cwd={str(ROOT)!r}))
"""
# A kubectl whose cluster is a file: what is applied is appended to it.
CLUSTER = f"""#!/usr/bin/env bash
case " $* " in
  *" get namespace "*) exit 1 ;;
  *" create namespace "*) exit 0 ;;
  *" apply "*) {{ echo ---; cat; }} >> "$APPLIED" ;;
  *) exec {KUBECTL} "$@" ;;
esac
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
    """What was applied, by name."""
    applied = Path(environ["APPLIED"])
    applied.unlink(missing_ok=True)
    command = [K8S / "secrets", folder]
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(applied.read_text()) if each]
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


def test_nobody_else_may_read_it(tmp_path: Path, environ: dict[str, str]) -> None:
    """Neither the folder nor what is in it."""
    folder = tmp_path / "folder"
    run(folder, environ)
    secret = [path for path in folder.rglob("*") if path.is_file() and path.name != "nkeys.conf"]
    assert secret
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *secret])
