"""`python -m deploy.compose up|down`: the containers of docker-compose.yml, with Docker or podman.

`up` builds the images, starts everything, and returns once all containers are as they should be: those that serve are
healthy, those that run once have ended well. Exit code 1, and what the container printed, when one is not in time.
Standard library alone: with Docker it runs on any Python from 3.11 on. With podman it needs podman-compose
(requirements/containers.txt) beside it.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.compose import containers
from deploy.compose.containers import Container, EngineError

ROOT: Final = Path(__file__).parents[2]
PROFILES: Final = ("monitoring", "loadtest")
FIRST: Final = ("credentials", "signing-key")
_PAUSE_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 25
"""The longest `stop_grace_period` in docker-compose.yml."""


def main(arguments: Sequence[str]) -> int:
    """Run, and return the exit code."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    chosen, more = _parser().parse_args(arguments[:end]), arguments[end + 1 :]
    profiles = PROFILES if chosen.command == "down" else tuple(chosen.profiles.replace(",", " ").split())
    try:
        compose = _compose(chosen.engine, chosen.project, profiles)
        if chosen.command == "down":
            return _down(chosen.engine, chosen.project, [*compose, "down", *more])
        up = [*compose, "up", "--detach"]
        build = [] if chosen.built else ["--build"]
        if chosen.engine == "podman":
            # podman does not restart a container whose dependencies have ended: what all depend on goes first, and
            # the others then depend on nothing.
            _call([*up, *build, *FIRST])
            _wait(chosen.engine, chosen.project, chosen.seconds, FIRST)
            _call([*up, "--no-deps", *more])
        else:
            _call([*up, *build, *more])
        _wait(chosen.engine, chosen.project, chosen.seconds)
    except EngineError as error:
        print(f"parley: {error}", file=sys.stderr)
        return 1
    _tell(chosen.engine, chosen.project, profiles)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.compose",
        description=__doc__,
        epilog="After --: more for compose, as --scale gateway=3, or -v",
    )
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--engine", choices=["docker", "podman"], default="docker")
    parser.add_argument(
        "--project", default="parley", help="the name that all containers, networks and volumes begin with"
    )
    parser.add_argument("--profiles", default="", help=f"some of {', '.join(PROFILES)}")
    parser.add_argument("--built", action="store_true", help="the images are there; do not build them")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long `up` waits until all are healthy; 300")
    return parser


def _compose(engine: str, project: str, profiles: Sequence[str]) -> list[str]:
    if unknown := set(profiles) - set(PROFILES):
        raise EngineError(f"there is no profile {', '.join(sorted(unknown))}; there are {', '.join(PROFILES)}")
    # podman has no compose of its own; podman-compose is in this interpreter's environment.
    command = [sys.executable, "-m", "podman_compose"] if engine == "podman" else ["docker", "compose"]
    return [*command, "--project-name", project, *(part for each in profiles for part in ("--profile", each))]


def _call(command: Sequence[str]) -> None:
    # Docker's format of images, unlike podman's usual one, keeps their health checks.
    environ = {**os.environ, "BUILDAH_FORMAT": "docker"}
    try:
        code = subprocess.run(command, check=False, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL).returncode
    except FileNotFoundError:
        raise EngineError(f"{command[0]} is not installed; ENGINE=podman uses podman") from None
    if code:
        raise EngineError(f"compose ended with exit code {code}")


def _down(engine: str, project: str, command: Sequence[str]) -> int:
    if engine == "podman" and (found := containers.look(engine, project, checked=False)):
        # podman-compose would leave those that were scaled up.
        ids = [each.id for each in found]
        containers.run(["podman", "rm", "--force", "--volumes", "--time", str(_STOP_SECONDS), *ids], seconds=120)
    _call(command)
    if left := containers.look(engine, project, checked=False):
        raise EngineError(f"still there: {', '.join(each.name for each in left)}")
    return 0


def _wait(engine: str, project: str, seconds: float, services: Sequence[str] = ()) -> None:
    """Raises `EngineError` when not all (of `services`) are as they should be in time, or one cannot become so."""
    deadline = time.monotonic() + seconds
    print(f"parley: waiting for {', '.join(services) or 'all containers to be healthy'}", flush=True)
    while True:
        found = [each for each in containers.look(engine, project) if not services or each.service in services]
        troubled = [each for each in found if each.trouble]
        if found and not troubled:
            return
        if time.monotonic() > deadline or any(each.is_hopeless for each in troubled):
            raise EngineError(_complaint(engine, troubled))
        time.sleep(_PAUSE_SECONDS)


def _complaint(engine: str, troubled: Sequence[Container]) -> str:
    if not troubled:
        return "there is no container"
    told = [
        f"{each.name} is not as it should be: {each.trouble}\n{containers.log(engine, each)}" for each in troubled
    ]
    return "".join(told).rstrip()


def _tell(engine: str, project: str, profiles: Sequence[str]) -> None:
    port = os.environ.get("PARLEY_PORT", "8080").rpartition(":")[2]
    print(f"parley: all containers are healthy. Chat: http://localhost:{port}")
    if "monitoring" in profiles:
        print(f"parley: Prometheus: http://localhost:{os.environ.get('PARLEY_PROMETHEUS_PORT', '9090')}")
        grafana = os.environ.get("PARLEY_GRAFANA_PORT", "3000")
        print(f"parley: Grafana: http://localhost:{grafana}, user admin, password by")
        show = f"-v {project}_grafana-credentials:/c:ro --entrypoint cat parley/auth:0.1.0 /c/admin.password"
        print(f"  {engine} run --rm {show}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
