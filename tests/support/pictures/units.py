"""Numbers as Grafana writes them, nearly."""

from collections.abc import Sequence
from typing import Final

_SECONDS: Final = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
_MANY: Final = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"), (1, ""))
_RATES: Final = {"cps": " c/s", "pps": " p/s"}


def written(value: float, unit: str, decimals: int | None = None) -> str:
    """`value` with its unit."""
    if decimals is not None and unit == "none":
        return f"{value:.{decimals}f}"
    if unit == "percentunit":
        return f"{100 * value:.{1 if decimals is None else decimals}f}%"
    if unit == "s":
        return _scaled(value, _SECONDS, " ")
    if unit in {"bytes", "Bps"}:
        return _scaled(value, _BYTES, " ") + ("/s" if unit == "Bps" else "")
    if unit == "short":
        return _scaled(value, _MANY, "")
    return f"{value:.3g}{_RATES.get(unit, '')}"


def _scaled(value: float, scales: Sequence[tuple[float, str]], between: str) -> str:
    for size, name in scales:
        if abs(value) >= size:
            return f"{value / size:.3g}{between}{name}"
    return f"{value:.3g}{between}{scales[-1][1]}" if value else "0"
