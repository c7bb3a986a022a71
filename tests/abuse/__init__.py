"""What strangers may send to a gateway: each input with its exact answer, and a gateway that is as well as before.

    rows        an input: its name, who sends it how, and what has to come of it
    stranger    a peer with an address of its own: raw bytes, WebSockets, polls, the API. `line` is its connection,
                `websocket` what becomes of that
    ground      the stack with its production defaults, a good client that stays, and how one tells that all is well
    log_lines   what the services may write down of all this
    http_heads, handshakes, polling, frames, packets, ids, values, tokens (made by `forger`), sign_in, access and
    rooms (of `accounts`), floods, slow_ones   the inputs, as tables
    fuzz        inputs without end

`tests/guards` has the edge alone, beside the stock stack; here everything is there, and nothing is replaced.
"""
