"""`make run` where nothing was ever installed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from deploy.local.stack import ROOT
from tests.support.supervised import READY, supervised

INSTALLING_SECONDS: Final = 600


@pytest.mark.timeout(INSTALLING_SECONDS + 60)
async def test_make_run_from_a_bare_checkout_in_an_empty_home() -> None:
    """A copy of what git tracks, no environment, no home: `make run` sets up what it needs, and is ready."""
    if shutil.which("make") is None:
        pytest.skip("no make")
    with tempfile.TemporaryDirectory(prefix="parley-fresh-") as folder:
        home, checkout = Path(folder) / "home", Path(folder) / "parley"
        home.mkdir()
        listing = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
        )
        for name in filter(None, listing.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, checkout / name)
        environ = {"HOME": str(home), "VIRTUAL_ENV": "", "PYTHON": _base_python()}
        async with supervised("make", "run", cwd=checkout, data=checkout / ".run", **environ) as run:
            await run.until(READY, seconds=INSTALLING_SECONDS)
            os.killpg(run.process.pid, signal.SIGINT)
            await run.ended()
        assert not (home / ".local").exists(), "nothing is installed outside the checkout"


def _base_python() -> str:
    """The interpreter that this environment was made from."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
