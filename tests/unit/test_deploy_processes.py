"""The processes of a stack: which of them ended by themselves."""

import os
import signal
from pathlib import Path

from deploy.local.process import Child
from loadtests.target import fallen


def _child(folder: Path, *command: str) -> Child:
    return Child("child", command, cwd=folder, environ=os.environ, sink=lambda *_: None)


async def test_one_that_was_told_to_end_has_not_fallen(tmp_path: Path) -> None:
    """One that ended before it was told has; and is up again once it is started anew."""
    child = _child(tmp_path, "sleep", "60")
    assert not child.has_fallen  # it was never there
    await child.start()
    os.kill(child.pid, signal.SIGKILL)
    assert await child.ended() == "child was killed by signal 9"
    await child.stop()
    assert child.has_fallen
    assert await fallen([child]) == ["child was killed by signal 9"]
    for end in (child.stop, child.kill):
        await child.start()
        assert not child.has_fallen
        await end()
        assert not child.is_running
        assert await fallen([child]) == []
