"""Networks that learnt apart, side by side in one graph: the mean of their logits."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from sed.train.network import SPREAD_DB, Crnn, Layer, Network


class Ensemble(Network):
    """`members` CRNNs of one shape; networks that learnt from other scenes are wrong at other places (Hansen 1990).

    Each normalises the frames in its own way. Convolutions are grouped, one group a member, so that the graph has
    hardly more nodes than one network's: in short calls it is nodes that cost. Batch norm is folded into them. The
    layer of scores hears all members at once.
    """

    kind = "ensemble"
    means: Tensor
    spreads: Tensor

    def __init__(
        self,
        mels: int,
        labels: int,
        units: int,
        layers: Sequence[Layer],
        members: int = 2,
        dropout: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__(mels, units, layers)
        self.members = members
        self.convolutions = nn.ModuleList()
        channels, bins = 1, mels
        for layer in layers:
            sizes = channels * members, layer.channels * members, layer.kernel, layer.stride
            self.convolutions.append(nn.Conv2d(*sizes, padding=(0, layer.kernel[1] // 2), groups=members))
            self._shapes.append((channels * members, layer.memory, bins))
            channels, bins = layer.channels, -(-bins // layer.stride[1])
        self.narrow = nn.Conv2d(channels * members, units * members, (1, bins), groups=members)
        self.forget = nn.Dropout(dropout[0])
        self.recurrent = nn.ModuleList(nn.GRU(units, units) for _ in range(members))
        self.dropout = nn.Dropout(dropout[1])
        self.scores = nn.Linear(units * members, labels)
        self._shapes.append((members, units))
        self.register_buffer("means", torch.zeros(members, 1, mels))
        self.register_buffer("spreads", torch.ones(members, 1, mels))

    @classmethod
    def of(cls, members: Sequence[Crnn]) -> Self:
        """The networks as they are now, ready to score; raises ValueError if they are not of one shape."""
        first = members[0]
        for other in members:
            if (other.mels, other.units, other.layers) != (first.mels, first.units, first.layers):
                raise ValueError("the members of an ensemble are of one shape")
        whole = cls(first.mels, first.scores.out_features, first.units, first.layers, len(members))
        with torch.no_grad():
            whole._take(members)
        return whole.eval()

    def _take(self, members: Sequence[Crnn]) -> None:
        self.means.copy_(torch.stack([member.mean for member in members])[:, None])
        self.spreads.copy_(torch.stack([member.spread for member in members])[:, None])
        for number, convolution in enumerate(self.convolutions):
            _join(convolution, [_folded(member, number) for member in members])
        _join(self.narrow, [member.narrow for member in members])
        for recurrent, member in zip(self.recurrent, members, strict=True):
            recurrent.load_state_dict(member.recurrent.state_dict())
        self.scores.weight.copy_(torch.cat([member.scores.weight for member in members], 1) / len(members))
        self.scores.bias.copy_(torch.stack([member.scores.bias for member in members]).mean(0))

    def normal(self) -> tuple[Tensor, Tensor]:
        """The mean over the members."""
        return self.means.mean((0, 1)), self.spreads.mean((0, 1))

    def normalise(self, mean: Tensor, spread: Tensor) -> None:
        """Fix it, for all members the same."""
        self.means.copy_(mean.expand_as(self.means))
        self.spreads.copy_(spread.clamp(min=SPREAD_DB).expand_as(self.spreads))

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Logits and the next state; the last tensor of it is the members' GRUs', (streams, members, units)."""
        *memories, recalled = state
        kept: list[Tensor] = []
        x = (frames.unsqueeze(1) - self.means) / self.spreads
        for layer, convolution, memory in zip(self.layers, self.convolutions, memories, strict=True):
            x = torch.cat((memory.to(x.dtype), x), dim=2)
            kept.append(x[:, :, -layer.memory :])
            x = torch.relu(convolution(x))
        rows = torch.relu(self.narrow(x)).squeeze(3).permute(2, 0, 1)  # (rows, streams, members * units)
        owned = torch.split(self.forget(rows), self.units, 2)
        before = torch.split(recalled.to(rows.dtype).transpose(0, 1), 1)
        told, last = zip(*(gru(*own) for gru, *own in zip(self.recurrent, owned, before, strict=True)), strict=True)
        logits = self.scores(self.dropout(torch.cat(told, 2))).transpose(0, 1)
        return logits, *kept, torch.cat(last).transpose(0, 1)


def _folded(member: Crnn, number: int) -> nn.Module:
    """A member's convolution and the norm after it as one convolution."""
    convolution, norm = member.convolutions[number], member.norms[number]
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)  # noqa: S101, PT018
    return nn.utils.fuse_conv_bn_eval(convolution, norm)


def _join(grouped: nn.Module, parts: Sequence[nn.Module]) -> None:
    """Give each group the weights of its member."""
    for name, joined in grouped.named_parameters():
        joined.copy_(torch.cat([part.get_parameter(name) for part in parts]).view_as(joined))
