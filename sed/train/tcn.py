"""The network with dilated causal convolutions over the rows in place of the GRU; after Bai et al. 2018."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sed.train.network import LAYERS, Convolutional, Layer

KERNEL = 3
BLOCKS = 4
"""81 rows of the past: 3.2 s in rows of 40 ms. In short calls a block costs more by its nodes than by its products."""


class Tcn(Convolutional):
    """Residual blocks, `units` wide, and one linear layer; `dropout` is what is dropped before and after the blocks.

    Block k hears every 3**k-th row, so its memory is the last 2 * 3**k rows it was given. `reach` is the number of rows
    that bear on one row's scores, itself among them.
    """

    kind = "tcn"

    def __init__(
        self,
        mels: int,
        labels: int,
        units: int = 128,
        layers: Sequence[Layer] = LAYERS,
        dropout: tuple[float, float] = (0.0, 0.1),
        blocks: int = BLOCKS,
    ) -> None:
        """Raises ValueError if there is no block."""
        if blocks < 1:
            raise ValueError(f"blocks: need at least 1, got {blocks}")
        super().__init__(mels, units, layers)
        dilations = [KERNEL**number for number in range(blocks)]
        self.reach = 1 + (KERNEL - 1) * sum(dilations)
        self.forget = nn.Dropout(dropout[0])
        self.blocks = nn.ModuleList(_Block(units, dilation) for dilation in dilations)
        self.dropout = nn.Dropout(dropout[1])
        self.scores = nn.Linear(units, labels)
        self._shapes.extend((units, 1, (KERNEL - 1) * dilation) for dilation in dilations)

    def recall(self, rows: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Each block's memory is the end of what it was given, (streams, units, 1, rows)."""
        kept: list[Tensor] = []
        x = self.forget(rows).transpose(1, 2).unsqueeze(2)
        for block, memory in zip(self.blocks, state, strict=True):
            x, remembered = block(x, memory)
            kept.append(remembered)
        return self.scores(self.dropout(x.squeeze(2).transpose(1, 2))), *kept


class _Block(nn.Module):
    """What a unit was in three rows, then what all units were; the sum of that and of what came in.

    The rows are the width of a picture one pixel high: ONNX Runtime takes 1.8 times as long over convolutions in 1-D.
    """

    def __init__(self, units: int, dilation: int) -> None:
        super().__init__()
        self.memory = (KERNEL - 1) * dilation
        self.depthwise = nn.Conv2d(units, units, (1, KERNEL), dilation=(1, dilation), groups=units, bias=False)
        self.pointwise = nn.Conv2d(units, units, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(units) for _ in range(2))

    def forward(self, rows: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        heard = torch.cat((memory.to(rows.dtype), rows), dim=3)
        x = torch.relu(self.norms[0](self.depthwise(heard)))
        return rows + self.norms[1](self.pointwise(x)), heard[..., -self.memory :]
