"""Locust users in a process of their own, which patches the standard library: told what to do by lines on stdin.

`python -m tests.support.locust_users SETTINGS`, a JSON object: `urls`, `tokens`, `rooms`, `run`, `think`, `users`
(how many, by kind), `facts` (a file), `files` (so many more may be open than are, or absent). Commands: `drop`;
`finish`, after which the facts are written and the process ends. Each report is a line of JSON on stdout: what has
happened so far.
"""

import locust  # isort: skip - first: it patches the standard library

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
import gevent.os
import msgspec
from locust import User
from locust.env import Environment
from locust.rpc import Message

from loadtests import player
from loadtests.facts import Facts
from loadtests.scenario import Scenario
from loadtests.timeline import Timeline
from loadtests.users.base import ParleyUser
from loadtests.users.browser import BrowserLikeUser
from loadtests.users.chat import ChatUser
from loadtests.users.dashboard import DashboardUser
from loadtests.users.lurker import LurkerUser
from loadtests.users.storm import StormUser

assert locust
SETTLE_SECONDS = 30.0
_PART_BYTES = 500
"""So that the facts of a short run come in parts, too."""


class Driver:
    """A conductor of few words."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        users = settings["users"]
        classes: list[type[User]] = []
        for each in (BrowserLikeUser, ChatUser, DashboardUser, LurkerUser, StormUser):
            each.fixed_count = users.get(each.NAME, 0)
            if each.fixed_count:
                classes.append(each)
        ParleyUser.scenario = self._scenario = Scenario(
            settings["urls"], settings["tokens"], settings["rooms"], run=settings["run"], think=settings["think"]
        )
        environment = Environment(user_classes=classes)
        self._runner = environment.create_local_runner()
        self._runner.register_message(player.REPORT, self._on_report)
        self._runner.register_message(player.FACTS, self._on_facts)
        player.Player(environment, self._scenario, part_bytes=_PART_BYTES)
        self._timeline = Timeline()
        self._settled = False
        self._parts: list[bytes] = []
        self._facts: Facts | None = None

    def run(self) -> None:
        """Until told to finish."""
        count = sum(self._settings["users"].values())
        self._runner.start(count, spawn_rate=count)
        gevent.spawn(self._obey).join()

    def _obey(self) -> None:
        while command := gevent.os.tp_read(0, 64).decode().strip():
            if command == "finish":
                return self._finish()
            self._runner.send_message(f"parley-{command}", {})
        return None

    def _finish(self) -> None:
        self._runner.send_message(player.CLOSING, {})
        self._settled = False
        self._until(lambda: self._settled)
        self._runner.send_message(player.FINISH, {})
        self._until(lambda: self._facts is not None)
        assert self._facts is not None
        _limit_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        self._facts.timeline.add(self._timeline)
        self._facts.write(Path(self._settings["facts"]))
        self._runner.quit()

    @staticmethod
    def _until(condition: Any) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not condition() and time.monotonic() < deadline:
            gevent.sleep(0.05)

    def _on_report(self, *, msg: Message, **_: object) -> None:
        self._settled = msg.data["settled"]
        self._timeline.add(msgspec.msgpack.decode(msg.data["timeline"], type=Timeline))
        seconds = self._timeline.seconds.values()
        counts = sum((Counter(each.counts) for each in seconds), Counter[str]())
        kinds = {kind: self._timeline.total(kind) for kind in self._timeline.kinds()}
        told = {
            "connected": msg.data["connected"],
            "counts": counts,
            "succeeded": {kind: bucket.succeeded for kind, bucket in kinds.items()},
            "failures": {kind: bucket.failures for kind, bucket in kinds.items() if bucket.failed},
        }
        print(json.dumps(told), flush=True)

    def _on_facts(self, *, msg: Message, **_: object) -> None:
        self._parts.append(msg.data["data"])
        if len(self._parts) == msg.data["parts"]:
            self._facts = msgspec.msgpack.decode(b"".join(self._parts), type=Facts)


def main() -> None:
    """Play."""
    settings = json.loads(sys.argv[1])
    driver = Driver(settings)
    if files := settings.get("files"):
        _limit_files(len(list(Path("/proc/self/fd").iterdir())) + files)
    driver.run()


def _limit_files(most: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))


if __name__ == "__main__":
    main()
