"""The page when its tokens run out, in one tab and in several of the same session."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.window import Window, Windows
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

_NO_LOCKS: Final = "delete Navigator.prototype.locks"
"""As in a page that came over plain http."""
_AT_ONCE: Final = """async () => {
  const { SharedSession } = await import("/web/shared-session.js");
  const { enterAsGuest } = await import("/web/api.js");
  const session = await enterAsGuest("Five tabs");
  const ignore = { onTokens() {}, onSignedOut() {} };
  const shared = { id: "five", renewals: 0 };
  const tabs = Array.from({ length: 5 }, () => new SharedSession({ session, shared, ...ignore }));
  const rounds = [];
  for (let round = 0; round < 5; round++) {
    await Promise.all(tabs.map((tab) => tab.renew()));
    rounds.push(tabs.map((tab) => tab.stored.shared.renewals));
  }
  for (const tab of tabs) tab.close();
  return rounds;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def brief_stack() -> AsyncIterator[TestStack]:
    """Its access tokens last for ten seconds."""
    async with fresh(environ={"ACCESS_TOKEN_SECONDS": "10"}) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def brief(browser: Browser, brief_stack: TestStack) -> AsyncIterator[Windows]:
    """Windows on it."""
    opened = Windows(browser, brief_stack)
    yield opened
    await opened.close()
    assert opened.problems == []


async def _connects(stack: TestStack) -> float:
    return await stack.metric("gateway-1", "parley_gateway_connects_total", result="ok")


async def _refreshes(stack: TestStack) -> float:
    return await stack.metric("auth", "parley_auth_sessions_refreshed_total")


async def _stored(tab: Window) -> Any:
    return await tab.page.evaluate("JSON.parse(sessionStorage.getItem('parley.session'))")


async def _renewed(count: int, *tabs: Window) -> None:
    """Each tab knows of `count` renewals, and of the same tokens as the others."""

    async def are() -> bool:
        all_stored = [await _stored(tab) for tab in tabs]
        tokens = {each["session"]["refresh_token"] for each in all_stored}
        return len(tokens) == 1 and all_stored[0]["shared"]["renewals"] >= count

    await until(are, f"{count} renewals", seconds=20 + 10 * count, every=0.2)


async def _talk(first: Window, second: Window, *before: str) -> list[str]:
    """Each says something, and both see it."""
    said = [*before, unique("first"), unique("second")]
    await first.say(said[-2])
    await second.sees(*said[:-1])
    await second.say(said[-1])
    await first.sees(*said)
    await second.sees(*said)
    return said


async def test_the_page_outlives_its_tokens_and_ends_with_its_session(brief: Windows, brief_stack: TestStack) -> None:
    """It brings a new token before the old one expires; signed out elsewhere, it says so, and stays out."""
    connects = await _connects(brief_stack)
    ann = await brief.guest("Ann", unique("long"))
    await _renewed(3, ann)
    assert await _connects(brief_stack) == connects + 1
    await ann.say("still here")
    await expect(ann.part("message").nth(0)).to_have_attribute("data-state", "sent")
    headers = {"Authorization": f"Bearer {(await ann.user())['access_token']}"}
    async with aiohttp.ClientSession() as http:
        await http.post(f"{brief_stack.gateway_urls[1]}/api/logout", headers=headers)
    await expect(ann.part("error-banner")).to_contain_text("signed out", timeout=10_000)
    await ann.shoot("signed-out")
    assert await _connects(brief_stack) == connects + 1


async def test_tabs_of_one_session_live_and_end_together(brief: Windows, brief_stack: TestStack) -> None:
    """Each renewal is done once, for all of them; nobody is sent away, also when a tab is closed or comes back.

    Signed out in one, the others say so.
    """
    connects, refreshes = await _connects(brief_stack), await _refreshes(brief_stack)
    first = await brief.guest("Ann", unique("tabs"))
    second, third = await brief.duplicate(first), await brief.duplicate(first)
    old = await _stored(first)
    await _renewed(2, first, second, third)
    said = await _talk(first, second)
    renewals = (await _stored(second))["shared"]["renewals"]
    assert await _refreshes(brief_stack) - refreshes in {renewals, renewals + 1}  # one may be under way
    assert await _connects(brief_stack) == connects + 3

    await first.page.close()
    await _renewed(renewals + 1, second, third)
    assert await _connects(brief_stack) == connects + 3
    back = await brief.duplicate(second, stored=json.dumps(old))
    await back.is_connected()
    await _renewed(renewals + 2, second, third, back)
    await _talk(second, back, *said)

    await back.part("sign-out-button").click()
    for tab in (second, third):
        await expect(tab.part("error-banner")).to_have_text("You have signed out in another tab. Please enter again.")
        assert await _stored(tab) is None
    await expect(back.part("error-banner")).to_be_hidden()


@pytest.mark.parametrize("script", ["", _NO_LOCKS], ids=["locks", "no locks"])
async def test_tabs_that_renew_at_the_same_moment_renew_once(brief: Windows, script: str) -> None:
    """However many they are, and however often they do it at once; without locks they agree by themselves."""
    entrance = await brief.open(script=script)
    assert await entrance.page.evaluate(_AT_ONCE) == [[number] * 5 for number in range(1, 6)]
