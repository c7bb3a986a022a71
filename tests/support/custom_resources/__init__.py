"""Custom resources against the schemas of the projects that they are of, which npm has as validators."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.manifests import Manifest
from web import npm

_HERE = Path(__file__).parent
GROUPS = ("gateway.networking.k8s.io", "keda.sh", "monitoring.coreos.com", "cert-manager.io")


def is_custom(manifest: Manifest) -> bool:
    """Whether it is one that these schemas are for, and not the API server's own."""
    group: str = manifest["apiVersion"].partition("/")[0]
    return group in GROUPS


def findings(manifests: list[Manifest]) -> list[list[str]]:
    """What is wrong with each, fields that no schema has among it. Skips the test, loudly, without node and npm."""
    node = shutil.which("node")
    try:
        npm.install(_HERE)
    except npm.NoNpmError:
        node = None
    if node is None:
        pytest.skip("no node or npm: custom resources are NOT checked by their schemas")
    done = subprocess.run(
        [node, "check.mjs"],
        cwd=_HERE,
        input=json.dumps(manifests),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found
