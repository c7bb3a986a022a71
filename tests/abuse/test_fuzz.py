"""A short run of the fuzzer; `make fuzz` takes as long as it is told to."""

import random
from typing import Final

from tests.abuse.fuzz.run import fuzz

_SECONDS: Final = 8.0


async def test_random_input_does_no_harm() -> None:
    """Whatever it is this time: a good client does not notice, and nothing is left; the report has the seed."""
    report = await fuzz(_SECONDS, random.randrange(10**6))
    assert report.was_well, report
    assert len(report.tried) == 5, report
