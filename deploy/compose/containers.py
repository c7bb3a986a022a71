"""What an engine says of a project's containers: the same questions to Docker and podman. Standard library alone."""

import json
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

PROJECT: Final = "com.docker.compose.project"
"""Labels that both set."""
SERVICE: Final = "com.docker.compose.service"
_CHECK_SECONDS: Final = 20.0
_CHECKS_AT_ONCE: Final = 4
_RUN_ONCE: Final = {"", "no", "on-failure"}


class EngineError(Exception):
    """The engine could not do it; the message is what it said."""


@dataclass(frozen=True)
class Container:
    """One that is there. `trouble` is empty when it is as it should be; `is_hopeless`: it will not become so."""

    id: str
    name: str
    service: str
    is_running: bool
    trouble: str
    is_hopeless: bool


def run(command: Iterable[str], *, seconds: float = 60.0) -> str:
    """What it printed. Raises `EngineError`."""
    arguments = list(command)
    try:
        done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=seconds)
    except FileNotFoundError:
        raise EngineError(f"{arguments[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise EngineError(f"{' '.join(arguments[:3])} did not answer within {seconds:g} s") from None
    if done.returncode:
        raise EngineError(done.stderr.strip() or f"{' '.join(arguments[:3])} ended with exit code {done.returncode}")
    return done.stdout


def look(engine: str, project: str, *, checked: bool = True) -> list[Container]:
    """All containers of `project`, by name; those that serve are asked for their health, if `checked`.

    Raises `EngineError`.
    """
    ids = run([engine, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT}={project}"]).split()
    if not ids:
        return []
    seen: list[dict[str, Any]] = json.loads(run([engine, "inspect", "--type", "container", *ids]))
    with ThreadPoolExecutor(_CHECKS_AT_ONCE) as threads:  # a check is a process of its own
        found = list(threads.map(lambda each: _container(engine, each, checked=checked), seen))
    return sorted(found, key=lambda each: each.name)


def log(engine: str, container: Container, lines: int = 20) -> str:
    """The last lines of what it printed, indented."""
    command = [engine, "logs", "--tail", str(lines), container.id]
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30
    )
    return "".join(f"    {line}\n" for line in done.stdout.splitlines())


def _container(engine: str, seen: dict[str, Any], *, checked: bool) -> Container:
    state = seen["State"]
    is_running = bool(state["Running"])
    trouble, is_hopeless = "", False
    if seen["HostConfig"]["RestartPolicy"]["Name"] in _RUN_ONCE:
        is_done = state["Status"] == "exited" and not state["ExitCode"]
        trouble = "" if is_done else f"{state['Status']}, exit code {state['ExitCode']}"
        is_hopeless = bool(state["Status"] == "exited" and state["ExitCode"] and _tries_are_over(seen))
    elif not is_running:
        trouble = f"{state['Status']}, exit code {state['ExitCode']}"
    elif checked and _has_check(seen):
        trouble = _unhealthy(engine, seen)
    name = seen["Name"].lstrip("/")
    return Container(seen["Id"], name, seen["Config"]["Labels"][SERVICE], is_running, trouble, is_hopeless)


def _tries_are_over(seen: dict[str, Any]) -> bool:
    policy = seen["HostConfig"]["RestartPolicy"]
    return bool(policy["Name"] != "on-failure" or seen.get("RestartCount", 0) >= policy["MaximumRetryCount"])


def _has_check(seen: dict[str, Any]) -> bool:
    check = seen["Config"].get("Healthcheck") or {}
    return bool(check.get("Test")) and check["Test"] != ["NONE"]


def _unhealthy(engine: str, seen: dict[str, Any]) -> str:
    if engine != "podman":
        status = seen["State"]["Health"]["Status"]
        return "" if status == "healthy" else status
    # podman leaves the schedule of checks to systemd, which is not everywhere: ask now.
    try:
        run(["podman", "healthcheck", "run", seen["Id"]], seconds=_CHECK_SECONDS)
    except EngineError as error:
        return f"unhealthy: {error}"
    return ""
