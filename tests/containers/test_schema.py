"""docker-compose.yml by the Compose specification's own schema: what podman-compose ignores, Docker refuses."""

import subprocess
import sys
from pathlib import Path

from deploy.local.stack import ROOT


def test_compose_file_follows_the_specification() -> None:
    """Every key and every value."""
    check = Path(sys.executable).parent / "check-jsonschema"
    command = [str(check), "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
