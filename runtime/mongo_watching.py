"""What a service's client of MongoDB does, as metrics: whether there is a server that takes writes, and each command.

pymongo calls these in its own threads, so prometheus_client's own counters count.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from pymongo import monitoring

from runtime.metrics import LATENCY_BUCKETS

connected = Gauge("parley_mongo_connected", "1 while a server is known that takes writes; 0 until one was needed.")
commands = Counter(
    "parley_mongo_commands_total",
    "Commands that MongoDB answered, by name and result; a write that was answered may have been refused in part.",
    ["command", "result"],
)
command_duration = Histogram(
    "parley_mongo_command_duration_seconds",
    "From a command being sent to its answer, by result.",
    ["result"],
    buckets=LATENCY_BUCKETS,
)

_COMMANDS: Final = frozenset(
    {"find", "getMore", "aggregate", "insert", "update", "delete", "findAndModify", "createIndexes"}
)
_OTHER: Final = "other"

# Looked up once; and so they are there from the start, at 0.
_answered: Final = {
    (command, result): commands.labels(command=command, result=result)
    for command in (*_COMMANDS, _OTHER)
    for result in ("ok", "failed")
}
_took: Final = {result: command_duration.labels(result=result) for result in ("ok", "failed")}


def _count(command: str, result: str, micros: int) -> None:
    _answered[command if command in _COMMANDS else _OTHER, result].inc()
    _took[result].observe(micros / 1e6)


class Commands(monitoring.CommandListener):
    """Counts each command that was sent. What found no server to be sent to is counted by whoever asked."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """It was answered."""
        _count(event.command_name, "ok", event.duration_micros)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """It was refused, or the connection broke, or it took too long."""
        _count(event.command_name, "failed", event.duration_micros)


class Servers(monitoring.TopologyListener):
    """Knows whether a server takes writes, as the client's own look at all of them each ten seconds finds it."""

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        """The client is about to look for servers."""

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        """Some servers have come, gone or changed their part."""
        # Not `has_writable_server`, which is true for whatever one is connected to directly.
        connected.set(any(each.is_writable for each in event.new_description.server_descriptions().values()))

    def closed(self, _event: monitoring.TopologyClosedEvent) -> None:
        """The client is closed."""
        connected.set(0)
