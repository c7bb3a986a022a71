"""Many attacks side by side, for a while, and a good client that must not notice."""

import asyncio
import random
import time
import traceback
from collections import Counter, deque
from collections.abc import Awaitable
from typing import Final

from tests.abuse.fuzz.attacks import ATTACKS
from tests.abuse.ground import Ground, ground

_SIDES: Final = 8
_ATTACK_SECONDS: Final = 60.0
"""An attack that takes longer has found something; whoever floods may have to wait for twenty, more than once."""
_LOOK_SECONDS: Final = 1.0
_REMEMBERED: Final = 40
_SETTLE_SECONDS: Final = 90.0
"""For what attacks have left behind to come to its end: half a poll lasts until its heart stops."""


class Report:
    """What was tried, what came of it, and what was wrong."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.tried: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.troubles: list[str] = []
        self.newest: deque[str] = deque(maxlen=_REMEMBERED)
        """The last attacks that began; each can be had again by its name."""

    @property
    def was_well(self) -> bool:
        """Whether nothing was wrong."""
        return not self.troubles

    def __str__(self) -> str:
        """All of it, for people."""
        lines = [f"seed {self.seed}: {self.tried.total()} attacks, {self.answers.total()} answers"]
        lines += [f"  {count:8} {name}" for name, count in sorted(self.tried.items())]
        lines += [f"  {count:8} {name}" for name, count in sorted(self.answers.items())]
        lines += [f"TROUBLE {each}" for each in self.troubles]
        if self.troubles:
            lines.append(f"newest attacks: {' '.join(self.newest)}")
        return "\n".join([*lines, "all was well" if self.was_well else "it was not well"])


async def fuzz(seconds: float, seed: int) -> Report:
    """Attack a stack of its own for `seconds`; each attack is what `seed` and its number say."""
    report = Report(seed)
    async with ground() as attacked:
        tokens = await attacked.stack.mint(_SIDES, seconds=86_400)
        attacked.secrets.update(tokens)
        deadline = time.monotonic() + seconds
        sides = [
            asyncio.create_task(_attack(attacked, report, side, tokens[side], deadline)) for side in range(_SIDES)
        ]
        try:
            await _look(attacked, report, deadline)
        finally:
            await asyncio.gather(*sides)
        await _notice(report, "after all", attacked.is_well(seconds=_SETTLE_SECONDS))
        await _notice(report, "after all", attacked.has_few_series())
        for look in (attacked.has_grown_little, attacked.has_kept_secrets):
            try:
                look()
            except AssertionError as error:
                report.troubles.append(f"after all: {error}")
    return report


async def _attack(attacked: Ground, report: Report, side: int, token: str, deadline: float) -> None:
    number = 0
    while time.monotonic() < deadline and report.was_well:
        dice = random.Random(f"{report.seed}/{side}/{number}")
        kind = dice.choice(list(ATTACKS))
        report.tried[kind] += 1
        report.newest.append(f"{side}/{number}")
        try:
            async with asyncio.timeout(_ATTACK_SECONDS):
                words = await ATTACKS[kind](attacked.stranger(), dice, token)
        except (EOFError, ConnectionError):
            words = ["ended early"]
        except Exception:  # noqa: BLE001 - whatever it is, somebody has to look at it
            report.troubles.append(f"{kind} {side}/{number}: {traceback.format_exc()}")
            return
        report.answers.update(f"{kind}: {each}" for each in words)
        number += 1


async def _look(attacked: Ground, report: Report, deadline: float) -> None:
    while time.monotonic() < deadline and report.was_well:
        await _notice(report, "meanwhile", attacked.serves_side_by_side())
        await asyncio.sleep(min(_LOOK_SECONDS, max(deadline - time.monotonic(), 0)))


async def _notice(report: Report, when: str, look: Awaitable[None]) -> None:
    try:
        await look
    except Exception as error:  # noqa: BLE001 - as above
        report.troubles.append(f"{when}: {type(error).__name__}: {error}")
