"""What describes the API, as `make run` serves it to people."""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.window import Window
from tests.support.stacks import TestStack

_FAULTS: Final = Path(__file__).with_name("faults.js").read_text()


async def _check(page: Page, width: int) -> None:
    """Nothing sticks out, ids are unique, and text stands out from what is behind it."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(_FAULTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
async def test_the_documents_can_be_read(stack: TestStack, browser: Browser, scheme: Any, width: int) -> None:
    """From the index to a route and to an event; nothing is refused by the policy, or asked of elsewhere."""
    url, problems = stack.gateway_urls[0], list[str]()
    context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = await context.new_page()
    window = Window(page)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text))
    page.on("request", lambda each: None if each.url.startswith(f"{url}/") else problems.append(each.url))
    await page.goto(f"{url}/docs")
    await _check(page, width)
    await page.get_by_role("heading", name="Parley over HTTP").get_by_role("link").click()
    await page.locator("nav").get_by_role("link", name="POST /api/guest", exact=True).click()
    shown = page.locator("article:target")
    await expect(shown).to_contain_text("display_name")
    await expect(shown.get_by_role("heading").first).to_be_in_viewport()
    await _check(page, width)
    await window.shoot(f"docs-openapi-{width}-{scheme}")
    await page.locator("nav").get_by_role("link", name="Realtime").click()
    await page.locator("nav").get_by_role("link", name="history", exact=True).click()
    await expect(shown).to_contain_text("the last acknowledged message")
    await _check(page, width)
    await window.shoot(f"docs-asyncapi-{width}-{scheme}")
    await context.close()
    assert problems == []
