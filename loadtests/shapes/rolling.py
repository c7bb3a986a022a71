"""Rolling restart: the hook restarts the gateways while everybody chats."""

from loadtests.shapes.hold import arrive
from loadtests.shapes.stage import Stage


def play(stage: Stage) -> None:
    """Half of the time before it, half after; the restart itself is measured, as long as it takes."""
    arrive(stage, stage.users)
    with stage.phase("before"):
        stage.wait(stage.seconds / 2)
    with stage.phase("rolling restart"):
        stage.hook()
    with stage.phase("after"):
        stage.wait(stage.seconds / 2)
