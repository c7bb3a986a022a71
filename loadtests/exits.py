"""How a command of the load tests ends: its exit code, and the one line that says why there is no verdict."""

import asyncio
import sys
import traceback
from collections.abc import Coroutine
from typing import Any

from deploy.local.process import StackError
from loadtests.report.conclude import ReportError
from loadtests.slo import SloError
from loadtests.target import RunError


def exit_code(work: Coroutine[Any, Any, int], *expected: type[Exception]) -> int:
    """Do it, and return its exit code; 2 when it came to none. `expected`: what else has a line to show."""
    told: tuple[type[Exception], ...] = (RunError, StackError, SloError, OSError, *expected)
    try:
        return asyncio.run(work)
    except ReportError as error:
        print(f"loadtests: {error}", file=sys.stderr)
        return error.exit_code
    except told as error:
        print(f"loadtests: {error}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("loadtests: stopped before the verdict", file=sys.stderr)
    except Exception:  # noqa: BLE001 - 1, as Python has it, would say that something was lost
        traceback.print_exc()
    return 2
