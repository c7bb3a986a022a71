"""The fault suite: members talk, something breaks and heals, and the checker compares what each saw with the acks.

`arena` is what can be broken, and the modules in `catalogue` break it. A `member` behaves as an application does, on
a connection that is one of `official_lines` or a `light_line`; `crowd` is all of them. `run` lets one fault happen to
a crowd, and `command` does so for as many as are wanted: `make faults`.
"""
