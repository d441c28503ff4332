"""The loss of whole seconds: what is told of a second is its highest row, and one high row is a false alarm."""

import torch
from torch import Tensor, nn

from sed.train.losses import Total, whole

ROWS = 24
"""Rows of a segment, about a second; the next one begins half a segment later."""


def segment_loss(logits: Tensor, target: Tensor, weight: Tensor, rows: int = ROWS, total: Total = whole) -> Tensor:
    """Binary cross-entropy of the highest logit of every segment; all (scenes, n, labels), a scalar.

    A segment is 1 where an event lies whole in it or fills a quarter of it; one that an event merely touches counts
    nothing. A segment of 1 counts as its heaviest row of 1 does, one of 0
    as its lightest row: a second in which a target may be heard proves little. Max pooling as in multiple-instance
    learning (Wang, Li, Metze 2019, "A comparison of five multiple instance learning pooling functions").
    """
    told = _windows(logits.float(), rows).amax(-1)
    known, counts = _windows(target, rows), _windows(weight, rows)
    touched = known.amax(-1) > 0.0
    inside = (known[..., 0] == 0.0) & (known[..., -1] == 0.0)
    there = touched & (inside | (known.mean(-1) >= 0.25))
    share = torch.where(there, (counts * known).amax(-1), torch.where(touched, 0.0, counts.amin(-1)))
    each = nn.functional.binary_cross_entropy_with_logits(told, there.float(), reduction="none")
    return (each * share).sum() / total(share)


def _windows(values: Tensor, rows: int) -> Tensor:
    """(scenes, n, labels) cut into overlapping segments: (scenes, segments, labels, rows)."""
    size = min(rows, values.shape[1])
    return values.unfold(1, size, max(1, size // 2))
