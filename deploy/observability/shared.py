"""Panels that several dashboards have, for the processes that each is about."""

from deploy.observability.panel import Panel
from deploy.observability.panels import heat, lines, states
from deploy.observability.queries import WINDOW, Metrics
from deploy.observability.steps import GREEN, RED, alarm


def limits(of: Metrics, *, worst: int = 0) -> list[Panel]:
    """What a process can run out of; of so many at a time that are the `worst`, or of all."""

    def shown(query: str) -> dict[str, str]:
        return {"{{instance}}": f"topk({worst}, {query})" if worst else query}

    which = f" Here are the {worst} highest of each moment." if worst else ""
    memory = f"{of.of('process_resident_memory_bytes')} / ({of.of('parley_memory_limit_bytes')} > 0)"
    files = f"{of.of('process_open_fds')} / {of.of('process_max_fds')}"
    return [
        lines(
            "CPU",
            "Cores used. Each process is one event loop: above 0.8 everything it does begins to wait. More gateways"
            f" is the answer, not more CPU.{which}",
            "none",
            shown(f"rate({of.of('process_cpu_seconds_total')}[{WINDOW}])"),
            steps=alarm(0.9, warn=0.7),
            runbooks=["ParleyCpuSaturated"],
        ),
        lines(
            "Memory",
            f"What each process holds.{which}",
            "bytes",
            shown(of.of("process_resident_memory_bytes")),
        ),
        lines(
            "Event-loop lag, p99",
            "How late the loop runs a timer: all that the process does waits as long. Above 100 ms something blocks"
            f" it, or it has too much to do.{which}",
            "s",
            shown(of.quantile(0.99, "parley_event_loop_lag_seconds", "instance")),
            steps=alarm(0.25, warn=0.1),
            runbooks=["ParleyEventLoopLagging"],
        ),
        lines(
            "Share of the memory limit",
            f"At 1 the kernel kills the process. 0 where no limit is set.{which}",
            "percentunit",
            shown(f"{memory} or (0 * {of.of('process_resident_memory_bytes')})"),
            steps=alarm(0.9, warn=0.8),
            most=1,
            runbooks=["ParleyMemoryHigh"],
        ),
        lines(
            "Share of the open files",
            f"Every connection is one. At 1 nobody gets in: raise the limit of open files, or add gateways.{which}",
            "percentunit",
            shown(files),
            steps=alarm(0.9, warn=0.8),
            most=1,
            runbooks=["ParleyOpenFilesHigh"],
        ),
        lines(
            "Tasks",
            f"Of the event loop, that have not ended. What only rises is a leak.{which}",
            "short",
            shown(of.of("parley_tasks")),
        ),
    ]


def process(of: Metrics) -> list[Panel]:
    """How a process is, beside its limits."""
    return [
        heat(
            "Event-loop lag, all of it",
            "How late the loop ran its timers. A band that rises is load; single cells far up are something that"
            " blocks.",
            "s",
            of.buckets("parley_event_loop_lag_seconds"),
        ),
        lines(
            "Garbage collections",
            "A second, by generation. Of generation 2 there are hardly any: they take long.",
            "cps",
            {
                "{{instance}} generation {{generation}}": f"rate({of.of('python_gc_collections_total')}[{WINDOW}])",
            },
        ),
        lines(
            "Running for",
            "Since the process began. What starts again and again crashes: read its last log line.",
            "s",
            {"{{instance}}": f"time() - {of.of('process_start_time_seconds')}"},
            runbooks=["ParleyCrashLoop"],
        ),
    ]


def nats_client(of: Metrics) -> list[Panel]:
    """How processes get along with NATS."""
    return [
        states(
            "Connected to NATS",
            "Who is cut off answers `unavailable`, and is not ready.",
            {"{{instance}}": of.of("parley_nats_connected")},
            {"0": ("cut off", RED), "1": ("connected", GREEN)},
            width=8,
            runbooks=["ParleyNatsDisconnected"],
        ),
        lines(
            "Connections made again",
            "A second. `reconnected`: the connection broke, and after it every open room is checked for holes;"
            " `revived`: it claimed to be up and carried nothing. A few with a nats-server's restart are usual.",
            "cps",
            {
                "{{instance}} reconnected": of.rate("parley_nats_reconnects_total", "instance"),
                "{{instance}} revived": of.rate("parley_nats_revived_total", "instance"),
            },
            runbooks=["ParleyNatsReconnects"],
        ),
        lines(
            "Trouble with NATS",
            "A second: errors by kind; questions to auth and history that were let go, read too slowly to be kept"
            " (whoever asked is told `unavailable`); answers that came when nobody waited any more.",
            "cps",
            {
                "error {{kind}}": of.rate("parley_nats_errors_total", "kind"),
                "let go, too slow": of.rate("parley_nats_slow_consumers_total"),
                "late answers": of.rate("parley_nats_late_replies_total"),
            },
            runbooks=["ParleyNatsSlowConsumers"],
        ),
    ]


def mongo(of: Metrics) -> list[Panel]:
    """How a service gets along with MongoDB."""
    return [
        states(
            "MongoDB takes writes",
            "0: no server that takes writes is known. For some seconds that is an election.",
            {"{{instance}}": of.of("parley_mongo_connected")},
            {"0": ("no", RED), "1": ("yes", GREEN)},
            width=8,
            runbooks=["ParleyMongoDisconnected"],
        ),
        lines(
            "MongoDB: commands",
            "A second, by command and result. Failed ones are tried again or answered `unavailable`.",
            "cps",
            {"{{command}} {{result}}": of.rate("parley_mongo_commands_total", "command", "result")},
            runbooks=["ParleyMongoCommandsFailing"],
        ),
        lines(
            "MongoDB: time of a command",
            "Above half a second it is the database: its disk, a missing index, an election.",
            "s",
            {
                "{{result}} p99": of.quantile(0.99, "parley_mongo_command_duration_seconds", "result"),
                "{{result}} p50": of.quantile(0.5, "parley_mongo_command_duration_seconds", "result"),
            },
            steps=alarm(0.5),
            runbooks=["ParleyMongoSlow"],
        ),
    ]
