"""Very many connections, held: `python -m loadtests.connections`, and what it took to hold them.

Each connection is a user of its own, with a token of its own, and a member of one room; any of them sends, all
members hear. What they do is as true as in `python -m loadtests`, and is judged by the same checker; only the client
is a light one (`loadtests.light`) and what it does is less, so that one core can hold ten thousand and more.

**Open loop.** A message is due at its time, whatever became of those before it, and goes out then: a system that
becomes slow gets no rest because of it. The time of a message, until its acknowledgement and until each delivery, is
taken from when it was due, not from when it was written to a socket: what waits in the generator, or for a connection
to come back, has waited for a user (it would be hidden otherwise: "coordinated omission"). There is one bound,
`outbox.UNDER_WAY_MOST` messages of a process that are not acknowledged; what is due above it is not sent, and counts
as failed.

conductor   what happens when: connections arrive, are held, are loaded step by step, and it all ends
crew        the holders, which are processes of their own, and what they report every second
orders      what conductor and holders tell each other
holder      a holder: its seats, its pace, its reports
seat        one user, across connections; `line` is one connection, `target` what it leads to
outbox      what a user has to say, until its outcome is known
book        what a holder writes down
pace        when messages are due
own         the system: a stack of our own, gateways behind HAProxy; or one that is given
beside      what its proxies and servers use, if they run here
options     what the command can be told
run         the command, from options to exit code
"""
