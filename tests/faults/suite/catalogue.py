"""All faults, in the order in which they are run."""

from typing import Final

from tests.faults.suite import cluster_faults as cluster
from tests.faults.suite import disk_faults as disk
from tests.faults.suite import network_faults as network
from tests.faults.suite import process_faults as process
from tests.faults.suite.fault import Fault

_ALL: Final = (
    process.gateway_killed,
    process.rolling_restart,
    process.gateway_stopped_5,
    process.gateway_stopped_30,
    process.history_killed,
    process.auth_killed,
    process.nats_killed,
    process.nats_stopped,
    process.mongo_killed,
    process.all_killed,
    network.all_dropped,
    network.nats_late,
    network.nats_throttled,
    network.nats_swallowed,
    network.reader_stopped,
    network.member_away,
    network.slow_consumer,
    disk.disk_full,
    cluster.nats_leader_killed,
    cluster.two_nats_killed,
    cluster.nats_cut_off,
)
FAULTS: Final[dict[str, Fault]] = {each.name: each for each in _ALL}
