"""What is measured, one case a module. `ALL` is the order in which they run."""

from loadtests.bench.cases.connecting import Connect, Storm
from loadtests.bench.cases.fan_out import FanOut
from loadtests.bench.cases.foreign import Foreign
from loadtests.bench.cases.idle import Idle
from loadtests.bench.cases.mixed import Mixed
from loadtests.bench.cases.publish import Publish
from loadtests.bench.measuring import Case

ALL: tuple[Case, ...] = (
    FanOut("fanout", room_size=1000),
    FanOut("one-room"),
    Publish(),
    Connect(),
    Idle(),
    Mixed(),
    Foreign(),
    Storm(),
)
