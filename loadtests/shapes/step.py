"""Step to failure: more and more users, until something is too much."""

from loadtests.shapes.stage import Stage


def play(stage: Stage) -> None:
    """Steps of equal height and length. Arriving is not measured. The first step that is too much is the last."""
    last = 0
    for number in range(1, stage.steps + 1):
        users = stage.users * number // stage.steps
        if users == last:
            continue
        last = users
        with stage.phase(f"step {number}, arriving", measured=False):
            stage.fill(users)
        with stage.phase(f"step {number}: {users} users"):
            stage.wait(stage.seconds / stage.steps)
        with stage.phase(f"step {number}, looking", measured=False):
            limit = stage.limit()
        if limit is not None:
            stage.note(f"step {number} was too much: {limit}")
            return
