"""What Locust loads: for `python -m loadtests`, and for `locust -f loadtests/locustfile.py` with Locust's own page.

The page needs `--tokens` and `--url`. It shows Locust's figures; what is judged is a run with a shape.
"""

import functools
import os
import signal
import sys
from pathlib import Path
from secrets import token_hex
from typing import Any

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from deploy.local.process import end_with_parent
from loadtests import conductor, mix, player, scenario, slo, stage
from loadtests.progress import Progress
from loadtests.shapes import SHAPES
from loadtests.users import base
from loadtests.users.browser import BrowserLikeUser
from loadtests.users.chat import ChatUser
from loadtests.users.dashboard import DashboardUser
from loadtests.users.lurker import LurkerUser
from loadtests.users.storm import StormUser

__all__ = ["BrowserLikeUser", "ChatUser", "DashboardUser", "LurkerUser", "StormUser"]

_USERS = (BrowserLikeUser, ChatUser, DashboardUser, LurkerUser, StormUser)
_LEAVING_SECONDS = 20
_tokens: list[str] = []
"""Of this host: a worker is told all but these by who leads."""


# The workers of `--processes`, and hooks: none is left when who leads is killed.
os.register_at_fork(after_in_child=end_with_parent)


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: LocustArgumentParser, **_: object) -> None:
    add = parser.add_argument
    add("--tokens", env_var="PARLEY_TOKENS", help="a file of access tokens, one a line, one for each user")
    add("--url", action="append", default=[], help="of a gateway; again for each")
    add("--rooms", type=int, default=4, help="how many rooms the users share")
    add("--mix", default=mix.text(mix.USUAL), help="who they are, by weight")
    add("--think", type=float, default=10.0, help="seconds of thought before a message, on average")
    # Ids of messages begin with it, and one that was there before is no new message.
    add("--run", default=token_hex(4), help="the name of the run, and of its rooms; a random one")
    hidden = functools.partial(add, include_in_web_ui=False)
    hidden("--shape", choices=SHAPES, help="played, and judged: see python -m loadtests")
    hidden("--seconds", type=float, default=60.0, help="how long the shape measures")
    hidden("--steps", type=int, default=10, help="of the shape step")
    hidden("--hook", default="", help="of the shape rolling")
    hidden("--slo", default=str(slo.DEFAULT), help="the objectives, for the shape step")
    hidden("--facts", help="where the facts of the shape go")


@events.init.add_listener  # type: ignore[untyped-decorator]
def _prepare(environment: Environment, runner: Runner, **_: object) -> None:
    options: Any = environment.parsed_options
    weights = mix.parse(options.mix)
    for each in _USERS:
        each.weight = weights.get(each.NAME, 0)
    environment.user_classes[:] = [each for each in environment.user_classes if each.weight]
    if not isinstance(runner, MasterRunner):
        if not options.tokens:
            sys.exit("loadtests: --tokens is needed")
        _tokens.extend(Path(options.tokens).read_text().split())
    if not isinstance(runner, WorkerRunner):
        if not options.url:
            sys.exit("loadtests: --url is needed")
        _conduct(environment, runner)


def _conduct(environment: Environment, runner: Runner) -> None:
    options: Any = environment.parsed_options
    players = options.expect_workers if isinstance(runner, MasterRunner) else 1
    path = Path(options.facts or "facts.msgpack")
    shape = conductor.Conductor(environment, players=players, path=path, progress=Progress(sys.stderr))
    if options.shape is None:
        return
    environment.shape_class = shape
    environment.events.test_stopping.add_listener(_leave)  # type: ignore[no-untyped-call]
    gevent.signal_handler(signal.SIGTERM, shape.stop)  # Locust's own comes when the shape is over
    here = stage.LocustStage(
        shape,
        users=options.num_users,
        seconds=options.seconds,
        steps=options.steps,
        rate=options.spawn_rate,
        command=options.hook,
        slo=slo.Slo.read(Path(options.slo)),
    )
    shape.script = functools.partial(SHAPES[options.shape], here)


def _leave(**_: object) -> None:
    """All is written down: what is left is to hang up. A worker that stands still would be waited for without end."""
    signal.alarm(_LEAVING_SECONDS)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _play(environment: Environment, **_: object) -> None:
    """By now a worker has been told the options of who leads."""
    runner: Any = environment.runner
    options: Any = environment.parsed_options
    if isinstance(runner, MasterRunner) or hasattr(base.ParleyUser, "scenario"):
        return
    seats = {"index": runner.worker_index, "count": options.expect_workers}
    shared = scenario.Scenario(options.url, _tokens, options.rooms, run=options.run, think=options.think, **seats)
    base.ParleyUser.scenario = shared
    player.Player(environment, shared)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def _end(environment: Environment, **_: object) -> None:
    environment.stop_timeout = 0.0  # all is written down; nobody is waited for
