"""Two clients where no port is left: run in a network namespace of its own with two local ports, by `unshare`.

Prints the code of each client's failure.
"""

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402 - patched

from loadtests.client import ChatClient  # noqa: E402
from loadtests.failures import Failure  # noqa: E402

PORT = 8080
PORTS = 2


def main() -> None:
    """Take all ports, and want more."""
    with socket.create_server(("127.0.0.1", PORT)):
        taken = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(PORTS)]
        for upgrades in (False, True):
            try:
                ChatClient(
                    f"http://127.0.0.1:{PORT}",
                    "token",
                    report=lambda *_: None,
                    on={},
                    on_end=lambda: None,
                    upgrades=upgrades,
                )
            except Failure as failure:
                print(failure.code)
        for each in taken:
            each.close()


if __name__ == "__main__":
    main()
