"""Python's cyclic garbage collector, told what kind of program this is.

A gateway holds hundreds of thousands of objects for hours, and nearly everything else dies by its reference count. By
default the collector walks all of them again and again in search of cycles that are not there.
"""

import gc
from typing import Final

_YOUNG_MOST: Final = 200_000
"""So many more objects than before, those of some thousands of clients, start a collection of the young."""
_YOUNG_A_MIDDLE: Final = 20
_MIDDLES_A_FULL: Final = 50


def settle() -> None:
    """To be called once a process has started: what it has made so far stays, and is never walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MOST, _YOUNG_A_MIDDLE, _MIDDLES_A_FULL)
