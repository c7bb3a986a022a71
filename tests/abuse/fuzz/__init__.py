"""Inputs without end: made by a grammar of what clients say, then damaged, and sent from several sides at once.

    grammar   JSON, packets, frames and requests as a client might make them, and as none would
    damage    what happens to bytes on their way: flipped bits, lies about lengths, pieces lost, doubled or of another
    attacks   how each kind is sent, and what comes of it
    run       many attacks side by side, and a good client that must not notice: `python -m tests.abuse.fuzz`

The seed decides what each attack is; what the gateway answers may depend on which came before, and on the machine.
"""
