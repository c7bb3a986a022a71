"""Fixtures of all tests."""

from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio

from tests.support.stacks import TestStack, fresh

_SHOWN_LINES = 60
_stacks: list[TestStack] = []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[TestStack]:
    """One stack for all tests that only use it."""
    async with fresh(environ={"ROOM_LINGER_SECONDS": "1"}) as started:
        _stacks.append(started)
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def own_stack() -> AsyncIterator[TestStack]:
    """A stack for one test that does harm to it."""
    async with fresh(environ={"ROOM_LINGER_SECONDS": "1"}) as started:
        _stacks.append(started)
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the newest stack printed, under a test that failed."""
    report = yield
    if report.failed and _stacks:
        report.sections.append(("stack", "\n".join(_stacks[-1].output[-_SHOWN_LINES:])))
    return report
