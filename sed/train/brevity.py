"""Short events count more: else a siren of eight seconds teaches as much as forty shots."""

from typing import Final

import torch
from torch import Tensor

ROWS: Final = 50
"""An event of so many rows, two seconds, counts as it would anyway."""
LEAST, MOST = 0.5, 4.0


def brevity(target: Tensor, power: float) -> Tensor:
    """What each row of `target` (scenes, rows, labels), 0 or 1, is to count: (ROWS / length of its event) ** power.

    Rows without an event count 1; an event counts LEAST to MOST a row. A `power` of 0 leaves all as they are, one of 1
    lets all events between 12 and 100 rows count the same.
    """
    rows = target.shape[1]
    there = target > 0.5
    place = torch.arange(rows, device=target.device).view(1, rows, 1).expand_as(target)
    before = torch.where(there, -1, place).cummax(1).values
    after = torch.where(there, rows, place).flip(1).cummin(1).values.flip(1)
    length = (after - before - 1).clamp(min=1)
    return torch.where(there, (ROWS / length).pow(power).clamp(LEAST, MOST), 1.0)
