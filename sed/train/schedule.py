"""How the learning rate changes while training: the share of it that is used when `done` (0 to 1) is over."""

import math
from collections.abc import Callable, Mapping
from typing import Final

Schedule = Callable[[float], float]

WARM_UP: Final = 0.05  # of the training, before the cosine


def one_cycle(done: float) -> float:
    """Up along a cosine for a tenth of the training, then down to almost nothing; after Smith 2018."""
    if done < 0.1:
        return 0.04 + 0.96 * (1.0 - math.cos(math.pi * done / 0.1)) / 2.0
    return 0.002 + 0.998 * (1.0 + math.cos(math.pi * (min(done, 1.0) - 0.1) / 0.9)) / 2.0


def cosine(done: float) -> float:
    """Up along a line for WARM_UP of the training, then down to zero along a cosine; Loshchilov & Hutter 2017."""
    if done < WARM_UP:
        return done / WARM_UP
    return (1.0 + math.cos(math.pi * (min(done, 1.0) - WARM_UP) / (1.0 - WARM_UP))) / 2.0


SCHEDULES: Final[Mapping[str, Schedule]] = {"one_cycle": one_cycle, "cosine": cosine}
"""What can be asked for, by name."""
