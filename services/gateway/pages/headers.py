"""What goes with every page."""

from aiohttp import hdrs


def headers(policy: str) -> dict[str, str]:
    """Those of a page with the Content-Security-Policy `policy`."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        hdrs.CACHE_CONTROL: "no-cache",
    }
