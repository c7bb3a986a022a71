"""What Parley costs, per unit of work, beside its peers: `make bench`, and `make bench PEERS=1`.

**How it measures.** The server that is measured has a core to itself; the clients, the brokers and databases, the
auth and history services and a second gateway share another, where history and its database get what is left over
(and stand still while latencies are measured: no message waits for them, and in production they run elsewhere; what
is on a message's way then runs before all others on the machine, where that is allowed).
The clients are raw WebSocket connections of one process, and speak the same Socket.IO to all targets. CPU is the
time that the server's threads ran, user and system, as the kernel counts it in ns
(`/proc/<pid>/task/*/schedstat`), divided by the units of work: so it holds on a machine that others use too, and
at any rate. Memory is the growth of the process's proportional set (`smaps_rollup`), divided by the connections.
Nothing is sampled: a loop goes on only when every member of a room has got a message, and a lost connection, a
delivery too many, or an acknowledgement that is not ok voids the measurement, and is told.

Every measurement begins with a server process without a past. Each case is measured `--repeats` times, on one target
after the other, and in the reverse order in every second repeat. A ratio is taken within a repeat, and the median of
these is shown: what slows the machine for a minute slows both. All of it, 1,000, 2,000, 4,000 and 8,000 connections
three times on Parley and its peers, takes about two hours.

**What it shows.** A line per target; the median of the repeats (the least .. the most of them), and the ratio: this
target's figure to Parley's in the same repeat ("1.50x": Parley costs less). Then the latencies, with the rate they
were measured at, how busy the server was, and clients and broker on their core: near 100, they are that core's. At
the end, how the cost of each target grows from the fewest to the most connections, Parley's ratios to what it is
compared with, what each target does with a message (a cheaper one may do less), and NOTEs on measurements that are
not quite what their names say. All of it is in the JSON file, with the spread of every figure and of every ratio.

    fanout                   rooms of 1,000; 2, then 20 messages in flight in each; and 2 in all rooms together
    one-room                 the same with all connections in one room
    publish                  500 rooms of 2, 50 on their way; the connections beyond 1,000 are idle
    connect                  WebSocket handshake and Socket.IO CONNECT; the token verified where a target does that
    idle                     members of rooms of 10: memory of each, and CPU with pings, over one ping interval
    mixed                    1,000 users in 100 rooms, at rates that take 25, 50, 75 % of the server's core, but no
                             more than the clients can take in: latency from the sending of a message to its receipt
                             by each member; Parley also at the rate of Node with Redis Streams at 50 %
    foreign                  members of quiet rooms; rooms without a member here are busy on another gateway
    storm                    members of rooms of 10 vanish at once and come back at once: time until all are in their
                             rooms again, CPU each; then they vanish for good: CPU each until the server rests

    CPU per ...              of the server measured alone, in microseconds
    CPU beside per ...       of its broker, database, auth and history together, on the other core
    server, % of a core      how busy it was; below 100, the clients or the broker set the pace
    c send()                 no server: a C program that sends the same bytes to as many loopback sockets
"""
