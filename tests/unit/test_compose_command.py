"""What `make up` makes of an engine's answers, and what it says when something is not as it should be."""

from typing import Any

import pytest

from deploy.compose import containers
from deploy.compose.__main__ import main
from deploy.compose.containers import SERVICE


def inspected(
    status: str, *, code: int = 0, policy: str = "unless-stopped", health: str = "", tries: int = 0
) -> dict[str, Any]:
    """What `docker inspect` says of a container."""
    state: dict[str, Any] = {"Status": status, "Running": status == "running", "ExitCode": code}
    config: dict[str, Any] = {"Labels": {SERVICE: "history"}}
    if health:
        state["Health"] = {"Status": health}
        config["Healthcheck"] = {"Test": ["CMD", "true"]}
    return {
        "Id": "0123",
        "Name": "/parley-history-1",
        "State": state,
        "Config": config,
        "RestartCount": tries,
        "HostConfig": {"RestartPolicy": {"Name": policy, "MaximumRetryCount": 5 if policy == "on-failure" else 0}},
    }


@pytest.mark.parametrize(
    ("seen", "trouble", "is_hopeless"),
    [
        (inspected("running", health="healthy"), "", False),
        (inspected("running", health="starting"), "starting", False),
        (inspected("running", health="unhealthy"), "unhealthy", False),
        (inspected("running"), "", False),
        (inspected("restarting", code=1, health="starting"), "restarting, exit code 1", False),
        (inspected("exited", policy="no"), "", False),
        (inspected("running", policy="no"), "running, exit code 0", False),
        (inspected("created", policy="no"), "created, exit code 0", False),
        (inspected("exited", code=2, policy="no"), "exited, exit code 2", True),
        (inspected("exited", code=2, policy="on-failure", tries=1), "exited, exit code 2", False),
        (inspected("exited", code=2, policy="on-failure", tries=5), "exited, exit code 2", True),
        (inspected("exited", policy="on-failure"), "", False),
    ],
)
def test_a_container_is_as_it_should_be_or_not(seen: dict[str, Any], trouble: str, *, is_hopeless: bool) -> None:
    """One that serves has to be healthy; one that runs once has to have ended well; some failures are final."""
    found = containers._container("docker", seen, checked=True)
    assert (found.trouble, found.is_hopeless) == (trouble, is_hopeless)
    assert (found.name, found.service) == ("parley-history-1", "history")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up"], "parley: docker is not installed; ENGINE=podman uses podman\n"),
        (["down"], "parley: docker is not installed; ENGINE=podman uses podman\n"),
        (["up", "--profiles", "tracing"], "parley: there is no profile tracing; there are monitoring, loadtest\n"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and no traceback."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(arguments) == 1
    assert capsys.readouterr().err == said
