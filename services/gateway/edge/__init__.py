"""The Socket.IO edge: python-socketio's server over transports of our own.

    frames      what goes out: WebSocket frames, made once for any number of clients
    websocket   the protocol of a socket that has left aiohttp; `parser` reads its frames, `handshake` takes it over
    polling     the other transport, whose packets come and go in a `payload`; `upgrade` leads from it to a WebSocket
    session     what a client has here, on whichever `transport`: one way in (`receive`), one way out (`write`)
    heartbeat, backlog, wheel   pings, slow readers, and the one timer of each
    entrance    every HTTP request comes in here: checked (`origins`), then a session begins (`opening`), polls
                (`poll_requests`) or changes to a WebSocket; `responses` are what it is answered. `poll_answer` waits
                until that was read, `last_polls` keeps a session that the server ends until its client was told all
    pace        who sends too much is read more slowly
    gate        how many sessions there may be, of whom (`addresses`), and how many a second (`rates`)
    engine      Engine.IO: python-engineio's server with these sessions
    server      Socket.IO: python-socketio's server on that engine, with `manager` and `packet`
    http_guard  closes HTTP connections that take too long; `http_log` keeps out of the log what strangers could put
                there, and `tracebacks` out of memory what was answered
    limits      what a peer may cost; `metrics` what is counted

It knows nothing of Parley, and imports nothing of it (import-linter checks that); `services/gateway/clients.py` does.
"""
