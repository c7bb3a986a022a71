"""How often something may happen: the generic cell rate algorithm (ITU-T I.371), for which a bucket is one number.

The number is when the bucket would be empty again if nothing more were taken: 0.0 for one that nobody has used.
"""

from typing import Final, Self

import msgspec

_SLACK: Final = 1e-4
"""Seconds: whoever has waited for as long as they were told is not turned away for what a thousand roundings make."""


class Rate(msgspec.Struct, frozen=True, gc=False):
    """`burst` at once, and then one each `interval`; in any time t no more than `burst` + t / `interval`."""

    interval: float
    """Seconds."""
    tolerance: float
    """How far ahead of now a bucket may be, in seconds, for one more to be taken."""

    @classmethod
    def of(cls, per_second: float, burst: int) -> Self | None:
        """None for a rate of 0: there is no limit. `burst` is 1 at least."""
        if not per_second:
            return None
        return cls(1 / per_second, (max(burst, 1) - 1) / per_second + _SLACK)

    def take(self, bucket: float, now: float) -> float | None:
        """The bucket with one more in it, or None if that is too many; then nothing was taken."""
        if bucket - now > self.tolerance:
            return None
        return max(bucket, now) + self.interval

    def wait(self, bucket: float, now: float) -> float:
        """Seconds until one more would be taken, if nobody else takes it; 0: now."""
        return max(0.0, bucket - self.tolerance + _SLACK - now)
