"""How long to wait before something that has gone is looked for again."""

import random
from collections.abc import Iterator


def jittered(seconds: float) -> float:
    """Within a half of `seconds`, so that many who wait never come in step."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret


def delays(first: float, longest: float) -> Iterator[float]:
    """Seconds: twice as long each time, each drawn within a half of itself."""
    delay = first
    while True:
        yield jittered(delay)
        delay = min(2.0 * delay, longest)
