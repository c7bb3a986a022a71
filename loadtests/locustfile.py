"""What Locust loads: `python -m loadtests` headless, `locust -f loadtests/locustfile.py` with Locust's own page."""

from pathlib import Path

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtests.chat_user import ChatUser
from loadtests.scenario import Scenario
from loadtests.settling import finish

__all__ = ["ChatUser"]


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: LocustArgumentParser, **_: object) -> None:
    parser.add_argument("--tokens", type=Path, env_var="PARLEY_TOKENS", help="a file of access tokens, one a line")
    parser.add_argument("--url", action="append", default=[], help="of a gateway; again for each")
    parser.add_argument("--rooms", type=int, default=4, help="how many rooms the users share")
    parser.add_argument("--record", type=Path, help="where to write the facts of the run, as JSON")


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _start(environment: Environment, **_: object) -> None:
    options = environment.parsed_options
    if options is None or options.tokens is None or not options.url:
        environment.process_exit_code = 2
        raise SystemExit("loadtests: --tokens and --url are needed")
    ChatUser.scenario = Scenario(options.url, options.tokens.read_text().split(), options.rooms)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def _finish(environment: Environment, **_: object) -> None:
    record = finish(ChatUser.scenario, environment)
    if environment.parsed_options is not None and environment.parsed_options.record is not None:
        record.write(environment.parsed_options.record)
