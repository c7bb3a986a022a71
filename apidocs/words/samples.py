"""What several examples have."""

from typing import Final

USER: Final = {"id": "u-7Hk2", "display_name": "Ann"}
MESSAGE: Final = {
    "room": "lobby",
    "seq": 42,
    "prev": 40,
    "id": "m-1",
    "from": USER,
    "body": "Hello!",
    "ts": 1_767_225_600_123,
}
